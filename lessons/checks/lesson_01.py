"""Checks of the exercises of lessons 01a and 01c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.exercises import Wrong, close, exercise, known_mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.core.arrays import Array, BoolArray

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


@exercise(right="You cut the largest weights, and exactly as many as asked.")
def largest_first(mask: Answer, *, importance: Mapping[str, Array], sparsity: float) -> str | None:
    """Judge a mask (layer -> bools) that cuts the most important ``sparsity`` of all layers together."""
    if not hasattr(mask, "items") or set(mask) != set(importance):
        return f"the mask must have the layers {', '.join(importance)}."
    kept = np.concatenate([_mask(mask[name], np.shape(s)).ravel() for name, s in importance.items()])
    scores = np.concatenate([np.ravel(array) for array in importance.values()])
    count, pruned = round(sparsity * scores.size), int(np.sum(~kept))
    if pruned == scores.size - count != count:
        return "it keeps what should go. In a mask True means kept; ~ turns a mask round."
    if pruned != count:
        return f"{count:,} of {scores.size:,} weights must go, but {pruned:,} do."
    if scores[~kept].min() >= scores[kept].max():
        return None
    if scores[~kept].max() <= scores[kept].min():
        return "these are the smallest. Ranking prunes the lowest score first, so turn its sign round."
    return "a kept weight is larger than one that you cut. Compare the weights of all layers together."


@exercise(right="And won minus lost is exactly the difference between the two counts of right answers.")
def lost_won_changed(count_changes: Answer) -> str | None:
    """Judge ``count_changes(before, after, labels)``: how many answers are lost, won and changed."""
    rng = np.random.default_rng(2)
    for images in (8, 400):
        labels, before, after = rng.integers(0, 4, (3, images))
        was, now = before == labels, after == labels
        lost, won, changed = (int(np.sum(flags)) for flags in (was & ~now, ~was & now, before != after))
        answer = count_changes(before.copy(), after.copy(), labels.copy())
        try:
            given = tuple(int(number) for number in answer)
        except (TypeError, ValueError):
            return "it must return three whole numbers: lost, won, changed."
        if given == (lost, won, changed):
            continue
        if given == (won, lost, changed):
            return "lost and won are the wrong way round: lost means right before and wrong after."
        if given in ((lost, won, lost + won), (lost, won, abs(won - lost))):
            return "changed counts every answer that differs, from one wrong digit to another too."
        return f"for {images} images it returns {given}, but it should be {(lost, won, changed)}."
    return None


@exercise(right="Every pruned weight is still zero, and the others have learned.")
def zeros_kept(after: Answer, *, before: Mapping[str, Array], mask: Mapping[str, BoolArray]) -> str | None:
    """Judge the weights (layer -> array) after a step that must keep what ``mask`` prunes at zero."""
    if not hasattr(after, "items") or not set(mask) <= set(after):
        return f"give the weights after the step by layer: {', '.join(mask)}."
    revived = sum(int(np.count_nonzero(np.asarray(after[name])[~kept])) for name, kept in mask.items())
    if revived:
        return (
            f"{revived:,} pruned weights are not zero any more. A masked gradient is not enough: the "
            "optimiser still moves a weight by what it remembers. Set them to zero again after the step."
        )
    if not any((np.asarray(after[name]) != before[name])[kept].any() for name, kept in mask.items()):
        return (
            "no kept weight moved, so nothing was trained. Take the optimiser's step, then restore the zeros."
        )
    return None


@exercise(right="And where the slope is zero, the size of a cut's cost is all in the bend and the distance.")
def cost_of_cuts(cut_cost: Answer) -> str | None:
    """Judge ``cut_cost(weights, curvatures)``: half the curvature times the weight squared."""
    weights, bends = np.array([2.0, -0.5, 0.1, -3.0]), np.array([0.5, 8.0, 300.0, 0.1])
    cost = 0.5 * bends * weights**2
    given = cut_cost(weights.copy(), bends.copy())
    if close(given, cost):
        return None
    known = {
        "this is the slope times the weight, and the slope is zero at rest.": 0 * weights,
        "the half of the formula is missing.": 2 * cost,
        "this is the slope that the loss has at zero. Ask for the loss itself: square the distance.": np.abs(
            bends * weights
        ),
        "a weight's distance to zero counts squared.": 0.5 * np.abs(bends * weights),
        "this is the size of the weight. How steep the walls are counts too.": np.abs(weights),
        "this leaves out how steep the walls are.": 0.5 * weights**2,
        "the sign is wrong: at rest the loss is lowest, so every cut makes it larger.": -cost,
    }
    right = cost.round(3).tolist()
    fallback = f"for weights {weights.tolist()} and curvatures {bends.tolist()} it should give {right}."
    return known_mistake(given, known) or fallback


@exercise(right="Your calls reach every target, and the last amount is smaller than the one before.")
def compounding_amounts(amounts: Answer) -> str | None:
    """Judge ``amounts(targets)``: the shares of what is left that reach rising sparsities."""
    for targets in ([0.25, 0.5, 0.6], [0.5, 0.75, 0.875], [0.9], [0.0, 0.2]):
        left, right = 1.0, []
        for target in targets:
            right.append(1 - (1 - target) / left)
            left = 1 - target
        given = amounts(list(targets))
        if close(given, right):
            continue
        if close(given, targets):
            reached = 1 - np.prod(1 - np.array(targets))
            return f"these are the targets themselves. Calls compound: together they would cut {reached:.1%}."
        if close(given, np.diff(targets, prepend=0)):
            return "these are shares of the whole network. The tool counts from what is left before the call."
        if close(given, 1 - np.array(right)):
            return "these are the shares that stay. An amount is the share that goes."
        rounded = [round(amount, 4) for amount in right]
        return f"for the targets {targets} it should give about {rounded}."
    return None


def _mask(answer: Answer, shape: tuple[int, ...]) -> BoolArray:
    """Read a learner's mask, or say why it is none."""
    kept = np.asarray(answer)
    if kept.shape != shape:
        raise Wrong(f"the mask must have the shape of the weights, {shape}, not {kept.shape}.")
    if kept.dtype != np.bool_:
        raise Wrong(f"the mask must hold True (kept) and False (pruned), not {kept.dtype} numbers.")
    return kept
