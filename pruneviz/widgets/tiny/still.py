"""The static twin of TinyNetwork."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from matplotlib.figure import Figure

from pruneviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array, BoolArray
    from pruneviz.widgets.tiny.models import TinyModel, Wire

Place: TypeAlias = tuple[float, float]

_WIDEST = 8  # points
_GRID = 241
_MOST_BARS = 12


def draw(model: TinyModel, kept: BoolArray, *, output: str, noun: str, title: str) -> Figure:
    """Draw the weights, and beside them the predictions or decisions.

    Parameters
    ----------
    model
        The model.
    kept
        One flag a weight.
    output, noun
        What is predicted, and what one example is.
    title
        Above the picture.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    figure = Figure(figsize=(10, 4.6), layout="constrained", facecolor=style.PAPER)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _draw_weights(left, model, kept, output)
    if model.kind == "linear":
        _draw_predictions(right, model, kept, output, noun)
    else:
        _draw_decision(right, model, kept, output)
    style.title(left, title)
    words = f"{model.loss_name} {model.loss(kept):.{model.digits}f}"
    count = model.right(kept)
    style.title(right, words if count is None else f"{words}, {count} of {len(model.x)} right")
    return figure


def _places(model: TinyModel) -> dict[str, Place]:
    columns = [list(model.names), list(model.neurons), ["output"]]
    columns = [names for names in columns if names]
    across = (0, 1.6, 2.7) if model.neurons else (0, 2)
    apart = {len(model.neurons): 1.0, len(model.names): 1.35 if model.neurons else 1.0}
    return {
        name: (x, ((len(names) - 1) / 2 - row) * apart.get(len(names), 1.0))
        for x, names in zip(across, columns, strict=True)
        for row, name in enumerate(names)
    }


def _draw_weights(ax: Axes, model: TinyModel, kept: BoolArray, output: str) -> None:
    places, largest = _places(model), max(abs(wire.value) for wire in model.wires) or 1.0
    for wire, stays in zip(model.wires, kept, strict=True):
        _draw_wire(ax, wire, places, largest, stays=bool(stays))
    off = {name for name, names in model.neurons.items() if _all_cut(model, kept, names)}
    last = max(x for x, _ in places.values())
    for name, (x, y) in places.items():
        face, edge = (style.PRUNED, style.PRUNED_EDGE) if name in off else (style.PAPER, style.INK)
        ax.plot(x, y, "o", ms=24, mfc=face, mec=edge, mew=1.6, zorder=3)
        words = output if name == "output" else name
        if name in model.neurons:
            _say(ax, words, (x, y), (0, 0), "center")
        else:
            _say(ax, words, (x, y), (-18, 0) if x == 0 else (18, 0), "right" if x == 0 else "left")
        if name in model.biases:
            beside = y == 0  # between the wires; the others stand above or below all wires
            offset = (18 if x == last else 13, -15) if beside else (0, 22 if y > 0 else -22)
            words = f"bias {_number(model.biases[name])}"
            _say(ax, words, (x, y), offset, "left" if beside else "center", 8)
    top = max(y for _, y in places.values())
    ax.set(xlim=(-0.28 * last, 1.28 * last), ylim=(-top - 0.5, top + 0.5))
    ax.axis("off")


def _draw_wire(ax: Axes, wire: Wire, places: dict[str, Place], largest: float, *, stays: bool) -> None:
    (x0, y0), (x1, y1) = places[wire.start], places[wire.end]
    width = max(_WIDEST * abs(wire.value) / largest, 0.6)
    if stays:
        ax.plot([x0, x1], [y0, y1], color=style.KEPT, lw=width, zorder=1)
    else:
        ax.plot([x0, x1], [y0, y1], color=style.PRUNED_EDGE, lw=3.2, ls=(0, (2, 1.5)), zorder=1)
        ax.plot([x0, x1], [y0, y1], color=style.PRUNED, lw=1.6, ls=(0, (4, 3)), zorder=1)
    along = 0.7 if wire.end in places and wire.end != "output" else 0.5
    box = {"boxstyle": "round,pad=0.25", "fc": style.PAPER, "ec": style.KEPT, "lw": 1}
    cut = {**box, "fc": style.PRUNED, "ec": style.PRUNED_EDGE, "ls": "--"}
    name = "" if wire.start == wire.name else f"{wire.name}: "
    ax.text(
        x0 + along * (x1 - x0),
        y0 + along * (y1 - y0),
        f"{name}{_number(wire.value)}",
        ha="center",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
        bbox=box if stays else cut,
        zorder=4,
    )


def _say(ax: Axes, words: str, at: Place, offset: Place, ha: str, size: int = style.FONT) -> None:
    look: dict[str, Any] = {"va": "center", "fontsize": size, "color": style.INK, "zorder": 5}
    ax.annotate(words, at, offset, textcoords="offset points", ha=ha, **look)


def _draw_predictions(ax: Axes, model: TinyModel, kept: BoolArray, output: str, noun: str) -> None:
    number = min(len(model.x), _MOST_BARS)
    rows = np.arange(number)
    ax.barh(rows, model.predict(kept, model.x[:number]), 0.55, color=style.KEPT, label=f"predicted {output}")
    ax.plot(model.y[:number], rows, "D", ms=9, mfc="none", mec=style.CUT, mew=2, label=f"true {output}")
    ax.set_yticks(rows, [f"{noun} {row + 1}" for row in rows])
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2, frameon=False, fontsize=style.SMALL)


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
    ax.locator_params(nbins=4)
    note = f"dots: yes, crosses: no; shaded: it says “{output}”; ringed: wrong"
    ax.annotate(note, (0.5, 0), (0, -34), "axes fraction", "offset points", ha="center", va="top", fontsize=8)


def _scatter(ax: Axes, points: Array, **look: Any) -> None:  # noqa: ANN401
    ax.plot(*points.T, ls="", **look)


def _all_cut(model: TinyModel, kept: BoolArray, names: list[str]) -> bool:
    return not any(stays for wire, stays in zip(model.wires, kept, strict=True) if wire.name in names)


def _number(value: float) -> str:
    return f"{round(value, 2):g}".replace("-", "\N{MINUS SIGN}")
