"""The static twin of NeuronExplorer's picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgba_array

from pruneviz.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.widgets.explorer.neurons import NeuronExplorer

_ROWS, _GAP = 24, 6


def draw_network(ax: Axes, view: NeuronExplorer) -> None:
    """Draw each layer as a block of dots that fade with activity, the pruned ones in orange."""
    mask, scores = view.result(), view.scores()
    active = np.frombuffer(view.activity, "<f4")
    x, first = 0, 0
    ax.axis("off")
    for layer in view.layers:
        name, many = layer["name"], layer["shape"][0]
        best = np.argsort(scores[name], kind="stable")[::-1]
        order = best if view.sort == "score" else np.arange(many)
        across = -(-many // _ROWS)
        column, row = np.arange(many) % across, np.arange(many) // across
        strength = active[first : first + many][order] / max(float(active[first : first + many].max()), 1e-12)
        _dots(ax, x + column, -row, mask[name][order], np.sqrt(strength))
        ax.text(x - 0.5, 1.2, f"{name}: {np.count_nonzero(mask[name])} of {many}", fontsize=style.FONT - 1)
        x, first = x + max(across, 7) + _GAP, first + many
    ax.set(xlim=(-1, x - _GAP + 1), ylim=(-_ROWS, 3), aspect="equal")
    style.title(ax, "Neurons kept; the fuller the colour, the more active")


def _dots(ax: Axes, x: Array, y: Array, kept: Array, strength: Array) -> None:
    faded = to_rgba_array(style.KEPT, strength[kept])
    ax.scatter(x[kept], y[kept], 16, color=faded, linewidth=0)
    ax.scatter(x[kept], y[kept], 16, facecolors="none", edgecolors=style.KEPT, linewidth=0.6)
    ax.scatter(x[~kept], y[~kept], 16, color=style.PRUNED, linewidth=0)
