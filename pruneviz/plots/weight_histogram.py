"""How large the weights are, and which of them are pruned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from pruneviz.core.arrays import whole
from pruneviz.core.masks import Importance
from pruneviz.plots import inputs, style
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array, BoolArray


def plot_weight_histogram(
    weights: inputs.Weights,
    layer: str | None = None,
    *,
    mask: inputs.Masks | None = None,
    threshold: float | None = None,
    bins: int | Sequence[float] | None = None,
    by: Literal["value", "magnitude"] = "value",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a histogram of weights, the pruned ones hatched.

    Parameters
    ----------
    weights
        A model, Network, Layer, array, mapping of layer name -> array, or an Importance (its scores).
    layer
        The layer to show; None shows all weights together.
    mask
        Which weights are kept: a Mask, or bool arrays of the weights' shapes.
    threshold
        Draws the line. Without a mask, weights whose magnitude lies below it are shown as pruned.
    bins
        Number of bins, or their edges (weights beyond are not shown); None follows the number of weights.
    by
        ``"value"``, or ``"magnitude"`` for absolute values.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        With the counts of kept and pruned weights in its legend.

    Raises
    ------
    TypeError
        If `weights` is a Mask.
    ValueError
        If the layer is unknown, the mask does not fit, or `threshold`, `bins` or `by` is out of range.
    """
    if by not in ("value", "magnitude"):
        raise ValueError(f'by is {by!r}: choose "value" or "magnitude"')
    chosen = inputs.pick(inputs.weights_by_layer(weights, "weights"), layer, "weights")
    values = np.concatenate([array.ravel() for array in chosen.values()]).astype(float)
    noun, quantity, compared = "weights", "weight", np.abs(values)
    if by == "magnitude":
        values, quantity = compared, "magnitude |w|"
    if isinstance(weights, Importance):
        compared, noun, quantity = values, "scores", "score"
    kept = _kept(chosen, compared, mask, threshold)
    ax = canvas(ax)
    seen = _draw(ax, values, kept, _edges(values, bins, threshold))
    if threshold is not None:
        _draw_threshold(ax, [-threshold, threshold] if quantity == "weight" and threshold else [threshold])
    where = f"{next(iter(chosen)) or 'array'}: {noun}" if len(chosen) == 1 else f"All {noun}"
    ax.set_xlabel(quantity)
    ax.set_ylabel(f"number of {noun}")
    ax.yaxis.set_major_formatter(style.GROUPED_TICKS)
    if mask is None and threshold is None:
        style.legend_above(ax, [style.kept_patch(f"{style.grouped(seen[0])} {noun}")])
    else:
        style.legend_split(ax, seen[0], sum(seen))
    style.title(ax, where if title is None else title, above_legend=True)
    describe(ax, _sentence(where, quantity, values, kept, threshold))
    return ax


def _kept(
    chosen: dict[str, Array], compared: Array, mask: inputs.Masks | None, threshold: float | None
) -> BoolArray:
    known = threshold is None or (hasattr(threshold, "__float__") and math.isfinite(threshold))
    if not known or (threshold is not None and threshold < min(compared.min(), 0)):
        raise ValueError(f"threshold is {threshold}: it is compared with magnitudes, so give 0 or more")
    if mask is not None:
        return np.concatenate([kept.ravel() for kept in inputs.fit(mask, chosen).values()])
    return compared >= (-math.inf if threshold is None else threshold)


def _edges(values: Array, bins: int | Sequence[float] | None, threshold: float | None) -> Array:
    """Choose bins that meet at zero, and at the threshold if it is wide enough to hold one."""
    if bins is None:
        return _edges(values, min(max(round(2 * np.cbrt(values.size)), 20), 120), threshold)
    if isinstance(bins, Sequence | np.ndarray) and not isinstance(bins, str):
        edges = np.asarray(bins, dtype=float)
        if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
            raise ValueError(f"bins is {bins}: give two edges or more, each larger than the one before")
        return edges
    bins = whole("bins", bins, 1)
    lowest, highest = min(values.min(), 0.0), max(values.max(), 0.0)
    width = (highest - lowest) / bins or 1.0
    if threshold and threshold >= width / 2:
        width = threshold / round(max(threshold / width, 1))
    first, last = np.floor(lowest / width), np.ceil(highest / width)
    # One bin more on the right: without it rounding can push the largest value out of the last one.
    return np.arange(first, last + 2) * width


def _draw(ax: Axes, values: Array, kept: BoolArray, edges: Array) -> tuple[int, int]:
    everything, _ = np.histogram(values, edges)
    pruned, _ = np.histogram(values[~kept], edges)
    ax.stairs(
        pruned,
        edges,
        fill=True,
        facecolor=style.PRUNED,
        edgecolor=style.PRUNED_EDGE,
        hatch=style.HATCH,
        linewidth=0.8,
        label="pruned",
    )
    ax.stairs(everything, edges, baseline=pruned, fill=True, color=style.KEPT, linewidth=0, label="kept")
    used = np.flatnonzero(everything)
    if used.size:
        low, high = edges[used[0]], edges[used[-1] + 1]
        margin = 0.02 * (high - low)
        ax.set_xlim(low - margin, high + margin)
    ax.set_ylim(0, 1.05 * max(everything.max(), 1))
    return int((everything - pruned).sum()), int(pruned.sum())


def _draw_threshold(ax: Axes, places: list[float]) -> None:
    for place in places:
        ax.axvline(place, color=style.INK, linewidth=1.2, linestyle="--", label="threshold")
    left, right = ax.get_xlim()
    ax.set_xlim(min(left, 1.05 * min(places)), max(right, 1.05 * max(places)))
    sign = "±" if len(places) > 1 else ""
    ax.annotate(
        f"{sign}{places[-1]:.3g}",
        (places[-1], 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -2),
        textcoords="offset points",
        va="top",
        fontsize=style.SMALL,
        color=style.INK,
        bbox={"facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )


def _sentence(where: str, quantity: str, values: Array, kept: BoolArray, threshold: float | None) -> str:
    text = (
        f"Histogram of {style.grouped(values.size)} values of {quantity} ({where}), "
        f"from {values.min():.3g} to {values.max():.3g}."
    )
    if threshold is not None:
        text += f" The threshold is {threshold:.3g}."
    stay = int(np.count_nonzero(kept))
    pruned = style.count_of(kept.size - stay, kept.size)
    return f"{text} Pruned: {pruned}; kept: {style.grouped(stay)}."
