"""Parts and shuffles of tensors, as the neutral graph writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import fx

SHUFFLES = ("pixelshuffle", "pixelunshuffle", "channelshuffle")


def shuffle(module: Any, name: str, shape: Sequence[int]) -> dict[str, Any]:
    """Say how a shuffle takes axes apart, and in which order it puts them together."""
    c, h, w = shape
    if name == "channelshuffle":
        return {"split": (module.groups, c // module.groups, h, w), "axes": (1, 0, 2, 3), "loses": 1}
    if name == "pixelshuffle":
        r = module.upscale_factor
        return {"split": (c // r**2, r, r, h, w), "axes": (0, 3, 1, 4, 2), "loses": 0}
    r = module.downscale_factor
    return {"split": (c, h // r, r, w // r, r), "axes": (0, 2, 4, 1, 3), "loses": 0}


def divides(node: fx.Node) -> bool:
    """Tell whether a node divides a tensor into parts that are taken one by one."""
    if called(node) not in ("chunk", "tensor_split", "split"):
        return False
    return all(called(user) == "getitem" and isinstance(user.args[1], int) for user in node.users)


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
