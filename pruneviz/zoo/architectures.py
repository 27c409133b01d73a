"""The course's networks as tables of layers, read by one builder for each framework.

Both builders give a layer the name that the table gives it, so that twins can be compared by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Conv:
    """A convolution of square kernels, stride 1, with `padding` zeros on each side."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    padding: int = 0
    bias: bool = True


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation of each channel, eps 1e-5, moving averages that keep 90 % a step."""

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
class Flatten:
    """Everything but the batch in one row: channel by channel, as PyTorch does."""

    name: str = "flatten"


@dataclass(frozen=True)
class Dense:
    """A fully connected layer."""

    name: str
    inputs: int
    outputs: int


LayerSpec: TypeAlias = Conv | BatchNorm | ReLU | MaxPool | Flatten | Dense

ARCHITECTURES: dict[str, tuple[LayerSpec, ...]] = {
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
}
