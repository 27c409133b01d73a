"""A learner's guess beside what was measured."""

from __future__ import annotations

import math
import reprlib
from numbers import Integral, Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import EllipsisType
    from typing import TypeGuard

_LARGE, _HUGE = 1000, 1e15


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
    most = 1 if isinstance(truth, str) or truth <= 1 else 3
    if guess is None or guess is ...:
        print(f"No guess. {measured}")  # noqa: T201
    elif isinstance(truth, str):
        said = guess if isinstance(guess, str) and guess.isprintable() else shown(guess)
        print(f"Your guess: {said}. {measured} {'Right.' if said == truth else 'Not this time.'}")  # noqa: T201
    elif not is_number(guess):
        example = 0.75 if share else 4000
        print(f"Your guess, {shown(guess)}, is no number: write one, such as {example}. {measured}")  # noqa: T201
    elif share and not 0 <= guess <= most:
        hint = f": write {guess / 100:g}" if most < guess <= 100 * most else ""
        print(f"Your guess, {guess}, is no share from 0 to {most}{hint}. {measured}")  # noqa: T201
    else:
        print(f"Your guess: {_text(guess, share)}. {measured} {_verdict(guess - truth, share)}")  # noqa: T201


def is_number(guess: object) -> TypeGuard[float]:
    """Whether a guess can be compared: True, infinity, and what no float can hold cannot."""
    try:
        return isinstance(guess, Real) and not isinstance(guess, bool) and math.isfinite(guess)
    except OverflowError:
        return False


def shown(guess: object) -> str:
    """Show whatever it is as code would have it, in a few words."""
    try:
        return " ".join(reprlib.repr(guess).split())
    except ValueError:  # Python writes out no more than 4,300 digits
        return "a number with thousands of digits"


def _verdict(difference: float, share: bool) -> str:
    off = f"{100 * abs(difference):.1f} points" if share else _text(abs(difference), share)
    if off in {"0", "0.0 points"}:
        return "Exactly right."
    return f"You were {off} too {'high' if difference > 0 else 'low'}."


def _text(number: float | str, share: bool) -> str:
    if isinstance(number, str):
        return number
    return f"{number:.1%}" if share else amount(number)


def amount(number: float) -> str:
    """Write a number with its thousands marked: a large one to a tenth, a small one in four digits."""
    if isinstance(number, Integral):
        return f"{number:,}"
    value = float(number)
    if not _LARGE <= abs(value) < _HUGE:
        return f"{value:,.4g}"
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.1f}"
