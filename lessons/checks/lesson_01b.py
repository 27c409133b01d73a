"""Checks of the exercises of lesson 01b."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import pruneviz as pv
from pruneviz.teaching.exercises import close, exercise, members, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.core.arrays import Array, Data

# Answers come from learners: they can be anything.
Answer = Any


@exercise(right="Each layer pays by how its numbers lie. Only the total is what was asked for.")
def shares_under_one_threshold(shares_lost: Answer) -> str | None:
    """Judge ``shares_lost(sizes, sparsity)``: layer -> share that one threshold for all layers cuts."""
    draw = np.random.default_rng(3)
    sizes = {"a": draw.random((20, 30)), "b": 3 * draw.random(200), "c": 0.2 + draw.random((5, 20))}
    for sparsity in (0.5, 0.8):
        everything = np.sort(np.concatenate([array.ravel() for array in sizes.values()]))
        threshold = everything[round(sparsity * everything.size)]
        right = {name: float(np.mean(array < threshold)) for name, array in sizes.items()}
        given = shares_lost({name: array.copy() for name, array in sizes.items()}, sparsity)
        if not hasattr(given, "items") or set(given) != set(sizes):
            return f"it must return a dict with the keys {', '.join(sizes)}."
        lost = [given[name] for name in sizes]
        if all(close(share, right[name], 5e-3) for name, share in given.items()):
            continue
        if close(lost, [sparsity] * 3, 5e-3):
            return "this is layer scope: a threshold for each layer. Put all numbers together first."
        if close(lost, [1 - share for share in right.values()], 5e-3):
            return "these are the shares that stay."
        rounded = {name: round(share, 3) for name, share in right.items()}
        return f"at sparsity {sparsity} it should give {rounded} for some drawn sizes."
    return None


@exercise(right="Same network, and now fc1 pays for everything.")
def empties_the_first(factors: Answer, *, sizes: Mapping[str, Array]) -> str | None:
    """Judge ``(a, b)``: factors for fc1 and fc2 that keep the function, and all of fc2 and fc3 at 50%."""
    hint = "factors must be two numbers, such as (10, 0.1)."
    two = [number(factor, hint) for factor in members(factors, hint)]
    if len(two) != 2:
        return hint
    first, second = two
    if first <= 0:
        return "a ReLU passes positive factors on; a must be positive."
    if not close(first * second, 1.0):
        return "the network does not compute what it did: what fc1 gains, fc2 must take back."
    scaled = {"fc1": first * sizes["fc1"], "fc2": second * sizes["fc2"], "fc3": sizes["fc3"]}
    mask = pv.rank(pv.Importance(scaled), scope="global").mask(0.5)
    lost = {name: int(np.sum(~mask[name])) for name in ("fc2", "fc3")}
    if any(lost.values()):
        return f"fc2 loses {lost['fc2']:,} weights and fc3 {lost['fc3']:,}. All of the zeros belong in fc1."
    return None


@exercise(right="No label, no gradient, no training: a better guess. Another network may want another one.")
def ninety_one(mask: Answer, *, model: object, validation: Data, at_least: int) -> str | None:
    """Judge a mask that cuts 91% of all weights and leaves ``at_least`` digits right."""
    if not isinstance(mask, pv.Mask):
        return "mine must be a mask, as pv.prune(…) or pv.rank(…).mask(0.91) gives it."
    total = sum(array.size for array in pv.importance(model).values())
    if mask.total != total or mask.pruned < round(0.91 * total):
        return f"{mask.pruned:,} weights are cut, but {round(0.91 * total):,} of {total:,} must be."
    right = pv.scorecard(pv.apply(model, mask), validation).correct
    if right < at_least:
        return f"{right:,} digits are right, and {at_least:,} must be. Try powers: |w|^a · ‖x‖^b."
    return None
