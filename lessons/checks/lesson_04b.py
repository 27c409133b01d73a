"""Checks of the exercises of lesson 04b."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.core.masks import Mask
from pruneviz.teaching.exercises import close, exercise, known_mistake

if TYPE_CHECKING:
    from collections.abc import Callable

# Answers come from learners: they can be anything.
Answer = Any

MOST_UNITS, TARGET = 67, 4_900
MOST_EPOCHS = 4


@exercise(right="0 if all parts are kept, 1 if none is: the share of the output that the cut takes away.")
def lost_share(answer: Answer) -> str | None:
    """Judge ``lost_share(parts, kept)``: parts (numbers, channels), kept a list of channels."""
    rng = np.random.default_rng(4)
    for kept in ([0, 2], [1], [0, 1, 2, 3], []):
        parts = rng.normal(size=(60, 4)) * (1.0, 2.0, 0.5, 3.0)
        whole, left = parts.sum(axis=1), parts[:, kept].sum(axis=1)
        cut = whole - left
        right = np.square(cut).sum() / np.square(whole).sum()
        given = answer(parts.copy(), list(kept))
        if close(given, right):
            continue
        total, alone = np.square(whole).sum(), np.square(np.delete(parts, kept, axis=1)).sum()
        known = {
            "that is what is left. Asked is what is lost: the whole minus what is kept.": np.square(
                left
            ).sum()
            / total,
            "this is the sum of squares that is lost. Divide by that of the whole output.": right * total,
            "square before you divide: this is the ratio of the lengths.": np.sqrt(right),
            "you squared the parts one by one. Parts can cancel: add up first, then square.": alone / total,
            "these are sums without squares: what is lost and what is gained cancel.": cut.sum()
            / whole.sum(),
        }
        if sentence := known_mistake(given, known):
            return sentence
        if np.shape(given):
            return f"it should return one number, not an array of shape {np.shape(given)}."
        return f"with channels {kept} of four kept it is {right:.4f}, not {_shown(given)}."
    return None


@exercise(
    right="Few units, no label, no training: units cost unequally, and you spent them where they count."
)
def few_and_right(mask: Answer, *, refitted: Callable[[Mask], int]) -> str | None:
    """Judge a mask of LeNet-5's channels by how many digits are right after the refit."""
    if not isinstance(mask, Mask):
        return "give a mask, as pv.prune returns it."
    if mask.granularity != "channel":
        return f"this is a mask of {mask.granularity}s: prune with granularity='channel'."
    if mask.kept > MOST_UNITS:
        return f"{mask.kept} of {mask.total} units stay, and at most {MOST_UNITS} may."
    if (count := refitted(mask)) < TARGET:
        return (
            f"{count:,} digits are right, and {TARGET:,} are asked for. Which layers have few units, "
            "and which many? Spend where one unit carries most."
        )
    return None


@exercise(
    right="Between a price that leaves no gap and one that is paid in errors there is one that is worth it."
)
def worth_its_price(
    plan: Answer,
    *,
    at_least: int,
    fine_tuned: Callable[..., Any],
    right: Callable[[Any], int],
    halved: Callable[[Any], int],
) -> str | None:
    """Train by the plan, and judge how many digits are right before and after half of the filters go."""
    if not isinstance(plan, dict) or "price" not in plan or not set(plan) <= {"price", "epochs", "rate"}:
        return 'give a dict with a price, and epochs and rate if you like: {"price": 0.05, "epochs": 2}.'
    if not all(isinstance(value, int | float) and value >= 0 for value in plan.values()):
        return "price, epochs and rate are numbers, none below 0."
    if plan.get("epochs", 2) > MOST_EPOCHS:
        return f"at most {MOST_EPOCHS} epochs, so that price is compared with price."
    network = fine_tuned(**plan)
    before, after = right(network), halved(network)
    if after >= at_least:
        return None
    why = (
        "The price was paid before the cut: lower it."
        if before < at_least
        else "The cut goes through channels that work: raise the price, so that more scales come near zero."
    )
    return f"{before:,} digits are right before the cut and {after:,} after it, of {at_least:,}. {why}"


def _shown(value: Answer) -> str:
    try:
        return f"{float(value):.4f}"
    except (TypeError, ValueError):
        return repr(value)
