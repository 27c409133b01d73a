"""Parts and shuffles of tensors, as the neutral graph writes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.core.graph import Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import fx

APART = ("pixelshuffle", "pixelunshuffle", "channelshuffle", "glu")
EXTREMES = ("max", "min")  # along an axis they give values, and where these are
FACTORS = ("upscale_factor", "downscale_factor", "groups", "dim")


def apart(name: str, r: int, shape: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """Say how one of `APART`, given its one number, takes an axis apart."""
    if name == "glu":
        return "glu", {"axis": r % (len(shape) + 1) - 1}
    c, h, w = shape
    if name == "channelshuffle":
        return "permute", {"split": (r, c // r, h, w), "axes": (1, 0, 2, 3), "loses": 1}
    if name == "pixelshuffle":
        return "permute", {"split": (c // r**2, r, r, h, w), "axes": (0, 3, 1, 4, 2), "loses": 0}
    return "permute", {"split": (c, h // r, r, w // r, r), "axes": (0, 2, 4, 1, 3), "loses": 0}


def written_out(node: Node, shape: Sequence[int]) -> list[Node]:
    """Write as several nodes what is several operations; `shape` is that of the first input."""
    if node.op == "stack":
        axis = node.options["axis"]
        single = (*node.shape[:axis], 1, *node.shape[axis + 1 :])
        parts = [Node(f"{node.name}:{i}", "reshape", (n,), single) for i, n in enumerate(node.inputs)]
        return [*parts, replace(node, op="concat", inputs=tuple(part.name for part in parts))]
    if node.op == "glu":
        axis = node.options["axis"]
        half, before = shape[axis] // 2, (slice(None),) * axis
        keys = [{"key": (*before, cut), "parts": (axis, 2)} for cut in (slice(half), slice(half, None))]
        whole = node.inputs, node.shape, ""
        parts = [Node(f"{node.name}:{i}", "slice", *whole, key) for i, key in enumerate(keys)]
        gate = {"function": lambda one, other: one / (1 + np.exp(-other)), "product": True}
        return [*parts, replace(node, op="combine", inputs=tuple(part.name for part in parts), options=gate)]
    return [node]


def divides(node: fx.Node) -> bool:
    """Tell whether a node divides a tensor into parts that are taken one by one."""
    along = node.kwargs.get("dim", [*node.args, None, None][1])
    extreme = called(node) in EXTREMES and isinstance(along, int)
    if not extreme and called(node) not in ("chunk", "tensor_split", "split"):
        return False
    taken = [user.args[1] for user in node.users if called(user) in ("getitem", "getattr")]
    return len(taken) == len(node.users) and all(isinstance(i, int) or i == "values" for i in taken)


def part(node: fx.Node, parts: Sequence[torch.Tensor], axis: int, place: int) -> dict[str, Any] | None:
    """Say which of the parts that a node divides a tensor into is taken; None if the batch is divided."""
    ndim = parts[0].ndim
    axis, sizes = axis % ndim, [part.shape[axis] for part in parts]
    if not axis:
        return None
    start = sum(sizes[: range(len(parts))[place]])
    cut = [slice(None)] * (ndim - 1)
    cut[axis - 1] = slice(start, start + sizes[place])
    equal = called(node) != "split" and len(set(sizes)) == 1
    return {"key": tuple(cut), **({"parts": (axis - 1, len(parts))} if equal else {})}


def called(node: fx.Node) -> str:
    """Name the function, method or module that a node calls."""
    return str(getattr(node.target, "__name__", node.target))
