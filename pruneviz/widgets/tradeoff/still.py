"""The static twin of TradeoffExplorer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from pruneviz.plots import style
from pruneviz.plots.alt import describe
from pruneviz.widgets.tradeoff.models import front

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as Ruler

    from pruneviz.widgets.tradeoff.models import Axis

_WIDE_RANGE, _FINE = 4.0, 100.0  # as in compare.js


class Shown(Protocol):
    """What a view of models shows."""

    title: str
    x: str
    y: str
    selected: str
    models: list[dict[str, Any]]

    @property
    def against(self) -> str | None:
        """Name of the model that the selected one is compared with."""

    def sentence(self) -> str:
        """Say in one sentence what it shows."""


def draw(view: Shown, axes: Sequence[Axis]) -> Figure:
    """Draw which model came from which, and beside it what they cost.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    tall = max(3.8, 0.9 + 0.3 * len(view.models))
    figure = Figure(figsize=(10, tall), layout="constrained", facecolor=style.PAPER)
    left, right = figure.subplots(1, 2, width_ratios=(0.9, 1))
    figure.suptitle(
        view.title, x=0.01, ha="left", fontsize=style.FONT + 2, fontweight="bold", color=style.INK
    )
    named = {axis.name: axis for axis in axes}
    _draw_map(left, view)
    _draw_scatter(right, view, named[view.x], named[view.y])
    describe(left, view.sentence())
    return figure


def _draw_map(ax: Axes, view: Shown) -> None:
    places = {row["name"]: (row["depth"], place) for place, row in enumerate(view.models)}
    for row in view.models:
        depth, place = places[row["name"]]
        if row["parent"] is not None:
            above = places[row["parent"]]
            ax.plot([above[0], above[0], depth], [above[1], place, place], color=style.QUIET, linewidth=1)
        _mark(ax, view, row["name"], (depth, place))
        bold = "bold" if row["name"] == view.selected else "normal"
        label = f"{place + 1}  {row['name']}"
        words = ax.annotate(label, (depth, place), (9, 0), textcoords="offset points", va="center")
        words.set(fontsize=style.FONT, color=style.INK, fontweight=bold)
        step = ax.annotate(f"  {row['step']}", (1, 0.5), xycoords=words, va="center")
        step.set(fontsize=style.SMALL, color=style.QUIET)
    deepest = max(row["depth"] for row in view.models)
    ax.set(xlim=(-0.4, deepest + 5), ylim=(len(view.models) - 0.4, -0.6))
    ax.axis("off")
    style.title(ax, "Which came from which")


def _draw_scatter(ax: Axes, view: Shown, x: Axis, y: Axis) -> None:
    known = [row for row in view.models if row["values"][x.name] and row["values"][y.name]]
    pairs = [(row["values"][x.name], row["values"][y.name]) for row in known]
    if not pairs:
        ax.text(0.5, 0.5, "no model has both", color=style.QUIET, ha="center", transform=ax.transAxes)
        return
    points = [(across[0], up[0]) for across, up in pairs]
    best = front(points, (x.rises, y.rises))
    steps: Any = "steps-pre" if x.rises else "steps-post"
    ax.plot(*zip(*(points[i] for i in best), strict=True), color=style.KEPT, lw=1, zorder=1, drawstyle=steps)
    for row, point, (x_ends, y_ends) in zip(known, points, pairs, strict=True):
        bars = (x_ends[1:], (point[1], point[1]), (point[0], point[0]), y_ends[1:])
        ax.plot(*bars, color=style.QUIET, linewidth=1)
        _mark(ax, view, row["name"], point)
    numbers = [str(view.models.index(row) + 1) for row in known]
    for point in dict.fromkeys(points):
        alike = [number for number, one in zip(numbers, points, strict=True) if one == point]
        style.write(ax, ", ".join(alike), point, (7, 4))
    ax.set(xlabel=x.words, ylabel=y.words)
    _scale(ax, ax.xaxis, x, [value for across, _ in pairs for value in across])
    _scale(ax, ax.yaxis, y, [value for _, up in pairs for value in up])
    ax.margins(x=0.18, y=0.08)
    ax.spines[["top", "right"]].set_visible(False)
    style.title(ax, f"{y.words[0].upper()}{y.words[1:]} against {x.words}")


def _mark(ax: Axes, view: Shown, name: str, at: tuple[float, float]) -> None:
    ring = {view.selected: style.INK, view.against: style.CUT}.get(name)
    if ring:
        ax.plot(*at, "o", color="none", markeredgecolor=ring, markeredgewidth=1.6, markersize=12)
    ax.plot(*at, "o", color=style.KEPT, markersize=6)


def _scale(ax: Axes, ruler: Ruler, axis: Axis, values: Sequence[float]) -> None:
    """Draw costs of a wide range on a logarithmic axis; the cost of accuracy is its errors."""
    costs = [1 - value if axis.rises else value for value in values]
    least, most = min(costs), max(costs)
    if least > 0 and most / least > _WIDE_RANGE:
        scale = ax.set_xscale if ruler is ax.xaxis else ax.set_yscale
        subs = (1, 2, 5) if most / least < _FINE else (1,)
        if axis.rises:
            scale("function", functions=(lambda share: -np.log(1 - share), lambda place: 1 - np.exp(-place)))
            ticks = [1 - sub * 10.0**power for power in range(-5, 1) for sub in subs]
            ruler.set_major_locator(FixedLocator([tick for tick in ticks if 1 - most <= tick <= 1 - least]))
            ruler.set_label_text(f"{axis.words}, log scale of errors")
        else:
            scale("log")
            ruler.set_major_locator(LogLocator(subs=subs))
            ruler.set_minor_formatter(NullFormatter())
    with_unit = FuncFormatter(lambda value, _: axis.text(value))
    ruler.set_major_formatter(style.PERCENT_TICKS if axis.rises else with_unit)
