"""Exports a flat list of Keras calls as a neutral graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from pruneviz.core.graph import Graph, Node
from pruneviz.frameworks.keras import operations
from pruneviz.frameworks.keras.calls import Part
from pruneviz.frameworks.keras.layouts import Kernel, is_keras, kernels_of, to_numpy
from pruneviz.frameworks.keras.probing import maps, probed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pruneviz.core.arrays import Array
    from pruneviz.frameworks.keras.calls import Call, Flat

_PASSES = ("GaussianNoise", "ActivityRegularization", "Identity")
_MIXES = ("Softmax", "LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization")


def export(flat: Flat) -> Graph:
    """Turn calls into a neutral graph, where the last node of a call has its name; refuse an open size."""
    shapes = {call.name: call.shape for call in flat.calls}
    owners: dict[int, str] = {}
    nodes: list[Node] = []
    for call in flat.calls:
        if None in (call.shape or ()):
            raise ValueError(
                f"the output of {call.path!r} has no fixed size, {call.shape}: pass example, or build the "
                "model with a fixed Input shape"
            )
        nodes += _nodes(call, [shapes[name] for name in call.inputs], owners)
    return Graph(tuple(nodes), tuple(ref.name for ref in tf.nest.flatten(flat.made)))


def _nodes(call: Call, shapes: list[Any], owners: dict[int, str]) -> Iterator[Node]:
    shape: Any = call.shape or ()
    if call.layer is None:
        yield Node(call.name, "input", (), shape, call.path)
        return
    own = list(kernels_of(call.path, call.layer)) if is_keras(call.layer) else []
    if not own:
        op, options = _operation(call, shapes)
        op, options = probed(call, shapes) if op == "unknown" else (op, options)
        kind = getattr(call.layer, "symbol", type(call.layer).__name__)
        extra = operations.constants(call) if op == "combine" else []
        names = tuple(f"{call.name}:{i}" for i in range(len(extra)))
        for name, array in zip(names, extra, strict=True):
            yield Node(name, "input", (), array.shape[-len(shape) :], call.path)
        yield Node(call.name, op, call.inputs + names, shape, call.path, {"what": f"a {kind}", **options})
        return
    activation = getattr(call.layer, "activation", None)
    label = getattr(activation, "__name__", type(activation).__name__ if activation else "linear")
    inputs = call.inputs
    for kernel in own:
        last = kernel is own[-1] and label == "linear"
        name = call.name if last else f"{call.name}:{kernel.name.rpartition('.')[2]}"
        between = (*shape[:-1], len(kernel.outputs_first(to_numpy(kernel.variable))))
        owner = owners.setdefault(id(kernel.variable), kernel.name)
        op, options = _kernel(kernel)
        if owner != kernel.name or None in shapes:
            op, options = "unknown", {"what": f"a layer that shares its weight with {owner!r},"}
        yield Node(name, op, inputs, between, kernel.name, options)
        inputs = (name,)
    if label != "linear":
        op, options = _activation(activation, shape)
        yield Node(call.name, op, inputs, shape, call.path, options)


def _activation(activation: Any, shape: Any) -> tuple[str, dict[str, Any]]:
    """Follow an activation that has learned nothing and makes of each number another one."""
    if not getattr(activation, "weights", ()) and maps(_numbers(activation), shape):
        return "map", {"function": _numbers(activation)}
    name = getattr(activation, "__name__", type(activation).__name__)
    op = "mix" if name in ("softmax", "log_softmax") else "unknown"
    return op, {"what": f"a layer with the activation {name}"}


def _kernel(kernel: Kernel) -> tuple[str, dict[str, Any]]:
    layer = kernel.layer
    if kernel.kind == "dense":
        return "dense", {"axis": -1}
    if layer.data_format != "channels_last":
        return "unknown", {"what": "a convolution with channels first"}
    single = kernel.reads_inside or math.prod(layer.kernel_size) == 1
    padded = layer.padding != "valid" and not single
    if kernel.kind == "depthwise":
        single = kernel.variable.shape[-2] == 1
        return "conv" if single else "depthwise", {"axis": -1, "padded": padded}
    groups = getattr(layer, "groups", 1) if kernel.kind == "conv" else 1
    return kernel.kind, {"axis": -1, "groups": groups, "padded": padded or kernel.kind == "transposed"}


def _operation(call: Call, shapes: list[Any]) -> tuple[str, dict[str, Any]]:  # noqa: C901, PLR0911
    layer, name = call.layer, type(call.layer).__name__
    if not (is_keras(layer) or isinstance(layer, Part)) or call.shape is None or None in shapes:
        return "unknown", {}
    if operations.name_of(call):
        return operations.described(call, shapes)
    if name == "BatchNormalization":
        axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0]
        width = np.sqrt(to_numpy(layer.moving_variance).astype(np.float64) + layer.epsilon)
        return "norm", {"axis": axis if axis < 0 else axis - 1, "spread": width, "scaled": bool(layer.scale)}
    if name == "GroupNormalization" and layer.groups > 1 and layer.axis in (-1, len(shapes[0])):
        same = np.full(shapes[0][-1], np.inf)  # what is the same everywhere becomes 0
        return "norm", {"axis": -1, "spread": same, "scaled": bool(layer.scale), "groups": layer.groups}
    if name == "PReLU" and layer.alpha.shape[-1] == shapes[0][-1]:
        return "norm", {"axis": -1, "function": _numbers(layer.call)}
    if name in _PASSES or "Dropout" in name:
        return "map", {"function": np.array, "passes": True}
    if name == "Activation":
        return _activation(layer.activation, shapes[0])
    if name.lower() in operations.COMBINATIONS and len(call.inputs) > 1:
        return operations.combined(name.lower(), len(call.inputs))
    if name == "Concatenate":
        return "concat", {"axis": layer.axis if layer.axis < 0 else layer.axis - 1}
    if "Pooling" in name and not name.startswith("Global") and layer.data_format == "channels_last":
        return "pool", {"axis": -1}
    if name.startswith("ZeroPadding") and getattr(layer, "data_format", "channels_last") == "channels_last":
        return "pad", {"widths": [*map(tuple, np.reshape(layer.padding, (-1, 2)).tolist()), (0, 0)]}
    if name in ("Flatten", "Reshape"):
        return "reshape", {}
    return ("mix" if name in _MIXES else "unknown"), {}


def _numbers(function: Callable[[Any], Any]) -> Callable[[Array], Array]:
    """Let a function of Keras work on single numbers."""
    return lambda values: np.asarray(function(tf.constant(values, tf.float32)), np.float64)
