"""Which torch modules are prunable, which to refuse, and how weights look with the output first."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import weakref
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.utils._pytree import tree_leaves

from pruneviz.frameworks import read_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruneviz.core.arrays import Array

_Convolution: TypeAlias = nn.Conv1d | nn.Conv2d | nn.Conv3d
_Transposed: TypeAlias = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
Prunable: TypeAlias = nn.Linear | _Convolution | _Transposed
_REMOVERS = {
    "WeightNorm": ("weight_norm", "remove_weight_norm"),
    "SpectralNorm": ("spectral_norm", "remove_spectral_norm"),
}


def is_prunable(module: nn.Module) -> TypeGuard[Prunable]:
    """Tell whether pruneviz prunes this module's weight."""
    return isinstance(module, Prunable)


def is_norm(module: nn.Module) -> bool:
    """Tell whether a module scales channels, or groups of them, by what is the same in all places."""
    kinds = (_BatchNorm, _InstanceNorm, nn.GroupNorm)
    return isinstance(module, kinds) or type(module).__name__ == "FrozenBatchNorm2d"


def name_of(path: str, module: nn.Module) -> str:
    """Name a module by its path; a layer that is the whole model has none, and goes by its class."""
    return path or type(module).__name__.lower()


def kind_of(module: Prunable) -> str:
    """Name a prunable module's kind."""
    if isinstance(module, nn.Linear):
        return "dense"
    if isinstance(module, _Transposed):
        return "transposed"
    return "depthwise" if 1 < module.groups == module.in_channels else "conv"


def to_numpy(tensor: torch.Tensor) -> Array:
    """View a tensor as an array; bfloat16, which NumPy lacks, becomes a float32 copy."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def outputs_first(module: Prunable, array: Array) -> Array:
    """Turn (in, out / groups, …) of a transposed convolution into (out, in / groups, …); its own inverse."""
    if not isinstance(module, _Transposed):
        return array
    grouped = array.reshape(module.groups, -1, *array.shape[1:])
    return np.swapaxes(grouped, 1, 2).reshape(-1, grouped.shape[1], *array.shape[2:])


def patches(module: Prunable, array: Array) -> Array:
    """Turn (n, in, *places) or (…, in) that a layer reads into (places, columns of its weight)."""
    if isinstance(module, nn.Linear):
        return array.reshape(-1, array.shape[-1])
    size = module.kernel_size
    if isinstance(module, _Transposed):
        return np.repeat(np.moveaxis(array, 1, -1).reshape(-1, array.shape[1]), math.prod(size), axis=1)
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    around = module._reversed_padding_repeated_twice  # noqa: SLF001  (what the layer itself pads by)
    images = nn.functional.pad(torch.from_numpy(array), around, mode=mode).flatten(0, 1)[:, None]
    # A kernel that is one at one of its positions picks what that position meets.
    picks, still = torch.eye(math.prod(size), dtype=images.dtype).reshape(-1, 1, *size), [0] * len(size)
    met = torch.convolution(images, picks, None, module.stride, still, module.dilation, False, still, 1)
    columns = met.reshape(len(array), array.shape[1] * len(picks), -1).transpose(1, 2)
    return to_numpy(columns.reshape(-1, columns.shape[-1]))


def copied(model: nn.Module) -> nn.Module:
    """Copy a module. Tensors that a forward pass keeps on it, as for Grad-CAM, come without their history."""
    kept = [value for module in model.modules() for value in tree_leaves(vars(module))]
    kept = [value for value in kept if isinstance(value, torch.Tensor) and not value.is_leaf]
    try:
        twin = copy.deepcopy(model, {id(value): value.detach().clone() for value in kept})
    except Exception as error:
        raise ValueError(f"{type(model).__name__} cannot be copied ({error}): take that off it") from error
    ours = {id(one) for one in (*model.modules(), *model.parameters(), *model.buffers())}
    for path, module in twin.named_modules():
        module.training = model.get_submodule(path).training  # a GraphModule's copy would forget it
        for name, value in vars(module).items():
            if any(id(one) in ours for one in _inside(value, set())):
                raise ValueError(
                    f"{type(model).__name__} cannot be copied: its {f'{path}.{name}'.lstrip('.')!r} holds a "
                    "function, or a reference, that goes on using this model's own layers: make it a method"
                )
    return twin


def _inside(value: Any, seen: set[int]) -> Iterator[Any]:
    """Follow what functions and references hold, which a copy of a module shares with it."""
    for leaf in tree_leaves(value):
        yield leaf
        if isinstance(leaf, functools.partial):
            yield from _inside([leaf.func, leaf.args, leaf.keywords], seen)
        elif isinstance(leaf, weakref.ref):
            yield leaf()
        elif isinstance(leaf, FunctionType) and id(leaf) not in seen:
            seen.add(id(leaf))
            yield from _inside(read_by(leaf), seen)


def tensors_in(given: Any) -> Iterator[torch.Tensor]:
    """List the tensors in any structure, those in the fields of a dataclass included."""
    for leaf in tree_leaves(given):
        if isinstance(leaf, torch.Tensor):
            yield leaf
        elif dataclasses.is_dataclass(leaf):
            yield from tensors_in([getattr(leaf, field.name) for field in dataclasses.fields(leaf)])


def prunable(model: nn.Module) -> Iterator[tuple[str, Prunable]]:
    """Name the layers that are pruned, in the order of registration; a shared weight comes once."""
    seen = set()
    for path, module in model.named_modules():
        if reason := _computed(module) or _absent(module):
            raise ValueError(f"layer {name_of(path, module)!r} {reason}")
        if is_prunable(module) and id(module.weight) not in seen:
            seen.add(id(module.weight))
            yield name_of(path, module), module


def _computed(module: nn.Module) -> str:
    """Say how a weight is computed from other numbers before each call, and how to make it an own one."""
    home = "make that permanent first with torch.nn.utils"
    for hook in module._forward_pre_hooks.values():  # noqa: SLF001  (torch has no public way to ask)
        named: Any = hook
        if isinstance(hook, BasePruningMethod):
            return f'is masked by torch.nn.utils.prune: {home}.prune.remove(layer, "{named._tensor_name}")'  # noqa: SLF001
        if type(hook).__name__ in _REMOVERS:
            what, remover = _REMOVERS[type(hook).__name__]
            return f'is under {what}: {home}.{remover}(layer, "{named.name}")'
    if is_prunable(module) and parametrize.is_parametrized(module):
        return f'is parametrized: {home}.parametrize.remove_parametrizations(layer, "weight")'
    return ""


def _absent(module: nn.Module) -> str:
    """Say why a layer has no numbers, and what to do; "" if it has."""
    if any(t.is_meta for t in (*module.parameters(recurse=False), *module.buffers(recurse=False))):
        return "is on the meta device and has no weights: load them first"
    if not is_prunable(module):
        return ""
    if isinstance(module.weight, nn.UninitializedParameter):
        return "has no weights yet: run the model once on a batch"
    return "" if module.weight.numel() else f"has weights of shape {(*module.weight.shape,)}: leave it out"
