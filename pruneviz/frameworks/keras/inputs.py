"""What a Keras model does first with its images: whether it takes bytes, numbers from 0 to 1, or indices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from pruneviz.frameworks.keras.calls import filled, flat, graph_of
from pruneviz.frameworks.keras.layouts import walk
from pruneviz.frameworks.keras.operations import name_of

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array
    from pruneviz.frameworks.keras.calls import Call

_MODEST = 10  # what a network computes with is not much larger
_SCALES = ("add", "subtract", "multiply", "divide")


def takes_indices(model: Any) -> bool:
    """Tell whether an Embedding reads the input."""
    layers = [type(layer).__name__ for _, layer in walk(model)]
    if "Embedding" not in layers or graph_of(model) is None:
        return layers[:1] == ["Embedding"]
    return any(type(call.layer).__name__ == "Embedding" for call, _ in _first(model))


def takes_bytes(model: Any) -> bool:
    """Tell whether the model scales bytes by itself: 0 and 255 come out small, or 0 and 1 do not.

    `Rescaling(1/255)`, `x / 127.5 - 1` and an adapted Normalization take bytes; `Rescaling(2, -1)` takes
    numbers from 0 to 1. A model without a graph does not say; it is given numbers from 0 to 1.
    """
    if graph_of(model) is None:
        return False
    last = None
    for call, values in _first(model):
        if call.layer is not None and _scaled(call, values) is not None:
            last = _scaled(call, values)
    if last is None:
        return False
    low, one, high = np.abs(last.reshape(3, -1))
    return bool(max(low.max(), high.max()) <= _MODEST or min(low.min(), one.min()) >= _MODEST)


def _first(model: Any) -> list[tuple[Call, Array]]:
    """List the calls that read the input before anything is learned, and what they read of 0, 1 and 255."""
    seen: list[tuple[Call, Array]] = []
    after: dict[str, Array] = {}
    for call in flat(model).calls:
        if call.layer is None:
            after[call.name] = np.array([0.0, 1.0, 255.0])
        elif call.inputs and set(call.inputs) <= after.keys():
            values = after[call.inputs[0]]
            seen.append((call, values))
            scaled = _scaled(call, values)
            if scaled is not None:
                after[call.name] = scaled
            elif len(call.inputs) == 1 and not getattr(call.layer, "weights", ()):
                after[call.name] = values
    return seen


def _scaled(call: Call, values: Array) -> Array | None:
    """Scale as a call does, entry by entry; None if it does something else."""
    layer, kind = call.layer, type(call.layer).__name__
    wide = values.reshape(3, *[1] * (len(call.shape or ()) - values.ndim + 1), *values.shape[1:])
    if kind == "Rescaling":
        return np.asarray(wide * np.asarray(layer.scale) + np.asarray(layer.offset))
    if kind == "Normalization":
        mean, variance = (np.asarray(part) for part in (layer.mean, layer.variance))
        return np.asarray((wide - mean) / np.maximum(np.sqrt(variance), 1e-7))
    if name_of(call) in _SCALES and len(call.inputs) == 1:
        args, kwargs = filled((call.args, call.kwargs), {call.inputs[0]: tf.constant(wide, tf.float32)})
        return np.asarray(layer(*args, **kwargs))
    return None
