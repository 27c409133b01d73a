"""The static twin of WeightExplorer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from pruneviz.plots import plot_mask, plot_weight_histogram, style
from pruneviz.plots.alt import describe
from pruneviz.scorecards import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.widgets.weight_explorer import WeightExplorer


def draw(view: WeightExplorer) -> Figure:
    """Draw mask and histogram of the layer on view, and what is measured so far.

    Parameters
    ----------
    view
        The explorer.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    measured = "accuracy" in view.show and len(view.curve) > 1 and not view.hidden
    figure = Figure(figsize=(9.5, 6.6 if measured else 3.6), layout="constrained", facecolor=style.PAPER)
    axes = figure.subplots(2 if measured else 1, 2, squeeze=False)
    figure.suptitle(
        view.title, x=0.01, ha="left", fontsize=style.FONT + 2, fontweight="bold", color=style.INK
    )
    mask = view.result()
    threshold = (view.exact.get("threshold") or {}).get(view.layer) if view.is_measured else None
    plot_mask(mask, view.layer, ax=axes[0, 0])
    plot_weight_histogram(view.scores(), view.layer, mask=mask, threshold=threshold, ax=axes[0, 1])
    if measured:
        _draw_curve(axes[1, 0], view)
        _write_card(axes[1, 1], view)
    describe(axes[0, 0], view.sentence())
    return figure


def _draw_curve(ax: Axes, view: WeightExplorer) -> None:
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
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(style.PERCENT_TICKS)
    ax.set_xlabel("sparsity")
    ax.set_ylabel("accuracy")
    ax.spines[["top", "right"]].set_visible(False)
    style.title(ax, "Accuracy against sparsity")


def _write_card(ax: Axes, view: WeightExplorer) -> None:
    ax.axis("off")
    if not view.is_measured:
        return
    exact = view.exact
    rows = {
        "accuracy": f"{style.percent(exact['correct'] / view.n)} "
        f"({style.percent(exact['low'])} to {style.percent(exact['high'])})",
        "right": f"{style.grouped(exact['correct'])} of {style.grouped(view.n)}",
        "answers": f"{style.grouped(exact['lost'])} lost, {style.grouped(exact['won'])} won",
        "nonzero": f"{style.grouped(exact['nonzero'])} of {style.grouped(exact['parameters'])}",
        "file": f"{style.grouped(exact['compact_bytes'])} bytes, {style.grouped(exact['raw_bytes'])} plain",
        "MACs": f"{style.grouped(exact['macs'])} executed, "
        f"{style.grouped(exact['nonzero_macs'])} by nonzero weights",
    }
    style.title(ax, "Scorecard")
    for line, (name, words) in enumerate(rows.items()):
        height = 0.92 - 0.13 * line
        ax.text(0, height, name, color=style.QUIET, fontsize=style.FONT, transform=ax.transAxes, va="top")
        ax.text(0.2, height, words, color=style.INK, fontsize=style.FONT, transform=ax.transAxes, va="top")
