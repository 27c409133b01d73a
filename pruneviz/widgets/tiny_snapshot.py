"""The static twin of TinyNetwork."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from pruneviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.arrays import Array, BoolArray
    from pruneviz.widgets.tiny_models import TinyModel, Wire

_WIDEST = 8  # points
_ROOM = 0.35  # beside the outermost nodes, in units of the drawing
_GRID = 241
_MOST_BARS = 12


def draw(model: TinyModel, kept: BoolArray, *, output: str, title: str) -> Figure:
    """Draw the weights, and beside them the predictions or decisions.

    Parameters
    ----------
    model
        The model.
    kept
        One flag a weight.
    output
        What is predicted.
    title
        Above the picture.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    figure = Figure(figsize=(9.5, 4.4), layout="constrained", facecolor=style.PAPER)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _draw_weights(left, model, kept, output)
    if model.kind == "linear":
        _draw_predictions(right, model, kept, output)
    else:
        _draw_decision(right, model, kept, output)
    style.title(left, title)
    words = f"{model.loss_name} {model.loss(kept):.{model.digits}f}"
    count = model.right(kept)
    style.title(right, words if count is None else f"{words}, {count} of {len(model.x)} right")
    return figure


def _places(model: TinyModel) -> dict[str, tuple[float, float]]:
    columns = [list(model.names), list(model.neurons), ["output"]]
    columns = [names for names in columns if names]
    return {
        name: (column, (len(names) - 1) / 2 - row)
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }


def _draw_weights(ax: Axes, model: TinyModel, kept: BoolArray, output: str) -> None:
    places, largest = _places(model), max(abs(wire.value) for wire in model.wires) or 1.0
    for wire, stays in zip(model.wires, kept, strict=True):
        _draw_wire(ax, wire, places, largest, stays=bool(stays))
    off = {name for name, names in model.neurons.items() if _all_cut(model, kept, names)}
    for name, (x, y) in places.items():
        look = {"mfc": style.PRUNED, "mec": style.PRUNED_EDGE} if name in off else {"mfc": style.PAPER}
        ax.plot(x, y, "o", **{"ms": 24, "mec": style.INK, "mew": 1.6, "zorder": 3, **look})
        word = output if name == "output" else name
        inside = name in model.neurons
        place = (0, 0) if inside else (-18 if x == 0 else 18, 0)
        align = "center" if inside else "right" if x == 0 else "left"
        _say(ax, word, (x, y), place, ha=align, fontsize=style.FONT)
        if name in model.biases:
            _say(ax, f"bias {_number(model.biases[name])}", (x, y), (0, -22), ha="center", fontsize=8)
    rows = max(y for _, y in places.values())
    ax.set(xlim=(-3 * _ROOM, max(x for x, _ in places.values()) + 3 * _ROOM), ylim=(-rows - 0.6, rows + 0.5))
    ax.axis("off")


def _draw_wire(
    ax: Axes, wire: Wire, places: dict[str, tuple[float, float]], largest: float, *, stays: bool
) -> None:
    (x0, y0), (x1, y1) = places[wire.start], places[wire.end]
    width = max(_WIDEST * abs(wire.value) / largest, 0.6)
    if stays:
        ax.plot([x0, x1], [y0, y1], color=style.KEPT, lw=width, zorder=1)
    else:
        ax.plot([x0, x1], [y0, y1], color=style.PRUNED_EDGE, lw=3.2, ls=(0, (2, 1.5)), zorder=1)
        ax.plot([x0, x1], [y0, y1], color=style.PRUNED, lw=1.6, ls=(0, (4, 3)), zorder=1)
    along = 0.5 if wire.end == "output" else 0.7
    box = {"boxstyle": "round,pad=0.25", "fc": style.PAPER, "ec": style.KEPT, "lw": 1}
    cut = {**box, "fc": style.PRUNED, "ec": style.PRUNED_EDGE, "ls": "--"}
    name = "" if wire.start == wire.name else f"{wire.name}: "
    ax.text(
        x0 + along * (x1 - x0),
        y0 + along * (y1 - y0),
        f"{name}{_number(wire.value)}{'' if stays else ' cut'}",
        ha="center",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
        bbox=box if stays else cut,
        zorder=4,
    )


def _say(ax: Axes, words: str, at: tuple[float, float], offset: tuple[float, float], **options: object) -> None:
    common = {"textcoords": "offset points", "va": "center", "color": style.INK, "zorder": 5}
    ax.annotate(words, at, offset, **{**common, **options})  # type: ignore[arg-type]


def _draw_predictions(ax: Axes, model: TinyModel, kept: BoolArray, output: str) -> None:
    number = min(len(model.x), _MOST_BARS)
    rows = np.arange(number)
    ax.barh(rows, model.predict(kept, model.x[:number]), 0.55, color=style.KEPT, label=f"predicted {output}")
    ax.plot(model.y[:number], rows, "D", ms=9, mfc="none", mec=style.PRUNED_EDGE, mew=2, label=f"true {output}")
    ax.set_yticks(rows, [f"{row + 1}" for row in rows])
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2, frameon=False, fontsize=style.SMALL
    )


def _draw_decision(ax: Axes, model: TinyModel, kept: BoolArray, output: str) -> None:
    low, high = np.floor(model.x.min(0)), np.ceil(model.x.max(0))
    across, down = (np.linspace(a, b if b > a else a + 1, _GRID) for a, b in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    z = model.predict(kept, grid).reshape(_GRID, _GRID)
    ax.contourf(across, down, z, levels=[-np.inf, 0, np.inf], colors=[style.PAPER, "#c9d3df"])
    if z.min() < 0 < z.max():
        ax.contour(across, down, z, levels=[0], colors=[style.INK], linewidths=1.6)
    wrong = (model.predict(kept, model.x) > 0) != model.y
    _scatter(ax, model.x[wrong], marker="o", ms=9, mfc="none", mec=style.PRUNED_EDGE, mew=1.8)
    _scatter(ax, model.x[model.y == 0], marker="x", ms=3.5, mec=style.QUIET, mew=0.9)
    _scatter(ax, model.x[model.y == 1], marker="o", ms=3.5, mfc=style.INK, mec=style.INK)
    ax.set(xlabel=model.names[0], ylabel=model.names[1], aspect="equal")
    note = f"dots: yes, crosses: no; shaded: it says “{output}”; ringed: wrong"
    ax.annotate(note, (0.5, 0), (0, -34), "axes fraction", "offset points", ha="center", va="top", fontsize=8)


def _scatter(ax: Axes, points: Array, **look: object) -> None:
    ax.plot(*points.T, ls="", **look)


def _all_cut(model: TinyModel, kept: BoolArray, names: list[str]) -> bool:
    return not any(stays for wire, stays in zip(model.wires, kept, strict=True) if wire.name in names)


def _number(value: float) -> str:
    return f"{round(value, 2):g}".replace("-", "\N{MINUS SIGN}")
