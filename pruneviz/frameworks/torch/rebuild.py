"""Builds the smaller module that a removal plan describes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import fx, nn

from pruneviz.frameworks.torch.graph import training_of
from pruneviz.frameworks.torch.layouts import copied, outputs_first, tensors_in, to_numpy
from pruneviz.frameworks.torch.moves import called, divides
from pruneviz.frameworks.torch.parameters import channelwise
from pruneviz.frameworks.torch.tracing import Inputs, Trace, alike, is_dropout, sizes_of, spell_anew, traced

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array
    from pruneviz.core.plan import Plan

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def rebuilt(model: nn.Module, plan: Plan, batch: Inputs) -> nn.Module:
    """Copy a module with smaller layers; `batch` holds two images.

    The copy is of the model's own class. Only where its forward spells out a size that changes, as in
    ``x.view(-1, 3136)``, it is a torch.fx.GraphModule with the same layers and the new size; a forward of
    that kind that does something else while it is trained is refused.
    """
    twin = copied(model)
    for name in plan.outputs:
        _shrink_kernel(twin.get_submodule(name), plan.outputs[name], plan.inputs[name], plan.shifts.get(name))
    alone = channelwise(model)
    for name, kept in plan.norms.items():
        owner, _, own = name.rpartition(".") if name in alone else (name, "", "")
        _shrink_norm(twin.get_submodule(owner), kept, own)
    return _with_new_sizes(model, twin, plan, batch) if plan.shapes or plan.keys else twin


def _shrink_kernel(module: Any, outputs: Array, inputs: Array, shift: Array | None) -> None:
    weight = outputs_first(module, to_numpy(module.weight))[outputs][:, inputs]
    if shift is not None and shift.any():
        old = 0 if module.bias is None else to_numpy(module.bias).astype(np.float64)
        bias = torch.from_numpy(old + shift).to(module.weight.dtype).to(module.weight.device)
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


def _shrink_norm(module: Any, kept: Array, own: str) -> None:
    """Shrink what a layer holds for each channel, or one parameter of a learner's own module."""
    if own:
        array = to_numpy(getattr(module, own))
        _replace(module, own, np.take(array, kept, axis=int(np.argmax(array.shape))))
        return
    for name in ("weight", "bias", "running_mean", "running_var"):
        if getattr(module, name, None) is not None:
            _replace(module, name, to_numpy(getattr(module, name))[kept])
    if isinstance(module, nn.GroupNorm):
        module.num_groups = module.num_groups * len(kept) // module.num_channels
    for name in ("num_features", "num_channels", "num_parameters"):
        if hasattr(module, name):
            setattr(module, name, len(kept))


def _replace(module: Any, name: str, array: Array) -> None:
    old = getattr(module, name)
    new = old.detach().new_empty(array.shape).copy_(torch.from_numpy(np.ascontiguousarray(array)))
    if old.ndim == 4 and old.is_contiguous(memory_format=torch.channels_last) and not old.is_contiguous():
        new = new.contiguous(memory_format=torch.channels_last)
    setattr(module, name, nn.Parameter(new, old.requires_grad) if isinstance(old, nn.Parameter) else new)


def _with_new_sizes(model: nn.Module, twin: nn.Module, plan: Plan, batch: Inputs) -> nn.Module:
    """Change the sizes that the forward of a shrunk copy spells out, if it is not right as it is."""
    trace, name = traced(model, batch), type(model).__name__
    training = training_of(trace, batch, name)
    same = training is not None and alike(trace, training)
    changed = [_changed(node, trace, plan, twin) for node in trace.graph.nodes]
    check = _with_constants(copied(twin).eval(), trace)
    wanted = fx.Interpreter(check, graph=trace.graph).run(*batch) if any(changed) else None
    right = not any(changed) or _computes(check, batch, wanted)
    if right and (same or training is None or _computes(check.train(), batch)):
        return twin
    if training is None or not same or not _slopes_alike(traced(model, batch), batch):
        raise ValueError(
            f"{name} spells out a size that removal changes, and does something else while it is trained, or "
            "by no_grad, autocast, a hook or an autograd.Function, which a graph with the new size would "
            "forget: write x.flatten(1), or -1 for the size, instead"
        )
    _make_modules_of_dropouts(trace.graph, training.graph, twin)
    graph = fx.Graph()  # one that knows nothing of the tracer, which a pickled module would ask for
    graph.output(graph.graph_copy(trace.graph, {}))
    return fx.GraphModule(_with_constants(twin, trace), graph, name)


def _changed(node: fx.Node, trace: Trace, plan: Plan, twin: nn.Module) -> bool:
    """Write the new sizes into a node; tell whether numbers that its call spells out changed."""
    new = plan.shapes.get(node.name, ())
    if node.op == "call_module" and new:
        module: Any = twin.get_submodule(str(node.target))
        if isinstance(module, nn.Unflatten):
            start = int(module.dim) % len(trace.values[node.all_input_nodes[0]].shape)
            module.unflattened_size = new[start - 1 : start - 1 + len(module.unflattened_size)]
        return False
    if node.name in plan.keys:
        source: Any = node.args[0]
        tensor = source.args[0] if divides(source) else source
        node.args = (tensor, (slice(None), *plan.keys[node.name]))
        if not source.users:
            trace.graph.erase_node(source)
        return True
    old = sizes_of(node) if new else []
    keep = [not isinstance(size, int) or size == -1 for size in old]
    sizes = [size if kept else other for size, kept, other in zip(old, keep, (-1, *new), strict=bool(old))]
    if sizes != old:
        spell_anew(node, sizes)
    return sizes != old


def _computes(module: nn.Module, batch: Inputs, wanted: Any = None) -> bool:
    """Tell whether a module runs on a batch, and gives what is wanted, if anything is."""
    try:
        with torch.no_grad(), torch.random.fork_rng([part.device for part in batch if part.is_cuda]):
            found = module(*batch)
    except Exception:  # noqa: BLE001  (whatever a forward raises, it does not run)
        return False
    return wanted is None or (isinstance(found, torch.Tensor) and torch.equal(found, wanted))


def _slopes_alike(trace: Trace, batch: Inputs) -> bool:
    """Tell whether a module's operations, all that torch.fx writes down, have the slopes of the module."""
    found = []
    for run in (trace.module, fx.Interpreter(trace.module, graph=trace.graph).run):
        weights = [p.requires_grad_(True) for p in trace.module.parameters() if p.is_floating_point()]
        cuda = [part.device for part in batch if part.is_cuda]
        with torch.random.fork_rng(cuda), torch.backends.cudnn.flags(enabled=False):  # its LSTMs must train
            ends = [end.abs().square().sum() for end in tensors_in(run(*batch)) if end.requires_grad]
        slopes = torch.autograd.grad(ends, weights, allow_unused=True) if ends else weights
        found.append([torch.tensor(torch.nan) if slope is None else slope for slope in slopes])
    return all(torch.allclose(a, b, 1e-3, 1e-6, equal_nan=True) for a, b in zip(*found, strict=True))


def _with_constants(twin: nn.Module, trace: Trace) -> nn.Module:
    """Lend a module the tensors that tracing found in no module, but in the forward itself."""
    for node in trace.graph.nodes:
        target = str(node.target)
        if node.op == "get_attr" and "." not in target and not hasattr(twin, target):
            setattr(twin, target, getattr(trace.module, target))
    return twin


def _make_modules_of_dropouts(graph: fx.Graph, training: fx.Graph, twin: nn.Module) -> None:
    """Let calls such as ``F.dropout(x, p, self.training)`` follow the mode in which a graph runs."""
    kinds = {kind.__name__.lower(): kind for kind in _DROPOUTS}
    trained = {node.name: node for node in training.nodes}
    for node in list(graph.nodes):
        other = trained[node.name]
        if is_dropout(node) and (node.args[1:], node.kwargs) != (other.args[1:], other.kwargs):
            name = next(f"dropout_{i}" for i in itertools.count(1) if not hasattr(twin, f"dropout_{i}"))
            p: Any = node.args[1] if len(node.args) > 1 else node.kwargs.get("p", 0.5)
            twin.add_module(name, kinds[called(node).replace("_", "")](p).train(twin.training))
            with graph.inserting_before(node):
                node.replace_all_uses_with(graph.call_module(name, (node.all_input_nodes[0],)))
            graph.erase_node(node)
