"""The layers of a network one after the other, and what whole units take along in each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from pruneviz.core.masks import Mask
from pruneviz.engine.model import pruned_units
from pruneviz.plots import style
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array, BoolArray
    from pruneviz.core.units import Units

_PANEL = (664.0, 196.0)  # what a wide panel measures, in points
_GAP = 7.0
_POWER = 0.3  # of a number of units, for the side of a block
_LEGIBLE = 5.0  # points; more layers than that leaves room for stay without names
_LIT = 3.0  # at least so thick is a unit that is followed


@dataclass(frozen=True, eq=False)
class Side:
    """The outputs or the inputs of a layer, in the order in which they are drawn.

    Attributes
    ----------
    kept
        (n,), False for what is pruned.
    lit
        (n,), True for what belongs to the unit that is followed.
    """

    kept: BoolArray
    lit: BoolArray


Sides = tuple[Side, Side]


def plot_chain(
    mask: Mask,
    *,
    layers: Sequence[str] | None = None,
    scores: Mapping[str, Array] | None = None,
    followed: tuple[str, int] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each layer as a block of weights, outputs down and inputs across, with what is pruned of both.

    Parameters
    ----------
    mask
        A Mask of whole units, as `pruneviz.prune` makes it.
    layers
        The layers to draw, in their order; None draws all in the order of the model.
    scores
        Layer name -> (out,), such as an Importance: the best units come first; None leaves them in place.
    followed
        (layer, index) of an output: whatever goes with it is drawn white.
    title
        Replaces the title.
    ax
        Where to draw, at best three times as wide as high; None makes a new figure.

    Returns
    -------
    Axes
        With one image a layer.

    Raises
    ------
    TypeError
        If it is not a Mask of whole units, or followed is no layer with a whole number.
    ValueError
        If a layer is unknown, scores do not fit, or there is no such output, or it must stay.
    """
    blocks = sides(mask, layers, scores, followed)
    ax = canvas(ax, 9.5, 3.4)
    _draw_blocks(ax, blocks)
    ax.axis("off")
    ax.set(xlim=(-1, _PANEL[0]), ylim=(_PANEL[1], -1), aspect="equal", anchor="NW")
    what = f"{mask.granularity} {followed[1]} of {followed[0]}" if followed else ""
    heading = "Weights left of each layer: outputs down, inputs across" + (f"; {what} in white" * bool(what))
    style.title(ax, heading if title is None else title)
    describe(ax, _sentence(blocks, what))
    return ax


def sides(
    mask: Mask,
    layers: Sequence[str] | None = None,
    scores: Mapping[str, Array] | None = None,
    followed: tuple[str, int] | None = None,
) -> dict[str, Sides]:
    """Give the outputs and the inputs of each layer; the arguments are those of `plot_chain`."""
    units = mask.units if isinstance(mask, Mask) else None
    if units is None:
        raise TypeError('mask is not of whole units: give one of pv.prune(…, granularity="channel")')
    called = [name for name in units.of if name in units.columns]
    names = called if layers is None else list(layers)
    if not names or not set(names) <= set(called):
        raise ValueError(f"layers is {names}: choose from {', '.join(called)}")
    if followed is not None and (isinstance(followed, str) or len(followed) != 2):
        raise TypeError(f"followed is {followed!r}, not (layer, index)")
    left = ~np.append(pruned_units(units, mask), False)
    best = np.zeros(len(left))
    for name, values in (scores or {}).items():
        if name not in units.of or np.shape(values) != units.of[name].shape:
            raise ValueError(f"scores do not fit layer {name!r}: give one an output of {', '.join(units.of)}")
        best[units.of[name]] = values
    best[-1] = np.inf  # what must stay
    unit = unit_of(units, *followed) if followed else None
    found = {}
    for name in names:
        axes = [units.of[name], units.columns[name]]
        if scores is not None:
            axes = [ids[np.argsort(-best[ids], kind="stable")] for ids in axes]
        outputs, inputs = (Side(left[ids], ids == unit) for ids in axes)
        found[name] = (outputs, inputs)
    return found


def _draw_blocks(ax: Axes, blocks: Mapping[str, Sides]) -> None:
    names = {name: name.rpartition(".")[::2] for name in blocks}  # "block1.conv1" on two lines
    sizes = {name: [side.kept.size**_POWER for side in both] for name, both in blocks.items()}
    tallest, widest = (max(size[axis] for size in sizes.values()) for axis in (0, 1))
    longest = max(len(part) for parts in names.values() for part in parts)

    def fit(rows: int) -> tuple[float, float, int]:
        across = math.ceil(len(blocks) / rows)
        room = _PANEL[0] / across - _GAP
        font = min(style.SMALL, room / (0.6 * longest))
        return min((_PANEL[1] / rows - _GAP - 4 * font) / tallest, room / widest), font, across

    scale, font, across = max(fit(rows) for rows in range(1, 6))
    pitch, drop = _PANEL[0] / across, _PANEL[1] / math.ceil(len(blocks) / across)
    for place, (name, both) in enumerate(blocks.items()):
        x, y = pitch * (place % across), drop * (place // across)
        height, width = (scale * size for size in sizes[name])
        _draw_block(ax, (x, y), (width, height), both)
        if font < _LEGIBLE:
            continue
        lines = [(part, style.INK) for part in names[name] if part] + [(_shape(both), style.QUIET)]
        for line, (words, colour) in enumerate(lines):
            ax.text(x, y + height + 3 + 1.2 * font * line, words, va="top", fontsize=font, color=colour)


def _draw_block(ax: Axes, corner: tuple[float, float], size: tuple[float, float], both: Sides) -> None:
    outputs, inputs = both
    (x, y), (width, height) = corner, size
    ax.imshow(
        np.outer(outputs.kept, inputs.kept), cmap=style.SHARE_KEPT, vmin=0, vmax=1, interpolation="none",
        extent=(x, x + width, y + height, y),
    )  # fmt: skip
    ax.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=style.PRUNED_EDGE, linewidth=0.6))
    for start, thick in _stretches(outputs.lit, height):
        _light(ax, (x, y + start), width, thick)
    for start, thick in _stretches(inputs.lit, width):
        _light(ax, (x + start, y), thick, height)


def _stretches(lit: BoolArray, length: float) -> Iterator[tuple[float, float]]:
    """Give where each run of lit slices begins along a side, and how thick it is."""
    one = length / len(lit)
    edges = np.flatnonzero(np.diff(lit, prepend=False, append=False))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        thick = max(_LIT, (end - first) * one)
        yield (first + end) / 2 * one - thick / 2, thick


def _light(ax: Axes, corner: tuple[float, float], width: float, height: float) -> None:
    ax.add_patch(Rectangle(corner, width, height, facecolor=style.PAPER, edgecolor=style.INK, linewidth=0.5))


def _shape(both: Sides) -> str:
    return " × ".join(str(np.count_nonzero(side.kept)) for side in both)


def _sentence(blocks: Mapping[str, Sides], followed: str) -> str:
    parts = [
        f"{name} {_shape(both)} of {' × '.join(str(side.kept.size) for side in both)}"
        for name, both in blocks.items()
    ]
    lit = [name for name, both in blocks.items() if any(side.lit.any() for side in both)]
    text = f"Outputs × inputs left of each layer: {', '.join(parts)}."
    return f"{text} With {followed} go slices of {', '.join(lit)}." if followed else text


def unit_of(units: Units, layer: str, index: int) -> int:
    """Give the unit that an output of a layer belongs to.

    Raises
    ------
    TypeError
        If the index is not a whole number.
    ValueError
        If there is no such output, or it must stay.
    """
    of = units.of
    if layer not in of:
        raise ValueError(f"the model has no layer {layer!r}: it has {', '.join(of)}")
    if isinstance(index, bool) or not isinstance(index, int | np.integer):
        raise TypeError(f"index {index!r} is not a whole number")
    if not 0 <= index < len(of[layer]):
        raise ValueError(f"layer {layer!r} has outputs 0 to {len(of[layer]) - 1}, and no {index}")
    if of[layer][index] < 0:
        raise ValueError(
            f"output {index} of layer {layer!r} must stay: it is tied to the model's output or input"
        )
    return int(of[layer][index])
