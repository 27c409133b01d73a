"""Which torch modules are prunable, and how their weights look with the output first."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
Prunable: TypeAlias = (
    nn.Linear
    | nn.Conv1d
    | nn.Conv2d
    | nn.Conv3d
    | nn.ConvTranspose1d
    | nn.ConvTranspose2d
    | nn.ConvTranspose3d
)


def is_prunable(module: nn.Module) -> TypeGuard[Prunable]:
    """Tell whether pruneviz prunes this module's weight."""
    return isinstance(module, (nn.Linear, *_CONVOLUTIONS, *_TRANSPOSED))


def name_of(path: str, module: nn.Module) -> str:
    """Name a module by its path; a layer that is the whole model has none, and goes by its class."""
    return path or type(module).__name__.lower()


def kind_of(module: Prunable) -> str:
    """Name a prunable module's kind."""
    if isinstance(module, nn.Linear):
        return "dense"
    if isinstance(module, _TRANSPOSED):
        return "transposed"
    return "depthwise" if 1 < module.groups == module.in_channels else "conv"


def to_numpy(tensor: torch.Tensor) -> Array:
    """View a tensor as an array; bfloat16, which NumPy lacks, becomes a float32 copy."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def outputs_first(module: Prunable, array: Array) -> Array:
    """Turn (in, out / groups, …) of a transposed convolution into (out, in / groups, …); its own inverse."""
    if not isinstance(module, _TRANSPOSED):
        return array
    grouped = array.reshape(module.groups, -1, *array.shape[1:])
    return np.swapaxes(grouped, 1, 2).reshape(-1, grouped.shape[1], *array.shape[2:])
