"""The kernels of a convolution, filter by filter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.plots import inputs, style
from pruneviz.plots.alt import describe
from pruneviz.plots.gallery import FULL_WIDTH, MOST, Gallery, columns_for, explain, hang, room
from pruneviz.plots.picture import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array, BoolArray

_STACKED = 8
_A_ROW = 8
_NARROW_A_ROW = 16
_ROOM_FOR_DIGITS = 0.5
_CAPTION = 0.32


def plot_filters(
    weights: inputs.Weights,
    layer: str | None = None,
    *,
    mask: inputs.Masks | None = None,
    scores: Any | None = None,  # noqa: ANN401
    sort: bool = False,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each filter of a convolution as the picture of its kernel: dark is negative, light is positive.

    A filter that reads several channels has a kernel for each: up to eight are stacked, more are laid out
    in rows, the first channel at the upper left.

    Parameters
    ----------
    weights
        A model, Network, Layer, (filters, channels, height, width) array, or mapping of layer name -> array.
    layer
        The convolution to show; None shows the first.
    mask
        Which filters, or which of their weights, are kept: pruned filters are pale and hatched.
    scores
        One number a filter, written below it: an Importance, an array, or a mapping of layer name -> array.
    sort
        Order the filters by score, the highest first.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        All filters on one scale, on which zero is the grey in the middle.

    Raises
    ------
    ValueError
        If the layer is unknown, not a convolution or has more than 64 filters, if mask or scores do not fit
        it, or if there are no scores to sort by.
    """
    name, weight = _convolution(weights, layer)
    kept = np.ones(weight.shape, bool) if mask is None else inputs.fit(mask, {name: weight})[name]
    marks = None if scores is None else _scores(scores, name, weight)
    if sort and marks is None:
        raise ValueError("sort orders by score: give scores too, such as those of pv.importance")
    order = np.arange(len(weight))
    if sort and marks is not None:
        order = np.argsort(-marks.astype(np.float64), kind="stable")
    whole = inputs.alive(kept)
    alone = ~kept & whole.reshape(-1, *(1,) * (weight.ndim - 1))
    pictures = _pictures(np.where(alone, np.nan, weight))[order]
    columns = max(columns_for(len(weight), _columns(pictures, room(ax))), 4)
    gallery = Gallery(pictures, _captions(order, marks, room(ax) / columns), columns, room(ax))
    ax = canvas(ax, FULL_WIDTH, gallery.height * gallery.pixel + 0.9)
    top = float(np.abs(weight).max()) or 1.0
    hang(ax, gallery, order, whole[order], style.WEIGHT, (-top, top), "weight")
    _label_slices(ax, gallery, weight.shape[1])
    if alone.any():
        style.legend_split(ax, int(kept.sum()), kept.size)
    elif mask is not None:
        explain(ax, whole)
    text = (
        f"{name or 'Convolution'}: {len(weight)} filters of {' × '.join(map(str, weight.shape[1:]))} weights"
    )
    style.title(ax, text if title is None else title, above_legend=mask is not None)
    describe(ax, _sentence(text, weight, whole, marks, sort=sort))
    return ax


def _convolution(weights: inputs.Weights, layer: str | None) -> tuple[str, Array]:
    arrays = inputs.weights_by_layer(weights, "weights")
    if layer is None:
        layer = next((name for name, array in arrays.items() if array.ndim > 2), None)
        if layer is None:
            raise ValueError(
                f"weights has no convolution, only {', '.join(filter(None, arrays)) or 'an array'}: "
                "plot_mask and plot_weight_histogram draw dense layers"
            )
    [(name, array)] = inputs.pick(arrays, layer, "weights").items()
    if array.ndim < 3:
        raise ValueError(
            f"layer {name!r} of shape {array.shape} is not a convolution: plot_mask draws dense layers"
        )
    if len(array) > MOST:
        raise ValueError(
            f"layer {name!r} has {len(array)} filters, and {MOST} are legible at most: give some of them as "
            f"an array, such as pv.network(model)[{name!r}].weight[:{MOST}]"
        )
    return name, array


def _scores(scores: Any, name: str, weight: Array) -> Array:  # noqa: ANN401
    [array] = inputs.pick(inputs.weights_by_layer(scores, "scores"), name, "scores").values()
    if array.shape != weight.shape[:1]:
        raise ValueError(
            f"scores has shape {array.shape} for layer {name!r}: give one a filter, {len(weight)} in all"
        )
    return array


def _pictures(weight: Array) -> Array:
    """Lay the kernels of each filter out as one masked picture, (filters, height, width)."""
    filters, channels = weight.shape[:2]
    kernels = weight.reshape(filters, channels, -1, weight.shape[-1])
    across = 1 if channels <= _STACKED else math.ceil(math.sqrt(channels))
    down = -(-channels // across)
    high, wide = kernels.shape[2] + 1, kernels.shape[3] + 1
    pictures = np.ma.array(np.zeros((filters, down, high, across, wide)), mask=True)
    for channel in range(channels):
        row, column = divmod(channel, across)
        pictures[:, row, :-1, column, :-1] = kernels[:, channel]
    joined: Array = pictures.reshape(filters, down * high, across * wide)[:, :-1, :-1]
    return joined


def _columns(pictures: Array, inches: float) -> int:
    """Choose the most that may stand in a row: narrow pictures twice as many, if their captions have room."""
    _, high, wide = pictures.shape
    most = _NARROW_A_ROW if high > 2 * wide else _A_ROW
    return max(min(most, int(inches / _CAPTION)), 1)


def _captions(order: Array, marks: Array | None, inches: float) -> list[str]:
    """Write number and score of each filter, in fewer digits where there is less room."""
    if marks is None:
        return [str(number) for number in order]
    digits = 3 if inches > _ROOM_FOR_DIGITS else 2
    return [f"{number}\n{_short(marks[number], np.abs(marks).max(), digits)}" for number in order]


def _short(score: float, largest: float, digits: int) -> str:
    size = math.floor(math.log10(largest)) if largest else 0
    if abs(size) > digits:
        mantissa, exponent = f"{score:.{digits - 2}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{score:.{digits - 1 - size}f}" if size < digits else style.grouped(score)


def _label_slices(ax: Axes, gallery: Gallery, channels: int) -> None:
    """Write beside the stacked kernels of the first filter which input channel each reads."""
    if not 1 < channels <= _STACKED:
        return
    high = (gallery.pictures.shape[1] + 1) / channels
    for channel in range(channels):
        place = (-0.5, (channel + 0.5) * high - 1)
        style.write(ax, f"in {channel}", place, (-5, 0), ha="right", va="center")


def _sentence(text: str, weight: Array, kept: BoolArray, marks: Array | None, *, sort: bool) -> str:
    parts = [f"{text}, from {weight.min():.3g} to {weight.max():.3g}."]
    pruned = np.flatnonzero(~kept)
    if pruned.size:
        parts.append(f"Pruned: {', '.join(map(str, pruned))}.")
    if marks is not None:
        low, high = int(marks.argmin()), int(marks.argmax())
        ordered = ", highest first" if sort else ""
        parts.append(
            f"Scores{ordered}: from {marks[low]:.3g} (filter {low}) to {marks[high]:.3g} (filter {high})."
        )
    return f"Pictures of the kernels of {' '.join(parts)}"
