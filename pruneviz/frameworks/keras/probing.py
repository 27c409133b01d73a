"""What a Lambda or a layer of the learner's own does, and what a model takes, found by running them."""

from __future__ import annotations

import contextlib
import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from pruneviz.frameworks.keras.calls import filled, flat, graph_of
from pruneviz.frameworks.keras.layouts import is_keras, to_numpy, walk
from pruneviz.frameworks.keras.operations import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.core.arrays import Array
    from pruneviz.frameworks.keras.calls import Call

_MODEST = 10  # what a network computes with is not much larger
_SCALES = ("add", "subtract", "multiply", "divide")
_CLOSE = {"float16": 1e-2, "bfloat16": 1e-1}  # what sums in another order differ by; 1e-6 in other types


def is_scale(layer: Any) -> bool:
    """Tell whether a layer of the learner's own, or of ConvNeXt, may be one that scales channels."""
    own = not is_keras(layer) or type(layer).__name__ == "LayerScale"
    return own and [max(weight.shape) for weight in getattr(layer, "weights", ())] == [layer.count_params()]


def narrowed(layer: Any, number: int) -> dict[str, Any]:
    """Write the configuration of a layer that scales channels for another number of them."""
    config: dict[str, Any] = layer.get_config()
    width = layer.count_params()
    return config | {key: number for key, value in config.items() if type(value) is int and value == width}


def maps(function: Callable[[Array], Array], shape: Any) -> bool:
    """Tell whether a function treats every number for itself, and alike wherever it stands."""
    size = (2, *(min(n, 9) for n in shape[:-1]), shape[-1])  # enough to tell, and quick
    x = np.random.default_rng(0).normal(size=size).astype(np.float32)
    few = x[..., ::2].shape
    places = np.random.default_rng(1).permutation(x.size)[: math.prod(few)].reshape(few)
    try:
        y = function(x)
        alike = [(x.ravel()[places], y.ravel()[places])]
        alike += [(np.full_like(x, x.flat[i]), np.full_like(x, y.flat[i])) for i in range(min(x.size, 4))]
        pairs = [(function(given), wanted) for given, wanted in alike]
        return all(a.shape == b.shape and np.allclose(a, b, equal_nan=True) for a, b in pairs)
    except Exception:  # noqa: BLE001  (whatever it raises, it cannot be followed)
        return False


def probed(call: Call, shapes: list[Any]) -> tuple[str, dict[str, Any]]:  # noqa: PLR0911
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
        if y.shape == x.shape and maps(functools.partial(run, call), shapes[0]):
            return "map", {"function": functools.partial(run, call)}
        if getattr(layer, "weights", ()) or len(some) == x.shape[-1]:
            return "unknown", {}
        if y.shape[-1] == x.shape[-1]:
            alone, wanted = run(call, x[:1, ..., some]), y[:1, ..., some]
            close = _CLOSE.get(str(getattr(layer, "compute_dtype", call.dtype)), 1e-6)
            if alone.shape == wanted.shape and np.allclose(alone, wanted, close, close):
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


def way_of(model: Any, place: int) -> str:
    """Tell what one of a model's inputs takes: "indices", "bytes", "numbers" from 0 to 1, or a type.

    Indices are for an Embedding; the type is that of an Input of integers, which go in as they are.
    `Rescaling(1/255)`, `x / 127.5 - 1` and an adapted Normalization take bytes: 0 and 255 come out small, or
    0 and 1 do not. `Rescaling(2, -1)` takes numbers from 0 to 1. A model without a graph does not say; it is
    given indices if its first layer is an Embedding, or else numbers.
    """
    inputs = getattr(model, "inputs", None)
    if inputs and tf.as_dtype(inputs[place].dtype).is_integer:
        return str(tf.as_dtype(inputs[place].dtype).name)
    if graph_of(model) is None:
        first = next((type(layer).__name__ for _, layer in walk(model)), "")
        return "indices" if first == "Embedding" else "numbers"
    calls, scaled = flat(model), None
    after: dict[str, Array] = {calls.inputs[place]: np.array([0.0, 1.0, 255.0])}
    for call in calls.calls:  # those that read the input before anything is learned
        if call.inputs and set(call.inputs) <= after.keys():
            if type(call.layer).__name__ == "Embedding":
                return "indices"
            values = after[call.inputs[0]]
            if (found := _scaled(call, values)) is not None:
                scaled = after[call.name] = found
            elif len(call.inputs) == 1 and not getattr(call.layer, "weights", ()):
                after[call.name] = values
    if scaled is None:
        return "numbers"
    low, one, high = np.abs(scaled.reshape(3, -1))
    modest = max(low.max(), high.max()) <= _MODEST or min(low.min(), one.min()) >= _MODEST
    return "bytes" if modest else "numbers"


def _scaled(call: Call, values: Array) -> Array | None:
    """Scale as a call does, entry by entry; None if it does something else."""
    wide = values.reshape(3, *[1] * (len(call.shape or ()) - values.ndim + 1), *values.shape[1:])
    known = type(call.layer).__name__ in ("Rescaling", "Normalization", "Lambda") or name_of(call) in _SCALES
    if known and len(call.inputs) == 1:
        with contextlib.suppress(Exception):  # a Lambda of the learner's own may raise anything
            scaled = run(call, wide)
            return scaled if scaled.size and scaled.shape[:-1] == wide.shape[:-1] else None
    return None
