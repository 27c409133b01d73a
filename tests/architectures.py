"""Random architectures as twins of every framework, for the rules of units and their removal."""

from __future__ import annotations

import sys
import zlib
from collections import OrderedDict
from typing import NamedTuple

import keras  # noqa: F401
import numpy as np
import tf_keras  # noqa: F401
import torch
from hypothesis import strategies as st
from torch import nn

from pruneviz import frameworks

SIDE, CLASSES = 6, 3
ACTIVATIONS = ("relu", "tanh", "gelu", "sigmoid")


class Plan(NamedTuple):
    """What to build: steps on images, whether they are flattened or averaged, dense layers, dimensions."""

    steps: tuple[tuple[str, int], ...]
    tail: str = "flatten"
    dense: tuple[int, ...] = (5,)
    dims: int = 2
    seed: int = 0
    activation: str = "relu"


STEPS = st.sampled_from(
    [
        "conv",
        "conv_valid",
        "grouped",
        "depthwise",
        "separable",
        "transposed",
        "bn",
        "bn_plain",
        "act",
        "pool",
        "mean_pool",
        "residual",
        "gate",
        "concat",
        "pad",
        "dropout",
        "shared",
        "upsample",
    ]
)
PLANS = st.builds(
    Plan,
    st.lists(st.tuples(STEPS, st.integers(2, 5)), min_size=1, max_size=6).map(
        lambda steps: (("conv", 4), *steps)
    ),
    st.sampled_from(["flatten", "average", "reshape"]),
    st.lists(st.integers(2, 7), max_size=2).map(tuple),
    st.sampled_from([1, 2, 2, 2, 3]),
    st.integers(0, 99),
    st.sampled_from(ACTIVATIONS),
)


def build(plan: Plan, framework: str, dtype: str = "float32"):
    """Build one of the twins, with the same weights and shaken BatchNorm statistics in each."""
    if framework == "torch":
        model = Net(plan).eval().to(getattr(torch, dtype))
    else:
        model = _keras(plan, sys.modules[framework], dtype)
    adapter = frameworks.adapter(model)
    arrays = adapter.arrays()
    return adapter.copy_with({k: _draw(k, a, plan.seed) for k, a in arrays.items() if a.ndim})


def images(plan: Plan, framework: str, dtype="float32", n=4):
    """Draw images; adapters turn only those of two dimensions round for PyTorch."""
    x = np.random.default_rng(plan.seed).random((n, *[SIDE] * plan.dims, 2)).astype(dtype)
    return np.moveaxis(x, -1, 1).copy() if framework == "torch" and plan.dims != 2 else x


_ROLES = {"running_var": "var", "moving_variance": "var", "gamma": "scale", "beta": "bias"}
_ROLES |= {"running_mean": "mean", "moving_mean": "mean"}


def _draw(name, array, seed):
    layer, _, part = name.rpartition(".")
    part = "scale" if part == "weight" and array.ndim == 1 else _ROLES.get(part, part)
    rng = np.random.default_rng([seed, zlib.crc32(f"{layer}.{part}".encode())])
    if part in ("var", "scale"):
        return rng.uniform(0.5, 1.5, array.shape).astype(array.dtype)
    return (rng.normal(size=array.shape) / (1 if array.ndim == 1 else 2)).astype(array.dtype)


class Net(nn.Module):
    def __init__(self, plan):  # noqa: C901
        super().__init__()
        self.plan, self.sizes, channels = plan, {}, 2
        conv = getattr(nn, f"Conv{plan.dims}d")
        norm = getattr(nn, f"BatchNorm{plan.dims}d")
        for i, (kind, n) in enumerate(plan.steps):
            name = f"s{i}"
            if kind in ("conv", "conv_valid"):
                channels = self._add(name, conv(channels, n, 3, padding=int(kind == "conv")), n)
            elif kind == "grouped":
                groups = 1 if channels % 2 else 2
                channels = self._add(
                    name, conv(channels, channels * 2, 3, padding=1, groups=groups), channels * 2
                )
            elif kind == "depthwise":
                channels = self._add(
                    name, conv(channels, channels * 2, 3, padding=1, groups=channels), channels * 2
                )
            elif kind == "separable" and plan.dims < 3:
                first = conv(channels, channels, 3, padding=1, groups=channels, bias=False)
                pair = OrderedDict(depthwise=first, pointwise=conv(channels, n, 1))
                channels = self._add(name, nn.Sequential(pair), n)
            elif kind == "transposed":
                channels = self._add(name, getattr(nn, f"ConvTranspose{plan.dims}d")(channels, n, 3), n)
            elif kind.startswith("bn"):
                self._add(name, norm(channels, affine=kind == "bn"))
            elif kind in ("residual", "shared"):
                self._add(name, conv(channels, channels, 3, padding=1, bias=False))
            elif kind == "concat":
                self._add(name, conv(channels, n, 1))
                channels += n
            elif kind == "gate":
                self._add(f"{name}a", nn.Linear(channels, n))
                self._add(f"{name}b", nn.Linear(n, channels))
        self.eval()
        with torch.no_grad():
            width = self._images(torch.zeros(1, 2, *[SIDE] * plan.dims)).shape[1]
        for i, n in enumerate(plan.dense):
            width = self._add(f"d{i}", nn.Linear(width, n), n)
        self.out = nn.Linear(width, CLASSES)

    def _add(self, name, module, width=0):
        self.add_module(name, module)
        return width

    def _images(self, x):  # noqa: C901, PLR0912
        act = getattr(torch.nn.functional, self.plan.activation)
        for i, (kind, _) in enumerate(self.plan.steps):
            layer = getattr(self, f"s{i}", None)
            if i not in self.sizes:  # found once, because a traced tensor has no size to branch on
                self.sizes[i] = min(x.shape[2:])
            size = self.sizes[i]
            if kind == "residual":
                x = act(x + layer(x))
            elif kind == "shared":
                x = layer(torch.relu(layer(x)))
            elif kind == "concat":
                x = torch.cat([x, torch.relu(layer(x))], 1)
            elif kind == "gate":
                squeezed = x.mean(list(range(2, self.plan.dims + 2)))
                gate = torch.sigmoid(getattr(self, f"s{i}b")(torch.relu(getattr(self, f"s{i}a")(squeezed))))
                x = x * gate.reshape(x.shape[0], x.shape[1], *[1] * self.plan.dims)
            elif kind == "act":
                x = act(x)
            elif kind in ("pool", "mean_pool") and size > 1:
                name = f"{'max' if kind == 'pool' else 'avg'}_pool{self.plan.dims}d"
                x = getattr(torch.nn.functional, name)(x, 2)
            elif kind == "pad":
                x = torch.nn.functional.pad(x, [1] * (2 * self.plan.dims))
            elif kind == "dropout":
                x = torch.nn.functional.dropout(x, 0.5, self.training)
            elif kind == "upsample":
                x = torch.nn.functional.interpolate(x, scale_factor=2)
            elif layer is not None and (kind != "conv_valid" or size > 2):
                x = layer(x)
            elif layer is not None:
                x = layer(torch.nn.functional.pad(x, [1] * (2 * self.plan.dims)))
        if self.plan.tail == "average":
            return x.mean(list(range(2, self.plan.dims + 2)))
        return torch.flatten(x, 1) if self.plan.tail == "flatten" else x.reshape(x.shape[0], -1)

    def forward(self, x):
        act = getattr(torch.nn.functional, self.plan.activation)
        x = self._images(x)
        for i in range(len(self.plan.dense)):
            x = act(getattr(self, f"d{i}")(x))
        return self.out(x)


def _keras(plan, home, dtype):  # noqa: C901, PLR0912
    kinds, d = home.layers, plan.dims

    def make(kind, *args, **options):
        return getattr(kinds, kind)(*args, dtype=dtype, **options)

    def act(x):
        return make("Activation", plan.activation)(x)

    inputs = x = kinds.Input((*[SIDE] * d, 2), dtype=dtype)
    for i, (kind, n) in enumerate(plan.steps):
        name, channels = f"s{i}", x.shape[-1]
        if kind == "conv_valid" and min(x.shape[1:-1]) < 3:
            x = make(f"ZeroPadding{d}D", 1)(x)
        if kind in ("conv", "conv_valid"):
            x = make(f"Conv{d}D", n, 3, padding="valid" if kind == "conv_valid" else "same", name=name)(x)
        elif kind == "grouped":
            groups = 1 if channels % 2 else 2
            x = make(f"Conv{d}D", channels * 2, 3, padding="same", groups=groups, name=name)(x)
        elif kind == "depthwise" and d < 3:
            x = make(f"DepthwiseConv{d}D", 3, depth_multiplier=2, padding="same", name=name)(x)
        elif kind == "separable" and d < 3:
            x = make(f"SeparableConv{d}D", n, 3, padding="same", name=name)(x)
        elif kind == "transposed":
            x = make(f"Conv{d}DTranspose", n, 3, name=name)(x)
        elif kind.startswith("bn"):
            x = make("BatchNormalization", epsilon=1e-5, center=kind == "bn", scale=kind == "bn", name=name)(
                x
            )
        elif kind == "residual":
            y = make(f"Conv{d}D", channels, 3, padding="same", use_bias=False, name=name)(x)
            x = act(make("Add")([x, y]))
        elif kind == "shared":
            layer = make(f"Conv{d}D", channels, 3, padding="same", use_bias=False, name=name)
            x = layer(make("ReLU")(layer(x)))
        elif kind == "concat":
            x = make("Concatenate")([x, make(f"Conv{d}D", n, 1, activation="relu", name=name)(x)])
        elif kind == "gate":
            gate = make("Dense", n, activation="relu", name=f"{name}a")(make(f"GlobalAveragePooling{d}D")(x))
            gate = make("Dense", channels, activation="sigmoid", name=f"{name}b")(gate)
            x = make("Multiply")([x, make("Reshape", (*[1] * d, channels))(gate)])
        elif kind == "act":
            x = act(x)
        elif kind in ("pool", "mean_pool") and min(x.shape[1:-1]) > 1:
            x = make(f"{'Max' if kind == 'pool' else 'Average'}Pooling{d}D", 2)(x)
        elif kind == "pad":
            x = make(f"ZeroPadding{d}D", 1)(x)
        elif kind == "dropout":
            x = make("Dropout", 0.5)(x)
        elif kind == "upsample":
            x = make(f"UpSampling{d}D", 2)(x)
    if plan.tail == "average":
        x = make(f"GlobalAveragePooling{d}D")(x)
    else:
        x = make("Permute", (d + 1, *range(1, d + 1)))(x)
        size = int(np.prod(x.shape[1:]))
        x = make("Flatten")(x) if plan.tail == "flatten" else make("Reshape", (size,))(x)
    for i, n in enumerate(plan.dense):
        x = act(make("Dense", n, name=f"d{i}")(x))
    return home.Model(inputs, make("Dense", CLASSES, name="out")(x))
