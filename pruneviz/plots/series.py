"""Lines with intervals, named at their ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pruneviz.plots import style
from pruneviz.plots.picture import figure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array

End: TypeAlias = tuple[str, float, float, str]


@dataclass(frozen=True, eq=False)
class Series:
    """One line of a plot.

    Attributes
    ----------
    name
        Written at its right end.
    x, y
        (n,), x ascending; y is an accuracy from 0 to 1.
    low, high
        (n,), the band around y; NaN where there is none.
    seeds
        Number of runs that y is the median of; with several the band is their range.
    bars
        (2, n), the interval of the median, if the band is the range over seeds.
    """

    name: str
    x: Array
    y: Array
    low: Array
    high: Array
    seeds: int = 1
    bars: Array = field(default_factory=lambda: np.empty((2, 0)))


def series(name: str, points: Iterable[tuple[float, Any]], argument: str) -> Series:
    """Make a line of (x, accuracy) or (x, Scorecard) pairs in any order; `argument` names them in errors."""
    rows = sorted(((float(x), *_accuracy(point)) for x, point in points), key=lambda row: row[0])
    if not rows:
        raise ValueError(f"{argument} has no points{_of(name)}: give at least one")
    x, y, low, high = np.array(rows).T
    if not ((y >= 0) & (y <= 1)).all():
        raise ValueError(
            f"{argument} has an accuracy{_of(name)} that is not a share from 0 to 1, such as 0.98"
        )
    return Series(name, x, y, low, high)


def median_of(runs: Sequence[Series]) -> Series:
    """Join the runs of several seeds: at each point the middle one (the lower of two), from worst to best."""
    x, y, low, high = (np.stack([getattr(run, what) for run in runs]) for what in ("x", "y", "low", "high"))
    middle = np.argsort(y, axis=0, kind="stable")[(len(runs) - 1) // 2]
    here = middle, np.arange(middle.size)
    bars = np.stack([low[here], high[here]])
    return Series(runs[0].name, x[here], y[here], y.min(axis=0), y.max(axis=0), len(runs), bars)


def colour_of(order: int) -> str:
    """Give the colour of a line drawn in that order."""
    return style.SERIES[order % len(style.SERIES)][0]


def look(order: int) -> dict[str, Any]:
    """Give the options with which to plot a line in that order; where colours repeat, markers differ."""
    return {
        "color": colour_of(order),
        "marker": style.SERIES[(order + order // len(style.SERIES)) % len(style.SERIES)][1],
        "linestyle": style.SERIES[order % len(style.SERIES)][2],
        "linewidth": 1.8,
        "markersize": 4.5,
        "markeredgecolor": style.PAPER,
        "markeredgewidth": 0.6,
        "zorder": 3,
    }


def draw(ax: Axes, line: Series, order: int) -> None:
    """Draw a line in the style of its place in the order, and its interval as a band."""
    colour = colour_of(order)
    ax.plot(line.x, line.y, label=line.name, **look(order))
    if np.isfinite(line.low).any():
        ax.fill_between(line.x, line.low, line.high, color=colour, alpha=0.18, linewidth=0, zorder=2)
    if np.isfinite(line.bars).any():
        reach = np.abs(line.bars - line.y)
        ax.errorbar(line.x, line.y, reach, fmt="none", ecolor=colour, elinewidth=1, capsize=2.5, zorder=3)


def end_of(line: Series, order: int) -> End:
    """Give the right end of a line drawn in that order."""
    return line.name, float(line.x[-1]), float(line.y[-1]), colour_of(order)


def name_ends(ax: Axes, ends: Sequence[End]) -> None:
    """Write names beside the right edge, level with their ends; those too close are moved apart."""
    low, high = ax.get_ylim()
    points = ax.get_position().height * figure_of(ax).get_figheight() * 72
    ends = sorted(ends, key=lambda end: end[2])
    levels = _apart([(y - low) / (high - low) for _, _, y, _ in ends], 1.35 * style.SMALL / points)
    for (name, x, y, colour), level in zip(ends, levels, strict=True):
        ax.annotate(
            name,
            (x, y),
            xytext=(1.03, level),
            textcoords="axes fraction",
            va="center",
            fontsize=style.SMALL,
            color=colour,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.7,
                "shrinkA": 1,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )


def explain_bands(ax: Axes, lines: Sequence[Series]) -> None:
    """Say above the picture what its bands and bars are."""
    seeds = max(line.seeds for line in lines)
    single = any(line.seeds == 1 and np.isfinite(line.low).any() for line in lines)
    bands = ["95% interval for the images" if seeds == 1 else "95% interval of one run"] * single
    bands += [f"range of {seeds} seeds"] * (seeds > 1)
    notes = [f"band: {', or '.join(bands)}"] * bool(bands) + ["line: median"] * (seeds > 1)
    notes += ["bar: 95% interval"] * any(np.isfinite(line.bars).any() for line in lines)
    note_above(ax, "; ".join(notes))


def note_above(ax: Axes, text: str) -> None:
    """Write a line between title and picture."""
    style.write(ax, text, (0, 1), (0, 7), xycoords="axes fraction")


def in_words(line: Series, write: Callable[[float], str]) -> str:
    """Tell a line by its ends and at most two points between them."""
    some = np.unique(np.linspace(0, line.x.size - 1, min(line.x.size, 4)).round().astype(int))
    points = ", ".join(f"{style.percent(line.y[i])} at {write(line.x[i])}" for i in some)
    return f"{line.name}: {points}" if line.name else points


def _apart(levels: list[float], step: float) -> list[float]:
    """Move ascending levels to be at least a step apart, each group staying around its mean."""
    groups: list[list[float]] = []
    for level in levels:
        groups.append([level])
        while len(groups) > 1 and _reach(groups[-2], step)[1] + step > _reach(groups[-1], step)[0]:
            last = groups.pop()
            groups[-1] += last
    return [_reach(group, step)[0] + step * place for group in groups for place in range(len(group))]


def _reach(group: list[float], step: float) -> tuple[float, float]:
    """Lowest and highest level of a group around its mean, kept within the axes if it fits there."""
    half = step * (len(group) - 1) / 2
    middle = max(min(sum(group) / len(group), 1 - half - step / 2), half + step / 2)
    return middle - half, middle + half


def accuracy_axis(ax: Axes) -> None:
    """Show shares as percentages, with a quiet grid from 0 if the lines come near it, never beyond 100%."""
    low, high = ax.get_ylim()
    room = 0.02 * (min(high, 1) - max(low, 0))
    ax.set_ylim(-room if low < 1 / 4 else low, min(high, 1 + room))
    ax.yaxis.set_major_formatter(style.PERCENT_TICKS)
    ax.grid(axis="y", color=style.GRID, linewidth=0.8)


def _accuracy(point: Any) -> tuple[float, float, float]:  # noqa: ANN401
    if not hasattr(point, "accuracy"):
        return float(point), np.nan, np.nan
    low, high = getattr(point, "interval", None) or (np.nan, np.nan)
    return float(point.accuracy), float(low), float(high)


def _of(name: str) -> str:
    return f" for {name!r}" if name else ""
