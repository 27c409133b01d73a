"""Prune, apply, keep: a model goes in, a Mask or a new model comes out, the model stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pruneviz.core.ranking import check_share, rank
from pruneviz.engine.how import How
from pruneviz.engine.model import Seen, checked_mask, pruned_units
from pruneviz.engine.scoring import named, refuse_nothing, scored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pruneviz.core.arrays import BoolArray, Given, Images, Pair
    from pruneviz.core.criteria import Criterion
    from pruneviz.core.masks import Mask
    from pruneviz.core.ranking import Scope

_Model = TypeVar("_Model")


def prune(
    model: object,
    sparsity: float | None = None,
    *,
    granularity: str = "weight",
    criterion: Criterion = "magnitude",
    scope: Scope = "global",
    data: Pair | Images | None = None,
    example: Given | None = None,
    exclude: Iterable[str] = (),
    keep_at_least: int = 0,
    loss: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Mask:
    """Choose what to prune; the model is not touched.

    Parameters
    ----------
    model, granularity, criterion, data, example, loss, seed
        As for `importance`.
    sparsity
        Share of the entries to prune, from 0 to 1, exact; None when scope is a dict, or granularity "2:4".
    scope, exclude, keep_at_least
        As for `rank`.

    Returns
    -------
    Mask
        True where an entry is kept.

    Raises
    ------
    TypeError, ValueError
        As for `importance` and `rank`, or if the sparsity is out of range.

    Examples
    --------
    >>> mask = pv.prune(model, 0.9)  # the 10% of largest magnitude stay, compared across all layers
    >>> mask = pv.prune(model, scope={"fc1": 0.95, "fc2": 0.8})
    >>> mask = pv.prune(model, 0.5, granularity="filter", example=x[:1])
    >>> mask = pv.prune(model, granularity="2:4")  # of every four weights the two largest stay
    """
    how = How(granularity, criterion, scope, data, example, exclude, keep_at_least, loss, seed)
    check_share(sparsity, how.scope)
    seen = Seen(model, how.images)
    mask = rank(scored(seen, how), how.scope, how.exclude, how.keep_at_least).mask(sparsity)
    if sparsity != 0:
        refuse_nothing(seen, mask, how)
    return named(mask, seen, how)


def apply(model: _Model, mask: Mask, example: Given | None = None) -> _Model:
    """Copy a model and set what the mask prunes to zero.

    Of a pruned unit these are its weights, its bias, and the scale, shift and running mean of every BatchNorm
    that it passes: otherwise it would go on emitting a constant.

    Parameters
    ----------
    model
        The model; it stays as it is.
    mask
        What to keep.
    example
        (n, …) images; needed by a mask of units that `prune` did not make.

    Returns
    -------
    model
        Of the same class and shapes. A Keras copy is not compiled.

    Raises
    ------
    ValueError
        If the mask names a layer that the model lacks, has another shape, or prunes a part of a unit; the
        message names the layer.
    """
    return masked(Seen(model, example), mask)  # type: ignore[return-value]


def masked(seen: Seen, mask: Mask) -> object:
    """Apply a mask to a model that has been looked at."""
    gone, arrays = zeros(seen, mask), seen.adapter.arrays()
    return seen.adapter.copy_with({name: np.where(where, 0, arrays[name]) for name, where in gone.items()})


def zeros(seen: Seen, mask: Mask) -> dict[str, BoolArray]:
    """Name the arrays that a mask zeroes, and say where: name -> bool array, True where it becomes 0."""
    checked_mask(seen.layers, mask)
    if mask.granularity == "weight":
        return {f"{name}.weight": ~kept for name, kept in mask.items()}
    units = seen.units_of(mask)
    pruned = np.append(pruned_units(units, mask), False)
    found = {}
    for name, layer in seen.layers.items():
        gone = pruned[units.of[name]]
        if gone.any():
            rows = gone.reshape(-1, *[1] * (layer.weight.ndim - 1))
            found[f"{name}.weight"] = np.broadcast_to(rows, layer.shape)
            if layer.bias is not None:
                found[f"{name}.bias"] = gone
    arrays = seen.adapter.arrays()
    for name, parts in seen.adapter.norms().items():
        if name in units.norms and pruned[units.norms[name]].any():
            found |= {part: pruned[units.norms[name]].reshape(arrays[part].shape) for part in parts.values()}
    return found
