"""A learner's guess beside what was measured."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import EllipsisType


def compare(guess: float | EllipsisType | None, truth: float, what: str = "", *, share: bool = False) -> None:
    """Print a guess, what was measured, and how far off the guess was.

    Parameters
    ----------
    guess : float, or ``...``
        The learner's number; the dots that the lesson gives, or None, are no guess.
    truth : float
        What was measured.
    what : str, optional
        What the number counts, in the words that follow it: "digits right".
    share : bool, default False
        Whether both are shares from 0 to 1, to be printed as percentages.
    """
    measured = f"Measured: {_text(truth, share=share)} {what}".rstrip() + "."
    if guess is None or guess is ...:
        print(f"No guess. {measured}")  # noqa: T201
    elif wrong := _refusal(guess, share=share):
        print(f"{wrong} {measured}")  # noqa: T201
    else:
        verdict = _verdict(guess - truth, share=share)
        print(f"Your guess: {_text(guess, share=share)}. {measured} {verdict}")  # noqa: T201


def _refusal(guess: object, *, share: bool) -> str | None:
    if not isinstance(guess, Real) or isinstance(guess, bool):
        return f"Your guess, {guess!r}, is no number: write one, such as {0.75 if share else 4000}."
    number = float(guess)
    if share and not 0 <= number <= 1:
        hint = f": write {number / 100:g}" if 1 < number <= 100 else ""
        return f"Your guess, {guess}, is no share from 0 to 1{hint}."
    return None


def _verdict(difference: float, *, share: bool) -> str:
    off = f"{abs(difference):.1%}".removesuffix("%") + " points" if share else _text(abs(difference))
    if off in {"0", "0.0 points"}:
        return "Exactly right."
    return f"You were {off} too {'high' if difference > 0 else 'low'}."


def _text(number: float, *, share: bool = False) -> str:
    if share:
        return f"{number:.1%}"
    return f"{number:,}" if isinstance(number, Integral) else f"{number:,.4g}"
