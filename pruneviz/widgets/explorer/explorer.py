"""What all explorers share: one state, its mask, and what is measured of it, whatever is pruned.

A subclass says what an entry is: it sets `granularity`, `parts` and `words`, and fills in `_described`,
`_packed`, `_edited`, `_template` and `_entries`; `_more` and `_measure_more` let it measure more than
accuracy and cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t

from pruneviz.core.ranking import Ranking, rank
from pruneviz.engine.pruning import apply
from pruneviz.engine.scoring import importance
from pruneviz.widgets.explorer import measuring
from pruneviz.widgets.explorer.history import State, by_hand
from pruneviz.widgets.explorer.parts import Part, basic, draw
from pruneviz.widgets.frame import code
from pruneviz.widgets.frame.given import left_alone, share, shown
from pruneviz.widgets.frame.names import Given
from pruneviz.widgets.frame.view import View, in_lines
from pruneviz.widgets.frame.wire import ARRAYS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from matplotlib.figure import Figure

    from pruneviz.core.arrays import Array, Data
    from pruneviz.core.criteria import Criterion
    from pruneviz.core.masks import Importance, Mask
    from pruneviz.measures.scorecards import Scorecard

_HALF_PERCENT = 0.005
_ON_CARD = ("nonzero", "parameters", "raw_bytes", "gzip_bytes", "compact_bytes", "macs", "nonzero_macs")


class Explorer(View):
    """A live view of pruning; `pruneviz.explore` makes the one that fits.

    Attributes
    ----------
    sparsity
        Share of the entries to prune, in steps of 0.01%.
    layer
        The layer on view.
    scope, criterion
        As for `pruneviz.prune`.
    by_hand
        Layer name -> ``{"cut": […], "kept": […]}``: indices that overrule the rule.
    show, basic
        The parts on view; where `basic` names some, the others wait until `more` is true.
    predict
        Whether learners mark a guess before they see any accuracy.
    target
        The accuracy that the guess is about.
    guess
        The sparsity at which they think that accuracy falls below it; -1 if they passed.
    curve
        [sparsity, right answers] pairs that are measured.
    exact
        What was measured of the present state.
    given
        The ``model``, the ``data`` and the ``images`` that score, as it was given them.
    """

    state_names: ClassVar[tuple[str, ...]] = ("sparsity", "scope", "criterion", "by_hand")
    granularity: ClassVar[str] = "weight"
    keep_at_least: ClassVar[int] = 0
    parts: ClassVar[tuple[Part, ...]] = ()
    words: ClassVar[tuple[str, ...]] = ()  # the criteria to choose from
    alike: ClassVar[tuple[float, ...]] = (0, 1)  # sparsities whose mask no ranking changes

    sparsity = t.Float(0.5).tag(sync=True, echo_update=False)
    layer = t.Unicode().tag(sync=True, echo_update=False)
    scope = t.Enum(["global", "layer"], "global").tag(sync=True, echo_update=False)
    criterion = t.Unicode("magnitude").tag(sync=True, echo_update=False)
    criteria = t.List(t.Unicode(), read_only=True).tag(sync=True)
    by_hand = t.Dict().tag(sync=True, echo_update=False)
    panels: t.List[list[str]] = t.List(read_only=True).tag(sync=True)
    show = t.List(t.Unicode()).tag(sync=True)
    basic = t.List(t.Unicode()).tag(sync=True)
    predict = t.Bool(default_value=True).tag(sync=True)
    target = t.Float(None, allow_none=True).tag(sync=True)
    guess = t.Float(None, allow_none=True).tag(sync=True, echo_update=False)

    layers = t.List(t.Dict(), read_only=True).tag(sync=True, **ARRAYS)
    rest = t.Int(0, read_only=True).tag(sync=True)
    ranking = t.Dict(read_only=True).tag(sync=True, **ARRAYS)

    n = t.Int(0, read_only=True).tag(sync=True)
    dense = t.Int(-1, read_only=True).tag(sync=True)
    curve: t.List[list[float]] = t.List(read_only=True).tag(sync=True)
    exact = t.Dict(read_only=True).tag(sync=True)
    comparison = t.Dict(read_only=True).tag(sync=True, **ARRAYS)

    def __init__(
        self,
        model: object,
        data: Data,
        *,
        exclude: Iterable[str] = (),
        scored_on: Data | None = None,
        criterion: Criterion = "magnitude",
        show: Sequence[str] | None = None,
        **traits: Any,  # noqa: ANN401
    ) -> None:
        self._model, self._exclude, self._scored_on = model, left_alone(model, exclude), scored_on or data
        self._meter, self.given = measuring.Meter(model, data), Given(model, data, scored_on or data)
        name = code.named(criterion)
        self._criteria: dict[str, Criterion] = {**{word: word for word in self.words}, name: criterion}
        self._rankings: dict[tuple[str, str], tuple[Ranking, Importance, dict[str, Any]]] = {}
        self._found: dict[State, Array] = {}
        self._cards: dict[State, Scorecard] = {}
        self._curves: dict[tuple[str, str], dict[float, int]] = {}
        described = self._described()  # which may add criteria
        given = {
            "title": f"{type(model).__name__} · {self.granularity}s",
            "criteria": list(self._criteria),
            "panels": [[part.name, part.place] for part in self.parts],
            "show": shown([part.name for part in self.parts], show),
            "basic": basic(self.parts, guess=traits.get("predict", True)) if show is None else [],
            "n": len(self._meter.x),
            "criterion": name,
        }
        super().__init__(**{**given, **described, **traits})
        self._rerank()
        self.observe(self._rerank, ["scope", "criterion"])
        self.observe(lambda _: self.set_trait("basic", []), "show")  # parts that are named are wanted
        self.observe(self._settle, [*self.state_names, "moving", "compare"])
        self.observe(self._settle_kept, "kept")

    # -- what a subclass says ----------------------------------------------------------------------------

    def _described(self) -> dict[str, Any]:
        """Give the traits that tell of the model: at least `layers` and `layer`."""
        raise NotImplementedError

    def _packed(self, ranking: Ranking, scores: Importance) -> dict[str, Any]:
        """Tell of a ranking, layer by layer."""
        raise NotImplementedError

    def _edited(self, mask: Mask, by_hand: Mapping[str, Mapping[str, list[int]]]) -> Mask:
        """Overrule the rule."""
        raise NotImplementedError

    def _template(self) -> str:
        """Write the snippet of Show code, with places for what the slider decides."""
        raise NotImplementedError

    def _entries(self, layer: Mapping[str, Any]) -> int:
        """Count the entries of a layer that can be pruned by hand."""
        raise NotImplementedError

    def _more(self, state: State, found: Array, change: dict[str, Any]) -> dict[str, Any]:
        """Measure what else belongs into `exact`: from the predictions, and what changed in them."""
        del state, found, change
        return {}

    def _measure_more(self, state: State) -> Iterator[float]:
        """Do more work after a state is measured."""
        del state
        return iter(())

    # -- traits ------------------------------------------------------------------------------------------

    @t.validate("sparsity")
    def _check_sparsity(self, proposal: dict[str, Any]) -> float:
        return share("sparsity", proposal["value"])

    @t.validate("layer")
    def _check_layer(self, proposal: dict[str, Any]) -> str:
        return self._known("layer", proposal["value"], [layer["name"] for layer in self.layers])

    @t.validate("criterion")
    def _check_criterion(self, proposal: dict[str, Any]) -> str:
        return self._known("criterion", proposal["value"], self._criteria)

    @t.validate("by_hand")
    def _check_by_hand(self, proposal: dict[str, Any]) -> dict[str, Any]:
        sizes = {layer["name"]: self._entries(layer) for layer in self.layers}
        for name in proposal["value"]:
            self._known("by_hand", name, sizes)
        return by_hand(proposal["value"], sizes, self.granularity)

    def _known(self, trait: str, value: str, known: Iterable[str]) -> str:
        if known and value not in known:
            raise t.TraitError(f"{trait} {value!r} is not one of {', '.join(known)}")
        return value

    # -- what a view is asked ----------------------------------------------------------------------------

    def result(self) -> Mask:
        """Give the present mask: that of `pruneviz.prune`, and what was changed by hand."""
        return self._mask(self._present())

    def apply(self) -> Any:  # noqa: ANN401
        """Give a masked copy of the model; the model itself is never touched."""
        return apply(self._model, self.result())

    @property
    def card(self) -> Scorecard:
        """The Scorecard of the present state; measured now if it is not yet."""
        return self._card(self._present())

    @property
    def snippet(self) -> str:
        """What Show code shows at present."""
        cuts = code.cuts(self._ranking(), self.sparsity)
        return code.finished(self.code, cuts, self.sparsity, self.by_hand)

    def sentence(self) -> str:
        """Say in one sentence what the view shows."""
        mask = self.result()
        noun = "" if self.granularity == "weight" else f" {self.granularity}s"
        text = f"{self.title}: {self._rule()}; {mask.kept:,} of {mask.total:,}{noun} kept"
        if not self.is_measured or "scorecard" not in self.show or self.hidden:
            return in_lines(f"{text}.")
        right = self.exact["correct"]
        return in_lines(f"{text}, {right:,} of {self.n:,} images right ({right / self.n:.1%}).")

    def snapshot(self) -> Figure:
        """Draw the present state, and what is measured so far; pyplot does not know the Figure."""
        return draw(self, self.parts)

    def _rule(self) -> str:
        return f"{100 * self.sparsity:.4g}% pruned by {self.criterion}, scope {self.scope}"

    @property
    def is_measured(self) -> bool:
        """Whether `exact` is about the present state."""
        return bool(self.exact) and self.exact["state"] == self.state()

    @property
    def hidden(self) -> bool:
        """Whether accuracy waits for the learner's guess."""
        return self.predict and self.guess is None and "accuracy" in self.show

    @property
    def mark(self) -> float | None:
        """The learner's guess; None if there is none yet, and if they passed."""
        return self.guess if (self.guess or 0) >= 0 else None

    def scores(self) -> Importance:
        """Give the scores that rank the entries at present."""
        return self._ranked(self.scope, self.criterion)[1]

    # -- rankings and masks ------------------------------------------------------------------------------

    def _ranking(self) -> Ranking:
        return self._ranked(self.scope, self.criterion)[0]

    def _scored(self, criterion: str) -> Importance:
        known = next((r[1] for (_, name), r in self._rankings.items() if name == criterion), None)
        return known or importance(
            self._model,
            granularity=self.granularity,
            criterion=self._criteria[criterion],
            data=self._scored_on,
        )

    def _ranked(self, scope: str, criterion: str) -> tuple[Ranking, Importance, dict[str, Any]]:
        if (scope, criterion) not in self._rankings:
            scores = self._scored(criterion)
            ranking = rank(scores, scope, self._exclude, self.keep_at_least)
            self._rankings[scope, criterion] = (ranking, scores, self._packed(ranking, scores))
        return self._rankings[scope, criterion]

    def _rerank(self, _change: object = None) -> None:
        _, _, packed = self._ranked(self.scope, self.criterion)
        with self.hold_sync():
            self._tell(ranking={"scope": self.scope, "criterion": self.criterion, "layers": packed})
            self._recode()
            self._publish_curve()

    def _recode(self) -> None:
        self._tell(code=self._template())

    def _present(self) -> State:
        return State.of(self.state())

    def _mask(self, state: State) -> Mask:
        mask = self._ranked(state.scope, state.criterion)[0].mask(state.sparsity)
        return self._edited(mask, state.by_hand()) if state.hand else mask

    # -- measuring ---------------------------------------------------------------------------------------

    def _eager(self) -> bool:
        return any(part.measured and part.name in self.show for part in self.parts)

    def _settle(self, _change: object = None) -> None:
        if not self.moving:
            self._changed()

    def _settle_kept(self, change: dict[str, Any]) -> None:
        before, after = ([State.of(entry) for entry in change[when]] for when in ("old", "new"))
        if before != after:  # more than what the work itself has found out about them
            self._settle()

    def _work(self) -> Iterator[float]:
        """Measure the present state; what the hand does meanwhile is the next work's."""
        state, compare = self._present(), self.compare
        yield from self._measure(state)
        yield from self._measure_more(state)
        if self.kept:
            yield from self._measure_kept(state, compare)
        yield from self._measure_curve(state)

    def _predict(self, state: State) -> Generator[float, None, Array]:
        key = state.key(self.alike)
        if key not in self._found:
            self._found[key] = yield from self._meter.predict(self._mask(state))
        if state.by_rule:
            self._curve(state)[state.sparsity] = self._right(self._found[key])
        return self._found[key]

    def _card(self, state: State) -> Scorecard:
        key = state.key(self.alike)
        if key not in self._cards:
            found = measuring.finished(self._predict(state))
            self._cards[key] = self._meter.card(self._mask(state), found)
        return self._cards[key]

    def _right(self, found: Array) -> int:
        return int(np.count_nonzero(found == self._meter.labels))

    def _measure(self, state: State) -> Iterator[float]:
        dense = yield from measuring.scaled(self._predict(state.at(0.0)), 0, 0.05)
        found = yield from measuring.scaled(self._predict(state), 0.05, 0.1)
        card = self._card(state)
        change = self._meter.compared(dense, found)
        with self.hold_sync():
            self._tell(dense=self._right(dense))
            if self.target is None:
                self.target = max(0.0, round(self.dense / self.n - 0.03, 2))
            exact = {
                "state": state.traits(),
                "correct": card.correct,
                "low": card.interval[0],
                "high": card.interval[1],
                **{word: change[word] for word in ("lost", "won", "other")},
                **{word: getattr(card, word) for word in _ON_CARD},
                **self._more(state, found, change),
            }
            self._tell(exact=exact)
            self._publish_curve()

    def _measure_kept(self, state: State, compare: int) -> Iterator[float]:
        kept = [State.of(entry) for entry in self.kept]
        right = {}
        for one in kept:
            right[one] = self._right((yield from measuring.scaled(self._predict(one), 0.1, 0.15)))
        # More may have been kept meanwhile.
        states = [State.of(entry) for entry in self.kept]
        entries = [
            {**entry, "correct": right[one]} if one in right else entry
            for one, entry in zip(states, self.kept, strict=True)
        ]
        if entries != self.kept:
            self.set_trait("kept", entries)
        if 0 <= compare < len(kept):
            before = yield from self._predict(kept[compare])
            after = yield from self._predict(state)
            change = self._meter.compared(before, after)
            self._tell(comparison={**change, "with": kept[compare].traits(), "state": state.traits()})

    def _measure_curve(self, state: State) -> Iterator[float]:
        if not {"accuracy", "scorecard"} & set(self.show):
            return
        curve = self._curve(state)
        missing = [sparsity for sparsity in measuring.grid() if sparsity not in curve]
        for place, sparsity in enumerate(missing):
            start, end = (0.15 + 0.8 * (place + more) / len(missing) for more in (0, 1))
            yield from measuring.scaled(self._predict(state.at(sparsity)), start, end)
            self._publish_curve()
        wanted = (self.target or 0) * self.n
        while (gap := measuring.crossing(curve, wanted)) and gap[1] - gap[0] > _HALF_PERCENT:
            yield from measuring.scaled(self._predict(state.at(round(sum(gap) / 2, 3))), 0.95, 1)
            self._publish_curve()

    def _curve(self, state: State) -> dict[float, int]:
        return self._curves.setdefault((state.scope, state.criterion), {})

    def _publish_curve(self) -> None:
        """Show what is known of the present ranking, whichever is being measured."""
        found = self._curve(self._present())
        self._tell(curve=[[sparsity, found[sparsity]] for sparsity in sorted(found)])
