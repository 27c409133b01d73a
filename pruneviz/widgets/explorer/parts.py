"""The parts of an explorer: a panel is one entry here, and its drawing in JavaScript under the same name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from pruneviz.plots import style
from pruneviz.plots.alt import describe
from pruneviz.widgets.explorer import still

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from pruneviz.widgets.explorer.still import Shown


@dataclass(frozen=True)
class Part:
    """One panel.

    Attributes
    ----------
    name
        What `show` and the drawing are called.
    place
        ``"top"`` (always in sight), ``"controls"``, ``"grid"``, ``"stack"`` (the narrow column) or ``"end"``.
    still
        Draws the panel's static twin: ``still(ax, view)``.
    measured
        Whether it shows what the kernel measures.
    wide
        Whether its static twin takes a row.
    basic
        Whether it is seen before *More* unfolds the others.
    """

    name: str
    place: str
    still: Callable[[Axes, Any], None] | None = None
    measured: bool = False
    wide: bool = False
    basic: bool = False


SLIDER, SELECTORS = Part("slider", "top", basic=True), Part("selectors", "controls", basic=True)
ACCURACY = Part("accuracy", "grid", still.draw_curve, measured=True)
LAYERS = Part("layers", "stack")
HISTORY = Part("history", "end", measured=True)


def basic(parts: Sequence[Part], *, guess: bool) -> list[str]:
    """Name the parts that are seen at first; where learners are to `guess`, the curve is one of them."""
    return [part.name for part in parts if part.basic or (guess and part.name == "accuracy")]


def draw(view: Shown, parts: Sequence[Part]) -> Figure:
    """Draw the parts on view that there is something to show of; a curve that waits for a guess stays blank.

    Where none has anything to show, the first is drawn all the same.

    Parameters
    ----------
    view
        The explorer.
    parts
        All of its parts.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    blank = _blank(view)
    drawn = [(part, part.still) for part in parts if part.still is not None]
    seen = set(view.show if view.more or not view.basic else view.basic) - blank
    full = [(part, panel) for part, panel in drawn if part.name in seen]
    panels = full or drawn[:1]
    cells = _cells([part.wide for part, _ in panels])
    rows = cells[-1][0] + 1
    figure = Figure(figsize=(9.5, 0.5 + 3.1 * rows), layout="constrained", facecolor=style.PAPER)
    figure.suptitle(
        view.title, x=0.01, ha="left", fontsize=style.FONT + 2, fontweight="bold", color=style.INK
    )
    if view.is_measured and not view.hidden and {"accuracy", "scorecard"} & set(view.show):
        right = f"{style.percent(view.exact['correct'] / view.n)} right"
        size = style.FONT + 4
        figure.text(
            0.99, 0.99, right, ha="right", va="top", fontsize=size, fontweight="bold", color=style.INK
        )
    grid = figure.add_gridspec(rows, 2)
    for (_, panel), cell in zip(panels, cells, strict=True):
        panel(figure.add_subplot(grid[cell]), view)
    describe(figure.axes[0], view.sentence())
    return figure


def _blank(view: Shown) -> set[str]:
    blank = set() if view.is_measured and not view.hidden else {"scorecard", "confusion"}
    return blank if view.curve or view.hidden else {*blank, "accuracy"}


def _cells(wide: list[bool]) -> list[tuple[int, int | slice]]:
    """Give each panel a cell of a grid of two columns, or a row: if it is wide, or the last and alone."""
    cells: list[tuple[int, int | slice]] = []
    row = column = 0
    for one in wide:
        row += column if one else 0
        cells.append((row, slice(None) if one else column))
        column = 0 if one else 1 - column
        row += column == 0
    if column:
        cells[-1] = (row, slice(None))
    return cells
