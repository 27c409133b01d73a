"""Whatever the order of what a hand and a script do, page and Python agree, and a view says what is true.

The explorers of networks have machines of their own, in test_race.py.
`PRUNEVIZ_RACES=10000 pytest tests/test_any_order.py` plays 10,000 sequences on each view.
"""

import contextlib
import os
from typing import ClassVar

import live
import numpy as np
import pytest
import torch
import traitlets
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from torch import nn

import pruneviz as pv
from pruneviz.widgets.corruption.view import way
from pruneviz.widgets.schedule.state import KINDS

SEQUENCES = int(os.environ.get("PRUNEVIZ_RACES", "12"))
X = np.random.default_rng(0).random((9, 4, 4, 1), np.float32)
Y = np.arange(9) % 3


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 3))


class Hand(RuleBasedStateMachine):
    """A page and a script on one view; a subclass opens it, and says what to set and what is true."""

    def __init__(self):
        super().__init__()
        self.view = self.opened()
        self.page = {name: getattr(self.view, name) for name in self.view.keys}
        self.sent, self.past, self.late = live.record(self.view), [], False

    def opened(self):
        raise NotImplementedError

    def arrived(self):
        """Let the page have what Python has sent, unless that is late: then the page's own crosses it."""
        if self.late:
            return
        for data, _ in self.sent:
            self.page |= data["state"]
        self.sent.clear()

    def do(self, *, by_page, moving=False, **traits):
        """Set traits, if the view takes them; if it does not, the page hears so."""
        before = self.view.state()
        if by_page:
            self.page |= traits
            self.late = False
            self.view.set_state({**traits, "moving": moving})
            assert not self.view.problem or self.view.state() == before
        else:
            with contextlib.suppress(traitlets.TraitError):
                for name, value in traits.items():
                    setattr(self.view, name, value)
        self.arrived()

    @rule()
    def release(self):
        self.past.append(self.view.state())
        self.do(by_page=True)

    @precondition(lambda self: self.past)
    @rule()
    def undo(self):
        state = self.past.pop()
        self.do(by_page=True, **state)
        assert self.view.state() == state

    @rule(by_page=st.booleans())
    def keep(self, by_page):
        if by_page:
            self.do(by_page=True, kept=[*self.view.kept, {**self.view.state(), "from": -1}])
        else:
            self.view.keep()
            self.arrived()
        assert {**self.view.kept[-1], **self.view.state()} == self.view.kept[-1]

    @precondition(lambda self: self.view.kept)
    @rule(which=st.integers(0, 9), compare=st.booleans())
    def go_back(self, which, compare):
        place = which % len(self.view.kept)
        if compare:
            self.do(by_page=True, compare=place)
        else:
            self.do(by_page=True, **{name: self.view.kept[place][name] for name in self.view.state_names})
            assert self.view.state().items() <= self.view.kept[place].items()

    @rule()
    def be_late(self):
        self.late = True

    @rule()
    def show(self):
        assert self.view.sentence() == self.view.sentence()
        assert self.view.get_state()["title"] == self.view.title

    @invariant()
    def the_page_shows_what_python_holds(self):
        for name in self.view.state_names if not self.late else ():
            assert self.page[name] == getattr(self.view, name), name

    def teardown(self):
        self.view.close()


CUTS = st.lists(st.sampled_from(("a", "b", "c")), max_size=4)


class LinearHand(Hand):
    weights, x = np.array([2.0, -1.0, 0.5]), np.random.default_rng(0).random((5, 3))
    y = x @ np.array([2.0, -1.0, 0.4])

    def opened(self):
        return pv.TinyNetwork.linear(self.weights, ["a", "b", "c"], self.x, self.y)

    @rule(cut=CUTS, by_page=st.booleans(), moving=st.booleans())
    def cut(self, cut, by_page, moving):
        self.do(by_page=by_page, cut=cut, moving=moving)

    @rule(example=st.integers(-1, 5), changes=st.booleans(), by_page=st.booleans())
    def look_at(self, example, changes, by_page):
        self.do(by_page=by_page, example=example, changes=changes)

    @invariant()
    def the_loss_is_of_what_is_left(self):
        kept = np.array([name not in self.view.cut for name in "abc"])
        assert self.view.loss == pytest.approx(np.mean((self.x @ (self.weights * kept) - self.y) ** 2))
        assert np.array_equal(self.view.result()["weights"], kept)
        assert self.view.cut == [name for name in "abc" if name in self.view.cut]


class TwoLayersHand(LinearHand):
    """Two inputs, two hidden neurons; w0 to w3 go in, w4 and w5 go out."""

    first, bias, last = np.array([[1.0, -2.0], [0.5, 1.0]]), np.array([0.1, -0.2]), np.array([1.0, -1.5])
    x = np.random.default_rng(1).normal(size=(7, 2))
    y = np.arange(7) % 2
    gone: ClassVar = {"h0": {"w0", "w1", "w4"}, "h1": {"w2", "w3", "w5"}}

    def opened(self):
        return pv.TinyNetwork.two_layers(self.first, self.bias, self.last, 0.3, self.x, self.y)

    @rule(
        cut=st.lists(st.sampled_from(("w0", "w3", "w4", "w5", "h0", "h1")), max_size=4), by_page=st.booleans()
    )
    def cut(self, cut, by_page):
        self.do(by_page=by_page, cut=cut)
        assert set(self.view.cut) == set().union(*(self.gone.get(name, {name}) for name in cut))

    @invariant()
    def the_loss_is_of_what_is_left(self):
        kept = np.array([f"w{i}" not in self.view.cut for i in range(6)])
        hidden = np.maximum(self.x @ (self.first * kept[:4].reshape(2, 2)).T + self.bias, 0)
        z = hidden @ (self.last * kept[4:]) + 0.3
        assert self.view.loss == pytest.approx(np.mean(np.log1p(np.exp(np.where(self.y == 1, -z, z)))))
        assert self.view.right == np.sum((z > 0) == self.y)


class TradeoffHand(Hand):
    cards: ClassVar = [
        pv.scorecard(pv.apply(network(), pv.prune(network(), share)), (X, Y), name)
        for name, share in (("dense", 0), ("half", 0.5), ("tenth", 0.9))
    ]
    names, axes = ("dense", "half", "tenth"), ("accuracy", "compact_bytes", "macs", "nonzero", "latency 1")

    def opened(self):
        dense, half, tenth = self.cards
        return pv.TradeoffExplorer(
            [dense, pv.Variant(half, "dense", "prune"), pv.Variant(tenth, "half", "prune")]
        )

    @rule(
        name=st.sampled_from((*names, "", "other")),
        trait=st.sampled_from(("selected", "compared")),
        by_page=st.booleans(),
    )
    def choose(self, name, trait, by_page):
        self.do(by_page=by_page, **{trait: name})

    @rule(axis=st.sampled_from(axes), trait=st.sampled_from("xy"), by_page=st.booleans())
    def draw(self, axis, trait, by_page):
        self.do(by_page=by_page, **{trait: axis})

    @invariant()
    def the_change_is_between_the_two(self):
        view = self.view
        other = view.compared or {"dense": None, "half": "dense", "tenth": "half"}[view.selected]
        if view.compared == view.selected:
            other = {"dense": None, "half": "dense", "tenth": "half"}[view.selected]
        assert view.against == other
        if other is None:
            assert view.change is None
            return
        before, after = (self.cards[self.names.index(name)].predictions for name in (other, view.selected))
        assert view.change.changed == np.sum(before != after)
        assert view.change.lost == np.sum((before == Y) & (after != Y))
        assert f"{view.change.lost:,} images lost" in view.sentence().replace("\n", " ")


class CorruptionHand(Hand):
    rows: ClassVar = {
        str(share): np.random.default_rng(int(10 * share)).integers(10, size=16).tolist()
        for share in (0, 0.5, 0.9)
    }

    def opened(self):
        return pv.CorruptionView(network(), (X, Y), self.rows)

    @rule(
        kind=st.sampled_from(tuple(pv.teaching.CORRUPTIONS)),
        strength=st.integers(-1, 4),
        sparsity=st.sampled_from((0.0, 0.5, 0.9, 0.7)),
        by_page=st.booleans(),
        moving=st.booleans(),
    )
    def spoil(self, kind, strength, sparsity, by_page, moving):
        self.do(by_page=by_page, moving=moving, kind=kind, strength=strength, sparsity=sparsity)

    @invariant()
    def the_counts_are_those_that_were_given(self):
        view = self.view
        right = self.rows[f"{view.sparsity:g}"][way(view.kind, view.strength)]
        assert view.right(view.sparsity)[view.strength] == right
        assert f": {right:,} of 9 right" in view.sentence()
        pictures, answers, labels = view.seen()
        assert len(pictures) == len(answers) == len(labels) == 8


class ScheduleHand(Hand):
    """`fine_tune` does what happens while a round trains, as by a page that is heard in another thread."""

    def opened(self):
        self.meanwhile = []
        return pv.ScheduleExplorer(network(), self.train, (X, Y), rounds=2)

    def train(self, _model, _mask, _seed):
        while self.meanwhile:
            self.meanwhile.pop()()

    @rule(
        values=st.fixed_dictionaries(
            {},
            optional={
                "kind": st.sampled_from((*KINDS, "cubic")),
                "initial": st.sampled_from((0.0, 0.3, 0.9, 2.0)),
                "final": st.sampled_from((0.2, 0.9, 1.0)),
                "begin": st.integers(-1, 4),
                "end": st.integers(-1, 4),
                "power": st.sampled_from((0.0, 1.0, 3.0)),
                "frequency": st.integers(0, 3),
                "budget": st.integers(0, 3),
            },
        ),
        by_page=st.booleans(),
        moving=st.booleans(),
    )
    def draw(self, values, by_page, moving):
        self.do(by_page=by_page, moving=moving, **values)

    @rule(meanwhile=st.sampled_from(("nothing", "cancel", "draw", "leave out", "rename", "start", "keep")))
    def run(self, meanwhile):
        view = self.view
        plan, budget = view.plan(), view.budget
        acts = {
            "cancel": lambda: view.set_state({"running": False}),
            "draw": lambda: view.set_state({"budget": 3, "kind": "linear", "final": 0.4}),
            "leave out": lambda: view.set_state({"runs": []}),
            "rename": lambda: view.set_state({"runs": [{**run, "name": "mine"} for run in view.runs]}),
            "start": lambda: self.do(by_page=True, running=True),
            "keep": view.keep,
        }
        self.meanwhile += [acts[meanwhile]] if meanwhile in acts else []
        rounds = view.run()
        self.meanwhile.clear()
        self.arrived()
        self.page |= view.state()  # what was drawn meanwhile
        assert len(rounds) == (0 if meanwhile == "cancel" else budget)
        assert [done.mask.kept for done in rounds] == [row["left"] for row in plan][: len(rounds)]
        assert view.runs[-1]["status"] == ("cancelled" if meanwhile == "cancel" else "finished")

    @rule(
        left=st.lists(st.integers(0, 5), max_size=3, unique=True),
        name=st.sampled_from(("", "mine", "x" * 99)),
    )
    def edit_runs(self, left, name):
        runs = [{**self.view.runs[i], "name": name} for i in left if i < len(self.view.runs)]
        self.do(by_page=True, runs=runs)
        assert {run["id"] for run in self.view.runs} == {run["id"] for run in runs}

    @rule(
        name=st.sampled_from(("", " mine ", "x" * 99)), against=st.sampled_from(("sparsity", "round", "time"))
    )
    def name(self, name, against):
        self.do(by_page=True, name=name)
        self.do(by_page=True, against=against)

    @rule(paused=st.booleans())
    def pause_nothing(self, paused):
        self.do(by_page=True, paused=paused)
        self.view.cancel()
        assert (self.view.paused, self.view.running) == (False, False)

    @invariant()
    def the_schedule_can_be_followed(self):
        view = self.view
        assert 0 <= view.begin <= view.end <= view.budget
        assert len(view.plan()) == view.budget
        assert view.snippet

    @invariant()
    def runs_are_told_apart(self):
        names = [run["name"] for run in self.view.runs]
        assert all(names)
        assert len(set(names)) == len(names)
        for run in self.view.runs:
            assert len(self.view.rounds_of(run["name"])) == len(run["rounds"])


@pytest.mark.parametrize("hand", [LinearHand, TwoLayersHand, TradeoffHand, CorruptionHand, ScheduleHand])
def test_any_order_of_anything(hand):
    few = settings(
        max_examples=SEQUENCES, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(hand, settings=few)
