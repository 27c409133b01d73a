"""How sparse a model is to be at each step of its training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from pruneviz.core.arrays import whole
from pruneviz.plots import style
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas
from pruneviz.plots.series import Series, colour_of, end_of, in_words, look, name_ends, note_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.schedules import Schedule


_POINTS = 500
_MARKS = 60


def plot_schedule(
    schedule: Schedule | Mapping[str, Schedule],
    steps: int | None = None,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the sparsity that a schedule asks for at each step; a mark where it prunes.

    Between two marks the model stays as sparse as it was at the last one. The line is what it has, and a thin
    dotted one what the schedule's formula says in between.

    Parameters
    ----------
    schedule
        One, or name -> schedule for several on one picture: anything with ``schedule(step)`` -> sparsity,
        ``prunes_at(step)`` -> bool, and ``begin`` and ``end``.
    steps
        The last step to show; None shows a tenth more than its end.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        Steps from 0 to the right, sparsity upwards.

    Raises
    ------
    TypeError
        If something else is given than a schedule.
    ValueError
        If there is none, `steps` is missing or below 1, or a sparsity is no share.
    """
    named = dict(schedule) if isinstance(schedule, Mapping) else {"": schedule}
    if not named:
        raise ValueError("schedule is empty: give one schedule, or name -> schedule")
    for one in named.values():
        if not callable(one) or not callable(getattr(one, "prunes_at", None)):
            raise TypeError(f"schedule is a {type(one).__name__}, not a schedule with prunes_at(step)")
    last = _last_step(named, steps)
    ax = canvas(ax)
    lines = [_draw(ax, name, one, last, order) for order, (name, one) in enumerate(named.items())]
    ax.set_xlim(0, last)
    ax.set_ylim(-0.02, 1.02)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(style.GROUPED_TICKS)
    ax.yaxis.set_major_formatter(style.PERCENT_TICKS)
    ax.grid(axis="y", color=style.GRID, linewidth=0.8)
    ax.set_xlabel("step")
    ax.set_ylabel("sparsity")
    name_ends(ax, [end_of(line, order) for order, line in enumerate(lines) if line.name])
    note_above(ax, "mark: prunes; line: sparsity of the model; dotted: what the formula says")
    style.title(ax, "Sparsity over the steps of training" if title is None else title, above_legend=True)
    describe(ax, _sentence(named, lines, last))
    return ax


def _last_step(named: Mapping[str, Schedule], steps: int | None) -> int:
    if steps is None:
        ends = [one.end for one in named.values()]
        if min(ends) < 0:
            raise ValueError("steps is missing, and a schedule never ends: say how many steps to show")
        return max(ends) + max(round(max(ends) / 10), 1)
    return whole("steps", steps, 1)


def _draw(ax: Axes, name: str, schedule: Schedule, last: int, order: int) -> Series:
    """Draw the formula, what the model has, and the marks; give what the model has."""
    marks = np.array([step for step in range(last + 1) if schedule.prunes_at(step)], int)
    asked = _sparsities(name, schedule, marks)
    every = np.unique(np.linspace(0, last, _POINTS).astype(int))
    thin: dict[str, Any] = {"color": colour_of(order), "linewidth": 1}
    ax.plot(every, _sparsities(name, schedule, every), ":", label=f"{name} formula".strip(), **thin)
    steps = np.array([0, *marks, last])
    held = np.array([0.0, *asked, *asked[-1:]]) if marks.size else np.zeros(2)
    ax.step(steps, held, where="post", label=f"{name} held".strip(), **thin)
    some = max(-(-marks.size // _MARKS), 1)
    ax.plot(marks, asked, label=name or "prunes", markevery=some, **{**look(order), "linestyle": "none"})
    nothing = np.full(steps.shape, np.nan)
    return Series(name, steps, held, nothing, nothing)


def _sparsities(name: str, schedule: Schedule, steps: Array) -> Array:
    values = np.array([schedule(int(step)) for step in steps], float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"schedule {name!r} asks for a sparsity that is no share from 0 to 1")
    return values


def _sentence(named: Mapping[str, Schedule], lines: list[Series], last: int) -> str:
    parts = [f"Sparsity over {style.grouped(last)} steps."]
    for line, schedule in zip(lines, named.values(), strict=True):
        times = line.x.size - 2
        first = f"from step {style.grouped(schedule.begin)} on"
        often = f"{style.grouped(times)} time{'s' if times > 1 else ''} {first}" if times else "never"
        parts.append(f"{in_words(line, lambda step: f'step {style.grouped(step)}')}; it prunes {often}.")
    return " ".join(parts)
