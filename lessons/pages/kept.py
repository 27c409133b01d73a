"""What the pages need of a lesson's run and a notebook does not hold: the states of its views.

A run of the lessons that is made anyway, by ``pytest lessons``, leaves them in ``lessons/.views``, in the
form in which an exported page reads them. Of the code of a view only its class is noted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import build

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nbformat import NotebookNode

FOLDER = build.LESSONS / ".views"
# What the kernel of a lesson runs when all its cells have run.
STATES = """\
import json as _json, ipywidgets as _ipywidgets
from pathlib import Path as _Path
_Path({path!r}).parent.mkdir(exist_ok=True)
_ = _Path({path!r}).write_text(_json.dumps(_ipywidgets.Widget.get_manager_state()["state"]))"""
_OF_A_NOTEBOOK = ("layout", "tabbable", "tooltip", "keys")


def place(lesson: build.Lesson, folder: Path = FOLDER) -> Path:
    """Say where a lesson's views are kept."""
    return folder / f"{lesson.path.parent.name}-{lesson.source.stem}.json"


def part(lesson: build.Lesson, folder: Path = FOLDER) -> Path:
    """Say where the kernel of a lesson writes all its widgets, before its views are kept."""
    return place(lesson, folder).with_suffix(".part")


def keep(
    lesson: build.Lesson, cells: Iterable[tuple[str, list[NotebookNode]]], folder: Path = FOLDER
) -> None:
    """Keep the views that cells show, out of what the kernel has written.

    Parameters
    ----------
    lesson
        The lesson that has run.
    cells
        The name of each cell, with the outputs of its run.
    folder
        Where to.
    """
    written, cells = part(lesson, folder), list(cells)
    models = json.loads(written.read_text(encoding="utf-8"))
    views = {name: _view(models[model]) for name, outputs in cells for model in _models(outputs)}
    text = json.dumps({"cells": [name for name, _ in cells], "views": views})
    written.write_text(text, encoding="utf-8")
    written.replace(place(lesson, folder))


def read(lesson: build.Lesson, folder: Path = FOLDER) -> dict[str, Any]:
    """Read the views of a lesson, by the names of their cells.

    Raises
    ------
    LessonError
        If its views have not been kept, or the lesson has changed since.
    """
    path = place(lesson, folder)
    advice = f"run: pytest {lesson.path.relative_to(build.LESSONS.parent).as_posix()}"
    if not path.exists():
        raise build.LessonError(f"the views of {lesson.title} have not been kept; {advice}")
    run = json.loads(path.read_text(encoding="utf-8"))
    if run["cells"] != [cell.id for cell in build.compose(lesson).cells if cell.cell_type == "code"]:
        raise build.LessonError(f"{lesson.title} has changed since its views were kept; {advice}")
    return dict(run["views"])


def _models(outputs: list[NotebookNode]) -> list[str]:
    return [
        o["data"][build.WIDGET_VIEW]["model_id"] for o in outputs if build.WIDGET_VIEW in o.get("data", ())
    ]


def _view(model: dict[str, Any]) -> dict[str, Any]:
    """Take a view's class and state from what ipywidgets writes, with the bytes back at their places."""
    state = model["state"]
    for buffer in model.get("buffers", ()):
        *way, last = buffer["path"]
        holder = state
        for step in way:
            holder = holder[step]
        holder[last] = {"base64": buffer["data"]}
    plain = {k: v for k, v in state.items() if not k.startswith("_") and k not in _OF_A_NOTEBOOK}
    return {"class": state["_anywidget_id"], "state": plain}
