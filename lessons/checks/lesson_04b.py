"""Checks of the exercises of lesson 04b."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.exercises import close, exercise, known_mistake, wrong_count

if TYPE_CHECKING:
    from collections.abc import Mapping

# Answers come from learners: they can be anything.
Answer = Any

_PLACES = {"pytorch": (2, 3), "tensorflow": (1, 2)}
_LAYOUTS = {"pytorch": "(images, maps, rows, columns)", "tensorflow": "(images, rows, columns, maps)"}
_RIGHT_MACS: Mapping[str, int] = {"conv1": 117_600, "conv2": 160_000, "dense": 46_920}


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


@exercise(right="One decision for each image and each map.")
def skips(answer: Answer, *, track: str) -> str | None:
    """Judge ``skips(maps, threshold)`` for maps in the layout of the track: bool (images, maps)."""
    places = _PLACES[track]
    other = _PLACES["tensorflow" if track == "pytorch" else "pytorch"]
    for threshold in (0.3, 0.0):
        maps = _maps() if track == "pytorch" else _maps().transpose(0, 2, 3, 1)
        sizes = np.abs(maps)
        right = sizes.max(axis=places) <= threshold
        given = np.asarray(answer(maps.copy(), threshold))
        if given.dtype != bool:
            return f"return True and False, not {given.dtype}."
        if given.shape == right.shape and (given == right).all():
            continue
        known = {
            "these are the maps to keep. Asked is which to skip.": ~right,
            f"these are the wrong axes: the layout is {_LAYOUTS[track]}.": sizes.max(axis=other) <= threshold,
            "a map that just meets the threshold is skipped too: ≤ instead of <.": sizes.max(axis=places)
            < threshold,
            "a strongly negative map is not empty: take sizes first.": maps.max(axis=places) <= threshold,
            "that goes by the mean. Asked is the largest activation.": sizes.mean(axis=places) <= threshold,
            "all activations have to be small, not only one.": sizes.min(axis=places) <= threshold,
            "one decision for all images is a mask. A gate decides for each image.": sizes.max(
                axis=(0, *places)
            )
            <= threshold,
        }
        for sentence, mistake in known.items():
            if given.shape == mistake.shape and (given == mistake).all():
                return sentence
        if given.shape != right.shape:
            return f"for 5 images and 4 maps it should return (5, 4) answers, not {given.shape}."
        return f"at threshold {threshold:g} some of the 20 answers are wrong."
    return None


def _maps() -> np.ndarray:
    """Make maps of every kind for five images: (5, 4, 4, 4), maps first."""
    kinds = np.zeros((7, 4, 4))
    kinds[1] = 0.1
    kinds[2, 1, 2], kinds[3, 3, 0] = 2.0, -2.0  # one place, bright or dark
    kinds[4, :2], kinds[5], kinds[6] = 1.0, -1.0, 0.3
    return kinds[[[0, 1, 0, 1], [0, 2, 3, 4], [5, 6, 1, 2], [3, 4, 0, 6], [2, 5, 3, 1]]]


@exercise(
    right="324,520 instead of 416,520. Nothing is saved in conv1: a map has to be there to be looked at."
)
def macs_left(answer: Answer) -> str | None:
    """Judge the MACs of LeNet-5 when 2 of conv1's maps and 4 of conv2's are skipped."""
    known: dict[str, dict[str, float]] = {
        "conv1": {
            "that would be static pruning. The gate looks at a map that has been computed.": 78_400,
        },
        "conv2": {
            "this is conv2 as it was. Two of its six channels are zero.": 240_000,
            "its own four maps have been computed before the gate looks at them.": 120_000,
            "that is what is saved. Asked is what is left.": 80_000,
        },
        "dense": {
            "this is as it was. fc1 reads 25 places of each map of conv2, and four maps are zero.": 58_920,
            "that is fc1 alone. There are three dense layers.": 36_000,
            "each map is 25 inputs of fc1: 4 × 25 × 120 are saved.": 58_920 - 4 * 120,
            "that is what is saved. Asked is what is left.": 12_000,
        },
    }
    return wrong_count(answer, _RIGHT_MACS, known, "Weights that meet a map that is left, times places.")


def _shown(value: Answer) -> str:
    try:
        return f"{float(value):.4f}"
    except (TypeError, ValueError):
        return repr(value)
