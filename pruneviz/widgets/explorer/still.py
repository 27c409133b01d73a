"""The static twins of the explorers: panels that any of them may draw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pruneviz.core.intervals import wilson
from pruneviz.core.masks import Importance
from pruneviz.plots import (
    plot_chain,
    plot_confusion,
    plot_mask,
    plot_scores,
    plot_weight_histogram,
    style,
)
from pruneviz.plots.alt import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.widgets.explorer.channels import ChannelExplorer
    from pruneviz.widgets.explorer.explorer import Explorer
    from pruneviz.widgets.explorer.filters import FilterExplorer
    from pruneviz.widgets.explorer.neurons import NeuronExplorer
    from pruneviz.widgets.explorer.units import UnitExplorer
    from pruneviz.widgets.explorer.weights import WeightExplorer

_BARS, _DWARFS = 64, 3  # as in weights.js and draw.js
_GROUPS = 12
_ROWS, _APART = 24, 6  # of dots in a layer, and between layers
_MOST = 64  # filters; of more, and of dense layers, the panel shows the scores
_NUMBERED = 32
_SHAPE = 1.6  # width of the panel of filters, in heights
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
    plot_scores(
        view.scores(), view.layer, mask=view.result(), order=view.sort, criterion=view.criterion, ax=ax
    )


def draw_confusion(ax: Axes, view: UnitExplorer) -> None:
    """Draw which class was taken for which."""
    plot_confusion(view.exact["confusion"], ax=ax)


def draw_chain(ax: Axes, view: ChannelExplorer) -> None:
    """Draw what is left of each layer, and the channel that is followed."""
    plot_chain(
        view.result(),
        layers=[layer["name"] for layer in view.chain],
        scores=view.scores() if view.sort == "score" else None,
        followed=(view.followed[0], view.followed[1]) if view.followed else None,
        ax=ax,
    )


def write_groups(ax: Axes, view: ChannelExplorer) -> None:
    """Write how many channels are left of each group of tied layers; of the first, if there are many."""
    mask = view.result()
    for line, group in enumerate(view.groups[:_GROUPS]):
        name, more = group["name"], len(group["layers"]) - 1
        left = f"{np.count_nonzero(mask[name])} of {len(mask[name])} kept"
        tied = f"{name}, {more} tied to it" if more else name
        for x, words, colour in ((0.0, tied, style.INK), (0.7, left, style.QUIET)):
            y = 0.98 - line / _GROUPS
            ax.text(x, y, words, va="top", color=colour, fontsize=style.SMALL, transform=ax.transAxes)
    ax.axis("off")
    style.title(ax, "Groups of tied layers" + (", the first" if len(view.groups) > _GROUPS else ""))


def draw_network(ax: Axes, view: NeuronExplorer) -> None:
    """Draw each layer as a block of dots that fade with activity, the pruned ones in orange."""
    mask, scores = view.result(), view.scores()
    active = np.frombuffer(view.activity, "<f4")
    x, first = 0, 0
    ax.axis("off")
    for layer in view.layers:
        name, many = layer["name"], layer["shape"][0]
        best = np.argsort(scores[name], kind="stable")[::-1]
        order = best if view.sort == "score" else np.arange(many)
        across = -(-many // _ROWS)
        column, row = np.arange(many) % across, np.arange(many) // across
        strength = active[first : first + many][order] / max(float(active[first : first + many].max()), 1e-12)
        _dots(ax, x + column, -row, mask[name][order], np.sqrt(strength))
        ax.text(x - 0.5, 1.2, f"{name}: {np.count_nonzero(mask[name])} of {many}", fontsize=style.FONT - 1)
        x, first = x + max(across, 7) + _APART, first + many
    ax.set(xlim=(-1, x - _APART + 1), ylim=(-_ROWS, 3), aspect="equal")
    style.title(ax, "Neurons kept; the fuller the colour, the more active")


def _dots(ax: Axes, x: Array, y: Array, kept: Array, strength: Array) -> None:
    faded = to_rgba_array(style.KEPT, strength[kept])
    ax.scatter(x[kept], y[kept], 16, color=faded, linewidth=0)
    ax.scatter(x[kept], y[kept], 16, facecolors="none", edgecolors=style.KEPT, linewidth=0.6)
    ax.scatter(x[~kept], y[~kept], 16, color=style.PRUNED, linewidth=0)


def draw_filters(ax: Axes, view: FilterExplorer) -> None:
    """Draw the kernel of each filter of the layer on view in a frame, pale and dashed where it is pruned."""
    kernels, kept = view.kernels_of(view.layer), view.result()[view.layer]
    many = len(kernels)
    if not kernels.size or many > _MOST:
        draw_scores(ax, view)
        return
    scores = view.scores()[view.layer]
    order = np.argsort(scores, kind="stable")[::-1] if view.sort == "score" else np.arange(many)
    across = math.ceil(math.sqrt(_SHAPE * many))
    numbered = many <= _NUMBERED
    tall = 1.5 if numbered else 1.25  # a step down, where a picture is 1 high
    for place, i in enumerate(order):
        x, y = 1.2 * (place % across), tall * (place // across)
        ax.imshow(_coloured(kernels[i], pale=not kept[i]), extent=(x, x + 1, y + 1, y), interpolation="none")
        colour, dashes = (style.KEPT, "-") if kept[i] else (style.PRUNED_EDGE, "--")
        ax.add_patch(
            Rectangle((x - 0.06, y - 0.06), 1.12, 1.12, fill=False, edgecolor=colour, linestyle=dashes)
        )
        if numbered:
            ax.text(x + 0.5, y + 1.14, str(i), ha="center", va="top", fontsize=style.SMALL, color=style.INK)
    ax.axis("off")
    ax.set(xlim=(-0.2, 1.2 * across), ylim=(tall * math.ceil(many / across), -0.2), aspect="equal")
    style.title(ax, f"Filters of {view.layer}: {np.count_nonzero(kept)} of {many} kept")


def _coloured(kernel: Array, *, pale: bool) -> Array:
    """Lay the slices of a kernel side by side, in the colours of the plots."""
    slices, height, width = kernel.shape
    across = math.ceil(math.sqrt(slices))
    picture = np.ones((-(-slices // across) * (height + 1), across * (width + 1), 3))
    for s, values in enumerate(kernel):
        row, column = divmod(s, across)
        top, left = row * (height + 1), column * (width + 1)
        colours = style.WEIGHT((values + 128.0) / 255)[..., :3]
        picture[top : top + height, left : left + width] = colours
    joined = picture[:-1, :-1]
    return 0.3 * joined + 0.7 * np.array(to_rgb(style.PRUNED)) if pale else joined
