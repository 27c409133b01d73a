"""The static twins of the panels that any explorer may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pruneviz.measures.intervals import wilson
from pruneviz.plots import style

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes


_BESIDE = 62  # points from a name to its words


class Shown(Protocol):
    """What an explorer shows, whatever it prunes."""

    title: str
    show: list[str]
    basic: list[str]
    more: bool
    sparsity: float
    guess: float | None
    n: int
    dense: int
    curve: list[list[float]]
    exact: dict[str, Any]

    @property
    def hidden(self) -> bool:
        """Whether accuracy waits for a guess."""

    @property
    def is_measured(self) -> bool:
        """Whether `exact` is about the present state."""

    def sentence(self) -> str:
        """Say in one sentence what it shows."""


def draw_curve(ax: Axes, view: Shown) -> None:
    """Draw accuracy against sparsity, or that it waits for a guess."""
    if view.hidden:
        ax.text(0.5, 0.5, "waits for your guess", color=style.QUIET, ha="center")
    else:
        _draw_measured(ax, view)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(style.PERCENT_TICKS)
    ax.set(xlim=(-0.02, 1.02), ylim=(0, 1.04), xlabel="sparsity", ylabel="accuracy")
    ax.spines[["top", "right"]].set_visible(False)
    style.title(ax, "Accuracy against sparsity")


def _draw_measured(ax: Axes, view: Shown) -> None:
    shares = [sparsity for sparsity, _ in view.curve]
    right = [correct / view.n for _, correct in view.curve]
    low, high = zip(*(wilson(int(correct), view.n) for _, correct in view.curve), strict=True)
    ax.fill_between(shares, low, high, color=style.KEPT, alpha=0.22, linewidth=0)
    ax.plot(shares, right, color=style.KEPT, marker="o", markersize=3)
    ax.axhline(view.dense / view.n, color=style.QUIET, linewidth=1, linestyle=":")
    if view.is_measured:
        ax.axvline(view.sparsity, color=style.INK, linewidth=1, linestyle="--")
        ax.plot(view.sparsity, view.exact["correct"] / view.n, "o", color=style.INK, markersize=8)
    if view.guess is not None and view.guess >= 0:
        ax.axvline(view.guess, color="#7b3294", linewidth=2)
        ax.annotate(" your guess", (view.guess, 0.02), xycoords=("data", "axes fraction"), color="#7b3294")


def write_card(ax: Axes, view: Shown, more: Callable[[dict[str, Any]], dict[str, str]]) -> None:
    """Write what is measured of every explorer, and the rows that one has `more`."""
    ax.axis("off")
    style.title(ax, "Scorecard")
    exact = view.exact
    rows = {
        "accuracy": f"{style.percent(exact['correct'] / view.n)} "
        f"({style.percent(exact['low'])} to {style.percent(exact['high'])})",
        "right": f"{style.grouped(exact['correct'])} of {style.grouped(view.n)}",
        "answers": f"{style.grouped(exact['lost'])} lost, {style.grouped(exact['won'])} won",
        **more(exact),
    }
    for line, (name, words) in enumerate(rows.items()):
        height = 0.92 - 0.13 * line
        ax.text(0, height, name, color=style.QUIET, fontsize=style.FONT, transform=ax.transAxes, va="top")
        ax.annotate(
            words,
            (0, height),
            xycoords="axes fraction",
            xytext=(_BESIDE, 0),
            textcoords="offset points",
            color=style.INK,
            fontsize=style.FONT,
            va="top",
        )
