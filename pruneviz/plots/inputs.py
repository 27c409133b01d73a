"""Turn what a plot is given into arrays by layer name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pruneviz.core.layers import Layer
from pruneviz.core.masks import Mask
from pruneviz.engine.model import network

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array, BoolArray

Weights: TypeAlias = Any
"""A model, Network, Layer, Importance, array, or mapping of layer name -> array."""

Masks: TypeAlias = Mask | Mapping[str, Any] | Any

NAMELESS = ""
"""The name of a layer given as a bare array."""


def weights_by_layer(source: Weights, argument: str) -> dict[str, Array]:
    """Give weights (or scores) by layer name, in the network's order; `argument` names them in errors."""
    if isinstance(source, Mask):
        raise TypeError(
            f"{argument} is a Mask, which holds no weights: give the model, and the mask as mask="
        )
    arrays = _arrays(source, argument)
    for name, array in arrays.items():
        if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
            raise ValueError(f"{argument} has entries{_of(name)} that are not finite numbers")
    return arrays


def masks_by_layer(source: Masks, argument: str) -> dict[str, BoolArray]:
    """Give kept (True) and pruned (False) by layer name; weights that are not zero count as kept."""
    arrays = _arrays(source, argument)
    return {name: array if array.dtype == np.bool_ else array != 0 for name, array in arrays.items()}


def pick(arrays: Mapping[str, Array], layer: str | None, argument: str) -> dict[str, Array]:
    """Give the layer of that name alone, or all of them for None; a bare array takes any name."""
    if layer is None:
        return dict(arrays)
    if list(arrays) == [NAMELESS]:
        return {layer: arrays[NAMELESS]}
    if layer not in arrays:
        raise ValueError(f"layer {layer!r} is not in {argument}: choose from {', '.join(arrays)}")
    return {layer: arrays[layer]}


def fit(mask: Masks, arrays: Mapping[str, Array], argument: str = "mask") -> dict[str, BoolArray]:
    """Give a mask the shapes of the weights.

    A layer it does not name is kept whole, if it names another, or is a Mask that knows of the layer; a mask
    of units, (out,), is spread over each unit's weights.
    """
    kept = masks_by_layer(mask, argument)
    if len(kept) == len(arrays) == 1 and NAMELESS in (*kept, *arrays):
        kept = dict(zip(arrays, kept.values(), strict=True))
    known = {*kept}
    if isinstance(mask, Mask):  # it knows of the layers that it leaves alone
        known |= {*mask.uncovered, *(mask.units.of if mask.units else ())}
    if not known & arrays.keys():
        raise ValueError(f"{argument} is of {', '.join(kept)}, but the weights are of {', '.join(arrays)}")
    fitted = {}
    for name, array in arrays.items():
        one = kept.get(name, np.ones(array.shape, bool))
        if one.shape == array.shape[:1]:
            one = np.broadcast_to(one.reshape(-1, *(1,) * (array.ndim - 1)), array.shape)
        if one.shape != array.shape:
            raise ValueError(
                f"{argument}{_of(name)} has shape {one.shape}, but the weights have {array.shape}: "
                "make a mask for this model"
            )
        fitted[name] = one
    return fitted


def alive(kept: BoolArray) -> BoolArray:
    """Tell of each output whether it keeps any weight, (out,)."""
    return np.asarray(kept.reshape(len(kept), -1).any(axis=1))


def _arrays(source: Weights, argument: str) -> dict[str, Array]:
    if isinstance(source, Layer):
        source = {source.name: source.weight}
    elif hasattr(source, "__array__") or (isinstance(source, Sequence) and not isinstance(source, str)):
        source = {NAMELESS: source}
    elif not isinstance(source, Mapping):
        source = network(source)
    arrays = {str(name): plain(getattr(array, "weight", array)) for name, array in source.items()}
    if not arrays or not all(array.size for array in arrays.values()):
        raise ValueError(f"{argument} has no layers, or an empty one: give at least one weight")
    return arrays


def plain(array: Any) -> Array:  # noqa: ANN401
    """Make an array of whatever holds numbers: of a tensor too that has a gradient, or a type of its own."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        array = array.float() if str(array.dtype) == "torch.bfloat16" else array
    return np.asarray(array)


def _of(name: str) -> str:
    return f" of layer {name!r}" if name else ""
