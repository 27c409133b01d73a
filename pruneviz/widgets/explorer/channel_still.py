"""The static twin of ChannelExplorer's picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from pruneviz.plots import style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import BoolArray
    from pruneviz.widgets.explorer.channels import ChannelExplorer

_PANEL = (664.0, 196.0)  # what a wide panel measures, in points
_GAP = 7.0
_POWER = 0.3  # of a number of channels, for the side of a block
_LEGIBLE = 5.0  # points; more layers than that leaves room for stay without names
_GROUPS = 12
_LIT = 3.0  # at least so thick is a channel that is followed


def draw_chain(ax: Axes, view: ChannelExplorer) -> None:
    """Draw each layer as a block of weights, outputs down and inputs across, with what is pruned of both."""
    blocks = view.slices_drawn()
    names = {name: name.rpartition(".")[::2] for name in blocks}  # "block1.conv1" on two lines
    sides = {name: [len(left) ** _POWER for left, _ in axes] for name, axes in blocks.items()}
    tallest, widest = (max(side[axis] for side in sides.values()) for axis in (0, 1))
    longest = max(len(part) for parts in names.values() for part in parts)

    def fit(rows: int) -> tuple[float, float, int]:
        across = math.ceil(len(blocks) / rows)
        room = _PANEL[0] / across - _GAP
        font = min(style.SMALL, room / (0.6 * longest))
        return min((_PANEL[1] / rows - _GAP - 4 * font) / tallest, room / widest), font, across

    scale, font, across = max(fit(rows) for rows in range(1, 6))
    pitch, drop = _PANEL[0] / across, _PANEL[1] / math.ceil(len(blocks) / across)
    for place, (name, axes) in enumerate(blocks.items()):
        x, y = pitch * (place % across), drop * (place // across)
        height, width = (scale * side for side in sides[name])
        _draw_block(ax, (x, y), (width, height), axes)
        if font < _LEGIBLE:
            continue
        left = " × ".join(str(np.count_nonzero(kept)) for kept, _ in axes)
        lines = [(part, style.INK) for part in names[name] if part] + [(left, style.QUIET)]
        for line, (words, colour) in enumerate(lines):
            ax.text(x, y + height + 3 + 1.2 * font * line, words, va="top", fontsize=font, color=colour)
    ax.axis("off")
    ax.set(xlim=(-1, _PANEL[0]), ylim=(_PANEL[1], -1), aspect="equal", anchor="NW")
    followed = f"; channel {view.followed[1]} of {view.followed[0]} in white" if view.followed else ""
    style.title(ax, f"Weights left of each layer: outputs down, inputs across{followed}")


def _draw_block(
    ax: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    axes: list[tuple[BoolArray, BoolArray]],
) -> None:
    (rows, row_lit), (columns, column_lit) = axes
    (x, y), (width, height) = corner, size
    ax.imshow(
        np.outer(rows, columns), cmap=style.SHARE_KEPT, vmin=0, vmax=1, interpolation="none",
        extent=(x, x + width, y + height, y),
    )  # fmt: skip
    ax.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=style.PRUNED_EDGE, linewidth=0.6))
    for start, thick in _stretches(row_lit, height):
        _light(ax, (x, y + start), width, thick)
    for start, thick in _stretches(column_lit, width):
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


def write_groups(ax: Axes, view: ChannelExplorer) -> None:
    """Write how many channels are left of each group of tied layers; of the first, if there are many."""
    mask = view.result()
    for line, group in enumerate(view.groups[:_GROUPS]):
        name, more = group["name"], len(group["layers"]) - 1
        left = f"{np.count_nonzero(mask[name])} of {len(mask[name])} kept"
        tied = f"{name}, {more} tied to it" if more else name
        for x, words, colour in ((0.0, tied, style.INK), (0.7, left, style.QUIET)):
            y = 0.98 - line / _GROUPS
            ax.text(x, y, words, va="top", color=colour, fontsize=style.SMALL, transform=ax.transAxes)
    ax.axis("off")
    style.title(ax, "Groups of tied layers" + (", the first" if len(view.groups) > _GROUPS else ""))
