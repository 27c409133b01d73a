"""How nbval runs a lesson: as it is, comparing its outputs by tolerance.py, then with its exercises solved.

The solutions run in the same kernel once the lesson has run, each with its check, which must then say that it
is right. Pictures are not compared; their descriptions are. What the pages of the course need of the views is
kept between the two (pages/kept.py), and the kernel tells its peak of memory.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import build
import pytest
from nbformat.v4 import new_code_cell
from nbval.plugin import IPyNbCell, IPyNbFile
from pages import kept
from tolerance import TRAINING, Tolerant

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from nbformat import NotebookNode

LESSONS = {lesson.path: lesson for lesson in build.find_lessons()}
# Progress bars write to stderr, with timings.
os.environ["TQDM_DISABLE"] = "1"
MEMORY = 1_500_000  # the kilobytes that a kernel may take


class Lesson(IPyNbFile):
    """A notebook whose exercises are solved once it has run."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give its cells, its views, its memory, then once more its exercises, solved, and their checks."""
        lesson, self.cells = LESSONS[self.path], list(super().collect())
        if any("trains" in item.cell.metadata.get("tags", ()) for item in self.cells):
            self.add_marker("trains")
        for item in self.cells:
            item.cell.outputs = [output for output in item.cell.get("outputs", ()) if output != build.FOLDED]
            yield item
        yield self.more(Views, "Views", new_code_cell(kept.STATES.format(path=str(kept.part(lesson)))))
        yield Memory.from_parent(self, name="memory")
        solved = build.compose(lesson, solved=True)
        code = [cell for cell in solved.cells if cell.cell_type == "code"]
        for number, cell in enumerate(code):
            tags = cell.metadata.get("tags", ())
            if "exercise" in tags or "check" in tags:
                yield self.more(
                    Verdict if "check" in tags else Solved, f"Cell {number}, solved", cell, number
                )

    def more(self, kind: type[IPyNbCell], name: str, cell: NotebookNode, number: int = 0) -> IPyNbCell:
        """Make a cell that the notebook does not have."""
        return kind.from_parent(self, name=name, cell_num=number, cell=cell, options=defaultdict(bool))


class Views(IPyNbCell):
    """The views of a lesson as they stand when all its cells have run, kept for the pages."""

    def runtest(self) -> None:
        """Ask the kernel for all its widgets, and keep those that a cell shows."""
        super().runtest()
        kept.keep(LESSONS[self.path], [(cell.cell.id, cell.test_outputs or []) for cell in self.parent.cells])


class Solved(IPyNbCell):
    """An exercise with its solution, skipped where the data that it asks for cannot be fetched."""

    def setup(self) -> None:
        """Fetch the data; in CI they have to be there."""
        super().setup()
        if "fetches" in self.cell.metadata.get("tags", ()):
            try:
                pv.datasets.fashion_mnist()
            except ConnectionError as problem:
                if os.environ.get("CI"):
                    raise
                pytest.skip(f"offline: {problem}")


class Verdict(Solved):
    """The check of an exercise that has been solved."""

    def runtest(self) -> None:
        """Run the check, and hear what it says."""
        super().runtest()
        said = "".join(output.get("text", "") for output in self.test_outputs)
        if not said.startswith("Right."):
            self.raise_cell_error("The solution is not accepted", said)


class Memory(pytest.Item):
    """The most memory that the lesson's kernel has had, without the files that are mapped into it."""

    def runtest(self) -> None:
        """Ask the system, where it is Linux."""
        manager = getattr(self.parent.kernel, "km", None)  # none where a cell has killed the kernel
        status = Path("/proc", str(manager and manager.provisioner.process.pid), "status")
        if not status.exists():
            pytest.skip("the kernel is gone, or the system does not tell the peak of a process")
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        most, mapped = (int(lines[name].split()[0]) for name in ("VmHWM", "RssFile"))
        peak = most - mapped  # libraries are mapped from files, and the system drops what it needs of them
        self.add_report_section("call", "memory", f"{peak:,} kB, and {mapped:,} of mapped files")
        if peak > MEMORY:
            pytest.fail(f"the kernel took {peak:,} kB, more than {MEMORY:,}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, list, list]:
    """Let a lesson take the place of nbval's plain notebook."""
    return [
        Lesson.from_parent(parent, path=file_path) if file_path in LESSONS else found for found in (yield)
    ]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let nbval compare a cell's outputs with tolerance; it compares whatever ``sanitize`` returns."""
    if isinstance(item, IPyNbCell):
        exact = item.sanitize
        factor = TRAINING if "trains" in item.cell.metadata.get("tags", []) else 1
        item.sanitize = lambda text: Tolerant(exact(text), factor) if isinstance(text, str) else text
