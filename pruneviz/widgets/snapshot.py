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
    """Draw the parts on view that there is something to show of; a curve that waits for a guess stays blank.

    Parameters
    ----------
    view
        The explorer.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    panels = [_PANELS[part] for part in _PANELS if part in view.show] or [_draw_histogram]
    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(9.5, 0.5 + 3.1 * rows), layout="constrained", facecolor=style.PAPER)
    figure.suptitle(
        view.title, x=0.01, ha="left", fontsize=style.FONT + 2, fontweight="bold", color=style.INK
    )
    axes = list(figure.subplots(rows, 2, squeeze=False).flat)
    for ax, panel in zip(axes, panels, strict=False):
        panel(ax, view)
    for ax in axes[len(panels) :]:
        ax.remove()
    describe(axes[0], view.sentence())
    return figure


def _draw_mask(ax: Axes, view: WeightExplorer) -> None:
    plot_mask(view.result(), view.layer, ax=ax)


def _draw_histogram(ax: Axes, view: WeightExplorer) -> None:
    threshold = (view.exact.get("threshold") or {}).get(view.layer) if view.is_measured else None
    plot_weight_histogram(view.scores(), view.layer, mask=view.result(), threshold=threshold, ax=ax)


def _draw_curve(ax: Axes, view: WeightExplorer) -> None:
    if view.curve and not view.hidden:
        _draw_measured(ax, view)
    else:
        ax.text(0.5, 0.5, _waiting(view), color=style.QUIET, ha="center")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(style.PERCENT_TICKS)
    ax.set(xlim=(-0.02, 1.02), ylim=(0, 1.04), xlabel="sparsity", ylabel="accuracy")
    ax.spines[["top", "right"]].set_visible(False)
    style.title(ax, "Accuracy against sparsity")


def _draw_measured(ax: Axes, view: WeightExplorer) -> None:
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


def _write_card(ax: Axes, view: WeightExplorer) -> None:
    ax.axis("off")
    style.title(ax, "Scorecard")
    if not view.is_measured or view.hidden:
        ax.text(0, 0.92, _waiting(view), color=style.QUIET, transform=ax.transAxes, va="top")
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
    for line, (name, words) in enumerate(rows.items()):
        height = 0.92 - 0.13 * line
        ax.text(0, height, name, color=style.QUIET, fontsize=style.FONT, transform=ax.transAxes, va="top")
        ax.text(0.2, height, words, color=style.INK, fontsize=style.FONT, transform=ax.transAxes, va="top")


def _waiting(view: WeightExplorer) -> str:
    return "waits for your guess" if view.hidden else "not measured yet"


_PANELS = {
    "mask": _draw_mask,
    "histogram": _draw_histogram,
    "accuracy": _draw_curve,
    "scorecard": _write_card,
}
