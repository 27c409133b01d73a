"""The course as a folder of static pages, in which the views live without a kernel and without a network.

    python lessons/build.py --site FOLDER

Every page is made from what is there: the notebooks with their outputs, the notes beside them, and the
states of the views that the last run of the lessons has kept (kept.py). Nothing is run. Scripts are classic
ones, since a browser that opens a page from a file loads no modules.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import build
import course_map
import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pages import kept, texts
from pages.explorables import EXPLORABLES, Explorable
from pruneviz.widgets.frame import assets

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).resolve().parent
NOTES = ("YOUR_OWN_NETWORK", "GLOSSARY", "INSTRUCTOR")
_EXPORT = re.compile(r"^export default (.+);\s*\Z", re.MULTILINE)


class Site:
    """The pages, as they are written one after the other.

    Parameters
    ----------
    folder
        Where to.
    lessons
        The lessons it has.
    """

    def __init__(self, folder: Path, lessons: Sequence[build.Lesson]) -> None:
        self.folder = folder
        self.lessons = lessons
        self.explorables = EXPLORABLES
        self._classes: dict[str, str] = {}
        self._views: dict[str, list[tuple[dict[str, Any], str, str, str]]] = {}
        self._index: dict[tuple[str, str], dict[str, Any]] = {}
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.filters["code"] = lambda text: Markup(texts.code(text))  # noqa: S704
        self._templates.filters["json"] = _json
        self._templates.filters["without_style"] = _without_style
        self._templates.globals["repository"] = texts.REPOSITORY

    def write(self) -> None:
        """Write everything."""
        for part in ("static", "map"):
            shutil.copytree((HERE if part == "static" else build.LESSONS) / part, self.folder / part)
        offline = _classic("offline", assets.script("frame/offline.js"))
        (self.folder / "static" / "offline.js").write_text(offline, encoding="utf-8")
        for lesson in self.lessons:
            self._lesson(lesson)
        for one in self.explorables:
            ask, see = (Markup(texts.prose(text, HERE)) for text in (one.ask, one.see))  # noqa: S704
            more = {"ask": ask, "see": see, "revealed": json.dumps(dict(one.revealed))}
            self._shown(one.address, "explorable.html.j2", one.title, one, **more)
        self._shown("index.html", "start.html.j2", "Prune a neural network", self.explorables[0])
        for note in NOTES:
            source = build.LESSONS / f"{note}.md"
            body = texts.prose(source.read_text(encoding="utf-8"), source)
            self._page(f"{note}.html", "note.html.j2", _title(body), body=Markup(body))  # noqa: S704
            self._remember(f"{note}.html", _title(body), None, body)
        self._page("lessons.html", "lessons.html.j2", "The lessons")
        self._page("search.html", "search.html.j2", "Search")
        index = json.dumps(list(self._index.values()), ensure_ascii=False, separators=(",", ":"))
        (self.folder / "static" / "index.js").write_text(f"const INDEX = {index};\n", encoding="utf-8")

    @cached_property
    def titles(self) -> dict[str, str]:
        """Name the lessons by their sources, in their order."""
        return {lesson.source.stem: _heading(build.compose(lesson)) for lesson in self.lessons}

    def view(self, view: dict[str, Any]) -> str:
        """Write the scripts of a view's class, once; gives the name of the class."""
        module, name = view["class"].rsplit(".", 1)
        if self._classes.setdefault(name, view["class"]) != view["class"]:
            raise build.LessonError(f"two views are called {name}: {view['class']}, {self._classes[name]}")
        script = self.folder / "static" / f"{name}.js"
        if not script.exists():
            kind = getattr(import_module(module), name)
            script.write_text(_classic(name, kind._esm), encoding="utf-8")  # noqa: SLF001
            script.with_suffix(".css").write_text(kind._css, encoding="utf-8")  # noqa: SLF001
        return name

    def _lesson(self, lesson: build.Lesson) -> None:
        notebook = nbformat.read(lesson.path, as_version=nbformat.NO_CONVERT)
        views, cells = kept.read(lesson), []
        for cell in notebook.cells:
            tags = cell.metadata.get("tags", [])
            if cell.cell_type == "markdown":
                cell.html = Markup(texts.prose(cell.source, lesson.path))  # noqa: S704
            elif "check" in tags:
                continue  # it says that nothing has been answered
            else:
                cell.outputs = [output for output in cell.outputs if output != build.FOLDED]
                cell.view = views.get(cell.id)
            cells.append(cell)
        stem, names = lesson.source.stem, list(self.titles)
        place = names.index(stem)
        notebook_file = texts.target(lesson.path.name, lesson.path, page=False)
        shown = [cell for cell in cells if cell.get("view")]
        self._views.setdefault(stem, [(cell.view, *_still(cell), notebook_file) for cell in shown])
        path = lesson.path.relative_to(build.LESSONS).with_suffix(".html").as_posix()
        self._page(
            path,
            "lesson.html.j2",
            self.titles[stem],
            cells=cells,
            track=lesson.track,
            stem=stem,
            before=names[place - 1] if place else None,
            after=names[place + 1] if place + 1 < len(names) else None,
            kinds=sorted({self.view(cell.view) for cell in shown}),
            notebook=notebook_file,
        )
        body = "".join(cell.html for cell in cells if cell.cell_type == "markdown")
        self._remember(path, self.titles[stem], lesson.track, body)

    def _shown(self, path: str, template: str, title: str, one: Explorable, **more: Any) -> None:  # noqa: ANN401
        """Write a page of one view."""
        view, *still = self._views[one.lesson][one.view]
        shown = ({**view, "state": {**view["state"], **one.state}}, *still)
        self._page(path, template, title, one=one, shown=shown, kinds=[self.view(view)], **more)

    def _page(self, path: str, template: str, title: str, **more: Any) -> None:  # noqa: ANN401
        root = "../" * path.count("/")
        page = {"kinds": [], "track": None, "stem": "", "path": path, **more}
        text = self._templates.get_template(template).render(site=self, root=root, title=title, **page)
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")

    def address(self, stem: str, track: str | None) -> str:
        """Give the page of a lesson; what has no track is the same in both."""
        tracks = [lesson.track for lesson in self.lessons if lesson.source.stem == stem]
        chosen = track if track in tracks else tracks[0]
        return f"{chosen}/{stem}.html" if chosen else f"{stem}.html"

    def tracks(self, stem: str) -> list[tuple[str, str]]:
        """Give the pages of a lesson, each with what to call it."""
        names = {"pytorch": "PyTorch", "tensorflow": "TensorFlow", None: "Read"}
        tracks = [lesson.track for lesson in self.lessons if lesson.source.stem == stem]
        return [(self.address(stem, track), names[track]) for track in tracks]

    def map(self) -> list[tuple[str, list[tuple[str, str, str]]]]:
        """Give the map's questions with their answers, each with its lesson's number and source."""
        stems = {stem.partition("_")[0]: stem for stem in self.titles}
        questions: list[tuple[str, list[tuple[str, str, str]]]] = []
        for asked, more, answers in course_map.ROWS:
            if asked:
                questions.append((f"{asked} {more}", []))
            questions[-1][1].extend((answer, number, stems[number]) for answer, number in answers.items())
        return questions

    def _remember(self, path: str, title: str, track: str | None, body: str) -> None:
        """Add a page to what is searched; a section of both tracks is found once."""
        for section in texts.sections(body):
            key = Path(path).name, section.anchor
            entry = self._index.setdefault(
                key, {"title": title, "heading": section.heading, "words": section.words, "pages": []}
            )
            entry["pages"].append([track or "", f"{path}#{section.anchor}"])


def write(folder: Path, lessons: Sequence[build.Lesson]) -> None:
    """Write the site into a folder, which must not be there, or be empty, or a site from before.

    It takes that place once it is whole: who stops the writing finds what was there, or in the worst moment
    nothing, but never a part.

    Raises
    ------
    LessonError
        If the folder holds something else, or a lesson's views have not been kept.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "static" / "page.js").exists():
        raise build.LessonError(f"{folder} is not empty, and holds no site from before")
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}-*"):  # by a writing that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        whole = Path(scratch) / "site"
        whole.mkdir()
        Site(whole, lessons).write()
        if folder.exists():
            folder.rename(Path(scratch) / "before")
        whole.rename(folder)


def _classic(name: str, module: str) -> str:
    """Turn a joined module into a script that leaves its view under a name."""
    script, many = _EXPORT.subn(r"return \1;", module)
    if many != 1:
        raise build.LessonError(f"the script of {name} does not end with its view")
    return f"(globalThis.pruneviz ??= {{}}).{name} = (() => {{\n{script}}})();\n"


def _heading(notebook: nbformat.NotebookNode) -> str:
    return str(notebook.cells[0].source.partition("\n")[0].removeprefix("# "))


def _title(body: str) -> str:
    return next(texts.sections(body)).heading


def _still(cell: nbformat.NotebookNode) -> tuple[str, str]:
    """Give the picture and the sentence that a notebook holds of a view."""
    (data,) = (output.data for output in cell.outputs if output.output_type == "execute_result")
    return data["image/png"], data["text/plain"]


def _without_style(text: str) -> Markup:
    """Take from a figure's words the rules that they carry for JupyterLab."""
    return Markup(re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))  # noqa: S704


def _json(value: object) -> Markup:
    """Write JSON that cannot end the script element it stands in."""
    return Markup(json.dumps(value).replace("<", "\\u003c"))  # noqa: S704
