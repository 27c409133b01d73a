"""The course's networks as tables of layers, read by one builder for each framework.

Both builders give a layer the name that the table gives it, so that twins can be compared by name; in a
residual block it is "block.layer".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Conv:
    """A convolution of square kernels, with `padding` zeros on each side."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    padding: int = 0
    bias: bool = True
    stride: int = 1


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation of each channel, eps 1e-5, moving averages that keep 90% a step."""

    name: str
    channels: int


@dataclass(frozen=True)
class ReLU:
    """max(0, x)."""

    name: str


@dataclass(frozen=True)
class MaxPool:
    """The largest value of every 2 × 2 square."""

    name: str


@dataclass(frozen=True)
class GlobalPool:
    """The mean of each channel over all places, which stay as 1 × 1."""

    name: str


@dataclass(frozen=True)
class Flatten:
    """Everything but the batch in one row: channel by channel, as PyTorch does."""

    name: str = "flatten"


@dataclass(frozen=True)
class Dense:
    """A fully connected layer."""

    name: str
    inputs: int
    outputs: int


@dataclass(frozen=True)
class Residual:
    """max(0, body(x) + shortcut(x)); a shortcut without layers passes x on."""

    name: str
    body: tuple[Conv | BatchNorm | ReLU, ...]
    shortcut: tuple[Conv | BatchNorm, ...]


LayerSpec: TypeAlias = Conv | BatchNorm | ReLU | MaxPool | GlobalPool | Flatten | Dense
Table: TypeAlias = tuple[LayerSpec | Residual, ...]


def _block(number: int, inputs: int, outputs: int) -> Residual:
    """Two convolutions of 3 × 3; where the width grows, the first and the shortcut halve the sides."""
    wider = outputs > inputs
    return Residual(
        f"block{number}",
        body=(
            Conv("conv1", inputs, outputs, kernel=3, padding=1, bias=False, stride=2 if wider else 1),
            BatchNorm("bn1", outputs),
            ReLU("relu1"),
            Conv("conv2", outputs, outputs, kernel=3, padding=1, bias=False),
            BatchNorm("bn2", outputs),
        ),
        shortcut=(
            Conv("shortcut", inputs, outputs, kernel=1, bias=False, stride=2),
            BatchNorm("shortcut_bn", outputs),
        )
        if wider
        else (),
    )


INPUT_SHAPES = {"resnet_20": (32, 32, 3)}  # all others take (28, 28, 1)

ARCHITECTURES: dict[str, Table] = {
    "lenet_300_100": (
        Flatten(),
        Dense("fc1", 784, 300),
        ReLU("relu1"),
        Dense("fc2", 300, 100),
        ReLU("relu2"),
        Dense("fc3", 100, 10),
    ),
    "lenet_5": (
        Conv("conv1", 1, 6, kernel=5, padding=2),
        ReLU("relu1"),
        MaxPool("pool1"),
        Conv("conv2", 6, 16, kernel=5),
        ReLU("relu2"),
        MaxPool("pool2"),
        Flatten(),
        Dense("fc1", 400, 120),
        ReLU("relu3"),
        Dense("fc2", 120, 84),
        ReLU("relu4"),
        Dense("fc3", 84, 10),
    ),
    "lenet_5_bn": (
        Conv("conv1", 1, 6, kernel=5, padding=2, bias=False),
        BatchNorm("bn1", 6),
        ReLU("relu1"),
        MaxPool("pool1"),
        Conv("conv2", 6, 16, kernel=5, bias=False),
        BatchNorm("bn2", 16),
        ReLU("relu2"),
        MaxPool("pool2"),
        Flatten(),
        Dense("fc1", 400, 120),
        ReLU("relu3"),
        Dense("fc2", 120, 84),
        ReLU("relu4"),
        Dense("fc3", 84, 10),
    ),
    "mnist_cnn": (
        Conv("conv1", 1, 32, kernel=3, padding=1),
        ReLU("relu1"),
        MaxPool("pool1"),
        Conv("conv2", 32, 64, kernel=3, padding=1),
        ReLU("relu2"),
        MaxPool("pool2"),
        Flatten(),
        Dense("fc1", 3136, 1024),
        ReLU("relu3"),
        Dense("fc2", 1024, 10),
    ),
    "tiny_cnn": (
        Conv("conv1", 1, 12, kernel=3),
        ReLU("relu1"),
        MaxPool("pool1"),
        Flatten(),
        Dense("fc1", 2028, 10),
    ),
    "resnet_20": (
        Conv("conv1", 3, 16, kernel=3, padding=1, bias=False),
        BatchNorm("bn1", 16),
        ReLU("relu1"),
        *(_block(1 + i, 16, 16) for i in range(3)),
        *(_block(4 + i, 16 if i == 0 else 32, 32) for i in range(3)),
        *(_block(7 + i, 32 if i == 0 else 64, 64) for i in range(3)),
        GlobalPool("pool"),
        Flatten(),
        Dense("fc", 64, 10),
    ),
}
