"""Models that pruneviz was not written for, and what each of them must stand: one table.

`python -m benchmarks.models` goes through all of it, `test_unseen.py` through what is marked as quick.
"""

from __future__ import annotations

import ast
import importlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
import torch._dynamo  # before TensorFlow, or LLVM is registered twice
import torchvision
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves, tree_map

import pruneviz as pv
from pruneviz.files.storage import arrays_of

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = ("mask", "remove", "equal", "copy", "file", "train")
CLASSES = 10


class Row(NamedTuple):
    """A model: how to make it, what it takes, which units it is pruned by, and whether it is quick."""

    make: Callable[[], Any]
    shape: tuple[int, ...] = (64, 64, 3)
    granularity: str = "filter"
    quick: bool = False


class Encoder(nn.Module):
    """PyTorch's own transformer, behind a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.embed = nn.Parameter(torch.rand(1, 1, 16)), nn.Linear(6, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.body, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(16, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat([self.token.expand(len(x), -1, -1), self.embed(x)], 1)
        return self.head(self.body(x)[:, 0])


class Vit(nn.Module):
    """A transformer by hand: patches, a class token, positions, attention in one projection."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, 16, 8, 8), nn.Parameter(torch.rand(1, 1, 16))
        self.places = nn.Parameter(torch.rand(1, 17, 16))
        self.norm1, self.norm2, self.last = (nn.LayerNorm(16) for _ in range(3))
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.wide, self.narrow, self.head = nn.Linear(16, 64), nn.Linear(64, 16), nn.Linear(16, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        b, n, d = x.shape
        x = torch.cat([self.token.expand(b, -1, -1), x], 1) + self.places
        q, k, v = self.qkv(self.norm1(x)).reshape(b, n + 1, 3, 2, d // 2).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.softmax(q @ k.transpose(-2, -1) / 8**0.5, -1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(b, n + 1, d))
        x = x + self.narrow(functional.gelu(self.wide(self.norm2(x))))
        return self.head(self.last(x)[:, 0])


class Split(nn.Module):
    """YOLO's block: parts of a convolution go on by themselves and are joined again."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(32, 12, 1)
        self.inner = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(2))
        self.head = nn.Linear(12, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = list(self.first(x).relu().chunk(2, 1))
        parts.extend(inner(parts[-1]).relu() for inner in self.inner)
        return self.head(self.last(torch.cat(parts, 1)).mean((2, 3)))


class Unet(nn.Module):
    """Down and up again, with a shortcut, for a label of the whole image."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.up, self.join = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 8, 3, padding=1)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = self.down1(x).relu()
        coarse = self.down2(functional.max_pool2d(fine, 2)).relu()
        return self.head(self.join(torch.cat([fine, self.up(coarse)], 1)).relu().mean((2, 3)))


class Gated(nn.Module):
    """Two halves of one layer multiply each other, cut at a size that is spelled out."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow, self.head = nn.Linear(6, 32), nn.Linear(16, 6), nn.Linear(6, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        value, gate = torch.split(self.wide(x), 16, dim=-1)
        return self.head((x + self.narrow(value * functional.silu(gate))).mean(1))


class Scaled(nn.Module):
    """A residual block with a scale for each channel, and channels that are shuffled in code."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1, groups=2)
        self.gamma, self.head = nn.Parameter(torch.rand(16, 1, 1)), nn.Linear(16, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x).relu()
        b, c, h, w = x.shape
        mixed = x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)
        return self.head((x + self.gamma * self.inner(mixed)).mean((2, 3)))


class Experts(nn.Module):
    """Three networks, weighed by a fourth; and two heads."""

    def __init__(self) -> None:
        super().__init__()
        wide = (nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 8)) for _ in range(3))
        self.experts, self.gate = nn.ModuleList(wide), nn.Linear(6, 3)
        self.head, self.more = nn.Linear(8, CLASSES), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        each = torch.stack([expert(x) for expert in self.experts], -1)
        x = (each * self.gate(x).softmax(-1).unsqueeze(1)).sum(-1)
        return {"class": self.head(x), "more": self.more(x)}


def _vision(name: str, shape: tuple[int, ...] = (64, 64, 3), unit: str = "filter", **options: Any) -> Row:
    options = {"weights": None, "num_classes": CLASSES, **options}
    return Row(lambda: getattr(torchvision.models, name)(**options), shape, unit)


def _application(home: str, name: str, size: int = 64, unit: str = "filter", **options: Any) -> Row:
    def make() -> Any:
        chosen = getattr(importlib.import_module(home).applications, name)
        return chosen(weights=None, input_shape=(size, size, 3), classes=CLASSES, **options)

    return Row(make, (size, size, 3), unit)


def _keras_transformer(home: Any) -> Any:
    layers, inputs = home.layers, home.Input((9, 6))
    x = layers.Dense(16)(inputs)
    for _ in range(2):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(y, y)])
        y = layers.Dense(32, "gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dropout(0.1)(layers.Dense(16)(y))])
    return home.Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(x)))


def _keras_residual(home: Any) -> Any:
    layers, inputs = home.layers, home.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same")(layers.Rescaling(2.0)(inputs))
    y = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Add()([x, layers.SeparableConv2D(8, 3, padding="same")(y)])
    return home.Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(layers.PReLU()(x))))


def _keras_states(home: Any) -> Any:
    layers, inputs = home.layers, home.Input((9, 6))
    one, other = inputs[..., :3], inputs[..., 3:]
    _, state, cell = layers.LSTM(8, return_state=True)(layers.Concatenate()([one, other]))
    y = layers.Dense(32)(layers.Concatenate()([state, cell]))
    y = y[:, :16] * home.activations.sigmoid(y[:, 16:])
    return home.Model(inputs, [layers.Dense(CLASSES)(y), layers.Dense(2)(y)])


def _keras_own(home: Any) -> Any:
    class LayerScale(home.layers.Layer):  # type: ignore[misc, name-defined]
        def build(self, shape: Any) -> None:
            self.gamma = self.add_weight(name="gamma", shape=(shape[-1],), initializer="ones")
            self.built = True

        def call(self, x: Any) -> Any:
            return x * self.gamma

    layers, inputs = home.layers, home.Input((8, 8, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    x = x + LayerScale()(layers.Conv2D(16, 3, padding="same")(x))
    x = layers.Permute((1, 2, 4, 3))(layers.Reshape((8, 8, 2, 8))(x))
    shuffle = importlib.import_module("tensorflow").nn.depth_to_space
    x = layers.Lambda(lambda features: shuffle(features, 2))(layers.Reshape((8, 8, 16))(x))
    return home.Model(inputs, layers.Conv2D(3, 3, padding="same")(x))


def _keras_transfer(home: Any) -> Any:
    base = home.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3), include_top=False, alpha=0.35)
    inputs = home.Input((32, 32, 3))
    hidden = home.layers.GlobalAveragePooling2D()(base(inputs, training=False))
    return home.Model(inputs, home.layers.Dense(CLASSES)(hidden))


def _groups() -> nn.Module:
    layers = [nn.Conv2d(3, 16, 3), nn.GroupNorm(4, 16), nn.ReLU(), nn.Conv2d(16, 8, 3), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, CLASSES))


def _table() -> dict[str, Row]:
    frozen = torchvision.ops.FrozenBatchNorm2d
    rows = {
        "torch, transformer encoder": Row(Encoder, (9, 6), "neuron", quick=True),
        "torch, ViT by hand": Row(Vit, (32, 32, 3), "neuron", quick=True),
        "torch, split and joined": Row(Split, (16, 16, 3), quick=True),
        "torch, U-Net": Row(Unet, (16, 16, 3), quick=True),
        "torch, group norm": Row(_groups, (16, 16, 3), quick=True),
        "torch, gated units": Row(Gated, (9, 6), "neuron", quick=True),
        "torch, layer scale and channel shuffle": Row(Scaled, (16, 16, 3), quick=True),
        "torch, mixture of experts with two heads": Row(Experts, (6,), "neuron", quick=True),
    }
    for name in (  # noqa: SIM905
        "squeezenet1_1 mobilenet_v3_small shufflenet_v2_x1_0 mnasnet1_0 resnet18 mobilenet_v2 regnet_y_400mf "
        "efficientnet_b0 mobilenet_v3_large densenet121 regnet_x_800mf resnet50 resnext50_32x4d "
        "efficientnet_v2_s alexnet vgg11 vgg16_bn wide_resnet50_2"
    ).split():
        rows[f"torchvision, {name}"] = _vision(name)
    rows |= {
        "torchvision, googlenet": _vision("googlenet", init_weights=False),
        "torchvision, inception_v3": _vision(
            "inception_v3", (96, 96, 3), init_weights=False, aux_logits=False
        ),
        "torchvision, resnet18, frozen norms": _vision("resnet18", norm_layer=frozen),
        "torchvision, vit_b_16": _vision("vit_b_16", (32, 32, 3), "neuron", image_size=32),
        "torchvision, swin_t": _vision("swin_t", unit="neuron"),
        "torchvision, convnext_tiny": _vision("convnext_tiny", unit="neuron"),
    }
    for home in ("keras", "tf_keras"):
        for what, make, shape, unit in (
            ("transformer", _of(_keras_transformer, home), (9, 6), "neuron"),
            ("residual block", _of(_keras_residual, home), (16, 16, 3), "filter"),
            ("LSTM with states, gated units, two heads", _of(_keras_states, home), (9, 6), "neuron"),
            ("layer scale, shuffle, super-resolution", _of(_keras_own, home), (8, 8, 3), "filter"),
            ("transfer learning", _of(_keras_transfer, home), (32, 32, 3), "filter"),
        ):
            rows[f"{home}, {what}"] = Row(make, shape, unit, quick=what != "transfer learning")
        for name in (  # noqa: SIM905
            "MobileNet MobileNetV2 MobileNetV3Small EfficientNetB0 EfficientNetV2B0 ResNet50 ResNet50V2 "
            "DenseNet121 VGG16 NASNetMobile"
        ).split():
            rows[f"{home}.applications, {name}"] = _application(home, name)
        rows[f"{home}.applications, InceptionV3"] = _application(home, "InceptionV3", 80)
        rows[f"{home}.applications, Xception"] = _application(home, "Xception", 72)
        rows[f"{home}.applications, ConvNeXtTiny"] = _application(home, "ConvNeXtTiny", unit="neuron")
    return rows


def _of(make: Callable[[Any], Any], home: str) -> Callable[[], Any]:
    return lambda: make(importlib.import_module(home))


ROWS = _table()


def examine(row: Row) -> dict[str, str]:
    """Put a model through every step: "yes", what it took, or the first line of what was said."""
    found: dict[str, str] = {}
    model, rng = row.make(), np.random.default_rng(0)
    if isinstance(model, nn.Module):
        model.eval()
    x, other = (rng.random((n, *row.shape), np.float32) for n in (2, 4))
    try:
        mask, small, left = _pruned(model, row, x)
        if not mask.pruned:
            return {"mask": "nothing to prune"}
        found["mask"] = f"yes, {len(left)} layers left alone" if left else "yes"
        sizes = [sum(array.size for array in arrays_of(one).values()) for one in (small, model)]
        found["remove"] = _yes(sizes[0] < sizes[1])
        found["equal"] = _yes(pv.check_removed(model, mask, small, other) <= 1e-5)
        same = pv.check_removed(model, pv.prune(model, 0.0), model, other)
        found["copy"] = _yes(same == 0)
        with tempfile.TemporaryDirectory() as folder:
            pv.save(small, Path(folder) / "small.pv")
            again = pv.load(Path(folder) / "small.pv", model, x)
        wrote, read = arrays_of(small), arrays_of(again)
        alike = all(np.array_equal(wrote[name], read[name]) for name in wrote | read)
        found["file"] = _yes(alike)
        found["train"] = _yes(_trains(small, other))
    except Exception as error:  # noqa: BLE001  (whatever is said is what is reported)
        step = next(step for step in STEPS if step not in found)
        found[step] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    return found


def _yes(right: bool) -> str:
    return "yes" if right else "no"


def _pruned(model: Any, row: Row, x: np.ndarray) -> tuple[Any, Any, list[str]]:
    """Prune and remove, and follow the advice of refusals to leave layers alone."""
    left: list[str] = []
    while True:
        try:
            options = {"granularity": row.granularity, "example": x, "exclude": left, "keep_at_least": 2}
            mask = pv.prune(model, 0.3, scope="layer", **options)
            small = pv.remove(model, mask, x)
        except ValueError as error:
            advice = re.search(r"exclude=(\[.*?\])", str(error))
            more = sorted(set(ast.literal_eval(advice[1])) - set(left)) if advice else []
            if not more:
                raise
            left += more
        else:
            return mask, small, left


def _trains(model: Any, x: np.ndarray) -> bool:
    """Take one step, and tell whether weights moved and stayed finite."""
    before = arrays_of(model)
    if isinstance(model, nn.Module):
        batch = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if x.ndim == 4 else x)
        outputs = [o for o in tree_leaves(model.train()(batch)) if isinstance(o, torch.Tensor)]
        sum((output - 1).square().mean() for output in outputs).backward()  # a head may begin at zero
        torch.optim.SGD(model.parameters(), 1e-3).step()
    else:
        model.compile(optimizer="sgd", loss="mse", run_eagerly=True)  # as a graph it takes ten times as long
        model.fit(x, tree_map(np.ones_like, model.predict(x, verbose=0)), verbose=0)
    after = arrays_of(model)
    finite = all(np.isfinite(array).all() for array in after.values())
    return finite and any((after[name] != before[name]).any() for name in before)


def quick() -> list[str]:
    """Name the rows that take about a second each."""
    return [name for name, row in ROWS.items() if row.quick]
