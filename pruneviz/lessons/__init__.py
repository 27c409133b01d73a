"""The course's notebooks, with the results that they read and the checks of their exercises.

In a checkout they lie in ``lessons/`` beside the package; a wheel brings them inside it.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from pruneviz.files.writing import whole

_INSIDE = Path(__file__).parent
HOME = _INSIDE if (_INSIDE / "results").is_dir() else _INSIDE.parents[1] / "lessons"
"""The folder that holds the notebooks, ``results/`` and ``checks/``."""


@cache
def glossary() -> dict[str, str]:
    """Give the words of the course with their meanings, as GLOSSARY.md tells them.

    Where a row has several words, and as many meanings with semicolons between them, each word has its own.
    """
    found: dict[str, str] = {}
    for row in re.findall(
        r"^\| (.*\*\*.*?) \| (.*) \|$", (HOME / "GLOSSARY.md").read_text("utf-8"), re.MULTILINE
    ):
        words, meaning = re.findall(r"\*\*(.+?)\*\*", row[0]), row[1].replace("*", "")
        each = meaning.split("; ")
        found |= dict(zip(words, each if len(each) == len(words) else [meaning] * len(words), strict=True))
    return found


def files() -> list[Path]:
    """List what learners and instructors take with them, relative to `HOME`."""
    patterns = ("[0-9]*.ipynb", "[a-z]*/[0-9]*.ipynb", "map/*.svg", "[A-Z]*.md", "LICENSE")
    return [path.relative_to(HOME) for pattern in patterns for path in sorted(HOME.glob(pattern))]


def copy(folder: Path, *, outputs: bool = False) -> list[Path]:
    """Copy notebooks, maps and the notes for instructors into a folder, and return what was left alone.

    Notebooks come without ``outputs``, which hold the answers, unless asked for. Left alone are files that
    are there and differ: somebody has worked in them.
    """
    changed = []
    for path in files():
        content, target = (HOME / path).read_bytes(), folder / path
        if path.suffix == ".ipynb" and not outputs:
            content = _without_outputs(content)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole(target) as file:
                file.write(content)
        elif target.read_bytes() != content:
            changed.append(path)
    return changed


def _without_outputs(content: bytes) -> bytes:
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
