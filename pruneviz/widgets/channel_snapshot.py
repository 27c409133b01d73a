"""The static twin of ChannelExplorer's picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from pruneviz.plots import style
from pruneviz.widgets.snapshot import UNIT_PANELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.arrays import BoolArray
    from pruneviz.widgets.channel_explorer import ChannelExplorer

_ACROSS = 11
_POWER = 0.3  # of a number of channels, for the side of a block


def _draw_chain(ax: Axes, view: ChannelExplorer) -> None:
    """Draw each layer as a block of weights, outputs down and inputs across, with what is pruned of both."""
    blocks = view.slices_drawn()
    most = max(len(left) for axes in blocks.values() for left, _ in axes)
    across = min(_ACROSS, len(blocks))
    for place, (name, axes) in enumerate(blocks.items()):
        x, y = 1.3 * (place % across), 1.6 * (place // across)
        _draw_block(ax, (x, y), name, axes, most)
    ax.axis("off")
    ax.set(xlim=(-0.1, 1.3 * across), ylim=(1.6 * math.ceil(len(blocks) / across), -0.1), aspect="equal")
    followed = f"; channel {view.followed[1]} of {view.followed[0]} in white" if view.followed else ""
    style.title(ax, f"Weights left of each layer: outputs down, inputs across{followed}")


def _draw_block(
    ax: Axes, corner: tuple[float, float], name: str, axes: list[tuple[BoolArray, BoolArray]], most: int
) -> None:
    (rows, row_lit), (columns, column_lit) = axes
    x, y = corner
    height, width = ((len(left) / most) ** _POWER for left in (rows, columns))
    ax.imshow(
        np.outer(rows, columns), cmap=style.SHARE_KEPT, vmin=0, vmax=1, interpolation="none",
        extent=(x, x + width, y + height, y),
    )  # fmt: skip
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=style.PRUNED_EDGE, linewidth=0.6))
    for place in np.flatnonzero(row_lit):
        _light(ax, (x, y + place * height / len(rows)), width, height / len(rows))
    for place in np.flatnonzero(column_lit):
        _light(ax, (x + place * width / len(columns), y), width / len(columns), height)
    left = f"{np.count_nonzero(rows)} × {np.count_nonzero(columns)}"
    for line, (words, colour) in enumerate(((name, style.INK), (left, style.QUIET))):
        ax.text(x, y + height + 0.04 + 0.16 * line, words, va="top", fontsize=style.SMALL - 2, color=colour)


def _light(ax: Axes, corner: tuple[float, float], width: float, height: float) -> None:
    ax.add_patch(Rectangle(corner, width, height, facecolor=style.PAPER, edgecolor=style.INK, linewidth=0.5))


CHANNEL_PANELS = {"chain": _draw_chain, **UNIT_PANELS}
