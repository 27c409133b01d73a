"""What the operators and functions in a Keras model do, in the words of the neutral graph.

In Keras 3 `x + y` and `keras.ops.mean(x, axis=1)` are operations; in tf_keras the functions of TensorFlow are
layers of their own kind. Both go by the name of their function here.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from pruneviz.frameworks.keras.calls import filled

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.core.arrays import Array
    from pruneviz.frameworks.keras.calls import Call

Described = tuple[str, dict[str, Any]]

COMBINATIONS: dict[str, Callable[..., Array]] = {
    "add": lambda *arrays: functools.reduce(np.add, arrays),
    "subtract": lambda *arrays: functools.reduce(np.subtract, arrays),
    "multiply": lambda *arrays: functools.reduce(np.multiply, arrays),
    "maximum": lambda *arrays: functools.reduce(np.maximum, arrays),
    "minimum": lambda *arrays: functools.reduce(np.minimum, arrays),
    "average": lambda *arrays: functools.reduce(np.add, arrays) / len(arrays),
    "divide": lambda one, other: np.divide(one, other, where=other != 0, out=np.full(one.shape, np.nan)),
}
_NAMES = {
    "truedivide": "divide",
    "truediv": "divide",
    "mul": "multiply",
    "sub": "subtract",
    "concat": "concatenate",
    "reducemean": "mean",
    "reducemax": "max",
    "reducemin": "min",
    "reducesum": "sum",
    "pow": "power",
}
_MAPS = (  # noqa: SIM905
    "relu relu6 sigmoid tanh silu swish softplus softsign elu selu gelu celu mish leakyrelu hardsigmoid "
    "hardsilu hardswish hardtanh logsigmoid exp expm1 log log1p abs absolute negative neg sign square sqrt "
    "rsqrt reciprocal sin cos clip clipbyvalue cast identity copy stopgradient power"
).split()
_REDUCTIONS = ("mean", "max", "min", "amax", "amin", "sum")


def name_of(call: Call) -> str:
    """Name the function that an operation calls, in one spelling for Keras 3 and tf_keras; "" for a layer."""
    symbol = getattr(call.layer, "symbol", None)
    if symbol is None and hasattr(call.layer, "weights"):
        return ""
    words = type(call.layer).__name__ if symbol is None else symbol.rpartition(".")[2]
    short = words.replace("_", "").lower()
    return _NAMES.get(short, short)


def constants(call: Call) -> list[Array]:
    """List the arrays that an operation reads beside the outputs of other calls; single numbers aside."""
    leaves = tf.nest.flatten((call.args, call.kwargs))
    arrays = [leaf for leaf in leaves if isinstance(leaf, (np.ndarray, tf.Tensor, tf.Variable))]
    return [np.asarray(array) for array in arrays if np.size(array) > 1]


def described(call: Call, shapes: list[Any]) -> Described:  # noqa: PLR0911
    """Say what an operation does to its inputs, of these shapes."""
    name, shapes = name_of(call), [*shapes, *(array.shape for array in constants(call))]
    if name in _MAPS or (name in COMBINATIONS and len(shapes) == 1):
        return ("map", {"function": _of_numbers(call)}) if len(shapes) == 1 else ("unknown", {})
    if name in COMBINATIONS:
        return "combine", {"function": COMBINATIONS[name], "product": name == "multiply"}
    if name == "concatenate":
        return _along(option(call, "axis", 1, -1), len(call.shape or ()), "concat")
    if len(shapes) != 1:
        return "unknown", {}
    dims = len(shapes[0])
    if name in _REDUCTIONS:
        found = _along(option(call, "axis", 1), dims, "reduce")
        return found[0], {**found[1], "sums": name == "sum"}
    if name == "getitem":
        return _sliced(call.args[1], dims)
    if name in ("reshape", "expanddims", "squeeze"):
        return "reshape", {}
    if name == "transpose":
        axes = option(call, "axes", 1, option(call, "perm", 1))
        if axes is not None and axes[0] == 0:
            return "permute", {"axes": tuple(int(axis) - 1 for axis in axes[1:])}
    return ("mix" if name in ("softmax", "logsoftmax") else "unknown"), {}


def option(call: Call, name: str, place: int, default: Any = None) -> Any:
    """Find an argument of an operation, given when it was made or when it was called."""
    if name in vars(call.layer):
        return vars(call.layer)[name]
    return call.kwargs.get(name, call.args[place] if len(call.args) > place else default)


def _along(axes: Any, dims: int, op: str) -> Described:
    """Leave the batch out of axes; what mixes images is unknown."""
    given = [axes] if isinstance(axes, (int, np.integer)) else list(axes or [0])
    own = tuple(sorted(int(axis) % (dims + 1) - 1 for axis in given))
    if -1 in own:
        return "unknown", {}
    return op, {"axis": own[0]} if op == "concat" else {"axes": own}


def _sliced(key: Any, dims: int) -> Described:
    """Read the key of x[…]: numbers and slices with steps of any axis but the batch's."""
    parts = list(key) if isinstance(key, (tuple, list)) else [key]
    parts = [slice(*part.values()) if isinstance(part, dict) else part for part in parts]
    if Ellipsis in parts:
        place = parts.index(Ellipsis)
        parts[place : place + 1] = [slice(None)] * (dims + 2 - len(parts))
    parts += [slice(None)] * (dims + 1 - len(parts))
    known = all(isinstance(part, (int, slice)) and not isinstance(part, bool) for part in parts)
    if len(parts) != dims + 1 or not known or parts[0] != slice(None):
        return "unknown", {}
    return "slice", {"key": tuple(parts[1:])}


def _of_numbers(call: Call) -> Callable[[Array], Array]:
    """Let an operation work on single numbers, in the type in which it computes."""
    kind = tf.float64 if call.dtype == "float64" else tf.float32

    def function(values: Array) -> Array:
        (name,) = call.inputs
        args, kwargs = filled((call.args, call.kwargs), {name: tf.constant(values, kind)})
        return np.asarray(call.layer(*args, **kwargs), np.float64)

    return function
