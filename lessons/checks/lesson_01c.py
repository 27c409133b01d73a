"""Checks of the exercises of lesson 01c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import pruneviz as pv
from pruneviz.teaching.exercises import close, exercise, known_mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.core.arrays import Array, BoolArray

# Answers come from learners: they can be anything.
Answer = Any


@exercise(right="Every pruned weight is still zero, and the others have learned.")
def zeros_kept(after: Answer, *, before: Mapping[str, Array], mask: Mapping[str, BoolArray]) -> str | None:
    """Judge the weights (layer -> array) after a step that must keep what ``mask`` prunes at zero."""
    if isinstance(after, pv.Mask) or not hasattr(after, "items") or not set(mask) <= set(after):
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


@exercise(right="A tenth of the megabyte, and nearly as good. Now it is worth a report on test images.")
def small_file(card: Answer, *, at_least: int, most: int = 100_000) -> str | None:
    """Judge a scorecard: under gzip at most ``most`` bytes, and at least ``at_least`` images right."""
    if not isinstance(card, pv.Scorecard):
        return "card must be a scorecard, as pv.scorecard(fine_tuned(mask), validation) gives it."
    hint = "Another criterion, or less?"
    return _too_large_or_wrong(card, most, at_least, hint)


@exercise(
    right="Other images, the same steps: train, prune, fine-tune, weigh. That is how you would do yours."
)
def clothes(card: Answer, *, at_least: int, most: int = 150_000) -> str | None:
    """Judge a scorecard as `small_file` does; it must be one of Fashion-MNIST's validation images."""
    if not isinstance(card, pv.Scorecard):
        return "clothes must be a scorecard, as pv.scorecard(network, fashion.validation) gives it."
    labels = pv.datasets.fashion_mnist().validation[1]
    if len(card.predictions) != len(labels) or np.sum(card.predictions == labels) != card.correct:
        return "this scorecard is not of pv.datasets.fashion_mnist().validation."
    return _too_large_or_wrong(card, most, at_least, "Train longer, with a rate that falls, or cut less.")


def _too_large_or_wrong(card: pv.Scorecard, most: int, at_least: int, hint: str) -> str | None:
    if card.gzip_bytes > most:
        return f"its file takes {card.gzip_bytes / 1000:,.0f} kB under gzip. Cut more."
    if card.correct < at_least:
        return f"{card.correct:,} images are right, and {at_least:,} must be. {hint}"
    return None
