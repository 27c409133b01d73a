"""Scorecards side by side, as a table that can be read at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Rectangle

from pruneviz.plots import style
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Attribute -> heading of its column, and the column's width; the name's column takes what it needs.
_COLUMNS = {
    "accuracy": ("accuracy (95%)", 1.8),
    "parameters": ("parameters", 1.1),
    "nonzero": ("nonzero", 1.1),
    "macs": ("MACs run", 1.1),
    "raw_bytes": ("bytes", 1.1),
    "gzip_bytes": ("bytes, gzip", 1.1),
}
_LETTER = 0.09
_INCHES = 0.85
_ROW = 0.46


def plot_scorecards(
    cards: Sequence[Any] | Mapping[str, Any],
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw Scorecards as the rows of a table, each number over a bar that compares it.

    Parameters
    ----------
    cards
        Scorecards, or name -> Scorecard to call the rows otherwise. Put the unpruned model first.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        The bars of the accuracy run from 0 to 100%, the others from 0 to the largest of the column.

    Raises
    ------
    TypeError
        If something is not a Scorecard.
    ValueError
        If there are none.
    """
    named = dict(cards) if isinstance(cards, Mapping) else dict(enumerate(cards))
    if not named:
        raise ValueError("cards is empty: give at least one Scorecard")
    for card in named.values():
        if not all(hasattr(card, column) for column in _COLUMNS):
            raise TypeError(f"cards has a {type(card).__name__}, not a Scorecard: pv.scorecard makes one")
    rows = [(key if isinstance(key, str) else card.name, card) for key, card in named.items()]
    left = _LETTER * max(len(name) for name, _ in rows) + 0.2
    across = left + sum(width for _, width in _COLUMNS.values())
    ax = canvas(ax, _INCHES * across, 0.6 + _ROW * (len(rows) + 1))
    for column, (heading, width) in _COLUMNS.items():
        _write(ax, heading, left, -0.25, weight="bold")
        largest = max(getattr(card, column) for _, card in rows) or 1
        for row, (_, card) in enumerate(rows):
            share = card.accuracy if column == "accuracy" else getattr(card, column) / largest
            _draw_bar(ax, left, row, 0.85 * width, share, column)
            _write(ax, _text(card, column), left, row + 0.32)
        left += width
    for row, (name, _) in enumerate(rows):
        _write(ax, name, 0, row + 0.32)
    ax.set_xlim(0, across)
    ax.set_ylim(len(rows) - 0.1, -0.7)
    ax.set_axis_off()
    style.title(ax, "Scorecards" if title is None else title)
    describe(ax, " ".join(_sentence(name, card) for name, card in rows))
    return ax


def _draw_bar(ax: Axes, x: float, row: int, width: float, share: float, label: str) -> None:
    box = Rectangle((x, row + 0.6), width, 0.16, facecolor=style.GRID)
    bar = Rectangle((x, row + 0.6), width * share, 0.16, facecolor=style.KEPT, label=f"{label} {row}")
    for patch in (box, bar):
        ax.add_patch(patch)


def _text(card: Any, column: str) -> str:  # noqa: ANN401
    if column != "accuracy":
        return style.grouped(getattr(card, column))
    low, high = (100 * end for end in card.interval)
    return f"{style.percent(card.accuracy)} ({low:.1f}–{high:.1f})"


def _write(ax: Axes, text: str, x: float, y: float, weight: str = "normal") -> None:
    colour = ax.title.get_color()
    ax.text(x, y, text, fontsize=style.SMALL, color=colour, va="center", fontweight=weight)


def _sentence(name: str, card: Any) -> str:  # noqa: ANN401
    texts = {column: _text(card, column) for column in _COLUMNS}
    return (
        f"{name}: accuracy {texts['accuracy']}, {texts['parameters']} parameters, {texts['nonzero']} of them "
        f"not zero, {texts['macs']} MACs run, {texts['raw_bytes']} bytes, {texts['gzip_bytes']} under gzip."
    )
