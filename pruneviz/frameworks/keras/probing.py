"""What a Lambda, a function or a layer of the learner's own does, found by running it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from pruneviz.frameworks.keras.calls import filled
from pruneviz.frameworks.keras.layouts import is_keras, to_numpy

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array
    from pruneviz.frameworks.keras.calls import Call


def is_scale(layer: Any) -> bool:
    """Tell whether a layer of the learner's own, or of ConvNeXt, may be one that scales channels."""
    own = not is_keras(layer) or type(layer).__name__ == "LayerScale"
    return own and [max(weight.shape) for weight in getattr(layer, "weights", ())] == [layer.count_params()]


def narrowed(layer: Any, number: int) -> dict[str, Any]:
    """Write the configuration of a layer that scales channels for another number of them."""
    config: dict[str, Any] = layer.get_config()
    width = layer.count_params()
    return config | {key: number for key, value in config.items() if type(value) is int and value == width}


def probed(call: Call, shapes: list[Any]) -> tuple[str, dict[str, Any]]:
    """Tell whether a call scales channels, treats each for itself, or moves entries."""
    layer, rng = call.layer, np.random.default_rng(0)
    if len(shapes) != 1 or not shapes[0]:
        return "unknown", {}
    x, some = rng.normal(size=(2, *shapes[0])).astype(np.float32), np.arange(0, shapes[0][-1], 2)
    try:
        y = run(call, x)
        if is_scale(layer):
            weight, twin = to_numpy(layer.weights[0]), type(layer).from_config(narrowed(layer, len(some)))
            run(call, x[..., some], twin)  # or there is none of another width
            right = np.array_equal(y, x * weight) or np.array_equal(y, x + weight)
            return ("norm", {"axis": -1, "scaled": True}) if right else ("unknown", {})
        if getattr(layer, "weights", ()) or len(some) == x.shape[-1]:
            return "unknown", {}
        if y.shape[-1] == x.shape[-1]:
            alone, wanted = run(call, x[:1, ..., some]), y[:1, ..., some]
            if alone.shape == wanted.shape and np.allclose(alone, wanted):
                return "pool", {"axis": -1, "function": lambda values: run(call, values[None])[0]}
        order = np.argsort(x[0], axis=None)
        index = order[np.searchsorted(x[0].ravel()[order[:-1]], y[0].ravel())]
        moves = np.array_equal(x.reshape(2, -1)[:, index], y.reshape(2, -1))
    except Exception:  # noqa: BLE001  (whatever it raises, it cannot be followed)
        return "unknown", {}
    return ("permute", {"index": index}) if moves else ("unknown", {})


def run(call: Call, x: Array, layer: Any = None) -> Array:
    """Make a call, or that of a layer like its own, on numbers, in the type in which it computes."""
    kind = tf.float64 if call.dtype == "float64" else tf.float32
    args, kwargs = filled((call.args, call.kwargs), {call.inputs[0]: tf.constant(x, kind)})
    return np.asarray((layer or call.layer)(*args, **kwargs), np.float64)
