"""Turn what a plot is given into arrays by layer name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pruneviz import layers
from pruneviz.layers import Layer, Network
from pruneviz.masks import Importance, Mask

if TYPE_CHECKING:
    from pruneviz.arrays import Array, BoolArray

Weights: TypeAlias = Any
"""A model, Network, Layer, Importance, array, or mapping of layer name -> array."""

Masks: TypeAlias = Mask | Mapping[str, Any] | Any

NAMELESS = ""
"""The name of a layer given as a bare array."""


def weights_by_layer(source: Weights, argument: str) -> dict[str, Array]:
    """Give weights (or scores) by layer name.

    Parameters
    ----------
    source
        What the caller gave.
    argument
        Its name, for errors.

    Returns
    -------
    dict
        Layer name -> array, in the network's order; a bare array has the name ``""``.

    Raises
    ------
    TypeError
        If it is a mask, or nothing that has weights.
    ValueError
        If there is no layer, or a value is NaN or infinite.
    """
    if isinstance(source, Mask):
        raise TypeError(
            f"{argument} is a Mask, which holds no weights: give the model, and the mask as mask="
        )
    arrays = _arrays(source)
    if not arrays:
        raise ValueError(f"{argument} has no layers")
    for name, array in arrays.items():
        if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
            raise ValueError(f"{argument} has entries{_of(name)} that are not finite numbers")
    return arrays


def masks_by_layer(source: Masks, argument: str) -> dict[str, BoolArray]:
    """Give kept (True) and pruned (False) by layer name.

    Parameters
    ----------
    source
        A Mask, a bool array, a mapping of bool arrays; of weights (a model, Network, Layer or other
        arrays) those that are not zero count as kept.
    argument
        Its name, for errors.

    Returns
    -------
    dict
        Layer name -> bool array; a bare array has the name ``""``.

    Raises
    ------
    ValueError
        If there is no layer.
    """
    arrays = dict(source) if isinstance(source, Mask) else _arrays(source)
    if not arrays:
        raise ValueError(f"{argument} has no layers")
    return {name: array if array.dtype == np.bool_ else array != 0 for name, array in arrays.items()}


def pick(arrays: Mapping[str, Array], layer: str | None, argument: str) -> dict[str, Array]:
    """Give the layer of that name alone, or all of them for None.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    if layer is None:
        return dict(arrays)
    if list(arrays) == [NAMELESS]:
        return {layer: arrays[NAMELESS]}
    if layer not in arrays:
        raise ValueError(f"layer {layer!r} is not in {argument}: choose from {', '.join(arrays)}")
    return {layer: arrays[layer]}


def fit(mask: Masks, arrays: Mapping[str, Array], argument: str = "mask") -> dict[str, BoolArray]:
    """Give a mask the shapes of the weights; a layer it does not name is kept whole.

    Parameters
    ----------
    mask
        As for `masks_by_layer`; a mask of units, (out,), is spread over each unit's weights.
    arrays
        The weights by layer name.
    argument
        The mask's name, for errors.

    Returns
    -------
    dict
        Layer name -> bool array of the weights' shape.

    Raises
    ------
    ValueError
        If a shape differs, or the mask and the weights have no layer in common.
    """
    kept = masks_by_layer(mask, argument)
    if list(kept) == [NAMELESS] and len(arrays) == 1:
        kept = {next(iter(arrays)): kept[NAMELESS]}
    elif list(arrays) == [NAMELESS] and len(kept) == 1:
        kept = {NAMELESS: next(iter(kept.values()))}
    if not kept.keys() & arrays.keys():
        raise ValueError(
            f"{argument} names {', '.join(kept) or 'no layer'}, but the weights are of "
            f"{', '.join(arrays) or 'no layer'}"
        )
    return {
        name: _fitted(kept[name], array.shape, f"{argument}{_of(name)}")
        if name in kept
        else np.ones(array.shape, bool)
        for name, array in arrays.items()
    }


def label(name: str, otherwise: str = "weights") -> str:
    """Give a layer's name, or another word for a bare array."""
    return name or otherwise


def _fitted(kept: BoolArray, shape: tuple[int, ...], what: str) -> BoolArray:
    if kept.shape == shape:
        return kept
    if kept.shape == shape[:1]:
        return np.broadcast_to(kept.reshape(-1, *(1,) * (len(shape) - 1)), shape)
    raise ValueError(
        f"{what} has shape {kept.shape}, but the weights have {shape}: make a mask for this model"
    )


def _arrays(source: Weights) -> dict[str, Array]:
    if isinstance(source, Layer):
        return {source.name: source.weight}
    if isinstance(source, Importance | Mask):
        return dict(source)
    if isinstance(source, Mapping) and not isinstance(source, Network):
        return {str(name): np.asarray(getattr(array, "weight", array)) for name, array in source.items()}
    if isinstance(source, np.ndarray | Sequence) and not isinstance(source, str):
        array = np.asarray(source)
        return {NAMELESS: array} if array.size else {}
    whole = source if isinstance(source, Network) else layers.network(source)
    return {name: layer.weight for name, layer in whole.items()}


def _of(name: str) -> str:
    return f" of layer {name!r}" if name else ""
