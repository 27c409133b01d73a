"""Judging the answers of learners: one plain sentence, at once.

A check is a function that returns what is wrong with an answer, or None when it is right::

    @exercise(right="Doubling the batch leaves both means unchanged.")
    def mean(answer):
        if not close(answer(np.array([1.0, 3.0])), 2.0):
            return "the mean of 1 and 3 is 2; yours sums, so it grows with the batch"

Calling ``mean(learners_function)`` in a notebook prints one line, whatever the function is or does.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import update_wrapper
from itertools import islice
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.guesses import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RIGHT, WRONG, UNANSWERED = "Right.", "Not yet:", "Not answered yet:"
_LONGEST = 600  # characters of a verdict: an answer that it quotes may be a million numbers
_HUGE = 300_000  # members of a list: more take gigabytes as an array, such as those of range(10**9)
_MOST = 10_000  # members of an answer that are looked at: a generator may have no end


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
            with warnings.catch_warnings(action="ignore"):  # of what is computed with wrong numbers
                wrong = self._judge(*map(_asked, answers), **context)
        except _UnansweredError as unanswered:
            return f"{UNANSWERED} {unanswered}"
        except Wrong as error:
            wrong = str(error)
        except Exception as error:  # noqa: BLE001  # what no check expects of an answer
            wrong = f"nothing can be computed with this answer: {_told(error)}"
        return f"{RIGHT} {self._right}" if wrong is None else _in_a_line(f"{WRONG} {wrong}")

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
    if _is_huge(answer):
        return False
    try:
        with warnings.catch_warnings(action="error", category=np.exceptions.ComplexWarning):
            plain = answer.detach() if hasattr(answer, "detach") else answer  # a tensor that has a gradient
            given = np.asarray(plain, dtype=float)
    except (OverflowError, RuntimeError, TypeError, ValueError, np.exceptions.ComplexWarning):
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
    given = {name: number(value, f"{name}: give a number, not {value!r}.") for name, value in answer.items()}
    for name, count in right.items():
        if not math.isclose(given[name], count, rel_tol=1e-12):
            why = known_mistake(given[name], known[name])
            return f"{name}: {why or f'{amount(given[name])} is not right. {hint}'}"
    return None


def number(answer: Any, hint: str) -> float:  # noqa: ANN401
    """Read a number, or tell the hint to who gives none."""
    try:
        given = float(answer)
    except (OverflowError, TypeError, ValueError):
        given = math.nan
    if math.isnan(given):
        raise Wrong(hint)
    return given


def members(answer: Any, hint: str) -> list[Any]:  # noqa: ANN401
    """List what an answer holds, or tell the hint to who gives nothing that holds something."""
    try:
        found = list(islice(answer, _MOST))
    except TypeError:
        raise Wrong(hint) from None
    if isinstance(answer, str):
        raise Wrong(hint)
    return found


def whole_numbers(answer: Any, hint: str) -> list[int]:  # noqa: ANN401
    """List the whole numbers that an answer holds, or tell the hint to who gives something else."""
    given = [number(one, hint) for one in members(answer, hint)]
    if not all(one.is_integer() for one in given):
        raise Wrong(hint)
    return list(map(int, given))


def _in_a_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def _told(error: BaseException) -> str:
    return format_exception_only(error)[-1]  # where str(error) fails too


def _asked(answer: object) -> object:
    """Pass an answer on; the untouched one stops the check, and so does a function that returns nothing."""
    if answer is None or answer is ...:
        raise _UnansweredError("put your answer in place of the dots, and run both cells again.")
    if not callable(answer):
        return _bounded(answer)
    name = getattr(answer, "__name__", "your function")

    def ask(*arguments: object, **keywords: object) -> object:
        try:
            result = answer(*arguments, **keywords)
        except (Exception, SystemExit) as error:
            raise Wrong(f"{name} stops with {_told(error)}") from error
        if result is None or result is ...:
            raise _UnansweredError(f"{name} returns nothing. Fill it in, and end with return.")
        return _bounded(result)

    return ask


def _bounded(answer: object) -> object:
    if _is_huge(answer):
        raise Wrong("this answer is longer than any that is asked for.")
    return answer


def _is_huge(answer: object) -> bool:
    return isinstance(answer, Sequence) and not isinstance(answer, str | bytes) and len(answer) > _HUGE
