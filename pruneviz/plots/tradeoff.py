"""What accuracy is paid for a smaller or cheaper model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from matplotlib.ticker import EngFormatter

from pruneviz.plots import style
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas
from pruneviz.plots.series import (
    Series,
    accuracy_axis,
    draw,
    end_of,
    explain_bands,
    in_words,
    median_of,
    name_ends,
    series,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cards: TypeAlias = Sequence[Any] | Mapping[float, Any]
"""Scorecards, or one list of Scorecards for each seed, or x -> the accuracy of each seed."""

_QUANTITIES = {
    "sparsity": "sparsity",
    "parameters": "parameters",
    "nonzero": "parameters that are not zero",
    "macs": "multiply–accumulates executed, for one image",
    "nonzero_macs": "multiply–accumulates with weights that are not zero, for one image",
    "raw_bytes": "size of the file, uncompressed",
    "gzip_bytes": "size of the file under gzip",
    "compact_bytes": "size of the compact file",
}


def plot_tradeoff(
    cards: Cards | Mapping[str, Cards],
    *,
    x: str = "sparsity",
    reference: float | Any | None = None,  # noqa: ANN401
    published: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw accuracy against sparsity, or against another cost of the model.

    Parameters
    ----------
    cards
        Scorecards; or name -> Scorecards for several lines. Instead of a list of Scorecards, a list of such
        lists (one for each seed) draws the median and the range from the worst seed to the best. So does what
        was measured elsewhere: a mapping of sparsity -> list of accuracies, one for each seed.
    x
        The Scorecard's attribute along the horizontal axis, such as ``"sparsity"`` or ``"compact_bytes"``.
    reference
        Accuracy (or Scorecard) of the unpruned model: a dotted horizontal line.
    published
        Name -> (x, accuracy) pairs that others report: hollow marks.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        The band is the 95% interval for the images. With several seeds it is the range over seeds, and the
        interval of the median is drawn as a bar.

    Raises
    ------
    TypeError, ValueError
        If a series is empty or no list, an accuracy is no share, seeds differ in length or their points along
        `x`, or a Scorecard has no such `x`.
    """
    named = _named(cards)
    if alone := [value for value in named.values() if not isinstance(value, Sequence | Mapping)]:
        raise TypeError(f"cards has a {type(alone[0]).__name__} in place of a list of Scorecards")
    if not named:
        raise ValueError("cards is empty: give Scorecards, or name -> Scorecards")
    lines = [_line(name, values, x) for name, values in named.items()]
    others = [series(name, points, "published") for name, points in (published or {}).items()]
    unpruned = None if reference is None else float(getattr(reference, "accuracy", reference))
    if unpruned is not None and not 0 <= unpruned <= 1:
        raise ValueError(f"reference is {unpruned:g}, not an accuracy from 0 to 1, such as 0.98")
    ax = canvas(ax)
    for order, line in enumerate(lines):
        draw(ax, line, order)
    for order, other in enumerate(others):
        _draw_published(ax, other, order)
    if unpruned is not None:
        ax.axhline(unpruned, color=style.INK, linewidth=1, linestyle=(0, (1, 2)), label="unpruned")
    accuracy_axis(ax)
    words = _label(ax, x)
    ends = [end_of(line, order) for order, line in enumerate(lines) if line.name]
    ends += [(other.name, other.x[-1], other.y[-1], style.QUIET) for other in others]
    if unpruned is not None:
        ends.append((f"unpruned {style.percent(unpruned)}", ax.get_xlim()[1], unpruned, style.INK))
    name_ends(ax, ends)
    explain_bands(ax, lines)
    style.title(ax, f"Accuracy against {words}" if title is None else title, above_legend=True)
    describe(ax, _sentence(words, lines, others, unpruned, x))
    return ax


def _named(cards: Cards | Mapping[str, Cards]) -> dict[str, Cards]:
    if isinstance(cards, Mapping) and not any(isinstance(key, Real) for key in cards):
        return {str(name): values for name, values in cards.items()}
    return {"": cards}  # type: ignore[dict-item]


def _line(name: str, cards: Cards, x: str) -> Series:
    """Make one line of one run, or of several seeds' runs."""
    runs = [series(name, run, "cards") for run in _runs(cards, x)]
    if len({run.x.size for run in runs}) > 1:
        raise ValueError(
            f"cards has seeds of different length{f' for {name!r}' if name else ''}: repeat the same sweep"
        )
    line = runs[0] if len(runs) == 1 else median_of(runs)
    if (np.diff(line.x) < 0).any():
        raise ValueError(
            f"cards has seeds that differ along x{f' for {name!r}' if name else ''}: repeat the same sweep, "
            "or give each seed a name, and a line, of its own"
        )
    return line


def _runs(cards: Cards, x: str) -> list[list[tuple[float, Any]]]:
    """Give for each seed its points, (x, accuracy) or (x, Scorecard)."""
    if isinstance(cards, Mapping):
        seeds = {place: np.atleast_1d(accuracies) for place, accuracies in cards.items()}
        most = max((len(accuracies) for accuracies in seeds.values()), default=1)
        return [[(place, a[seed]) for place, a in seeds.items() if seed < len(a)] for seed in range(most)]
    runs = cards if len(cards) and isinstance(cards[0], Sequence) else [cards]
    return [[(_quantity(card, x), card) for card in run] for run in runs]


def _quantity(card: Any, x: str) -> float:  # noqa: ANN401
    value = getattr(card, x, None)
    if isinstance(value, bool) or not isinstance(value, Real):
        known = [name for name in _QUANTITIES if isinstance(getattr(card, name, None), Real)]
        raise ValueError(  # noqa: TRY004
            f"x is {x!r}, which is no number of a Scorecard: choose from {', '.join(known)}"
        )
    return float(value)


def _draw_published(ax: Axes, other: Series, order: int) -> None:
    ax.plot(
        other.x,
        other.y,
        linestyle="none",
        marker="Dsov"[order % 4],
        markersize=6,
        markerfacecolor="none",
        markeredgecolor=style.QUIET,
        markeredgewidth=1.3,
        label=other.name,
        zorder=4,
    )


def _label(ax: Axes, x: str) -> str:
    words = _QUANTITIES.get(x, x.replace("_", " "))
    ax.set_xlabel(words)
    ax.set_ylabel("accuracy")
    if x == "sparsity":
        ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
    else:
        ax.xaxis.set_major_formatter(EngFormatter("B" if x.endswith("bytes") else "", sep=" "))
    return words


def _sentence(words: str, lines: list[Series], others: list[Series], unpruned: float | None, x: str) -> str:
    write = style.percent if x == "sparsity" else style.grouped
    text = f"Accuracy against {words}. " + " ".join(f"{in_words(line, write)}." for line in [*lines, *others])
    return text if unpruned is None else f"{text} Unpruned: {style.percent(unpruned)}."
