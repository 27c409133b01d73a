"""How the outputs of a lesson are compared: words exactly, numbers with a small tolerance.

Another processor adds in another order, so a trained network gets an image or two more or less right, and
last digits differ. A number is therefore compared by what it is:

- A whole number from 5 to 10,000 may be a count of images: it may differ by 3. Below 5 ("0 weights came
  back", "3 layers") and above 10,000 (weights, bytes), and in names ("fc1", "LeNet-300-100") it must be the
  same.
- A percentage may differ by 0.1 points.
- Milliseconds ("0.3 ms") are the machine's own: any number will do.
- Any other number with decimals may differ by one unit in its last place, or by one part in a thousand.
- Where the cell has the tag ``trains``, all of these are ten times as wide, for the numbers from 5 up.

Spaces are not compared, as a number may have a digit more.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Self

_NUMBER = re.compile(
    r"(?<![\w.,])(?<!\w-)(?P<value>[-+\u2212]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?)"
    r"(?P<percent>%)?(?!\w)(?P<time>(?= ms\b))?"
)
FEW_IMAGES = 3
TRAINING = 10


class Tolerant(str):
    """A text that equals another if the words are the same and the numbers nearly so."""

    __slots__ = ("factor",)

    def __new__(cls, text: str, factor: int = 1) -> Self:
        """Make a text whose numbers may differ ``factor`` times as much as usual."""
        new = super().__new__(cls, text)
        new.factor = factor
        return new

    def __eq__(self, other: object) -> bool:
        """Compare words exactly, numbers by their tolerance."""
        if not isinstance(other, str):
            return NotImplemented
        if str.__eq__(self, other):
            return True
        mine, theirs = list(_NUMBER.finditer(self)), list(_NUMBER.finditer(other))
        return _words(self) == _words(other) and all(
            _near(a, b, self.factor) for a, b in zip(mine, theirs, strict=True)
        )

    def __ne__(self, other: object) -> bool:
        """Negate ``==``; str has a ``!=`` of its own."""
        return not self == other

    __hash__ = str.__hash__


def _words(text: str) -> str:
    return re.sub(r"[\s─-]+", " ", _NUMBER.sub(lambda m: "#%" if m["percent"] else "#", text))


def _near(reference: re.Match[str], measured: re.Match[str], factor: int) -> bool:
    texts = [match["value"].replace(",", "").replace("\u2212", "-") for match in (reference, measured)]
    a, b = map(Fraction, texts)
    whole = all(text.lstrip("+-").isdigit() for text in texts)
    if reference["time"] is not None:
        return True
    if reference["percent"]:
        tolerance = Fraction(1, 10) * factor
    elif whole:
        is_count = min(a, b) >= 5 and max(a, b) <= 10_000
        tolerance = FEW_IMAGES * factor if is_count else 0
    else:
        places = [_last_place(text) for text in texts]
        tolerance = max(*places, abs(a) / 1000) * factor
    return abs(a - b) <= tolerance


def _last_place(text: str) -> Fraction:
    mantissa, _, exponent = text.lower().partition("e")
    return Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
