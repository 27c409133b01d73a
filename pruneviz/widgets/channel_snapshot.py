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

    from pruneviz.arrays import Array
    from pruneviz.widgets.channel_explorer import ChannelExplorer

_ACROSS = 7
_POWER = 0.3  # of a number of channels, for the side of a block


def _draw_chain(ax: Axes, view: ChannelExplorer) -> None:
    """Draw each layer as a block of weights, outputs down and inputs across, with what is pruned of both."""
    blocks = view.slices_kept()
    most = max(len(axis) for axes in blocks.values() for axis in axes)
    followed = view.coupled(*view.followed) if view.followed else {"outputs": {}, "inputs": {}}
    across = min(_ACROSS, len(blocks))
    for place, (name, (rows, columns)) in enumerate(blocks.items()):
        x, y = 1.25 * (place % across), 1.5 * (place // across)
        height, width = ((len(axis) / most) ** _POWER for axis in (rows, columns))
        ax.imshow(
            np.outer(rows, columns), cmap=style.SHARE_KEPT, vmin=0, vmax=1, interpolation="none",
            extent=(x, x + width, y + height, y),
        )  # fmt: skip
        ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=style.PRUNED_EDGE, linewidth=0.6))
        for index in followed["outputs"].get(name, ()):
            ax.plot((x, x + width), [y + (index + 0.5) * height / len(rows)] * 2, color=style.PAPER, lw=1.5)
        for low, high in _runs(followed["inputs"].get(name, [])):
            middle = x + (low + high + 1) / 2 * width / len(columns)
            ax.plot([middle] * 2, (y, y + height), color=style.PAPER, lw=1.5)
        ax.text(x, y + height + 0.03, name, va="top", fontsize=style.SMALL - 3, color=style.INK)
        left = f"{np.count_nonzero(rows)} × {np.count_nonzero(columns)}"
        ax.text(x, y + height + 0.2, left, va="top", fontsize=style.SMALL - 3, color=style.QUIET)
    ax.axis("off")
    ax.set(xlim=(-0.1, 1.25 * across), ylim=(1.5 * math.ceil(len(blocks) / across), -0.1), aspect="equal")
    style.title(ax, "Weights left: outputs down, inputs across")


def _runs(indices: list[int]) -> list[tuple[int, int]]:
    """Join neighbours: [3, 4, 5, 9] -> [(3, 5), (9, 9)]."""
    parts: list[Array] = (
        np.split(np.array(indices), np.flatnonzero(np.diff(indices) > 1) + 1) if indices else []
    )
    return [(int(part[0]), int(part[-1])) for part in parts]


CHANNEL_PANELS = {"chain": _draw_chain, **UNIT_PANELS}
