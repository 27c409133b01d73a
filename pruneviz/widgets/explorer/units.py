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
from pruneviz.core.masks import Importance, Mask
from pruneviz.core.plan import Plan, plan
from pruneviz.engine.model import Seen, network, pruned_units
from pruneviz.measures.scorecards import scorecard
from pruneviz.methods.removing import check_removed
from pruneviz.methods.removing import remove as remove_units
from pruneviz.plots import plot_confusion, plot_scores, style
from pruneviz.widgets.explorer import unit_code, unit_payload
from pruneviz.widgets.explorer.explorer import Explorer
from pruneviz.widgets.explorer.parts import ACCURACY, HISTORY, LAYERS, SELECTORS, SLIDER, Part
from pruneviz.widgets.explorer.still import write_card
from pruneviz.widgets.frame import assets, code
from pruneviz.widgets.frame.wire import ARRAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.core.ranking import Ranking
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
    Part("removal", "stack", measured=True),
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
    against = t.Enum(["whole", "before"], "whole").tag(sync=True, echo_update=False)
    wanted = t.Dict().tag(sync=True, echo_update=False)
    removal = t.Dict(read_only=True).tag(sync=True)

    noun = t.Unicode(read_only=True).tag(sync=True)
    wires = t.List(t.Dict(), read_only=True).tag(sync=True, **ARRAYS)
    changes = t.Dict(read_only=True).tag(sync=True, **ARRAYS)

    _before: tuple[State, Array] | None = None  # the last state but one that was measured, and its answers
    _last: tuple[State, Array] | None = None

    def __init__(self, model: object, data: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(model, data, **options)
        self.observe(self._settle, ["wanted", "against"])

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
        small, removal = self._removed(state)
        self._tell(removal=removal)
        return small

    @property
    def snippet(self) -> str:
        """What Show code shows at present."""
        removed = "problem" not in self.removal and self.removal.get("state") == self.state()
        return code.smaller(super().snippet, removed=removed)

    # -- what the browser is told ------------------------------------------------------------------------

    def _described(self) -> dict[str, Any]:
        self._structure = Seen(self._model, self._scored_on[0][:1]).structure
        every = self._structure.units.only(self.granularity)
        self._exclude = tuple(every.left_alone(self._exclude))
        units = self._units = every.without(self._exclude)
        names, layers = units.names(), network(self._model)
        if not names:
            raise ValueError(self._structure.units.nothing(self.granularity))
        scaled = {name for name, parts in frameworks.adapter(self._model).norms().items() if "scale" in parts}
        norms = np.concatenate([*(ids for name, ids in units.norms.items() if name in scaled), [-1]])
        if all(np.isin(units.ids(name), norms).all() for name in names):
            self._criteria["bn_scale"] = "bn_scale"
        wires = unit_payload.wires(self._model, self._structure, self._meter.uses())
        counted = unit_payload.cost(wires, 0, Plan())["parameters"]
        return {
            "noun": f"{self.granularity}s",
            "layer": names[0],
            "layers": [
                {"name": name, "shape": list(layers[name].shape), "id": units.ids(name).astype(np.int32)}
                for name in names
            ],
            "rest": self._meter.parameters() - counted,
            "wires": wires,
        }

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
            self.given.names(self),
        )

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
            change = self._meter.compared(self._before[1], found)
        self._tell(changes={**change, "with": against, "state": state.traits()})
        return {"confusion": table.tolist(), "smaller": self._smaller(self._mask(state))}

    def _smaller(self, mask: Mask) -> dict[str, Any]:
        """Count what the network costs without the pruned units, or say why they cannot go."""
        found = self._structure
        pruned = pruned_units(found.units, mask)
        layers = network(self._model).layers
        try:
            kept = plan(found, layers, pruned)
        except ValueError as error:
            return {"problem": str(error)}
        return unit_payload.cost(self.wires, self.rest, kept)

    def _measure_more(self, state: State) -> Iterator[float]:
        if self.wanted == state.traits() != self.removal.get("state"):
            yield 0.1
            try:
                removal = self._removed(state)[1]
            except ValueError as error:
                removal = {"state": state.traits(), "problem": str(error)}
            self._tell(removal=removal)

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
