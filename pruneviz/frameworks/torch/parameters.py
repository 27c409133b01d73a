"""Parameters of one value a channel, by which a forward multiplies features, or adds them: layer scale."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn
from torch.utils._pytree import tree_leaves

from pruneviz.frameworks.torch.layouts import is_norm, is_prunable
from pruneviz.frameworks.torch.moves import called

if TYPE_CHECKING:
    from pruneviz.frameworks.torch.tracing import Trace, Values

_APPLIED = ("add", "sub", "mul", "iadd", "isub", "imul")
_LAID = ("view", "reshape", "unsqueeze", "getitem", "contiguous", "clone", "detach", "float", "to", "typeas")


def channelwise(model: nn.Module) -> dict[str, torch.Tensor]:
    """Name the stored tensors of one value a channel that one module holds, a layer of torch apart."""
    kept = stored(model)
    holders = Counter(map(id, kept.values()))
    return {
        name: tensor
        for name, tensor in kept.items()
        if not (is_prunable(module := model.get_submodule(name.rpartition(".")[0])) or is_norm(module))
        if not isinstance(module, nn.PReLU) and tensor.numel() == max(tensor.shape, default=0) > 1
        if holders[id(tensor)] == 1
    }


def stored(model: nn.Module) -> dict[str, torch.Tensor]:
    """Name what a module stores by its paths, whatever a state_dict of its own leaves out."""
    return {
        f"{path}.{name}" if path else name: tensor
        for path, module in model.named_modules()
        for name, tensor in chain(module.named_parameters("", False), module.named_buffers("", False))
        if name not in module._non_persistent_buffers_set  # noqa: SLF001  (torch has no public way to ask)
        if tensor.layout == torch.strided and not tensor.is_quantized  # as NumPy has them
    }


def applied(trace: Trace) -> dict[fx.Node, tuple[str, fx.Node, int]]:
    """Find where a forward applies such a parameter, and does no more with it: its name, features, axis."""
    names = channelwise(trace.module)
    found: dict[fx.Node, tuple[str, fx.Node, int]] = {}
    for node in trace.graph.nodes:
        if node.op == "get_attr" and node.target in names:
            ends = [_end(user, node, trace.values) for user in node.users]
            if None not in ends:
                found |= {end[0]: (str(node.target), *end[1:]) for end in ends if end}
    return found


def _end(user: fx.Node, last: fx.Node, values: Values) -> tuple[fx.Node, fx.Node, int] | None:
    """Follow a parameter through what lays it out for broadcasting to where it is applied."""
    while _lays_out(user, last, values) and len(user.users) == 1:
        user, last = next(iter(user.users)), user
    name = called(user).replace("_", "")
    features = [n for n in user.args if n is not last and isinstance(n, fx.Node)]
    if name not in _APPLIED or user.kwargs or len(user.args) != 2 or len(features) != 1:
        return None
    whole: Any = getattr(values[features[0]], "shape", ())
    shape = values[last].shape
    place = len(whole) - len(shape) + shape.index(max(shape)) if len(shape) <= len(whole) else 0
    same = whole == values[user].shape and whole[place] == max(shape)
    fits = place > 0 and same and (user.args[1] is last or "sub" not in name)
    return (user, features[0], place - 1) if fits else None


def _lays_out(user: fx.Node, last: fx.Node, values: Values) -> bool:
    """Tell whether a node gives the same entries, without spelling out how many."""
    name, numbers = called(user).replace("_", ""), tree_leaves(user.args[1:])
    spelled = any(isinstance(n, int) and abs(n) != 1 for n in numbers) and name != "unsqueeze"
    shape = getattr(values[user], "shape", torch.Size())
    return name in _LAID and user.args[0] is last and not spelled and shape.numel() == values[last].numel()
