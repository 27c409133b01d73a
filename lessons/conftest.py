"""How nbval runs a lesson: as it is, comparing its outputs by tolerance.py, then with its exercises solved.

The solutions run in the same kernel once the lesson has run, each with its check, which must then say that it
is right. Pictures are not compared; their descriptions are.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

import build
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile
from tolerance import TRAINING, Tolerant

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

LESSONS = {lesson.path: lesson for lesson in build.find_lessons()}
# Progress bars write to stderr, with timings.
os.environ["TQDM_DISABLE"] = "1"


class Lesson(IPyNbFile):
    """A notebook whose exercises are solved once it has run."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give its cells, then once more its exercises with their solutions, and their checks."""
        for item in super().collect():
            item.cell.outputs = [output for output in item.cell.get("outputs", ()) if output != build.FOLDED]
            yield item
        solved = build.compose(LESSONS[self.path], solved=True)
        code = [cell for cell in solved.cells if cell.cell_type == "code"]
        for number, cell in enumerate(code):
            tags = cell.metadata.get("tags", ())
            if "exercise" in tags or "check" in tags:
                name = f"Cell {number}, solved"
                kind = Verdict if "check" in tags else Solved
                yield kind.from_parent(self, name=name, cell_num=number, cell=cell, options=defaultdict(bool))


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
