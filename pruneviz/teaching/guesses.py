"""A learner's guess beside what was measured."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import EllipsisType


def compare(
    guess: float | str | EllipsisType | None,
    truth: float | str,
    what: str = "",
    *,
    share: bool = False,
) -> None:
    """Print a guess, what was measured, and how far off the guess was.

    Parameters
    ----------
    guess : float, str, or ``...``
        The learner's number or name; the dots that the lesson gives, or None, are no guess.
    truth : float or str
        What was measured. A str is a name, not an amount: a guess is it or is not.
    what : str, optional
        What the number counts, in the words that follow it: "digits right".
    share : bool, default False
        Whether both are shares, to be printed as percentages: from 0 to 1, unless the truth is more than 1.
    """
    measured = f"Measured: {_text(truth, share)} {what}".rstrip() + "."
    if guess is None or guess is ...:
        print(f"No guess. {measured}")  # noqa: T201
    elif isinstance(truth, str):
        print(f"Your guess: {guess}. {measured} {'Right.' if str(guess) == truth else 'Not this time.'}")  # noqa: T201
    elif isinstance(guess, bool) or not isinstance(guess, Real):
        example = 0.75 if share else 4000
        print(f"Your guess, {guess!r}, is no number: write one, such as {example}. {measured}")  # noqa: T201
    elif share and not 0 <= guess <= (most := 1 if truth <= 1 else 3):
        hint = f": write {guess / 100:g}" if most < guess <= 100 * most else ""
        print(f"Your guess, {guess}, is no share from 0 to {most}{hint}. {measured}")  # noqa: T201
    else:
        print(f"Your guess: {_text(guess, share)}. {measured} {_verdict(guess - truth, share)}")  # noqa: T201


def _verdict(difference: float, share: bool) -> str:
    off = f"{100 * abs(difference):.1f} points" if share else _text(abs(difference), share)
    if off in {"0", "0.0 points"}:
        return "Exactly right."
    return f"You were {off} too {'high' if difference > 0 else 'low'}."


def _text(number: float | str, share: bool) -> str:
    if isinstance(number, str):
        return number
    if share:
        return f"{number:.1%}"
    return f"{number:,}" if isinstance(number, Integral) else f"{number:,.4g}"
