"""Build the notebooks of both tracks from the sources of the lessons.

    python lessons/build.py            # every lesson: build, run, write with outputs
    python lessons/build.py 00 01a     # only these
    python lessons/build.py --check    # compare the committed notebooks with the sources; runs nothing
    python lessons/build.py --site out # the course as pages, in the folder out; runs nothing

One source, ``source/NN_name.py`` (jupytext, py:percent), gives ``pytorch/NN_name.ipynb`` and
``tensorflow/NN_name.ipynb``; lesson 00 needs no framework and gives ``00_….ipynb``. Tags of a cell:

``pytorch``, ``tensorflow``
    The cell goes to that track only. Cells without either go to both.
``exercise``
    A code cell with the whole solution between ``# solution:`` and ``# end of solution``. Learners get
    ``...`` in its place, or what follows the colon. The next cell must be its ``check``; the solution
    comes after that, folded away.
``check``
    The call that judges the exercise before it.
``fetches``
    An exercise whose solution fetches data; where there is no network its tests are skipped, but not in CI.
``quiz``
    A markdown cell: a question, then ``- [x]`` the right option or ``- [ ]`` a wrong one, each followed by
    an indented line ``why: …``. Options are folded; opening one tells whether and why.
``trains``
    The cell trains a network: nbval allows its numbers ten times the usual tolerance (tolerance.py).
``fold``
    The cell's code is folded away: set-up, and helpers that no learner has to read.
``answer``
    The cell's output answers a prediction: as stored it is folded, and running the cell shows it.
``drive``
    The cell moves a live view from code, for the tests and for those who cannot drag; all of it is folded.
``yours``
    The script of "Now yours": its first paragraph makes model, x and y; tests put another in its place.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import os
import re
import sys
import tempfile
import warnings
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from nbformat.warnings import DuplicateCellId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbformat import NotebookNode

LESSONS = Path(__file__).resolve().parent
TRACKS = ("pytorch", "tensorflow")
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
FOLDS = {
    "fold": ("source_hidden",),
    "answer": ("outputs_hidden",),
    "drive": ("source_hidden", "outputs_hidden"),
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
FOLDED = new_output("display_data", {"text/plain": "Folded until the cell is run."})


class LessonError(Exception):
    """A lesson that cannot be built, with the cell and what to do about it."""


class Lesson(NamedTuple):
    """One notebook to be built: a source, and the track it is built for (None: lesson 00)."""

    source: Path
    track: str | None

    @property
    def path(self) -> Path:
        """Where the notebook belongs."""
        folder = self.source.parent.parent
        return (folder / self.track if self.track else folder) / f"{self.source.stem}.ipynb"

    @property
    def title(self) -> str:
        """The notebook's path below lessons/, for messages."""
        return self.path.relative_to(self.source.parent.parent).as_posix()


def find_lessons(names: Sequence[str] = (), track: str | None = None, folder: Path = LESSONS) -> list[Lesson]:
    """List the lessons whose source begins with one of ``names`` (all, if none is given)."""
    sources = sorted((folder / "source").glob("[0-9]*.py"))
    for name in names:
        if not any(source.stem.startswith(name) for source in sources):
            raise LessonError(f"no source begins with {name!r}; there are {[s.stem for s in sources]}")
    chosen = [s for s in sources if not names or s.stem.startswith(tuple(names))]
    every = [Lesson(s, t) for s in chosen for t in ((None,) if s.stem.startswith("00") else TRACKS)]
    return [lesson for lesson in every if track in (None, lesson.track)]


def compose(lesson: Lesson, *, solved: bool = False) -> NotebookNode:
    """Build a lesson's notebook without running it.

    With ``solved``, the exercises hold their solutions instead of what learners get.
    """
    with warnings.catch_warnings(action="ignore", category=DuplicateCellId):  # by chance; others follow
        source = jupytext.reads(lesson.source.read_text(encoding="utf-8"), fmt="py:percent")
        kept = [cell for cell in source.cells if _is_for(cell, lesson.track)]
        notebook = new_notebook(cells=list(_expand(kept, solved=solved)), metadata=METADATA)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        tags = [tag for tag in _tags(cell) if tag not in TRACKS]
        cell.metadata.update(tags=tags)
        for name in ("lines_to_next_cell", *(() if tags else ("tags",))):
            cell.metadata.pop(name, None)
        if folded := {part: True for tag in tags for part in FOLDS.get(tag, ())}:
            cell.metadata["jupyter"] = folded
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return notebook


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _is_for(cell: NotebookNode, track: str | None) -> bool:
    tracks = [tag for tag in _tags(cell) if tag in TRACKS]
    return not tracks or track in tracks


def _expand(cells: list[NotebookNode], *, solved: bool) -> Iterator[NotebookNode]:
    questions = 0
    solution: NotebookNode | None = None
    for cell in cells:
        if solution is not None and "check" not in _tags(cell):
            raise LessonError(f"the cell after an exercise must have the tag 'check':\n{cell.source}")
        if "exercise" in _tags(cell):
            stub, answer = split_exercise(cell.source)
            cell.source = answer if solved else stub
            summary = "<details>\n<summary>Solution</summary>"
            solution = new_markdown_cell(f"{summary}\n\n```python\n{answer}\n```\n\n</details>")
        if "quiz" in _tags(cell):
            questions += 1
            cell.source = render_question(cell.source, questions)
        yield cell
        if "check" in _tags(cell):
            if solution is None:
                raise LessonError(f"a cell tagged 'check' must follow an exercise:\n{cell.source}")
            yield solution
            solution = None
    if solution is not None:
        raise LessonError("the last exercise has no cell tagged 'check'")


_SOLUTION = re.compile(
    r"^(?P<indent>[ \t]*)# solution:[ \t]*(?P<stub>[^\n]*)\n"
    r"(?P<body>.*?)"
    r"^[ \t]*# end of solution[ \t]*(?:\n|\Z)",
    re.MULTILINE | re.DOTALL,
)


def split_exercise(source: str) -> tuple[str, str]:
    """Return what the learner gets and the solution, from a cell that holds both."""
    if not _SOLUTION.search(source) or source.count("# solution:") != source.count("# end of solution"):
        raise LessonError(f"an exercise needs '# solution:' … '# end of solution':\n{source}")
    stub = _SOLUTION.sub(lambda m: f"{m['indent']}{m['stub'] or '...  # your code'}\n", source)
    return stub.rstrip(), _SOLUTION.sub(lambda m: m["body"], source).rstrip()


_OPTION = re.compile(r"^- \[(?P<mark>[ x])\] (?P<text>.*?)\n {2,}why: (?P<why>.*)\Z", re.DOTALL)


class Option(NamedTuple):
    """One option of a quiz question."""

    right: bool
    text: str
    why: str


def parse_question(source: str) -> tuple[str, list[Option]]:
    """Read a quiz cell: the question and its options."""
    question, *blocks = re.split(r"\n(?=- \[)", source.strip())
    matches = [_OPTION.match(block) for block in blocks]
    if len(matches) < 2 or not all(matches):
        raise LessonError(
            f"a quiz cell is a question, then '- [ ] option', each with a line 'why: …':\n{source}"
        )
    options = [
        Option(m["mark"] == "x", " ".join(m["text"].split()), " ".join(m["why"].split()))
        for m in matches
        if m
    ]
    if sum(option.right for option in options) != 1:
        raise LessonError(f"exactly one option of a question is right:\n{source}")
    return question.strip(), options


def render_question(source: str, number: int) -> str:
    """Turn a quiz cell into folded options that need no kernel, no mouse and no colours."""
    question, options = parse_question(source)
    parts = [f"**Question {number}.** {question}"]
    for letter, option in zip("ABCDEF", options, strict=False):
        verdict = "Right." if option.right else "Not this one."
        # Markdown inside a <summary> is not rendered.
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(option.text, quote=False))
        summary = f"<details>\n<summary>{letter}. {text}</summary>"
        parts.append(f"{summary}\n\n**{verdict}** {option.why}\n\n</details>")
    return "\n\n".join(parts)


def run(notebook: NotebookNode, folder: Path, seconds: int = 60) -> NotebookNode:
    """Run a notebook in its folder, in place; ``seconds`` is the limit for one cell."""
    folder.mkdir(exist_ok=True)
    client = NotebookClient(
        notebook,
        timeout=seconds,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=40"],  # not how the kernel is connected
    )
    client.execute(env={**os.environ, "TQDM_DISABLE": "1"})
    return notebook


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Leave in an executed notebook only what does not depend on the machine, or raise LessonError.

    JupyterLab shows the first line of what is folded, so folded outputs begin with one that tells nothing.
    Of a widget its picture and its sentence stay: its state would be stored twice, and without the kernel
    that made it a view is only an error message.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    # /root is a home too short to tell from a word, hence the separator.
    places = (LESSONS.parent, Path.home(), Path(sys.prefix), Path(tempfile.gettempdir()))
    machine = [f"{place}{os.sep}" for place in places if len(place.parts) > 1]
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            if output.get("name") == "stderr":
                raise LessonError(f"cell {number} writes to stderr:\n{output.text}\nin\n{cell.source}")
            if output.output_type == "error":
                output.traceback = [f"{output.ename}: {output.evalue}"]
            data = output.get("data", {})
            if data.pop(WIDGET_VIEW, None) and "image/png" not in data:
                raise LessonError(f"cell {number} shows a widget that leaves no picture:\n{cell.source}")
            found = [place for place in machine if place in str(dict(output))]
            if found:
                raise LessonError(f"cell {number} prints a path of this machine ({found[0]}):\n{cell.source}")
        folded = cell.metadata.get("jupyter", {}).get("outputs_hidden", False)
        if folded and cell.outputs and cell.outputs[0] != FOLDED:
            cell.outputs.insert(0, deepcopy(FOLDED))
    return notebook


def unexecuted(notebook: NotebookNode) -> NotebookNode:
    """Copy a notebook without what running it adds."""
    bare = nbformat.from_dict(notebook)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def dumps(notebook: NotebookNode) -> str:
    """Write a notebook as text, in one fixed way."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def check(lessons: Sequence[Lesson]) -> list[str]:
    """Say which committed notebooks do not match their sources; runs nothing."""
    stale = []
    for lesson in lessons:
        if not lesson.path.exists():
            stale.append(f"{lesson.title} has not been built")
            continue
        committed = nbformat.read(lesson.path, as_version=nbformat.NO_CONVERT)
        if dumps(unexecuted(committed)) != dumps(compose(lesson)):
            stale.append(f"{lesson.title} differs from source/{lesson.source.name}")
    return stale


def orphans(folder: Path = LESSONS) -> list[str]:
    """Name the notebooks that no source makes."""
    made = {lesson.path for lesson in find_lessons(folder=folder)}
    there = {p for p in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts}
    return [f"{path.relative_to(folder).as_posix()} has no source" for path in sorted(there - made)]


def build(lesson: Lesson, seconds: int = 60) -> bool:
    """Build, run and write one lesson; True if the file changed."""
    text = dumps(normalise(run(compose(lesson), lesson.path.parent, seconds)))
    if lesson.path.exists() and lesson.path.read_text(encoding="utf-8") == text:
        return False
    lesson.path.write_text(text, encoding="utf-8")
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(description="Build the lessons' notebooks from their sources.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a source, or how its name begins: 00, 01a")
    parser.add_argument("--track", choices=TRACKS, help="only this track")
    parser.add_argument("--check", action="store_true", help="compare sources and notebooks, run nothing")
    parser.add_argument("--site", type=Path, metavar="FOLDER", help="write the lessons as pages, run nothing")
    parser.add_argument("--seconds", type=int, default=60, help="the longest that one cell may take (60)")
    options = parser.parse_args(arguments)
    try:
        lessons = find_lessons(options.names, options.track)
        if options.check:
            stale = check(lessons) + ([] if options.names else orphans())
            print("\n".join(stale) or f"{len(lessons)} notebooks match their sources.")
            return 1 if stale else 0
        if options.site:
            sys.modules.setdefault("build", sys.modules[__name__])  # not a second one, with errors of its own
            import pages.writing  # noqa: PLC0415  # needs this module

            pages.writing.write(options.site, find_lessons())
            return 0
        for lesson in lessons:
            changed = build(lesson, options.seconds)
            print(f"{lesson.title}: {'written' if changed else 'unchanged'}", flush=True)
    except LessonError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
