"""Which weights are kept, as a picture of the layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FixedFormatter, MaxNLocator

from pruneviz.plots import inputs, style
from pruneviz.plots.alt import describe
from pruneviz.plots.layout import Sheet, lay_out
from pruneviz.plots.picture import Picture, canvas, colour_bar, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from pruneviz.core.arrays import Array, BoolArray

_ROOM_FOR_HATCH = 48
_FLAT, _TALL = 0.08, 4  # rows by columns: beyond, a weight is no square, or the picture would be a line
_STRETCH = 8
_EACH, _ROUND = 12, 6  # units across that are numbered one by one; of more, how many round numbers


def plot_mask(
    mask: inputs.Masks,
    layer: str | None = None,
    *,
    weights: inputs.Weights | None = None,
    image_shape: tuple[int, int] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes | Figure:
    """Draw which weights are kept: dark blue is kept, pale orange is pruned.

    A dense layer is a matrix with one pixel a weight, outputs down and inputs to the right; a convolution
    is a grid of kernels, filters to the right and input channels down. Layers too large for that are drawn
    in blocks, coloured by the share that is kept.

    Parameters
    ----------
    mask
        A Mask, a bool array or a mapping of them. Of weights (a model, Network, Layer, array), those that
        are not zero count as kept.
    layer
        The layer to show; None shows all.
    weights
        The weights (as for `plot_weight_histogram`): darker means larger. Also spreads a mask of units over
        their weights.
    image_shape
        (height, width) of the image whose pixels are the inputs of a dense layer, channel by channel: draws
        how many weights each pixel keeps.
    title
        Replaces the title.
    ax
        Where to draw one layer; None makes a new figure.

    Returns
    -------
    Axes or Figure
        A Figure for several layers.

    Raises
    ------
    ValueError
        If the layer is unknown, `weights` or `image_shape` does not fit the mask, or several layers are to
        go on one Axes.
    """
    kept = inputs.pick(inputs.masks_by_layer(mask, "mask"), layer, "mask")
    if image_shape is not None:
        return _draw_pixels(ax, kept, weights, image_shape, title)
    strength: dict[str, Array] = {}
    if weights is not None:
        strength = _strength(weights, kept)
        kept = inputs.fit(kept, strength)
    if len(kept) > 1:
        if ax is not None:
            raise ValueError(f"ax is one Axes, but the mask has {len(kept)} layers: name one with layer=")
        return _draw_all(kept, strength, title)
    [(name, array)] = kept.items()
    ax = canvas(ax, *_size(lay_out(array)))
    _draw(ax, name, array, strength.get(name), title)
    return ax


def _strength(weights: inputs.Weights, kept: dict[str, BoolArray]) -> dict[str, Array]:
    arrays = inputs.weights_by_layer(weights, "weights")
    if len(arrays) == len(kept) == 1:
        arrays = dict(zip(kept, arrays.values(), strict=True))
    missing = kept.keys() - arrays.keys()
    if missing:
        raise ValueError(f"weights has no layer {', '.join(sorted(missing))}: it has {', '.join(arrays)}")
    return {name: arrays[name] for name in kept}


def _size(sheet: Sheet) -> tuple[float, float]:
    """Choose a size at which the picture fills the width, yet is not taller than wide."""
    rows, columns = sheet.image.shape
    height = 6.2 * min(max(rows / columns, _FLAT), 0.75)
    return 7, height + 1.1


def _draw_all(kept: dict[str, BoolArray], strength: dict[str, Array], title: str | None) -> Figure:
    sizes = {name: _size(lay_out(array)) for name, array in kept.items()}
    heights = [size[1] for size in sizes.values()]
    figure = Picture(7, sum(heights) + (0.4 if title else 0))
    places = figure.add_gridspec(len(kept), 1, height_ratios=heights)
    for row, (name, array) in enumerate(kept.items()):
        ax = canvas(new_axes(figure, places[row, 0]))
        _draw(ax, name, array, strength.get(name), None)
    if title:
        figure.suptitle(title, fontsize=style.FONT + 2, color=style.INK)
    return figure


def _draw(ax: Axes, name: str, kept: BoolArray, weights: Array | None, title: str | None) -> None:
    sheet = lay_out(kept)
    square = kept.ndim > 1 and _FLAT < sheet.image.shape[0] / sheet.image.shape[1] < _TALL
    shares = _show(ax, sheet.image, square=square, cmap=style.SHARE_KEPT, vmin=0, vmax=1)
    if weights is not None:
        _shade(ax, kept, weights, square=square)
    elif sheet.block > 1:
        colour_bar(ax, shares, "share kept").ax.yaxis.set_major_formatter(style.PERCENT_TICKS)
    roomy = sheet.block == 1 and max(sheet.image.shape) <= _ROOM_FOR_HATCH
    if roomy:
        style.hatch_cells(ax, np.argwhere(sheet.image == 0))
    _label(ax, sheet)
    style.legend_split(ax, int(np.count_nonzero(kept)), kept.size, hatched=roomy)
    style.title(ax, _where(name, kept) if title is None else title, above_legend=True)
    describe(ax, _sentence(name, kept, sheet))


def _draw_pixels(
    ax: Axes | None,
    masks: dict[str, BoolArray],
    weights: inputs.Weights | None,
    image_shape: tuple[int, int],
    title: str | None,
) -> Axes:
    if weights is not None:
        raise ValueError("image_shape counts weights, so weights= has no place in it: give one of the two")
    if len(masks) > 1:
        raise ValueError(f"image_shape needs one layer: give layer=, one of {', '.join(masks)}")
    [(name, kept)] = masks.items()
    if np.shape(image_shape) != (2,) or min(image_shape) < 1:
        raise ValueError(f"image_shape is {image_shape}, not (height, width) in pixels, such as (28, 28)")
    height, width = image_shape
    if kept.ndim != 2 or kept.shape[1] % (height * width):
        raise ValueError(
            f"image_shape {height} × {width} does not fit layer {name!r} of shape {kept.shape}: its inputs "
            "must be the pixels of an image"
        )
    counts = kept.sum(axis=0).reshape(-1, height, width).sum(axis=0)
    most = kept.size // counts.size
    ax = canvas(ax, 5.4, 0.6 + 4.4 * height / width)
    image = ax.imshow(counts, cmap=style.SHARE_KEPT, vmin=0, vmax=max(counts.max(), 1))
    rows, columns = np.nonzero(counts == 0)
    ax.plot(columns, rows, "x", color=style.PRUNED_EDGE, markersize=4, markeredgewidth=0.9, linestyle="none")
    bar = colour_bar(ax, image, f"kept per pixel, of {most}" + (", × none" if rows.size else ""))
    bar.ax.yaxis.set_major_formatter(style.GROUPED_TICKS)
    ax.set_xlabel("column")
    ax.set_ylabel("row")
    where = f"{name or 'weights'}: kept {style.count_of(kept.sum(), kept.size)}"
    style.title(ax, where if title is None else title, above_legend=True)
    describe(
        ax,
        f"Picture of the {height} × {width} input pixels of {name or 'a layer'}: each keeps from "
        f"{counts.min()} to {counts.max()} of its {most} weights, {style.grouped(kept.sum())} in all; "
        f"{style.grouped(rows.size)} pixels keep none.",
    )
    return ax


def _where(name: str, kept: BoolArray) -> str:
    shape = " × ".join(map(str, kept.shape)) + (" units" if kept.ndim == 1 else "")
    return f"{name}, {shape}" if name else shape


def _sentence(name: str, kept: BoolArray, sheet: Sheet) -> str:
    stay = int(np.count_nonzero(kept))
    share = style.percent(1 - stay / kept.size)
    total = style.grouped(kept.size)
    text = f"Mask of {_where(name, kept)}: kept {style.grouped(stay)} of {total}, {share} pruned."
    if sheet.block > 1:
        return f"{text} One pixel stands for up to {sheet.block} weights."
    return text


def _label(ax: Axes, sheet: Sheet) -> None:
    height, width = sheet.image.shape
    beside = min(1.7 * height / width, 1)
    for axis, direction, room in ((ax.xaxis, sheet.columns, 1), (ax.yaxis, sheet.rows, beside)):
        units = np.arange(direction.units)
        if direction.units > max(round(room * _EACH), 2):
            locator = MaxNLocator(max(round(room * _ROUND), 2), integer=True, steps=[1, 2, 5, 10])
            nice = np.asarray(locator.tick_values(0, direction.units - 1))
            units = nice[(nice >= 0) & (nice < direction.units)].astype(int)
        axis.set_ticks(direction.centre(units) if direction.name else [], minor=False)
        axis.set_major_formatter(FixedFormatter([style.grouped(int(unit)) for unit in units]))
        axis.set_label_text(direction.name)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _show(ax: Axes, image: Array, alpha: Array | None = None, *, square: bool, **look: Any) -> AxesImage:  # noqa: ANN401
    """Show one pixel a weight, or fill the axes: to stay sharp there, each weight is drawn out to several."""
    if square:
        return ax.imshow(image, aspect="equal", alpha=alpha, **look)
    rows, columns = image.shape
    down = min(max(columns // rows, 1), _STRETCH if rows > 1 else 1)
    across = min(max(rows // columns, 1), _STRETCH if columns > 1 else 1)

    def drawn_out(values: Array) -> Array:
        return values.repeat(down, axis=0).repeat(across, axis=1)

    edges = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    opaque = None if alpha is None else drawn_out(alpha)
    return ax.imshow(drawn_out(image), aspect="auto", extent=edges, alpha=opaque, **look)


def _shade(ax: Axes, kept: BoolArray, weights: Array, *, square: bool) -> None:
    """Lay the mean magnitude of the kept weights over the mask."""
    sums, shares = (lay_out(array).image for array in (np.where(kept, np.abs(weights), 0), kept))
    with np.errstate(invalid="ignore", divide="ignore"):
        strength = np.where(shares > 0, sums / shares, np.nan)
    top = float(np.nanmax(strength, initial=0)) or 1.0
    opaque = np.nan_to_num(shares)
    shades = _show(ax, strength, opaque, square=square, cmap=style.STRENGTH, vmin=0, vmax=top)
    colour_bar(ax, shades, "|w| of kept weights")
