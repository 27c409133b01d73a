"""NeuronExplorer: silence the neurons of dense layers, one by one or by rule, and see what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t
from matplotlib.colors import to_rgba_array

from pruneviz.engine.model import network
from pruneviz.engine.scoring import importance
from pruneviz.plots import style
from pruneviz.widgets.explorer import payload
from pruneviz.widgets.explorer.images import ImageExplorer, draw_outputs
from pruneviz.widgets.explorer.parts import ACCURACY, LAYERS, Part
from pruneviz.widgets.explorer.units import BELOW, CONTROLS, SCORECARD
from pruneviz.widgets.frame import assets
from pruneviz.widgets.frame.given import Whole, pictures
from pruneviz.widgets.frame.wire import ARRAYS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array

_ROWS, _APART = 24, 6  # of dots in a layer, and between layers


def draw_network(ax: Axes, view: NeuronExplorer) -> None:
    """Draw each layer as a block of dots that fade with activity, the pruned ones in orange."""
    mask, scores = view.result(), view.scores()
    x = 0
    ax.axis("off")
    for layer in view.layers:
        name, many = layer["name"], layer["shape"][0]
        best = np.argsort(scores[name], kind="stable")[::-1]
        order = best if view.sort == "score" else np.arange(many)
        across = -(-many // _ROWS)
        column, row = np.arange(many) % across, np.arange(many) // across
        active = view.pictured["activity"][name]
        strength = active[order] / max(float(active.max()), 1e-12)
        _dots(ax, x + column, -row, mask[name][order], np.sqrt(strength))
        ax.text(x - 0.5, 1.2, f"{name}: {np.count_nonzero(mask[name])} of {many}", fontsize=style.FONT - 1)
        x += max(across, 7) + _APART
    ax.set(xlim=(-1, x - _APART + 1), ylim=(-_ROWS, 3), aspect="equal")
    style.title(ax, "Neurons kept, fuller where more active")
    draw_outputs(ax, view)


def _dots(ax: Axes, x: Array, y: Array, kept: Array, strength: Array) -> None:
    faded = to_rgba_array(style.KEPT, strength[kept])
    ax.scatter(x[kept], y[kept], 16, color=faded, linewidth=0)
    ax.scatter(x[kept], y[kept], 16, facecolors="none", edgecolors=style.KEPT, linewidth=0.6)
    ax.scatter(x[~kept], y[~kept], 16, color=style.PRUNED, linewidth=0)


class NeuronExplorer(ImageExplorer):
    """A live view of pruning neurons; `pruneviz.explore(…, granularity="neuron")` makes one.

    Its traits are those of `ImageExplorer`, whose `image` is -1 for the mean activity over all; the parts are
    ``slider, selectors, network, scores, accuracy, scorecard, layers, confusion, removal, changes, history``.
    """

    _esm = assets.script("explorer/neurons.js")
    granularity: ClassVar = "neuron"
    first_image: ClassVar = -1
    _mean: dict[str, Array] | None = None
    parts: ClassVar = (
        *CONTROLS,
        Part("network", "grid", draw_network, basic=True),
        *(Part("scores", "grid"), ACCURACY, SCORECARD, LAYERS, *BELOW),
    )

    image = Whole(-1).tag(sync=True, echo_update=False)
    dense_layers = t.List(t.Dict(), read_only=True).tag(sync=True, **ARRAYS)
    looks_at = t.List(t.Int(), read_only=True).tag(sync=True)

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
                {"name": layer.name, "scale": _scale(layer.weight), "weight": _rounded(layer.weight)}
                for layer in dense
            ],
            "looks_at": list(image[:2]) if sees_pixels and first.shape[1] == image[0] * image[1] else [],
        }

    def _pictured(self) -> dict[str, Any]:
        x, y = self._meter.x, self._meter.labels
        if self.image >= 0:
            one = slice(self.image, self.image + 1)
            return {**super()._pictured(), "activity": self._activity(x[one], y[one])}
        if self._mean is None:
            self._mean = self._activity(x, y)
        mean = x.mean(axis=0, keepdims=True)
        picture = pictures(mean / 255 if x.dtype == np.uint8 else mean)
        return {"index": -1, "picture": picture, "activity": self._mean}

    def _activity(self, x: Array, y: Array) -> dict[str, Array]:
        found = importance(self._model, granularity=self.granularity, criterion="activation", data=(x, y))
        return {layer["name"]: found[layer["name"]].astype(np.float32) for layer in self.layers}


def _scale(weight: Array) -> float:
    """Give what one step of a signed byte stands for."""
    return float(np.abs(weight).max()) / 127 or 1.0


def _rounded(weight: Array) -> Array:
    """Round to signed bytes, enough for a picture."""
    return np.round(weight / _scale(weight)).astype(np.int8)
