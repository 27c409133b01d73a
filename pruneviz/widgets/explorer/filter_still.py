"""The static twin of FilterExplorer's picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from pruneviz.plots import style
from pruneviz.widgets.explorer.still import draw_scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.widgets.explorer.filters import FilterExplorer

_MOST = 64  # filters; of more, and of dense layers, the panel shows the scores
_NUMBERED = 32
_SHAPE = 1.6  # width of the panel, in heights


def draw_filters(ax: Axes, view: FilterExplorer) -> None:
    """Draw the kernel of each filter of the layer on view in a frame, pale and dashed where it is pruned."""
    kernels, kept = view.kernels_of(view.layer), view.result()[view.layer]
    many = len(kernels)
    if not kernels.size or many > _MOST:
        draw_scores(ax, view)
        return
    scores = view.scores()[view.layer]
    order = np.argsort(scores, kind="stable")[::-1] if view.sort == "score" else np.arange(many)
    across = math.ceil(math.sqrt(_SHAPE * many))
    numbered = many <= _NUMBERED
    tall = 1.5 if numbered else 1.25  # a step down, where a picture is 1 high
    for place, i in enumerate(order):
        x, y = 1.2 * (place % across), tall * (place // across)
        ax.imshow(_coloured(kernels[i], pale=not kept[i]), extent=(x, x + 1, y + 1, y), interpolation="none")
        colour, dashes = (style.KEPT, "-") if kept[i] else (style.PRUNED_EDGE, "--")
        ax.add_patch(
            Rectangle((x - 0.06, y - 0.06), 1.12, 1.12, fill=False, edgecolor=colour, linestyle=dashes)
        )
        if numbered:
            ax.text(x + 0.5, y + 1.14, str(i), ha="center", va="top", fontsize=style.SMALL, color=style.INK)
    ax.axis("off")
    ax.set(xlim=(-0.2, 1.2 * across), ylim=(tall * math.ceil(many / across), -0.2), aspect="equal")
    style.title(ax, f"Filters of {view.layer}: {np.count_nonzero(kept)} of {many} kept")


def _coloured(kernel: Array, *, pale: bool) -> Array:
    """Lay the slices of a kernel side by side, in the colours of the plots."""
    slices, height, width = kernel.shape
    across = math.ceil(math.sqrt(slices))
    picture = np.ones((-(-slices // across) * (height + 1), across * (width + 1), 3))
    for s, values in enumerate(kernel):
        row, column = divmod(s, across)
        top, left = row * (height + 1), column * (width + 1)
        colours = style.WEIGHT((values + 128.0) / 255)[..., :3]
        picture[top : top + height, left : left + width] = colours
    joined = picture[:-1, :-1]
    return 0.3 * joined + 0.7 * np.array(to_rgb(style.PRUNED)) if pale else joined
