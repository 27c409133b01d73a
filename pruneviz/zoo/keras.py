"""Builds a table of layers as a model of Keras 3 or of tf_keras: a ``Sequential`` where it is a chain."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pruneviz.zoo.architectures import (
    ARCHITECTURES,
    INPUT_SHAPES,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    LayerSpec,
    MaxPool,
    ReLU,
    Residual,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pruneviz.core.arrays import Array
    from pruneviz.zoo.architectures import Table


def build(name: str, weights: Mapping[str, Array] | None, package: str) -> Any:  # noqa: ANN401  (Keras is untyped)
    """Return the network of `package` ("keras" or "tf_keras"), with these weights or Keras' random ones."""
    keras = importlib.import_module(package)
    table = ARCHITECTURES[name]
    inputs = keras.Input(INPUT_SHAPES.get(name, (28, 28, 1)))
    if any(isinstance(spec, Residual) for spec in table):
        model = keras.Model(inputs, _called(inputs, table, keras.layers), name=name)
    else:
        model = keras.Sequential([inputs, *_chain(tuple(_flat(table)), keras.layers)], name=name)
    if weights is not None:
        for spec in _flat(table):
            model.get_layer(spec.name).set_weights(_arrays(spec, weights))
    return model


def _flat(table: Table) -> Iterator[LayerSpec]:
    """List all layers, those of a block as "block.layer"."""
    for spec in table:
        if isinstance(spec, Residual):
            for inner in (*spec.body, *spec.shortcut):
                yield replace(inner, name=f"{spec.name}.{inner.name}")
        else:
            yield spec


def _called(tensor: Any, table: Table, layers: Any) -> Any:  # noqa: ANN401
    """Let a tensor flow through a table."""
    for spec in table:
        if isinstance(spec, Residual):
            body, shortcut = (
                _called(tensor, tuple(_flat((part,))), layers)
                for part in (replace(spec, shortcut=()), replace(spec, body=()))
            )
            tensor = layers.Add(name=f"{spec.name}.add")([body, shortcut])
            tensor = layers.ReLU(name=f"{spec.name}.relu2")(tensor)
        else:
            for layer in _chain((spec,), layers):
                tensor = layer(tensor)
    return tensor


def _chain(table: tuple[LayerSpec, ...], layers: Any) -> Iterator[Any]:  # noqa: ANN401
    """Make the layers of a chain, and what its twin in PyTorch does by itself."""
    for spec in table:
        if isinstance(spec, Flatten) and isinstance(table[0], Conv):
            # Keras would flatten row by row, PyTorch flattens channel by channel: twins need one order.
            yield layers.Permute((3, 1, 2), name="permute")
        if isinstance(spec, Conv) and spec.padding and spec.stride > 1:
            # With a stride Keras pads "same" images below and right, PyTorch pads all sides.
            yield layers.ZeroPadding2D(spec.padding, name=f"{spec.name}_padding")
        yield _layer(spec, layers)


def _layer(spec: LayerSpec, layers: Any) -> Any:  # noqa: ANN401, PLR0911
    match spec:
        case Conv():
            padding = "same" if spec.padding and spec.stride == 1 else "valid"
            return layers.Conv2D(
                spec.outputs,
                spec.kernel,
                strides=spec.stride,
                padding=padding,
                use_bias=spec.bias,
                name=spec.name,
            )
        case BatchNorm():
            return layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=spec.name)
        case ReLU():
            return layers.ReLU(name=spec.name)
        case MaxPool():
            return layers.MaxPooling2D(2, name=spec.name)
        case GlobalPool():
            return layers.GlobalAveragePooling2D(keepdims=True, name=spec.name)
        case Flatten():
            return layers.Flatten(name=spec.name)
        case Dense():
            return layers.Dense(spec.outputs, name=spec.name)


def _arrays(spec: LayerSpec, weights: Mapping[str, Array]) -> list[Array]:
    """Return the layer's arrays in Keras' order and layout."""
    parts = ("weight", "bias", "running_mean", "running_var")
    arrays = [weights[f"{spec.name}.{part}"] for part in parts if f"{spec.name}.{part}" in weights]
    if isinstance(spec, Conv):
        arrays[0] = arrays[0].transpose(2, 3, 1, 0)
    if isinstance(spec, Dense):
        arrays[0] = arrays[0].T
    return arrays
