"""Small networks of any framework from one description, so that each rule is tested on all of them."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import NamedTuple

import keras
import numpy as np
import tf_keras
import torch
from hypothesis import strategies as st
from torch import nn

from pruneviz import frameworks

IMAGE = (8, 8, 3)
CLASSES = 4
FRAMEWORKS = ("torch", "keras", "tf_keras")


class Spec(NamedTuple):
    """What to build: hidden layers as (kind, outputs or multiplier), and the seed of their weights."""

    layers: tuple[tuple[str, int], ...] = (("conv", 4), ("dense", 6))
    seed: int = 0
    ties: bool = False
    activation: str = "relu"


_CONVOLUTIONS = st.tuples(
    st.sampled_from(["conv", "depthwise", "separable", "transposed", "grouped"]), st.integers(1, 3)
)
SPECS = st.builds(
    Spec,
    st.tuples(
        st.lists(_CONVOLUTIONS, max_size=3).map(tuple),
        st.lists(st.tuples(st.just("dense"), st.integers(1, 9)), max_size=2).map(tuple),
    ).map(lambda parts: parts[0] + parts[1]),
    st.integers(0, 99),
    st.booleans(),
)


def build(spec: Spec, framework: str):
    """Build one of the twins; equal specs have equal weights in every framework."""
    model = _torch(spec) if framework == "torch" else _keras(spec, sys.modules[framework])
    adapter = frameworks.adapter(model)
    rng = np.random.default_rng(spec.seed)
    arrays = {}
    for layer in adapter.layers():
        arrays[f"{layer.name}.weight"] = _draw(rng, layer.weight.shape, spec.ties)
        if layer.bias is not None:
            arrays[f"{layer.name}.bias"] = _draw(rng, layer.bias.shape, spec.ties)
    return adapter.copy_with(arrays)


def images(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, *IMAGE), dtype=np.uint8), rng.integers(0, CLASSES, n)


def _draw(rng, shape, ties):
    values = rng.normal(size=shape).astype(np.float32) / 2
    return np.round(values * 2) / 2 if ties else values


def _torch(spec):
    channels, side, layers, flat = IMAGE[2], IMAGE[0], OrderedDict(), None
    for place, (kind, number) in enumerate(spec.layers):
        name = f"l{place}"
        if kind == "conv":
            layers[name] = nn.Conv2d(channels, number, 3, padding=1)
            channels = number
        elif kind == "grouped":
            layers[name] = nn.Conv2d(channels, channels * number, 3, padding=1, groups=_groups(channels))
            channels *= number
        elif kind == "depthwise":
            layers[name] = nn.Conv2d(channels, channels * number, 3, padding=1, groups=channels)
            channels *= number
        elif kind == "transposed":
            layers[name] = nn.ConvTranspose2d(channels, number, 3)
            channels, side = number, side + 2
        elif kind == "separable":
            layers[name] = nn.Sequential(
                OrderedDict(
                    depthwise=nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
                    pointwise=nn.Conv2d(channels, number, 1),
                )
            )
            channels = number
        else:
            if flat is None:
                layers["flat"], flat = nn.Flatten(), channels * side * side
            layers[name], flat = nn.Linear(flat, number), number
        layers[f"{name}_on"] = nn.ReLU()
    if flat is None:
        layers["flat"], flat = nn.Flatten(), channels * side * side
    layers["out"] = nn.Linear(flat, CLASSES)
    if spec.activation == "softmax":
        layers["out_on"] = nn.Softmax(-1)
    return nn.Sequential(layers)


def _keras(spec, framework):
    kinds = framework.layers
    channels, flat = IMAGE[2], False
    layers = [kinds.Input(IMAGE)]
    for place, (kind, number) in enumerate(spec.layers):
        same = {"padding": "same", "activation": "relu", "name": f"l{place}"}
        if kind == "conv":
            layers.append(kinds.Conv2D(number, 3, **same))
            channels = number
        elif kind == "grouped":
            layers.append(kinds.Conv2D(channels * number, 3, groups=_groups(channels), **same))
            channels *= number
        elif kind == "depthwise":
            layers.append(kinds.DepthwiseConv2D(3, depth_multiplier=number, **same))
            channels *= number
        elif kind == "transposed":
            layers.append(kinds.Conv2DTranspose(number, 3, **{**same, "padding": "valid"}))
            channels = number
        elif kind == "separable":
            layers.append(kinds.SeparableConv2D(number, 3, **same))
            channels = number
        else:
            if not flat:
                layers += [kinds.Permute((3, 1, 2)), kinds.Flatten()]
                flat = True
            layers.append(kinds.Dense(number, activation="relu", name=f"l{place}"))
    if not flat:
        layers += [kinds.Permute((3, 1, 2)), kinds.Flatten()]
    softmax = "softmax" if spec.activation == "softmax" else None
    layers.append(kinds.Dense(CLASSES, activation=softmax, name="out"))
    return framework.Sequential(layers)


def _groups(channels):
    return 1 if channels % 2 else 2


def weights_of(model):
    """Copy all arrays of a model, to see later whether they changed."""
    adapter = frameworks.adapter(model)
    return {name: array.copy() for name, array in adapter.arrays().items()}


def same(before, after):
    return before.keys() == after.keys() and all(np.array_equal(before[k], after[k]) for k in before)


__all__ = [
    "CLASSES",
    "FRAMEWORKS",
    "IMAGE",
    "SPECS",
    "Spec",
    "build",
    "images",
    "keras",
    "same",
    "tf_keras",
    "torch",
]


def copy_weights(model, net):
    """Give a Keras model the weights of the PyTorch model whose layers have the same names."""
    arrays = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    for layer in net.layers:
        weight = arrays.get(f"{layer.name}.weight")
        if weight is None:
            continue
        if weight.ndim == 1:  # batch normalisation
            rest = [arrays[f"{layer.name}.{part}"] for part in ("bias", "running_mean", "running_var")]
            layer.set_weights([weight, *rest])
        else:
            kernel = weight.T if weight.ndim == 2 else weight.transpose(2, 3, 1, 0)
            layer.set_weights([kernel, arrays[f"{layer.name}.bias"]])
