"""NeuronExplorer: silence the neurons of dense layers, one by one or by rule, and see what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t
from matplotlib.colors import to_rgba_array

from pruneviz.engine.model import network
from pruneviz.plots import style
from pruneviz.widgets.explorer import payload
from pruneviz.widgets.explorer.parts import ACCURACY, LAYERS, Part
from pruneviz.widgets.explorer.units import BELOW, CONTROLS, SCORECARD, UnitExplorer
from pruneviz.widgets.frame import assets

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array

_ROWS, _APART = 24, 6  # of dots in a layer, and between layers


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
        x, first = x + max(across, 7) + _APART, first + many
    ax.set(xlim=(-1, x - _APART + 1), ylim=(-_ROWS, 3), aspect="equal")
    style.title(ax, "Neurons kept; the fuller the colour, the more active")


def _dots(ax: Axes, x: Array, y: Array, kept: Array, strength: Array) -> None:
    faded = to_rgba_array(style.KEPT, strength[kept])
    ax.scatter(x[kept], y[kept], 16, color=faded, linewidth=0)
    ax.scatter(x[kept], y[kept], 16, facecolors="none", edgecolors=style.KEPT, linewidth=0.6)
    ax.scatter(x[~kept], y[~kept], 16, color=style.PRUNED, linewidth=0)


class NeuronExplorer(UnitExplorer):
    """A live view of pruning neurons; `pruneviz.explore(…, granularity="neuron")` makes one.

    Its traits are those of `UnitExplorer`; the parts are ``slider, selectors, network, scores, accuracy,
    scorecard, layers, confusion, removal, changes, history``.
    """

    _esm = assets.script("explorer/neurons.js")
    granularity: ClassVar = "neuron"
    parts: ClassVar = (
        *CONTROLS,
        Part("network", "grid", draw_network),
        *(Part("scores", "grid"), ACCURACY, SCORECARD, LAYERS, *BELOW),
    )

    weights = t.Bytes().tag(sync=True)
    dense_layers = t.List(t.Dict()).tag(sync=True)
    looks_at = t.List(t.Int()).tag(sync=True)

    def _described(self) -> dict[str, Any]:
        layers = network(self._model).layers
        dense = [layer for layer in layers if layer.kind == "dense"]
        if sum(layer.weight.size for layer in dense) > payload.LARGEST:
            dense = []  # the picture does without connections
        image = self._meter.x.shape[1:]
        first = layers[0]
        sees_pixels = len(image) == 3 and image[2] == 1 and first.kind == "dense"
        return {
            **super()._described(),
            "dense_layers": [
                {"name": layer.name, "shape": list(layer.shape), "scale": _scale(layer.weight)}
                for layer in dense
            ],
            "weights": b"".join(_rounded(layer.weight).tobytes() for layer in dense),
            "looks_at": list(image[:2]) if sees_pixels and first.shape[1] == image[0] * image[1] else [],
        }


def _scale(weight: Array) -> float:
    """Give what one step of a signed byte stands for."""
    return float(np.abs(weight).max()) / 127 or 1.0


def _rounded(weight: Array) -> Array:
    """Round to signed bytes, enough for a picture."""
    return np.round(weight / _scale(weight)).astype(np.int8)
