"""Builds a table of layers as a ``Sequential`` of Keras 3 or of tf_keras."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pruneviz.zoo.architectures import (
    ARCHITECTURES,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    LayerSpec,
    MaxPool,
    ReLU,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.arrays import Array


def build(name: str, weights: Mapping[str, Array] | None, package: str) -> Any:  # noqa: ANN401  (Keras is untyped)
    """Return the network of `package` ("keras" or "tf_keras"), with these weights or Keras' random ones."""
    keras = importlib.import_module(package)
    specs = ARCHITECTURES[name]
    model = keras.Sequential(name=name)
    model.add(keras.Input((28, 28, 1)))
    for spec in specs:
        if isinstance(spec, Flatten) and isinstance(specs[0], Conv):
            # Keras would flatten row by row, PyTorch flattens channel by channel: twins need one order.
            model.add(keras.layers.Permute((3, 1, 2), name="permute"))
        model.add(_layer(spec, keras.layers))
    if weights is not None:
        for spec in specs:
            model.get_layer(spec.name).set_weights(_arrays(spec, weights))
    return model


def _layer(spec: LayerSpec, layers: Any) -> Any:  # noqa: ANN401
    match spec:
        case Conv():
            padding = "same" if spec.padding else "valid"
            return layers.Conv2D(
                spec.outputs, spec.kernel, padding=padding, use_bias=spec.bias, name=spec.name
            )
        case BatchNorm():
            return layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=spec.name)
        case ReLU():
            return layers.ReLU(name=spec.name)
        case MaxPool():
            return layers.MaxPooling2D(2, name=spec.name)
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
