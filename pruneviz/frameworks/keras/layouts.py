"""Which Keras layers hold prunable kernels, and how those look with the output first."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruneviz.core.arrays import Array


_PRUNABLE = {"Dense", "BaseConv", "Conv", "BaseConvTranspose", "BaseDepthwiseConv", "BaseSeparableConv"}


@dataclass(frozen=True)
class Kernel:
    """One prunable kernel of a Keras layer; separable layers have two."""

    name: str
    kind: str
    layer: Any
    variable: Any
    bias: Any

    @property
    def size(self) -> int:
        """Number of positions of the kernel."""
        return math.prod(self.variable.shape[:-2])

    @property
    def axis(self) -> int:
        """Where the layer has its channels."""
        return 1 if getattr(self.layer, "data_format", None) == "channels_first" else -1

    @property
    def reads_inside(self) -> bool:
        """Whether it is the second half of a separable layer, and reads what the first half makes."""
        return getattr(self.layer, "pointwise_kernel", None) is self.variable

    @property
    def _ends(self) -> tuple[int, int]:
        """Axes of the outputs and of the inputs in Keras's layout; a depthwise kernel's are both outputs."""
        return (-2, -1) if self.kind in ("transposed", "depthwise") else (-1, -2)

    def outputs_first(self, array: Array) -> Array:
        """Turn Keras's kernel layout into (out, in, *kernel)."""
        moved = np.moveaxis(array, self._ends, (0, 1))
        return moved.reshape(-1, 1, *moved.shape[2:]) if self.kind == "depthwise" else moved

    def native(self, array: Array) -> Array:
        """Undo `outputs_first`."""
        if self.kind == "depthwise":
            array = array.reshape(*self.variable.shape[-2:], *array.shape[2:])
        return np.moveaxis(array, (0, 1), self._ends)


def kernels(model: Any) -> Iterator[Kernel]:
    """Find the prunable kernels in the order of the model's layers; shared ones come once."""
    seen = set()
    for name, layer in walk(model):
        for kernel in kernels_of(name, layer):
            if 0 in (shape := tuple(kernel.variable.shape)):
                raise ValueError(f"layer {kernel.name!r} has weights of shape {shape}: leave it out")
            if id(kernel.variable) not in seen:
                seen.add(id(kernel.variable))
                yield kernel


def walk(layer: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Visit all layers, nested ones as "outer.inner"."""
    for inner in layer._flatten_layers(include_self=False, recursive=False):  # noqa: SLF001
        name = f"{prefix}{inner.name}"
        yield name, inner
        yield from walk(inner, f"{name}.")


def home_of(value: Any) -> Any:
    """Find the module, keras or tf_keras, that a model or layer, or an ancestor of its class, comes from."""
    roots = (ancestor.__module__.partition(".")[0] for ancestor in type(value).__mro__)
    return sys.modules.get(next((root for root in roots if root in {"keras", "tf_keras"}), ""))


def is_keras(value: Any) -> bool:
    """Tell whether the class of a value is Keras's own."""
    return type(value).__module__.partition(".")[0] in {"keras", "tf_keras"}


def variable_of(weight: Any) -> tf.Variable:
    """Find the TensorFlow variable behind a weight of Keras 3 or tf_keras."""
    return weight if isinstance(weight, tf.Variable) else weight.value


def to_numpy(weight: Any) -> Array:
    """View a weight's present value; the types that NumPy lacks become float32 copies."""
    tensor = tf.convert_to_tensor(variable_of(weight))
    if not tensor.dtype.is_numpy_compatible or tensor.dtype == tf.bfloat16:
        tensor = tf.cast(tensor, tf.float32)
    return np.asarray(memoryview(tensor))


def kernels_of(name: str, layer: Any) -> Iterator[Kernel]:
    """Find the prunable kernels of one layer; operations, such as `x + y`, have none."""
    if not hasattr(layer, "weights"):
        return
    ancestors = {ancestor.__name__ for ancestor in type(layer).__mro__ if "keras" in ancestor.__module__}
    bias = getattr(layer, "bias", None)
    mode = getattr(layer, "quantization_mode", None)
    for wrong, why in (
        (not layer.built, "has no weights yet: build the model, or run it once on a batch"),
        (mode, f"is quantised to {mode}: prune before you quantise"),
        (getattr(layer, "lora_enabled", False), "has LoRA on: merge it first, as save_weights does"),
    ):
        if wrong and ancestors & _PRUNABLE:
            raise ValueError(f"layer {name!r} {why}")
    if ancestors & {"BaseSeparableConv", "SeparableConv"}:
        yield Kernel(f"{name}.depthwise", "depthwise", layer, layer.depthwise_kernel, None)
        yield Kernel(f"{name}.pointwise", "conv", layer, layer.pointwise_kernel, bias)
    elif ancestors & {"BaseDepthwiseConv", "DepthwiseConv"}:
        variable = layer.kernel if hasattr(layer, "kernel") else layer.depthwise_kernel
        yield Kernel(name, "depthwise", layer, variable, bias)
    elif ancestors & {"BaseConv", "Conv", "BaseConvTranspose", "Dense"}:
        transposed = any(ancestor.endswith("Transpose") for ancestor in ancestors)
        kind = "transposed" if transposed else "dense" if "Dense" in ancestors else "conv"
        yield Kernel(name, kind, layer, layer.kernel, bias)
