"""Checks of the exercises of lesson 01a."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import pruneviz as pv
from pruneviz.teaching.exercises import Wrong, exercise, whole_numbers

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array, BoolArray, Data

# Answers come from learners: they can be anything.
Answer = Any


@exercise(right="The counts are exact, with tied weights too.")
def smallest_first(prune_smallest: Answer) -> str | None:
    """Judge ``prune_smallest(weights, sparsity)``: a mask, False for the share of smallest sizes."""
    plain = np.random.default_rng(1).permutation(np.linspace(-1.0, 1.3, 200)).reshape(10, 20)
    for share in (0.5, 0.9, 0.0, 1.0):
        wrong = _wrong_share(_mask(prune_smallest(plain.copy(), share), plain.shape), plain, share)
        if wrong:
            return f"at sparsity {share} {wrong}"
    tied = np.array([0.5, -0.5, 0.5, 2.0, -0.5, 0.5, -3.0, 0.5])
    for share in (0.25, 0.5):
        if _wrong_share(_mask(prune_smallest(tied.copy(), share), tied.shape), tied, share):
            return (
                f"at sparsity {share} the count is wrong when weights are tied. A comparison with the "
                "threshold takes all of them or none; sort positions instead (np.argsort)."
            )
    return None


def _wrong_share(kept: BoolArray, weights: Array, share: float) -> str | None:
    size, count, pruned = np.abs(weights), round(share * weights.size), int(np.sum(~kept))
    if pruned == weights.size - count != count:
        return f"it keeps {share:.0%}. In a mask True means kept, and sparsity is the share that is pruned."
    if pruned != count:
        return f"{count} of {weights.size} weights must go, but {pruned} do."
    if 0 < count < weights.size and size[~kept].max() > size[kept].min():
        if weights[~kept].max() <= weights[kept].min():
            return "the lowest signed values go. The size of a weight is np.abs(weight)."
        return "a pruned weight is larger than a kept one."
    return None


@exercise(right="And won minus lost is exactly the difference between the two counts of right answers.")
def lost_won_changed(count_changes: Answer) -> str | None:
    """Judge ``count_changes(before, after, labels)``: how many answers are lost, won and changed."""
    rng = np.random.default_rng(2)
    for images in (8, 400):
        labels, before, after = rng.integers(0, 4, (3, images))
        was, now = before == labels, after == labels
        lost, won, changed = (int(np.sum(flags)) for flags in (was & ~now, ~was & now, before != after))
        answer = count_changes(before.copy(), after.copy(), labels.copy())
        given = tuple(whole_numbers(answer, "it must return three whole numbers: lost, won, changed."))
        if given == (lost, won, changed):
            continue
        if given == (won, lost, changed):
            return "lost and won are the wrong way round: lost means right before and wrong after."
        if given in ((lost, won, lost + won), (lost, won, abs(won - lost))):
            return "changed counts every answer that differs, from one wrong digit to another too."
        return f"for {images} images it returns {given}, but it should be {(lost, won, changed)}."
    return None


@exercise(right="Whole columns of weights are gone, and the digits are still read. You weighed both halves.")
def pixels_cut(
    pixels: Answer, *, model: object, validation: Data, at_least: int, fewest: int = 500
) -> str | None:
    """Judge which of 784 pixels are cut: at least ``fewest``, with ``at_least`` digits still right."""
    cut = np.asarray(pixels)
    if cut.shape != (784,) or cut.dtype != np.bool_:
        return "pixels must hold 784 bools, True where a pixel is cut."
    if cut.sum() < fewest:
        return f"{cut.sum()} pixels are cut, but {fewest} must be."
    mask = pv.Mask({"fc1": np.tile(~cut, (300, 1))})
    right = pv.scorecard(pv.apply(model, mask), validation).correct
    if right < at_least:
        return f"{right:,} digits are right, and {at_least:,} must be. Weigh size by brightness."
    return None


def _mask(answer: Answer, shape: tuple[int, ...]) -> BoolArray:
    """Read a learner's mask, or say why it is none."""
    kept = np.asarray(answer)
    if kept.shape != shape:
        raise Wrong(f"the mask must have the shape of the weights, {shape}, not {kept.shape}.")
    if kept.dtype != np.bool_:
        raise Wrong(f"the mask must hold True (kept) and False (pruned), not {kept.dtype} numbers.")
    return kept
