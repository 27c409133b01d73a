"""What explorers of whole units share: neurons, filters, channels.

A subclass sets `granularity`, and adds its picture as one more part::

    class NeuronExplorer(UnitExplorer):
        _esm = assets.script("explorer/neurons.js")
        granularity = "neuron"
        parts = (*CONTROLS, Part("network", "grid", draw_network), *UnitExplorer.parts[2:])

and neurons.js ends with ``export default explorer(Units, { ...unitDrawings, network: networkPart })``, where
``networkPart(frame, units)`` gives an element; unit_counts.js says what `units` offers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t

from pruneviz import frameworks
from pruneviz.core import criteria
from pruneviz.core.masks import Importance, Mask, Ranking
from pruneviz.core.plan import plan
from pruneviz.engine.model import network, pruned_units, structure
from pruneviz.engine.removing import check_removed
from pruneviz.engine.removing import remove as remove_units
from pruneviz.engine.scorecards import scorecard
from pruneviz.engine.scoring import importance
from pruneviz.plots import plot_confusion, plot_scores, style
from pruneviz.widgets.explorer import history, unit_code, unit_payload
from pruneviz.widgets.explorer.explorer import Explorer
from pruneviz.widgets.explorer.parts import ACCURACY, HISTORY, LAYERS, SELECTORS, SLIDER, Part
from pruneviz.widgets.explorer.still import write_card
from pruneviz.widgets.frame import assets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.widgets.explorer.history import State


def draw_scores(ax: Axes, view: UnitExplorer) -> None:
    """Draw the scores of the layer on view as bars."""
    plot_scores(
        view.scores(), view.layer, mask=view.result(), order=view.sort, criterion=view.criterion, ax=ax
    )


def draw_confusion(ax: Axes, view: UnitExplorer) -> None:
    """Draw which class was taken for which."""
    plot_confusion(view.exact["confusion"], ax=ax)


def write_units(ax: Axes, view: UnitExplorer) -> None:
    """Write what the units that are left cost, and how well they do."""
    mask = view.result()

    def rows(exact: dict[str, Any]) -> dict[str, str]:
        smaller = exact["smaller"]
        return {
            view.noun: f"{style.grouped(mask.kept)} of {style.grouped(mask.total)} kept",
            "masked": _cost(exact),
            "removed": "not possible here" if "problem" in smaller else _cost(smaller),
        }

    write_card(ax, view, rows)


def _cost(of: dict[str, int]) -> str:
    return f"{style.grouped(of['parameters'])} parameters, {style.grouped(of['macs'])} MACs"


CONTROLS = (SLIDER, SELECTORS)
SCORES = Part("scores", "grid", draw_scores)
SCORECARD = Part("scorecard", "stack", write_units, measured=True)
BELOW = (
    Part("confusion", "end", draw_confusion, measured=True),
    Part("removal", "end", measured=True),
    Part("changes", "end", measured=True),
    HISTORY,
)
_PROOF = 1000  # images on which the smaller model is compared with the masked one


class UnitExplorer(Explorer):
    """A live view of pruning whole units.

    The traits are those of `Explorer`, whose `by_hand` holds indices of outputs here, and

    Attributes
    ----------
    sort
        ``"score"`` or ``"place"``: the order in which units are drawn.
    image
        Index into the data of the image whose activity is shown; -1 for the mean over all.
    wanted
        The state whose pruned units are to be removed; `remove` and the view's button set it.
    removal
        What removing them gave, and of which state: shapes, parameters, MACs and bytes before and after, and
        the largest relative difference between the outputs of the masked and the smaller model.
    against
        What answers are compared with: ``"whole"``, the whole model, or ``"before"``, the state that was
        measured before the present one.
    changes
        How the answers differ from those.
    """

    _esm = assets.script("explorer/units.js")
    _css = assets.read("frame/style.css") + assets.read("explorer/units.css")
    granularity: ClassVar[str] = "neuron"
    keep_at_least: ClassVar = 1
    alike: ClassVar = (0,)  # at 1 each layer keeps its best
    parts: ClassVar[tuple[Part, ...]] = (*CONTROLS, SCORES, ACCURACY, SCORECARD, LAYERS, *BELOW)
    words: ClassVar = tuple(word for word in criteria.names("neuron") if word != "bn_scale")

    sort = t.Enum(["score", "place"], "score").tag(sync=True, echo_update=False)
    image = t.Int(-1).tag(sync=True, echo_update=False)
    against = t.Enum(["whole", "before"], "whole").tag(sync=True, echo_update=False)
    wanted = t.Dict().tag(sync=True, echo_update=False)
    removal = t.Dict().tag(sync=True)

    noun = t.Unicode().tag(sync=True)
    ids = t.Bytes().tag(sync=True)
    scored = t.Bytes().tag(sync=True)
    wires = t.List(t.Dict()).tag(sync=True)
    wired = t.Bytes().tag(sync=True)
    activity = t.Bytes().tag(sync=True)
    pixels = t.Bytes().tag(sync=True)
    pictured = t.Dict().tag(sync=True)
    changes = t.Dict().tag(sync=True)
    changed = t.Bytes().tag(sync=True)

    _before: tuple[State, Array] | None = None  # the last state but one that was measured, and its answers
    _last: tuple[State, Array] | None = None

    _mean_activity: Importance | None = None

    def __init__(self, model: object, data: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(model, data, **options)
        self._show_image()
        self.observe(self._show_image, "image")
        self.observe(self._settle, ["wanted", "against"])

    @t.validate("image")
    def _check_image(self, proposal: dict[str, Any]) -> int:
        if self.n and not -1 <= proposal["value"] < self.n:
            raise t.TraitError(
                f"image {proposal['value']} is not one of the {self.n:,} images, nor -1 for all of them"
            )
        return int(proposal["value"])

    def remove(self) -> Any:  # noqa: ANN401
        """Build the smaller model: the units that are pruned at present are gone, the model stays as it is.

        Returns
        -------
        model
            As `pruneviz.remove` gives it; `removal` says what became smaller.

        Raises
        ------
        ValueError
            If what is left would not compute what the masked model does; the message says why.
        """
        state = self._present()
        self.wanted = state.traits()
        small, self.removal = self._removed(state)
        return small

    # -- what the browser is told ------------------------------------------------------------------------

    def _described(self) -> dict[str, Any]:
        self._structure = structure(self._model, self._scored_on[0][:1])
        self._units = self._structure.units.only(self.granularity).without(self._exclude)
        names, layers = self._units.names(), network(self._model)
        if not names:
            raise ValueError(f"the model has no {self.granularity}s to prune")
        wires, wired = unit_payload.wires(self._model, self._structure, self._meter.uses())
        counted = sum(layer["rows"] * (layer["each"] + layer["columns"] * layer["area"]) for layer in wires)
        return {
            "noun": f"{self.granularity}s",
            "layer": names[0],
            "layers": [
                {"name": name, "shape": list(layers[name].shape), "kind": layers[name].kind} for name in names
            ],
            "rest": self._meter.parameters() - counted,
            "wires": wires,
            "wired": np.concatenate(wired).astype("<i4").tobytes(),
        }

    def _offer_bn_scale(self) -> None:
        """Let learners choose "bn_scale" where every unit passes a BatchNorm."""
        norms = np.concatenate([*self._units.norms.values(), [-1]])
        if all(np.isin(self._units.ids(name), norms).all() for name in self._units.names()):
            self._criteria["bn_scale"] = "bn_scale"

    def _packed(self, ranking: Ranking, scores: Importance) -> dict[str, Any]:
        return unit_payload.packed(ranking, scores)

    def _entries(self, layer: Mapping[str, Any]) -> int:
        return int(layer["shape"][0])

    def _template(self) -> str:
        ranking, layers = self._ranking(), network(self._model)
        return unit_code.template(
            frameworks.adapter(self._model).name,
            {name: layers[name] for name in ranking.ranks},
            frameworks.adapter(self._model).norms(),
            ranking,
            self.criterion,
            self._exclude,
        )

    def _show_image(self, _change: object = None) -> None:
        with self.hold_sync():
            for name, value in self._pictured().items():
                setattr(self, name, value)

    def _pictured(self) -> dict[str, Any]:
        """Give the traits that tell of the chosen image: how active each unit is, and the picture."""
        x, y = self._meter.x, self._meter.labels
        if self.image < 0:
            scores = self._mean_activity = self._mean_activity or self._activity(x, y)
            shape, pixels = history.pictures(x.mean(axis=0, keepdims=True), [{"index": 0}])
            facts = {"index": -1, "shape": shape}
        else:
            one = slice(self.image, self.image + 1)
            scores = self._activity(x[one], y[one])
            shape, pixels = history.pictures(x, [{"index": self.image}])
            facts = {"index": self.image, "truth": int(y[self.image]), "shape": shape}
        names = [layer["name"] for layer in self.layers]
        return {
            "activity": b"".join(scores[name].astype("<f4").tobytes() for name in names),
            "pixels": pixels,
            "pictured": facts,
        }

    def _activity(self, x: Array, y: Array) -> Importance:
        return importance(self._model, granularity=self.granularity, criterion="activation", data=(x, y))

    # -- masks -------------------------------------------------------------------------------------------

    @t.validate("by_hand")
    def _check_by_hand(self, proposal: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is not there or must stay, and give tied outputs one fate."""
        fate = {}
        for name, lists in super()._check_by_hand(proposal).items():
            for word in ("cut", "kept"):
                for index in lists.get(word, ()):
                    unit = int(self._units.ids(name)[index])
                    if unit < 0:
                        raise t.TraitError(f"by_hand: output {index} of layer {name!r} must stay")
                    fate[unit] = word
        found = {}
        for name in self._units.names():
            fates = np.array([fate.get(int(unit), "") for unit in self._units.ids(name)])
            lists = {word: np.flatnonzero(fates == word).tolist() for word in ("cut", "kept")}
            if any(lists.values()):
                found[name] = lists
        return found

    def _edited(self, mask: Mask, by_hand: Mapping[str, Mapping[str, list[int]]]) -> Mask:
        arrays = mask.to_dict()
        for name, lists in by_hand.items():
            arrays[name][lists.get("cut", [])] = False
            arrays[name][lists.get("kept", [])] = True
        return Mask(arrays, mask.granularity, mask.units)

    # -- measuring ---------------------------------------------------------------------------------------

    def _more(self, state: State, found: Array, change: dict[str, Any]) -> dict[str, Any]:
        labels = self._meter.labels
        classes = int(max(labels.max(), found.max())) + 1
        table = np.bincount(labels * classes + found, minlength=classes * classes).reshape(classes, classes)
        if self._last is not None and self._last[0] != state:
            self._before = self._last
        self._last = (state, found)
        against: dict[str, Any] = {}
        if self.against == "before" and self._before is not None:
            against = self._before[0].traits()
            change = history.comparison(self._before[1], found, labels)
        shape, pixels = history.pictures(self._meter.x, change["images"])
        self.changes = {**change, "shape": shape, "with": against, "state": state.traits()}
        self.changed = pixels
        return {"confusion": table.tolist(), "smaller": self._smaller(self._mask(state))}

    def _smaller(self, mask: Mask) -> dict[str, Any]:
        """Count what the network costs without the pruned units, or say why they cannot go."""
        found = self._structure
        pruned = pruned_units(found.units, mask)
        layers = network(self._model).layers
        try:
            kept = plan(found.graph, found.units, found.labels, layers, pruned)
        except ValueError as error:
            return {"problem": str(error)}
        return unit_payload.cost(self.wires, self.rest, kept)

    def _measure_more(self, state: State) -> Iterator[float]:
        if self.wanted == state.traits() != self.removal.get("state"):
            yield 0.1
            try:
                self.removal = self._removed(state)[1]
            except ValueError as error:
                self.removal = {"state": state.traits(), "problem": str(error)}

    def _removed(self, state: State) -> tuple[Any, dict[str, Any]]:
        mask, x = self._mask(state), self._meter.x
        small = remove_units(self._model, mask, x[:8])
        before, after = self._card(state), scorecard(small, (x, self._meter.labels))
        shapes, left = network(self._model), network(small)
        return small, {
            "state": state.traits(),
            "layers": [
                {"name": name, "before": list(layer.shape), "after": list(left[name].shape)}
                for name, layer in shapes.items()
            ],
            **{
                word: [getattr(before, word), getattr(after, word)]
                for word in ("parameters", "macs", "raw_bytes", "compact_bytes")
            },
            "difference": check_removed(self._model, mask, small, x[:_PROOF]),
            "images": len(x[:_PROOF]),
            "other": int(np.count_nonzero(before.predictions != after.predictions)),
        }
