"""What a picture shows, in words, for those who do not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable

_DESCRIPTIONS: WeakKeyDictionary[Axes, list[str]] = WeakKeyDictionary()


def describe(ax: Axes, text: str) -> None:
    """Remember what was drawn; a second drawing on the same axes adds a sentence."""
    _DESCRIPTIONS.setdefault(ax, []).append(text)


def alt_text(picture: Axes | Figure) -> str:
    """Describe a picture in plain English, for a screen reader or a Markdown image.

    Parameters
    ----------
    picture
        Axes or a Figure. Those of ``plot_*`` describe their data; of others the title, the axis labels
        and the number of lines and images are told.

    Returns
    -------
    str
        One or a few sentences.

    Raises
    ------
    TypeError
        If it is neither Axes nor Figure.
    """
    if isinstance(picture, Axes):
        return " ".join(_DESCRIPTIONS.get(picture) or [_guess(picture)])
    if not isinstance(picture, Figure):
        raise TypeError(f"alt_text describes Axes or a Figure, not a {type(picture).__name__}")
    known = [sentence for ax in picture.axes for sentence in _DESCRIPTIONS.get(ax, [])]
    if known:
        return " ".join(known)
    return " ".join(map(_guess, picture.axes)) or "An empty figure."


def _guess(ax: Axes) -> str:
    title = ax.get_title() or ax.get_title(loc="left") or ax.get_title(loc="right")
    labels = [
        f"{label} on the {axis} axis"
        for axis, label in (("horizontal", ax.get_xlabel()), ("vertical", ax.get_ylabel()))
        if label
    ]
    marks = [
        f"{number} {what}{'s' if number > 1 else ''}"
        for what, number in (("line", len(ax.lines)), ("image", len(ax.images)))
        if number
    ]
    return f"Plot{f': {title}' if title else ''}. {_sentence(labels)}{_sentence(marks)}".strip()


def _sentence(parts: Iterable[str]) -> str:
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}. " if text else ""
