"""Checks of the exercises of lesson 00."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.exercises import close, exercise, known_mistake, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Callable

# Answers come from learners: they can be anything.
Answer = Any


@exercise(right="Least important first, measured by the loss, and the weights are as they were.")
def order_of_importance(rank_by_loss: Answer) -> str | None:
    """Judge ``rank_by_loss(loss, weights)``: positions by the change of ``loss(weights)`` when one is cut."""
    flats = np.array([[50, 3, 2, 1, 0], [80, 1, 3, 0, 1], [100, 4, 3, 0, 0], [150, 2, 5, 1, 1]], dtype=float)
    ideal = np.array([0.02, 0.05, 0.1, -0.3, 0.5])

    def loss(weights: np.ndarray) -> float:
        return float(np.mean((flats @ (weights - ideal)) ** 2))

    # In the second case a cut lowers the loss.
    for weights in (ideal, np.array([0.02, 0.1, -0.2, 0.4, 0.6])):
        given = weights.copy()
        change = np.array([loss(np.where(np.arange(5) == i, 0.0, weights)) - loss(weights) for i in range(5)])
        order = np.argsort(change)
        known = {
            "this ranks by size. Importance is the change of the loss when a weight is cut.": np.abs(
                weights
            ).argsort(),
            "this is the most important first. The first to go comes first.": order[::-1],
            "a cut that lowers the loss counts as harmful here. Keep the sign of the change.": np.abs(
                change
            ).argsort(),
            "this is the rank of each weight. Return positions: np.argsort gives them.": order.argsort(),
        }
        wrong = _diagnose(rank_by_loss(loss, given), order, known)
        if not np.array_equal(given, weights):
            return "rank_by_loss leaves a weight at zero. Cut in a copy, or put the weight back."
        if wrong:
            return wrong
    return None


@exercise(right="0.4425: the two cuts hurt more together than their sum, 0.2425.")
def cut_together(loss_of_both: Answer) -> str | None:
    """Judge the loss after rooms and garden are cut together."""
    known = {
        "this adds the two single losses. Cut both weights in one copy, then measure once.": 0.2425,
        "this is the loss without rooms alone. Set both weights to zero.": 0.1175,
        "this is the loss without the garden alone. Set both weights to zero.": 0.125,
    }
    return _diagnose(loss_of_both, 0.4425, known)


@exercise(right="Two neurons are left, each with a wire in and a wire out. Lesson 02 cuts like that.")
def four_weights(four: Answer, *, right: Callable[[np.ndarray], int], weights: np.ndarray) -> str | None:
    """Judge which four of nine weights are kept: at least 425 plants must stay right."""
    kept = sorted(set(whole_numbers(four, "give the numbers of four weights, such as [0, 1, 2, 3].")))
    if len(kept) != 4 or not set(kept) <= set(range(len(weights))):
        return "give four different numbers from 0 to 8."
    plants = right(np.where(np.isin(np.arange(len(weights)), kept), weights, 0.0))
    if plants < 425:
        return f"{plants} plants are right, and 425 must be. Which wires are in one line? They go together."
    return None


def _diagnose(answer: Answer, expected: object, known: dict[str, Any]) -> str | None:
    """Return None for the expected answer, else the sentence of the mistake that leads to this one."""
    if close(answer, expected):
        return None
    given, wanted = (np.array2string(np.asarray(value), precision=4) for value in (answer, expected))
    return known_mistake(answer, known) or f"gives {given}, but it should be {wanted}."
