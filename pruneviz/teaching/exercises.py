"""Judging the answers of learners: one plain sentence, at once.

A check is a function that returns what is wrong with an answer, or None when it is right::

    @exercise(right="Doubling the batch leaves both means unchanged.")
    def mean(answer):
        if not close(answer(np.array([1.0, 3.0])), 2.0):
            return "the mean of 1 and 3 is 2; yours sums, so it grows with the batch"

Calling ``mean(learners_function)`` in a notebook prints one line.
"""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RIGHT, WRONG, UNANSWERED = "Right.", "Not yet:", "Not answered yet:"


class Wrong(Exception):  # noqa: N818  # an answer is not an error of ours
    """What is wrong with an answer, from anywhere inside a check."""


class _UnansweredError(Exception):
    """The answer is still the one that the lesson gave."""


class Check:
    """A check of one exercise: call it with the learner's answers, and it prints a verdict.

    Answers are the positional arguments; what the check needs besides them is passed by keyword.
    """

    def __init__(self, judge: Callable[..., str | None], right: str) -> None:
        self._judge = judge
        self._right = right
        update_wrapper(self, judge)

    def verdict(self, *answers: object, **context: object) -> str:
        """Judge the answers, and return the sentence that a call prints."""
        try:
            wrong = self._judge(*map(_asked, answers), **context)
        except _UnansweredError as unanswered:
            return f"{UNANSWERED} {unanswered}"
        except Wrong as error:
            wrong = str(error)
        return f"{RIGHT} {self._right}" if wrong is None else f"{WRONG} {wrong}"

    def __call__(self, *answers: object, **context: object) -> None:
        """Print the verdict on the answers."""
        print(self.verdict(*answers, **context))  # noqa: T201


def exercise(*, right: str) -> Callable[[Callable[..., str | None]], Check]:
    """Turn a function that says what is wrong with an answer, or None, into a Check.

    `right` is what a right answer is told: not only praise, but what it has shown.
    """
    return lambda judge: Check(judge, right)


def close(answer: object, reference: object, tolerance: float = 1e-6) -> bool:
    """Whether an answer has the reference's shape and values; False for anything that is no number."""
    try:
        given = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return False
    expected = np.asarray(reference, dtype=float)
    return given.shape == expected.shape and bool(
        np.allclose(given, expected, rtol=tolerance, atol=tolerance)
    )


def known_mistake(answer: object, mistakes: Mapping[str, object]) -> str | None:
    """Give the first sentence whose mistake leads to this answer."""
    return next((sentence for sentence, mistake in mistakes.items() if close(answer, mistake)), None)


def first_mistake(mistakes: Mapping[str, object]) -> str | None:
    """Give the first sentence whose mistake was made."""
    return next((sentence for sentence, made in mistakes.items() if made), None)


def wrong_count(
    answer: Any,  # noqa: ANN401  # learners may give anything
    right: Mapping[str, float],
    known: Mapping[str, Mapping[str, float]],
    hint: str,
) -> str | None:
    """Say which of a learner's counts is wrong, and why if it is a known mistake: name -> sentence -> count.

    Other wrong counts are answered by the hint.
    """
    if not hasattr(answer, "items") or set(answer) != set(right):
        return f"give a dict with the keys {', '.join(right)}."
    given = {name: _number(value, name) for name, value in answer.items()}
    for name, count in right.items():
        if given[name] != count:
            why = (sentence for sentence, mistake in known[name].items() if given[name] == mistake)
            return f"{name}: {next(why, f'{given[name]:,.0f} is not right. {hint}')}"
    return None


def _number(value: Any, name: str) -> float:  # noqa: ANN401
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Wrong(f"{name}: give a number, not {value!r}.") from None


def _asked(answer: object) -> object:
    """Pass an answer on; the untouched one stops the check, and so does a function that returns nothing."""
    if answer is None or answer is ...:
        raise _UnansweredError("put your answer in place of the dots, and run both cells again.")
    if not callable(answer):
        return answer
    name = getattr(answer, "__name__", "your function")

    def ask(*arguments: object, **keywords: object) -> object:
        try:
            result = answer(*arguments, **keywords)
        except Exception as error:
            raise Wrong(f"{name} stops with {type(error).__name__}: {error}") from error
        if result is None or result is ...:
            raise _UnansweredError(f"{name} returns nothing. Fill it in, and end with return.")
        return result

    return ask
