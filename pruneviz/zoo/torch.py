"""Builds a table of layers as a ``torch.nn.Sequential``."""

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
    LayerSpec,
    MaxPool,
    ReLU,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.arrays import Array


def build(name: str, weights: Mapping[str, Array] | None) -> nn.Sequential:
    """Return the network, in eval mode, with these weights or PyTorch's random ones."""
    model = nn.Sequential(OrderedDict((spec.name, _module(spec)) for spec in ARCHITECTURES[name]))
    if weights is not None:
        stored = {key: torch.tensor(array) for key, array in weights.items()}
        model.load_state_dict(model.state_dict() | stored)
    return model.eval()


def _module(spec: LayerSpec) -> nn.Module:
    match spec:
        case Conv():
            return nn.Conv2d(spec.inputs, spec.outputs, spec.kernel, padding=spec.padding, bias=spec.bias)
        case BatchNorm():
            return nn.BatchNorm2d(spec.channels, eps=1e-5, momentum=0.1)
        case ReLU():
            return nn.ReLU()
        case MaxPool():
            return nn.MaxPool2d(2)
        case Flatten():
            return nn.Flatten()
        case Dense():
            return nn.Linear(spec.inputs, spec.outputs)
