"""The static twin of CorruptionView."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from matplotlib.figure import Figure

from pruneviz.plots import style
from pruneviz.plots.alt import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_ACROSS, _DOWN = 4, 2
_FAINT = "#b9c0c9"


class Shown(Protocol):
    """What a view of spoiled digits shows."""

    title: str
    kind: str
    strength: int
    sparsity: float
    total: int
    counts: list[Any]

    def right(self, sparsity: float) -> list[int]:
        """Give the right answers, from clean digits to the strongest corruption."""

    def strengths(self) -> list[str]:
        """Name the strengths, from clean digits on."""

    def seen(self) -> tuple[Any, Any, Any]:
        """Give the digits on view, what they are taken for, and what they are."""

    def sentence(self) -> str:
        """Say in one sentence what it shows."""


def draw(view: Shown) -> Figure:
    """Draw the digits with their answers, and beside them the counts.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    figure = Figure(figsize=(10, 3.9), layout="constrained", facecolor=style.PAPER)
    grid = figure.add_gridspec(_DOWN, _ACROSS + 1, width_ratios=[1] * _ACROSS + [_ACROSS + 1])
    figure.suptitle(
        view.title, x=0.01, ha="left", fontsize=style.FONT + 2, fontweight="bold", color=style.INK
    )
    places = [figure.add_subplot(grid[row, column]) for row in range(_DOWN) for column in range(_ACROSS)]
    _draw_digits(places, view)
    lines = figure.add_subplot(grid[:, -1])
    _draw_counts(lines, view)
    describe(lines, view.sentence())
    return figure


def _draw_digits(places: Sequence[Axes], view: Shown) -> None:
    for ax in places:
        ax.set_axis_off()
    for ax, image, answer, label in zip(places, *view.seen(), strict=False):
        ax.imshow(image, cmap="gray", vmin=0, vmax=255)
        right = answer == label
        ax.set_title(
            f"{answer}" if right else f"{answer}, not {label}",
            fontsize=style.SMALL,
            color=style.INK if right else style.PRUNED_EDGE,
            weight="normal" if right else "bold",
            pad=3,
        )


def _draw_counts(ax: Axes, view: Shown) -> None:
    for row in view.counts:
        if row["sparsity"] not in (0, view.sparsity):
            ax.plot(view.right(row["sparsity"]), color=_FAINT, lw=1)
    for share in dict.fromkeys((0.0, view.sparsity)):
        colour, marker, dash = style.SERIES[int(share > 0)]
        name = f"{style.percent(share, 0)} pruned" if share else "nothing pruned"
        ax.plot(view.right(share), marker=marker, ls=dash, color=colour, label=name)
    ax.axvline(view.strength, color=style.QUIET, lw=0.8, ls=":", zorder=0)
    ax.set_xticks(range(len(view.strengths())), view.strengths())
    ax.set(ylim=(0, 1.05 * view.total), xlabel=view.kind, ylabel=f"right of {view.total:,}")
    ax.yaxis.set_major_formatter(style.GROUPED_TICKS)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=style.SMALL, loc="lower left")
