"""WeightExplorer: drag the sparsity of a network's weights, and see what is left and how well it does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pruneviz import frameworks
from pruneviz.core import criteria
from pruneviz.core.masks import Importance, Mask
from pruneviz.engine.how import How
from pruneviz.engine.model import Seen, network
from pruneviz.engine.scoring import refuse_nothing
from pruneviz.plots import plot_mask, plot_weight_histogram, style
from pruneviz.widgets.explorer import payload, weight_code
from pruneviz.widgets.explorer.explorer import Explorer
from pruneviz.widgets.explorer.parts import ACCURACY, HISTORY, LAYERS, SELECTORS, SLIDER, Part
from pruneviz.widgets.explorer.still import write_card
from pruneviz.widgets.frame import assets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.core.ranking import Ranking
    from pruneviz.widgets.explorer.history import State

_BARS, _DWARFS = 64, 3  # as in weights.js and draw.js
_COUNTS = ("nonzero", "parameters", "compact_bytes", "raw_bytes", "macs", "nonzero_macs")


def draw_mask(ax: Axes, view: WeightExplorer) -> None:
    """Draw what is left of the layer on view."""
    plot_mask(view.result(), view.layer, ax=ax)


def draw_histogram(ax: Axes, view: WeightExplorer) -> None:
    """Draw the bars of the live view: the outer ones hold what lies beyond, and may be equal in ratio."""
    layer = view.layer
    found = view.ranking["layers"][layer]["histogram"]
    low, high = found["low"], found["high"]
    edges = (np.geomspace if found["log"] else np.linspace)(low, high, _BARS + 1)
    shown = Importance({layer: np.clip(view.scores()[layer], low, high)}, "weight")
    threshold = (view.exact.get("threshold") or {}).get(layer) if view.is_measured else None
    if threshold is not None and not low <= threshold <= high:
        threshold = None  # a line that would be in no bar
    plot_weight_histogram(shown, layer, mask=view.result(), threshold=threshold, bins=edges.tolist(), ax=ax)
    if found["log"]:
        ax.set_xscale("log")
        ax.set_xlim(low, high)
    bars = np.reshape(found["counts"], (_BARS, -1)).sum(axis=1)
    second, first = np.sort(bars)[-2:]
    if first > _DWARFS * second:  # cut it off, with its number beside it
        ax.set_ylim(0, 1.5 * second)
        place = (edges[bars.argmax() + 1], 1.4 * second)
        ax.annotate(f" ↑ {style.grouped(first)}", place, va="top", fontsize=style.SMALL, color=style.QUIET)


def write_weights(ax: Axes, view: WeightExplorer) -> None:
    """Write what the weights that are left cost, and how well they do."""

    def rows(exact: dict[str, Any]) -> dict[str, str]:
        number = {name: style.grouped(exact[name]) for name in _COUNTS}
        return {
            "nonzero": f"{number['nonzero']} of {number['parameters']}",
            "file": f"{number['compact_bytes']} bytes, {number['raw_bytes']} plain",
            "MACs": f"{number['macs']} executed,",
            "": f"{number['nonzero_macs']} by nonzero weights",
        }

    write_card(ax, view, rows)


class WeightExplorer(Explorer):
    """A live view of pruning single weights; `pruneviz.explore` makes one.

    Its traits are those of `Explorer`: indices of `by_hand` are flat ones of a layer's weight, and the parts
    are ``slider, selectors, mask, histogram, accuracy, scorecard, layers, history``.
    """

    _esm = assets.script("explorer/weights.js")
    _css = assets.read("frame/style.css")
    parts: ClassVar = (
        SLIDER,
        SELECTORS,
        Part("mask", "grid", draw_mask, basic=True),
        Part("histogram", "grid", draw_histogram),
        replace(ACCURACY, basic=True),
        Part("scorecard", "stack", write_weights, measured=True),
        LAYERS,
        HISTORY,
    )
    words: ClassVar = tuple(word for word in criteria.names("weight") if word != "l2")

    def _described(self) -> dict[str, Any]:
        found, uses = Seen(self._model), self._meter.uses()
        self._exclude = tuple(
            name for name in self._exclude if name in found.layers
        )  # "auto" has nothing to say
        shown = [layer for layer in found.layers.layers if layer.name not in self._exclude]
        refuse_nothing(found, shown, How(exclude=self._exclude))
        return {
            "layer": max(shown, key=lambda layer: layer.weight.size).name,
            "layers": [
                {"name": layer.name, "shape": list(layer.shape), "uses": uses[layer.name]} for layer in shown
            ],
            "rest": self._meter.parameters() - sum(layer.weight.size for layer in shown),
        }

    def _packed(self, ranking: Ranking, scores: Importance) -> dict[str, Any]:
        return payload.packed(ranking, scores)

    def _entries(self, layer: Mapping[str, Any]) -> int:
        return math.prod(layer["shape"])

    def _edited(self, mask: Mask, by_hand: Mapping[str, Mapping[str, list[int]]]) -> Mask:
        arrays = mask.to_dict()
        for name, lists in by_hand.items():
            arrays[name].reshape(-1)[lists.get("cut", [])] = False
            arrays[name].reshape(-1)[lists.get("kept", [])] = True
        return Mask(arrays, mask.granularity)

    def _template(self) -> str:
        ranked = network(self._model)
        return weight_code.template(
            frameworks.adapter(self._model).name,
            {layer["name"]: ranked[layer["name"]] for layer in self.layers},
            self.given.names(self),
            criterion=self.criterion,
            scope=self.scope,
            x_is_bytes=self._scored_on[0].dtype == np.uint8,
        )

    def _more(self, state: State, found: Array, change: dict[str, Any]) -> dict[str, Any]:
        del found, change
        return {"threshold": self._thresholds(state)}

    def _thresholds(self, state: State) -> dict[str, float | None]:
        """Give the smallest kept score by layer, where the rule cuts; None where nothing is kept."""
        ranking, scores, _ = self._ranked(state.scope, state.criterion)
        kept = ranking.mask(state.sparsity)
        if state.scope == "layer":
            return {name: _smallest(scores[name][where]) for name, where in kept.items()}
        found = [_smallest(scores[name][where]) for name, where in kept.items()]
        return dict.fromkeys(kept, min((value for value in found if value is not None), default=None))


def _smallest(values: Array) -> float | None:
    return float(values.min()) if values.size else None
