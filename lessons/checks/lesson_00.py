"""Checks of the exercises of lesson 00."""

from __future__ import annotations

from typing import Any

import numpy as np

from pruneviz.teaching.exercises import close, exercise, known_mistake

# Answers come from learners: they can be anything.
Answer = Any


@exercise(right="0.375 and 0.511, the same for a batch twice as long, and finite at probability 0.")
def losses(mean_squared_error: Answer, mean_cross_entropy: Answer) -> str | None:
    """Judge ``mean_squared_error(truth, prediction)`` and ``mean_cross_entropy(probabilities, labels)``."""
    wrong = _wrong_squared_error(mean_squared_error)
    if wrong:
        return f"mean_squared_error {wrong}"
    wrong = _wrong_cross_entropy(mean_cross_entropy)
    return f"mean_cross_entropy {wrong}" if wrong else None


def _wrong_squared_error(mean_squared_error: Answer) -> str | None:
    truth, prediction = np.array([3.0, -0.5, 2.0, 7.0]), np.array([2.5, 0.0, 2.0, 8.0])
    errors = prediction - truth
    squares = errors**2
    known = {
        "is the sum of the squares, so it grows with the batch. Take the mean.": squares.sum(),
        "takes the root too: that is RMSE, 0.612. MSE is the mean square itself.": np.sqrt(squares.mean()),
        "is the standard deviation of the errors, which ignores an error they share.": errors.std(),
        "is the variance of the errors, which ignores an error they share.": errors.var(),
        "takes sizes instead of squares: that is the mean absolute error.": np.abs(errors).mean(),
        "lets positive and negative errors cancel. Square each error first.": errors.mean(),
    }
    wrong = _diagnose(mean_squared_error(truth.copy(), prediction.copy()), squares.mean(), known)
    if wrong is None and not close(mean_squared_error(np.tile(truth, 2), np.tile(prediction, 2)), 0.375):
        return "changes when every example is there twice. Divide by the number of examples."
    return wrong


def _wrong_cross_entropy(mean_cross_entropy: Answer) -> str | None:
    one = np.array([[0.1, 0.2, 0.6, 0.05, 0.05]])
    known = {
        "has the wrong sign: the logarithm of a probability is negative, so put a minus before it.": np.log(
            0.6
        ),
        "uses a logarithm to base 2. The natural logarithm is np.log.": -np.log2(0.6),
        "uses a logarithm to base 10. The natural logarithm is np.log.": -np.log10(0.6),
        "averages over the classes too. Only the probability of the right class counts.": -np.log(0.6) / 5,
    }
    wrong = _diagnose(mean_cross_entropy(one, np.array([2])), -np.log(0.6), known)
    if wrong:
        return wrong
    pair, expected = np.array([[0.9, 0.1], [0.2, 0.8]]), -np.log([0.9, 0.2]).mean()
    for times in (1, 2):
        value = mean_cross_entropy(np.tile(pair, (times, 1)), np.zeros(2 * times, int))
        total = {"adds the examples up, so it grows with the batch. Take the mean.": 2 * times * expected}
        wrong = wrong or _diagnose(value, expected, total)
    with np.errstate(all="ignore"):
        impossible = mean_cross_entropy(np.array([[1.0, 0.0]]), np.array([1]))
    if not wrong and not np.all(np.isfinite(impossible)):
        return "is infinite at probability 0. Keep probabilities away from it: np.clip."
    if not wrong and impossible < 5:
        return "is small at probability 0, where it should be large. Clip at a much smaller number."
    return wrong


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


def _diagnose(answer: Answer, expected: object, known: dict[str, Any]) -> str | None:
    """Return None for the expected answer, else the sentence of the mistake that leads to this one."""
    if close(answer, expected):
        return None
    given, wanted = (np.array2string(np.asarray(value), precision=4) for value in (answer, expected))
    return known_mistake(answer, known) or f"gives {given}, but it should be {wanted}."
