"""What one layer of a model says about images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pruneviz import frameworks
from pruneviz.core.arrays import checked_images
from pruneviz.engine.model import Seen, network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruneviz.core.arrays import Array, Images
    from pruneviz.core.layers import Layer


def layer_of(model: object, layer: str | None, *, dense: bool) -> Layer:
    """Find a layer by name; None finds the first that is dense, or the first that is not.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    layers = network(model)
    if layer is None:
        layer = next((name for name, one in layers.items() if (one.kind == "dense") == dense), None)
    if layer is None:
        raise ValueError(
            f"model has no {'dense layer' if dense else 'convolution'}, only {', '.join(layers) or 'none'}: "
            "name the layer to show"
        )
    if layer not in layers:
        raise ValueError(f"layer {layer!r} is not in model: choose from {', '.join(layers)}")
    return layers[layer]


def activations(model: object, x: Images, layer: str) -> Iterator[Array]:
    r"""Give what follows a layer's activation function, (images, out, \*places), batch after batch.

    Raises
    ------
    TypeError, ValueError
        If x is no array of images, the model cannot be traced, or the layer is not part of what it computes.
    """
    found = Seen(model, checked_images("x", x)).structure
    place = found.units.reads.get(layer)
    axis = next((node.options["axis"] for node in found.graph.nodes if node.layer == layer), -1)
    for batch in frameworks.adapter(model).activations(x, {place} if place else set()):
        if place not in batch:
            raise ValueError(f"layer {layer!r} leaves no activations to read: show the layer after it")
        yield np.moveaxis(batch[place], axis if axis < 0 else axis + 1, 1)
