"""What the filters of a convolution find in one image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pruneviz.plots import inputs, style
from pruneviz.plots.activity import activations, layer_of
from pruneviz.plots.alt import describe
from pruneviz.plots.gallery import FULL_WIDTH, MOST, Gallery, caption, columns_for, explain, hang, room
from pruneviz.plots.picture import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array, BoolArray

_A_ROW = 6
_A_LONG_ROW = 8
_FOR_IMAGE = 0.2


def plot_feature_maps(
    model: object,
    image: Array,
    layer: str | None = None,
    *,
    mask: inputs.Masks | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw an image, and what each filter of a convolution makes of it.

    Read after the activation function that follows the convolution, or after the convolution if none does.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model.
    image
        (height, width, channels), or (1, height, width, channels): uint8, or floats in [0, 1].
    layer
        The convolution to show; None shows the first.
    mask
        Which filters are kept: the maps of pruned ones are pale and hatched. The model computes them all
        the same: to see what pruning changes in later layers, give the model that pv.apply returns.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        All maps on one scale.

    Raises
    ------
    TypeError
        If the image is no array of numbers.
    ValueError
        If the image is not one, the layer is unknown, gives no maps or more than 64, or the mask fits not.
    """
    picture = _checked(image)
    chosen = layer_of(model, layer, dense=False)
    name, filters = chosen.name, len(chosen.weight)
    kept: BoolArray = np.ones(filters, bool)
    if mask is not None:
        kept = inputs.alive(inputs.fit(mask, {name: chosen.weight})[name])
    maps = _maps(model, picture[None], name)
    columns = max(columns_for(filters, _A_ROW if filters <= 2 * _A_ROW else _A_LONG_ROW), 4)
    numbers = np.arange(filters)
    gallery = Gallery(maps, [str(number) for number in numbers], columns, room(ax), _FOR_IMAGE)
    ax = canvas(ax, FULL_WIDTH, gallery.height * gallery.pixel + 0.9)
    top = float(np.abs(maps).max()) or 1.0
    scale = (style.WEIGHT, (-top, top)) if maps.min() < 0 else (style.ACTIVITY, (0.0, top))
    hang(ax, gallery, numbers, kept, *scale, "activation")
    _draw_image(ax, gallery, picture)
    if mask is not None:
        explain(ax, kept)
    text = f"{name}: {filters} feature maps of {' × '.join(map(str, maps.shape[1:]))}"
    style.title(ax, text if title is None else title, above_legend=mask is not None)
    describe(ax, _sentence(text, maps, kept))
    return ax


def _checked(image: Array) -> Array:
    if not isinstance(image, np.ndarray):
        raise TypeError(f"image is a {type(image).__name__}, not a NumPy array, such as x[0]")
    if image.ndim == 4 and len(image) == 1:
        image = image[0]
    if image.ndim != 3:
        raise ValueError(
            f"image has shape {image.shape}: give one image (height, width, channels), such as x[0]"
        )
    return image


def _maps(model: object, x: Array, name: str) -> Array:
    [batch] = activations(model, x, name)
    maps: Array = batch[0]
    if maps.ndim != 3:
        raise ValueError(
            f"layer {name!r} gives {' × '.join(map(str, maps.shape))} numbers an image, not a map a filter: "
            "name a convolution of images"
        )
    if len(maps) > MOST:
        raise ValueError(f"layer {name!r} has {len(maps)} feature maps, and {MOST} are legible at most")
    return maps


def _draw_image(ax: Axes, gallery: Gallery, image: Array) -> None:
    """Draw the image itself into the room at the left, at the height of the first row."""
    high, wide = image.shape[:2]
    free = gallery.left * gallery.width / (1 - gallery.left)
    side = 0.8 * free
    box = (-0.1 * free - side - 0.5, -0.1 * free - 0.5, side * high / wide - 0.5, -0.5)
    grey = image.shape[2] != 3
    limits = ax.get_xlim(), ax.get_ylim()
    ax.imshow(image[..., 0] if grey else image, cmap="gray", extent=box, label="image", interpolation="none")
    ax.set(xlim=limits[0], ylim=limits[1])
    caption(ax, "image", (box[0] + box[1]) / 2, box[2])


def _sentence(text: str, maps: Array, kept: BoolArray) -> str:
    means = np.abs(maps).mean(axis=(1, 2))
    silent = np.flatnonzero(means == 0)
    parts = [f"An image and {text}, up to {maps.max():.3g}; most active is filter {means.argmax()}."]
    if silent.size:
        parts.append(f"Silent: {', '.join(map(str, silent))}.")
    if not kept.all():
        parts.append(f"Pruned: {', '.join(map(str, np.flatnonzero(~kept)))}.")
    return " ".join(parts)
