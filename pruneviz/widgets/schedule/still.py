"""The static twin of ScheduleExplorer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pruneviz.plots import style
from pruneviz.plots.alt import describe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.schedules import Schedule

_CURVE = 201
_TIMES = FuncFormatter(lambda times, _: f"{times:g}×")


class Shown(Protocol):
    """What a view of a schedule shows."""

    title: str
    show: list[str]
    budget: int
    pools: list[int]
    runs: list[dict[str, Any]]
    n: int
    dense: int
    against: str

    def schedule(self) -> Schedule:
        """Give the present schedule."""

    def plan(self) -> list[dict[str, Any]]:
        """Tell what each round will prune."""

    def sentence(self) -> str:
        """Say in one sentence what it shows."""


def draw(view: Shown) -> Figure:
    """Draw the rounds as columns under the curve, and beside them the accuracy of the runs.

    Parameters
    ----------
    view
        The view.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    trains = "runs" in view.show
    figure = Figure(figsize=(10 if trains else 6, 3.8), layout="constrained", facecolor=style.PAPER)
    axes = figure.subplots(1, 1 + trains, squeeze=False)[0]
    figure.suptitle(
        view.title, x=0.01, ha="left", fontsize=style.FONT + 2, fontweight="bold", color=style.INK
    )
    _draw_columns(axes[0], view)
    if trains:
        _draw_runs(axes[1], view)
    describe(axes[0], view.sentence())
    return figure


def _draw_columns(ax: Axes, view: Shown) -> None:
    rounds, shares = [0], [0.0]
    for row in view.plan():
        rounds.append(row["round"])
        shares.append(row["sparsity"])
    kept = [1 - share for share in shares]
    ax.bar(rounds, kept, 0.72, bottom=shares, color=style.KEPT, label="kept")
    ax.bar(rounds, shares, 0.72, color=style.PRUNED, edgecolor=style.PRUNED_EDGE, hatch=style.HATCH, lw=0)
    schedule = view.schedule()
    steps = [view.budget * place / (_CURVE - 1) for place in range(_CURVE)]
    curve = [schedule(step) for step in steps]
    ax.plot(steps, curve, color=style.PAPER, linewidth=4)
    ax.plot(steps, curve, ":", color=style.INK, linewidth=1.6)
    ax.set(xlabel="round", ylabel="sparsity", ylim=(0, 1), xlim=(-0.5, view.budget + 0.5))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(style.PERCENT_TICKS)
    ax.spines[["top", "right"]].set_visible(False)
    style.title(ax, "Sparsity in each round")


def _draw_runs(ax: Axes, view: Shown) -> None:
    for run in view.runs:
        colour, marker, dashes = style.SERIES[(run["id"] - 1) % 6]
        places = _places(view, run["rounds"])
        right = [view.dense / view.n, *(row["correct"] / row["n"] for row in run["rounds"])]
        ax.plot(places, right, color=colour, linestyle=dashes, marker=marker, markersize=5, label=run["name"])
    if any(run["rounds"] for run in view.runs):
        ax.legend(frameon=False, fontsize=style.SMALL, loc="lower left")
    else:
        words = "nothing trained yet"
        ax.text(0.5, 0.5, words, color=style.QUIET, ha="center", transform=ax.transAxes)
    if view.against == "sparsity":
        ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
        ax.set_xlim(-0.02, 1.02)
    elif view.against == "compression":
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(_TIMES)
        ax.xaxis.set_minor_formatter(_TIMES)
    ax.yaxis.set_major_formatter(style.PERCENT_TICKS)
    ax.set(xlabel=view.against, ylabel="accuracy")
    ax.spines[["top", "right"]].set_visible(False)
    style.title(ax, "Accuracy of the runs")


def _places(view: Shown, rounds: list[dict[str, Any]]) -> list[float]:
    """Give the place of the model as given, and of each round, on the axis."""
    if view.against == "compression":
        total = sum(view.pools)
        return [1.0, *(total / max(row["left"], 1) for row in rounds)]
    return [0.0, *(row[view.against] for row in rounds)]
