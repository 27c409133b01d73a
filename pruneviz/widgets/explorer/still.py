"""The static twins of the explorers: panels that any of them may draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from pruneviz.core.intervals import wilson
from pruneviz.core.masks import Importance
from pruneviz.plots import plot_mask, plot_weight_histogram, style
from pruneviz.plots.alt import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from pruneviz.widgets.explorer.explorer import Explorer
    from pruneviz.widgets.explorer.units import UnitExplorer
    from pruneviz.widgets.explorer.weights import WeightExplorer

_BARS, _DWARFS = 64, 3  # as in weights.js and draw.js
_COUNTS = ("nonzero", "parameters", "compact_bytes", "raw_bytes", "macs", "nonzero_macs")


def draw(view: Explorer) -> Figure:
    """Draw the parts on view that there is something to show of; a curve that waits for a guess stays blank.

    Where none has anything to show, the first is drawn all the same.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    blank = _blank(view)
    drawn = [(part, part.still) for part in view.parts if part.still is not None]
    full = [(part, panel) for part, panel in drawn if part.name in view.show and part.name not in blank]
    panels = full or drawn[:1]
    cells = _cells([part.wide for part, _ in panels])
    rows = cells[-1][0] + 1
    figure = Figure(figsize=(9.5, 0.5 + 3.1 * rows), layout="constrained", facecolor=style.PAPER)
    figure.suptitle(
        view.title, x=0.01, ha="left", fontsize=style.FONT + 2, fontweight="bold", color=style.INK
    )
    grid = figure.add_gridspec(rows, 2)
    for (_, panel), cell in zip(panels, cells, strict=True):
        panel(figure.add_subplot(grid[cell]), view)
    describe(figure.axes[0], view.sentence())
    return figure


def _blank(view: Explorer) -> set[str]:
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


def draw_mask(ax: Axes, view: WeightExplorer) -> None:
    """Draw what is left of the layer on view."""
    plot_mask(view.result(), view.layer, ax=ax)


def draw_histogram(ax: Axes, view: WeightExplorer) -> None:
    """Draw the bars of the live view: the outer ones hold what lies beyond, and may be equal in ratio."""
    found, layer = view.histograms[view.layer], view.layer
    low, high = found["low"], found["high"]
    edges = (np.geomspace if found["log"] else np.linspace)(low, high, _BARS + 1)
    shown = Importance({layer: np.clip(view.scores()[layer], low, high)}, "weight")
    threshold = (view.exact.get("threshold") or {}).get(layer) if view.is_measured else None
    if threshold is not None and not low <= threshold <= high:
        threshold = None  # a line that would be in no bar
    plot_weight_histogram(shown, layer, mask=view.result(), threshold=threshold, bins=edges.tolist(), ax=ax)
    if found["log"]:
        ax.set_xscale("log")
        ax.set_xlim(low, high)
    bars = np.reshape(found["counts"], (_BARS, -1)).sum(axis=1)
    second, first = np.sort(bars)[-2:]
    if first > _DWARFS * second:  # cut it off, with its number beside it
        ax.set_ylim(0, 1.5 * second)
        place = (edges[bars.argmax() + 1], 1.4 * second)
        ax.annotate(f" ↑ {style.grouped(first)}", place, va="top", fontsize=style.SMALL, color=style.QUIET)


def draw_curve(ax: Axes, view: Explorer) -> None:
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


def _draw_measured(ax: Axes, view: Explorer) -> None:
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


def write_weights(ax: Axes, view: WeightExplorer) -> None:
    """Write what the weights that are left cost, and how well they do."""

    def rows(exact: dict[str, Any]) -> dict[str, str]:
        number = {name: style.grouped(exact[name]) for name in _COUNTS}
        return {
            "nonzero": f"{number['nonzero']} of {number['parameters']}",
            "file": f"{number['compact_bytes']} bytes, {number['raw_bytes']} plain",
            "MACs": f"{number['macs']} executed, {number['nonzero_macs']} by nonzero weights",
        }

    _write_card(ax, view, rows)


def write_units(ax: Axes, view: UnitExplorer) -> None:
    """Write what the units that are left cost, and how well they do."""
    mask = view.result()

    def rows(exact: dict[str, Any]) -> dict[str, str]:
        smaller = exact["smaller"]
        return {
            view.noun: f"{style.grouped(mask.kept)} of {style.grouped(mask.total)} kept",
            "masked": _cost(exact),
            "removed": "not possible here" if "problem" in smaller else _cost(smaller),
        }

    _write_card(ax, view, rows)


def _cost(of: dict[str, int]) -> str:
    return f"{style.grouped(of['parameters'])} parameters, {style.grouped(of['macs'])} MACs"


def _write_card(ax: Axes, view: Explorer, more: Callable[[dict[str, Any]], dict[str, str]]) -> None:
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
        ax.text(0.2, height, words, color=style.INK, fontsize=style.FONT, transform=ax.transAxes, va="top")


def draw_scores(ax: Axes, view: UnitExplorer) -> None:
    """Draw the scores of the layer on view as bars."""
    scores, kept = view.scores()[view.layer], view.result()[view.layer]
    order = np.argsort(scores, kind="stable")[::-1] if view.sort == "score" else np.arange(len(scores))
    for where, colour, label in ((kept, style.KEPT, "kept"), (~kept, style.PRUNED, "pruned")):
        places = np.flatnonzero(where[order])
        ax.bar(places, scores[order][places], width=1, color=colour, label=label)
    ax.set(xlabel=f"{view.noun} of {view.layer}, by {view.sort}", ylabel=f"score by {view.criterion}")
    ax.legend(frameon=False, fontsize=style.FONT)
    ax.spines[["top", "right"]].set_visible(False)
    style.title(ax, f"{np.count_nonzero(kept):,} of {len(kept):,} kept in {view.layer}")


def draw_confusion(ax: Axes, view: UnitExplorer) -> None:
    """Draw which class was taken for which."""
    style.title(ax, "Answers by class")
    table = np.array(view.exact["confusion"])
    wrong = np.where(np.eye(len(table), dtype=bool), 0, table)
    ax.imshow(wrong, cmap=LinearSegmentedColormap.from_list("errors", [style.PAPER, style.PRUNED]))
    for truth, answer in np.argwhere(table > 0):
        weight = "bold" if truth == answer else "normal"
        words = str(table[truth, answer])
        ax.text(answer, truth, words, ha="center", va="center", fontsize=style.FONT - 3, fontweight=weight)
    ax.set(xlabel="answer", ylabel="truth", xticks=range(len(table)), yticks=range(len(table)))
    ax.set_aspect("auto")
