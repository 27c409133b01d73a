"""What the operators and functions in a Keras model do, in the words of the neutral graph.

In Keras 3 `x + y` and `keras.ops.mean(x, axis=1)` are operations; in tf_keras the functions of TensorFlow are
layers of their own kind. Both go by the name of their function here.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from pruneviz.core.graph import indexed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.core.arrays import Array
    from pruneviz.frameworks.keras.calls import Call

COMBINATIONS: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "average": np.add,
    "divide": lambda one, other: np.divide(one, other, where=other != 0, out=np.full(one.shape, np.nan)),
}
_NAMES = {"div": "divide", "mul": "multiply", "sub": "subtract", "concat": "concatenate"}


def name_of(call: Call) -> str:
    """Name the function that an operation calls, in one spelling for Keras 3 and tf_keras; "" for a layer."""
    symbol = getattr(call.layer, "symbol", None)
    if symbol is None and hasattr(call.layer, "weights"):
        return ""
    words = type(call.layer).__name__ if symbol is None else symbol.rpartition(".")[2]
    short = words.replace("_", "").lower().removeprefix("true")
    return _NAMES.get(short, short)


def constants(call: Call) -> list[Array]:
    """List the arrays that an operation reads beside the outputs of other calls; single numbers aside."""
    leaves = tf.nest.flatten((call.args, call.kwargs))
    arrays = [leaf for leaf in leaves if isinstance(leaf, (np.ndarray, tf.Tensor, tf.Variable))]
    return [np.asarray(array) for array in arrays if np.size(array) > 1]


def described(call: Call, shapes: list[Any]) -> tuple[str, dict[str, Any]]:
    """Say what an operation does to its inputs, of these shapes."""
    name, shapes = name_of(call), [*shapes, *(array.shape for array in constants(call))]
    if name in COMBINATIONS and len(shapes) > 1:
        return combined(name, len(shapes))
    if name == "concatenate":
        given = {"axis": [*call.args, -1][1], **call.kwargs, **vars(call.layer)}["axis"]
        axis = int(given) % (len(call.shape or ()) + 1) - 1
        return ("concat", {"axis": axis}) if axis >= 0 else ("unknown", {})
    if len(shapes) != 1:
        return "unknown", {}
    if name in ("getitem", "part"):
        return _sliced(call.args[1] if name == "getitem" else call.layer.key, len(shapes[0]) + 1)
    if name in ("reshape", "expanddims", "squeeze"):
        same = math.prod(shapes[0]) == math.prod(size or 0 for size in call.shape or ())
        return ("reshape", {}) if same else ("unknown", {"what": "an operation on the batch"})
    return ("mix" if name in ("softmax", "logsoftmax") else "unknown"), {}


def combined(name: str, several: int) -> tuple[str, dict[str, Any]]:
    """Say how a function of two arrays combines several, one after the other."""

    def function(*arrays: Array) -> Array:
        found = functools.reduce(COMBINATIONS[name], arrays)
        return found / several if name == "average" else found

    return "combine", {"function": function, "product": name == "multiply"}


def _sliced(key: Any, dims: int) -> tuple[str, dict[str, Any]]:
    """Read the key of x[…], whose slices Keras 3 and tf_keras write as dictionaries."""
    parts = list(key) if isinstance(key, (tuple, list)) else [key]
    found = indexed(tuple(slice(*p.values()) if isinstance(p, dict) else p for p in parts), dims)
    return ("unknown", {}) if found is None else ("slice", {"key": found})
