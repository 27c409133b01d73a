"""NeuronExplorer: silence the neurons of dense layers, one by one or by rule, and see what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t

from pruneviz.engine.model import network
from pruneviz.widgets.explorer import payload, still
from pruneviz.widgets.explorer.parts import ACCURACY, LAYERS, Part
from pruneviz.widgets.explorer.units import BELOW, CONTROLS, SCORECARD, UnitExplorer
from pruneviz.widgets.frame import assets

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array


class NeuronExplorer(UnitExplorer):
    """A live view of pruning neurons; `pruneviz.explore(…, granularity="neuron")` makes one.

    Its traits are those of `UnitExplorer`; the parts are ``slider, selectors, network, scores, accuracy,
    scorecard, layers, confusion, removal, changes, history``.
    """

    _esm = assets.script("explorer/neurons.js")
    granularity: ClassVar = "neuron"
    parts: ClassVar = (
        *CONTROLS,
        Part("network", "grid", still.draw_network),
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
