"""Builds the smaller module that a removal plan describes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import fx, nn

from pruneviz.frameworks.torch.graph import Tracer
from pruneviz.frameworks.torch.layouts import outputs_first, to_numpy

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array
    from pruneviz.core.plan import Plan


def rebuilt(model: nn.Module, plan: Plan) -> nn.Module:
    """Copy a module with smaller layers.

    The copy is of the model's own class. Only where its forward spells out a size that changes, as in
    ``x.view(-1, 3136)``, it is a torch.fx.GraphModule with the same layers and the new size.
    """
    twin = copy.deepcopy(model)
    for name in plan.outputs:
        _shrink_kernel(twin.get_submodule(name), plan.outputs[name], plan.inputs[name], plan.shifts.get(name))
    for name, kept in plan.norms.items():
        _shrink_norm(twin.get_submodule(name), kept)
    return _with_new_sizes(twin, plan)


def _shrink_kernel(module: Any, outputs: Array, inputs: Array, shift: Array | None) -> None:
    weight = outputs_first(module, to_numpy(module.weight))[outputs][:, inputs]
    if shift is not None and shift.any():
        old = 0 if module.bias is None else to_numpy(module.bias).astype(np.float64)
        bias = torch.from_numpy(old + shift).to(module.weight)
        module.bias = nn.Parameter(bias, requires_grad=module.weight.requires_grad)
    if isinstance(module, nn.Linear):
        module.in_features, module.out_features = len(inputs), len(outputs)
    else:
        if 1 < module.groups == module.in_channels:
            module.groups = len(outputs) * module.groups // module.out_channels
        module.in_channels, module.out_channels = len(inputs) * module.groups, len(outputs)
    _replace(module, "weight", outputs_first(module, weight))
    if module.bias is not None:
        _replace(module, "bias", to_numpy(module.bias)[outputs])


def _shrink_norm(module: Any, kept: Array) -> None:
    for name in ("weight", "bias", "running_mean", "running_var"):
        if getattr(module, name) is not None:
            _replace(module, name, to_numpy(getattr(module, name))[kept])
    module.num_features = len(kept)


def _replace(module: Any, name: str, array: Array) -> None:
    old = getattr(module, name)
    new = old.detach().new_empty(array.shape).copy_(torch.from_numpy(np.ascontiguousarray(array)))
    if old.ndim == 4 and old.is_contiguous(memory_format=torch.channels_last) and not old.is_contiguous():
        new = new.contiguous(memory_format=torch.channels_last)
    setattr(module, name, nn.Parameter(new, old.requires_grad) if isinstance(old, nn.Parameter) else new)


def _with_new_sizes(twin: nn.Module, plan: Plan) -> nn.Module:
    graph = Tracer().trace(twin)
    rewritten = False
    for node in graph.nodes:
        if node.name not in plan.shapes or node.op == "call_module":
            continue
        spelled = _spelled(node)
        new = plan.shapes[node.name]
        for place, size in enumerate(spelled[1:]):
            if isinstance(size, int) and size not in (-1, new[place]):
                spelled[place + 1] = new[place]
                rewritten = True
        if spelled:
            node.args = (node.args[0], *spelled)
    return fx.GraphModule(twin, graph, type(twin).__name__) if rewritten else twin


def _spelled(node: fx.Node) -> list[Any]:
    """List the sizes that a call of view or reshape spells out, the batch's included."""
    if str(node.target) not in ("view", "reshape"):
        return []
    sizes = node.args[1:]
    return list(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else list(sizes)
