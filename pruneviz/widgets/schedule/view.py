"""ScheduleExplorer: draw how sparse a network is to be in each round, then train it for real."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets as t

from pruneviz.core.ranking import rank
from pruneviz.engine.scoring import importance
from pruneviz.methods.gradual import Words
from pruneviz.methods.iteration import iterate
from pruneviz.widgets.frame import assets
from pruneviz.widgets.frame.given import Whole, checked_data, share
from pruneviz.widgets.frame.names import called
from pruneviz.widgets.frame.view import in_lines
from pruneviz.widgets.schedule import state as schedule_state
from pruneviz.widgets.schedule.state import KINDS, STATE
from pruneviz.widgets.schedule.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from pruneviz import schedules
    from pruneviz.core.arrays import Data
    from pruneviz.methods.iteration import FineTune, Round

_MOST_ROUNDS = 100
_DEFAULTS = {"start": "continue", "granularity": "weight", "criterion": "magnitude", "scope": "global"}
_PARTS = ("curve", "dials", "card", "run", "runs")


class ScheduleExplorer(Training):
    """A live view of a schedule, and of the runs that follow it.

    Drag the curve's handles: the weights that go in each round follow. Run trains with `pruneviz.iterate`,
    one round a step of the schedule, in a thread of its own, so that Pause and Cancel are heard at once; they
    take effect when the round under way is done. To get the same numbers again, draw none from the global
    generators in other cells meanwhile.

    Parameters
    ----------
    model
        A trained torch.nn.Module, keras.Model or tf_keras.Model; it stays as it is.
    fine_tune
        fine_tune(model, mask, seed) trains the masked model in place, as for `pruneviz.iterate`.
    data
        (x, y): the images to measure on; take validation images.
    rounds
        How many rounds a run has, each fine-tuned once: what runs to compare have in common.
    seed, start
        As for `pruneviz.iterate`.
    **options
        granularity, criterion, scope, scored_on, exclude, keep_at_least and loss, as for `pruneviz.iterate`;
        and the attributes below.

    Attributes
    ----------
    kind
        ``"one_shot"``, ``"constant"``, ``"linear"``, ``"exponential"``, ``"cosine"`` or ``"polynomial"`` of
        `pruneviz.schedules`, or ``"article"``: (final - initial) · progress ** power, a formula in print that
        neither begins at initial nor ends at final.
    initial, final
        Sparsity at begin and at end; what one of them passes goes along with it.
    begin, end
        First and last round in which to prune; 0 is the model as given.
    power
        The exponent of ``"polynomial"`` and ``"article"``.
    frequency
        Between begin and end, prune in every so many rounds.
    budget
        How many rounds a run has; `rounds` at first.
    name
        What the next run is called; empty for a name that says what it does.
    against
        What the runs are drawn over: ``"sparsity"``, ``"compression"`` (10 where one entry in ten is left) or
        ``"round"``.
    running, paused
        Whether a run is on, and whether it rests after the round under way. Set them, or call `start`,
        `pause`, `resume` and `cancel`.
    training
        The round that is being trained; 0 if none is.
    runs
        What has been trained: for each run its ``name``, ``status``, ``schedule`` and finished ``rounds``.
        Leave some out to remove them, change a ``name`` to rename one.
    dense
        How many of the n images the model gets right as given; -1 before the first run.
    given
        The ``model``, ``fine_tune``, ``data`` and options, as it was given them.
    show
        The parts on view: ``"curve"``, its ``"dials"``, a ``"card"`` of what it will do, ``"run"`` to train,
        ``"runs"`` for what was trained.

    Raises
    ------
    TypeError, ValueError
        As `pruneviz.iterate` does; traitlets.TraitError if an attribute is out of its range.

    Examples
    --------
    >>> view = pv.ScheduleExplorer(model, fine_tune, mnist.validation, rounds=6, final=0.98, end=4)
    >>> view.run()
    >>> view.kind, view.begin = "one_shot", 1
    >>> view.run()
    >>> [run["rounds"][-1]["correct"] for run in view.runs]
    """

    _esm = assets.script("schedule/view.js")
    _css = assets.read("frame/style.css") + assets.read("schedule/view.css")
    state_names: ClassVar = STATE

    kind = t.Enum(list(KINDS), "polynomial").tag(sync=True, echo_update=False)
    initial = t.Float(0.0).tag(sync=True, echo_update=False)
    final = t.Float(0.9).tag(sync=True, echo_update=False)
    begin = Whole(0).tag(sync=True, echo_update=False)
    end = Whole(6).tag(sync=True, echo_update=False)
    power = t.Float(3.0).tag(sync=True, echo_update=False)
    frequency = Whole(1).tag(sync=True, echo_update=False)
    against = t.Enum(["sparsity", "compression", "round"], "sparsity").tag(sync=True, echo_update=False)
    pools = t.List(t.Int(), read_only=True).tag(sync=True)
    noun = t.Unicode("weights", read_only=True).tag(sync=True)
    show = t.List(t.Enum(_PARTS), list(_PARTS)).tag(sync=True)
    words = t.Dict(read_only=True).tag(sync=True)

    def __init__(
        self,
        model: object,
        fine_tune: FineTune,
        data: Data,
        *,
        rounds: int = 6,
        seed: int = 0,
        start: object = "continue",
        **options: Any,  # noqa: ANN401
    ) -> None:
        words: dict[str, Any] = {name: options.pop(name) for name in Words.__annotations__ if name in options}
        if not isinstance(words.get("exclude", ""), str):
            words["exclude"] = tuple(words["exclude"])  # asked for more than once: a generator will not do
        if unknown := sorted(options.keys() - {*STATE, "title", "name", "against", "show"}):
            raise TypeError(f"ScheduleExplorer takes no {', '.join(unknown)}")
        self._model, self._fine_tune, self._data = model, fine_tune, data
        self._options = {**words, "seed": seed, "start": start}
        self.given = SimpleNamespace(model=model, fine_tune=fine_tune, data=data, **self._options)
        x, _ = checked_data(data)
        noun = f"{words.get('granularity', 'weight')}s"
        given = {"title": f"{type(model).__name__} · schedule", "noun": noun, "n": len(x), "budget": rounds}
        super().__init__(**{**given, "end": options.get("budget", rounds), **options})
        self._open_rounds()  # refuses what iterate refuses
        self._tell(pools=self._pools(words))
        self._recode()
        self.observe(self._carry_along, ["initial", "final", "begin", "end", "budget"])

    # -- the schedule ------------------------------------------------------------------------------------

    def schedule(self) -> schedules.Schedule:
        """Give the present schedule."""
        return schedule_state.schedule_of(self.state())

    def plan(self) -> list[dict[str, Any]]:
        """Tell what each round will prune and leave; see `schedule_state.plan`."""
        return schedule_state.plan(self.state(), self.pools)

    @property
    def snippet(self) -> str:
        """What Show code shows at present."""
        return schedule_state.code_of(self.state(), self.words)

    @t.validate("initial", "final")
    def _check_share(self, proposal: dict[str, Any]) -> float:
        trait = proposal["trait"].name
        value = share(trait, proposal["value"])
        if trait == "final":
            self._check_reachable(self.kind, value)
        return value

    @t.validate("kind")
    def _check_kind(self, proposal: dict[str, Any]) -> str:
        self._check_reachable(proposal["value"], self.final)
        return str(proposal["value"])

    @t.validate("begin", "end", "frequency", "budget")
    def _check_whole(self, proposal: dict[str, Any]) -> int:
        trait, value = proposal["trait"].name, proposal["value"]
        least, most = (0, self.budget) if trait in ("begin", "end") else (1, _MOST_ROUNDS)
        if not least <= value <= most:
            raise t.TraitError(f"{trait} is {value}: give a whole number from {least} to {most}")
        return int(value)

    def _check_state(self, state: dict[str, Any]) -> None:
        """Take a kept state by its own rounds, not by the present ones."""
        for name in self.state_names:
            self.traits()[name].validate(self, state[name])

    @t.validate("power")
    def _check_power(self, proposal: dict[str, Any]) -> float:
        if not 0.01 <= proposal["value"] < math.inf:
            raise t.TraitError(f"power is {proposal['value']}, not a number from 0.01, such as 3")
        return round(float(proposal["value"]), 2)

    @staticmethod
    def _check_reachable(kind: str, final: float) -> None:
        if kind == "exponential" and final == 1:
            raise t.TraitError(
                "final is 1: a schedule that prunes shares of what is left never gets there; lower it first"
            )

    def _carry_along(self, change: dict[str, Any]) -> None:
        """Move what the new value has passed, as a hand on the curve would."""
        self.end = min(self.end, self.budget)
        for low, high in (("initial", "final"), ("begin", "end")):
            if getattr(self, low) > getattr(self, high):
                moved, stays = (high, low) if change["name"] == low else (low, high)
                setattr(self, moved, getattr(self, stays))

    def _open_rounds(self) -> Iterator[Round]:
        more: dict[str, Any] = {**self._options, "rounds": self.budget, "progress": False}
        return iterate(self._model, self.schedule(), self._fine_tune, self._data, **more)

    def _recode(self) -> None:
        """Write the arguments of iterate that are not its own defaults, as they stand in a call."""
        words = {
            name: json.dumps(value) if _is_plain(value) else called(value, self, name)
            for name, value in vars(self.given).items()
            if not (isinstance(value, str) and _DEFAULTS.get(name) == value)
        }
        self._tell(words=words)

    def _usual_name(self) -> str:
        return schedule_state.words_of(self.state())

    def _pools(self, words: dict[str, Any]) -> list[int]:
        """Count the entries that are ranked together; no criterion changes that, so the cheapest is taken."""
        granularity = words.get("granularity", "weight")
        scores = importance(self._model, granularity=granularity, example=checked_data(self._data)[0][:1])
        ranking = rank(scores, words.get("scope", "global"), words.get("exclude", ()))
        return list(dict(ranking.pools.values()).values())

    # -- in words and pictures ---------------------------------------------------------------------------

    def sentence(self) -> str:
        """Say in one sentence what the view shows."""
        last = self.plan()[-1]
        words = schedule_state.words_of(self.state())
        text = f"{self.title}: {words} in {self.budget} rounds"
        text += f" leaves {last['left']:,} of {sum(self.pools):,} {self.noun}"
        ends = [
            f"{run.name} {run.rounds[-1].card.accuracy:.1%} right at {run.rounds[-1].mask.sparsity:.1%}"
            for run in self._runs
            if run.rounds
        ]
        return in_lines(f"{text}; trained: {', '.join(ends)}." if ends else f"{text}.")

    def snapshot(self) -> Figure:
        """Draw the schedule, and what the runs reached, with matplotlib.

        Returns
        -------
        matplotlib.figure.Figure
            Not known to pyplot.
        """
        from pruneviz.widgets.schedule.still import draw  # noqa: PLC0415  # matplotlib is slow to import

        return draw(self)


def _is_plain(value: object) -> bool:
    """Whether JSON writes it as Python does."""
    names = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    return names or isinstance(value, str | int)
