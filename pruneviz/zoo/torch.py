"""Builds a table of layers as a ``torch.nn.Sequential``, of `ResidualBlock` s where it has them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import torch
from torch import nn

from pruneviz.zoo.architectures import (
    ARCHITECTURES,
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
    from collections.abc import Iterable, Mapping

    from pruneviz.core.arrays import Array


def build(name: str, weights: Mapping[str, Array] | None) -> nn.Sequential:
    """Return the network, in eval mode, with these weights or PyTorch's random ones."""
    model = _chain(ARCHITECTURES[name])
    if weights is not None:
        stored = {key: torch.tensor(array) for key, array in weights.items()}
        model.load_state_dict(model.state_dict() | stored)
    return model.eval()


class ResidualBlock(nn.Module):
    """max(0, body(x) + shortcut(x)).

    The layers of both paths are its own attributes, such as ``block.conv1``; a shortcut without layers
    passes x on.
    """

    def __init__(self, spec: Residual) -> None:
        super().__init__()
        self.body = tuple(inner.name for inner in spec.body)
        self.shortcut_path = tuple(inner.name for inner in spec.shortcut)
        for inner in (*spec.body, *spec.shortcut):
            self.add_module(inner.name, _module(inner))
        self.relu2 = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add what the two paths make of x."""
        y = x
        for name in self.body:
            y = self.get_submodule(name)(y)
        for name in self.shortcut_path:
            x = self.get_submodule(name)(x)
        result: torch.Tensor = self.relu2(y + x)
        return result


def _chain(specs: Iterable[LayerSpec | Residual]) -> nn.Sequential:
    return nn.Sequential(OrderedDict((spec.name, _module(spec)) for spec in specs))


def _module(spec: LayerSpec | Residual) -> nn.Module:  # noqa: PLR0911
    match spec:
        case Residual():
            return ResidualBlock(spec)
        case Conv():
            return nn.Conv2d(
                spec.inputs, spec.outputs, spec.kernel, spec.stride, spec.padding, bias=spec.bias
            )
        case BatchNorm():
            return nn.BatchNorm2d(spec.channels, eps=1e-5, momentum=0.1)
        case ReLU():
            return nn.ReLU()
        case MaxPool():
            return nn.MaxPool2d(2)
        case GlobalPool():
            return nn.AdaptiveAvgPool2d(1)
        case Flatten():
            return nn.Flatten()
        case Dense():
            return nn.Linear(spec.inputs, spec.outputs)
