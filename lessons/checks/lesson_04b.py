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


@exercise(right="The slope is the same for a small scale as for a large one: that is why it reaches zero.")
def penalty(answer: Answer) -> str | None:
    """Judge ``penalty(scales, price)``, which returns the value and its slope by each scale."""
    rng = np.random.default_rng(5)
    for price in (1.0, 0.02):
        scales = rng.normal(size=7)
        given = answer(scales.copy(), price)
        try:
            value, slope = given
        except (TypeError, ValueError):
            return "return two things: the value, and an array with the slope by each scale."
        sizes, signs = np.abs(scales), np.sign(scales)
        for what, told, right, known in (
            ("value", value, price * sizes.sum(), _values(scales, price)),
            ("slope", slope, price * signs, _slopes(scales, price)),
        ):
            if close(told, right):
                continue
            if sentence := known_mistake(told, known):
                return f"{what}: {sentence}"
            return (
                f"{what}: for scales {np.round(scales[:2], 2).tolist()}, … and price {price:g} it is wrong."
            )
    return None


def _values(scales: np.ndarray, price: float) -> dict[str, Any]:
    return {
        "you left out the price.": np.abs(scales).sum(),
        "negative scales have a size too: np.abs.": price * scales.sum(),
        "this is L2, which shrinks all and brings none to zero. L1 adds up sizes.": price
        * np.square(scales).sum(),
        "this is the mean. The paper adds up.": price * np.abs(scales).mean(),
        "one number: add up over the scales.": price * np.abs(scales),
    }


def _slopes(scales: np.ndarray, price: float) -> dict[str, Any]:
    return {
        "you left out the price.": np.sign(scales),
        "for a negative scale the size falls when the scale grows: the slope is negative.": np.full(
            len(scales), price
        ),
        "that is the slope of the squares. That of |γ| does not depend on how large γ is.": 2
        * price
        * scales,
        "that is the size. How much does it change when the scale grows a little?": price * np.abs(scales),
        "this is one number; each scale has its own slope.": price,
    }


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


def _shown(value: Answer) -> str:
    try:
        return f"{float(value):.4f}"
    except (TypeError, ValueError):
        return repr(value)
