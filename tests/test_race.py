"""What is measured belongs to the state that it names, whatever the hand does meanwhile.

`PRUNEVIZ_RACES=2500 pytest tests/test_race.py` plays 10,000 sequences, 2,500 for each explorer.
"""

import json
import math
import os
from typing import ClassVar

import live
import numpy as np
import pytest
import torch
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
from pruneviz.widgets.explorer import measuring


@pytest.fixture
def images():
    draw = np.random.default_rng(0)
    return draw.random((12, 4, 4, 1), np.float32), draw.integers(0, 3, 12)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 3))


def until_measured(view):
    """Begin to measure, and stop before the present state is measured."""
    work = view._work()
    next(work)
    return work


def smallest_kept(view, sparsity):
    scores, mask = view.scores(), pv.rank(view.scores()).mask(sparsity)
    return min(scores[name][kept].min() for name, kept in mask.items() if kept.any())


def test_what_is_measured_is_of_one_state(model, images):
    view = pv.explore(model, images, sparsity=0.613)
    work = until_measured(view)
    live.from_browser(view, sparsity=0.9, moving=True)
    for _ in work:
        pass
    assert view.exact["state"]["sparsity"] == 0.613
    assert view.exact["threshold"]["1"] == smallest_kept(view, 0.613)
    assert not view.is_measured


def test_changes_are_of_the_state_that_was_measured(model, images):
    view = pv.explore(model, images, granularity="neuron", sparsity=0.5)
    work = until_measured(view)
    live.from_browser(view, sparsity=0.9, moving=True)
    for _ in work:
        pass
    assert view.changes["state"] == view.exact["state"]
    assert view.changes["state"]["sparsity"] == 0.5


@pytest.mark.parametrize("granularity", ["weight", "neuron"])
def test_grabbing_the_slider_again_while_a_comparison_is_measured(model, images, granularity):
    view = pv.explore(model, images, granularity=granularity, sparsity=0.2)
    view.keep()
    view.compare = 0
    view.sparsity = 0.613
    work = until_measured(view)
    live.from_browser(view, sparsity=0.9, moving=True)
    for _ in work:
        pass
    assert view.comparison["state"]["sparsity"] == 0.613


def test_the_scorecard_reads_and_moves_nothing(model, images):
    view = pv.explore(model, images, granularity="neuron", sparsity=0.3)
    view.measure()
    before = view.get_state()
    view.sparsity = 0.6
    sent = live.record(view)
    assert view.card.correct == pv.scorecard(view.apply(), images).correct
    assert sent == []
    assert view.exact == before["exact"]


def test_a_scorecard_between_two_batches_leaves_the_measurement_alone(model, images, monkeypatch):
    monkeypatch.setattr("pruneviz.widgets.explorer.measuring.BATCH", 3)
    monkeypatch.setattr("pruneviz.widgets.explorer.measuring._AT_ONCE", 1)
    view = pv.explore(model, images, sparsity=0.9)
    work = until_measured(view)
    for _ in range(5):
        next(work)
    live.from_browser(view, sparsity=0.0, moving=True)
    assert view.card.correct == pv.scorecard(model, images).correct
    for _ in work:
        pass
    assert view.exact["correct"] == pv.scorecard(pv.apply(model, pv.prune(model, 0.9)), images).correct


def test_what_is_kept_while_others_are_measured_stays(model, images):
    view = pv.explore(model, images, sparsity=0.2)
    view.keep()
    view.sparsity = 0.4
    work = view._work()
    while not view.exact:
        next(work)
    live.from_browser(view, sparsity=0.7, moving=True)
    view.keep()
    for _ in work:
        pass
    assert [entry["sparsity"] for entry in view.kept] == [0.2, 0.7]


# -- any order of anything --

SEQUENCES = int(os.environ.get("PRUNEVIZ_RACES", "50"))  # for each explorer; CI runs the default
X = np.random.default_rng(0).random((8, 4, 4, 1), np.float32)
Y = np.random.default_rng(1).integers(0, 3, 8)
SPARSITY = st.sampled_from((0.0, 0.2, 0.4, 0.5, 0.613, 0.9, 1.0))


class Residual(nn.Module):
    """A stem, one addition, and a head."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.three, self.out = nn.Conv2d(3, 2, 3), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.one(x))
        x = torch.relu(self.two(x) + x)
        return self.out(torch.relu(self.three(x)).flatten(1))


def tiny(granularity):
    torch.manual_seed(2)
    if granularity == "channel":
        return Residual().eval()
    if granularity == "filter":
        layers = (nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(3, 3))
        return nn.Sequential(*layers)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)
    )


class Truth:
    """What a state gives, by the library's plain functions: rank, mask, apply, predict."""

    def __init__(self, granularity):
        self.granularity, self.model, self.known = granularity, tiny(granularity), {}
        self.keep = {} if granularity == "weight" else {"keep_at_least": 1}

    def of(self, state):
        key = json.dumps(state, sort_keys=True)
        if key not in self.known:
            self.known[key] = self._computed(state)
        return self.known[key]

    def _computed(self, state):
        scores = pv.importance(
            self.model, granularity=self.granularity, criterion=state["criterion"], data=(X, Y)
        )
        plain = pv.rank(scores, state["scope"], **self.keep).mask(state["sparsity"])
        keep = plain.to_dict()
        for group, share in state.get("sparsities", {}).items():
            own = pv.rank(scores, {group: share}, **self.keep).mask()
            keep |= {name: own[name].copy() for name in (("one", "two") if group == "one" else (group,))}
        for name, lists in state["by_hand"].items():
            keep[name].reshape(-1)[lists["cut"]] = False
            keep[name].reshape(-1)[lists["kept"]] = True
        mask = pv.Mask(keep, self.granularity, plain.units)
        found = {"answers": answers(pv.apply(self.model, mask, X[:1])), "mask": mask}
        rule = {name: scores[name][kept] for name, kept in plain.items()}
        found["threshold"] = {name: float(of.min()) if of.size else None for name, of in rule.items()}
        if state["scope"] == "global":
            least = min((value for value in found["threshold"].values() if value is not None), default=None)
            found["threshold"] = dict.fromkeys(rule, least)
        if self.granularity != "weight":
            try:
                found["small"] = pv.scorecard(pv.remove(self.model, mask, X), (X, Y))
            except ValueError:
                found["small"] = None
        return found


def answers(model):
    with torch.no_grad():
        return model(torch.from_numpy(X).permute(0, 3, 1, 2)).argmax(dim=1).numpy()


def changed(before, after):
    was, now = before == Y, after == Y
    counts = (was & ~now, now & ~was, ~was & ~now & (before != after))
    return {word: int(where.sum()) for word, where in zip(("lost", "won", "other"), counts, strict=True)}


class Hand(RuleBasedStateMachine):
    """Does what a hand, a script and the kernel's loop can do, one after the other, in any order."""

    granularity = "weight"
    criteria = ("magnitude", "random")
    truths: ClassVar = {}

    def __init__(self):
        super().__init__()
        self.truth = self.truths.setdefault(self.granularity, Truth(self.granularity))
        self.whole = answers(self.truth.model)
        self.view = pv.explore(self.truth.model, (X, Y), granularity=self.granularity, predict=False)
        self.view._meter._batch = 3
        self.work, self.past, self.seen = None, [], {}
        self.view._live = True
        self.view._restart = self.restart

    def restart(self):
        if self.work is not None:
            self.work.close()
        self.work = self.view._work()

    def page(self, *, moving=False, **traits):
        """What the page sends; but for a drag it lets go of the slider."""
        live.from_browser(self.view, **traits, moving=moving)

    # -- the hand --

    @rule(sparsity=SPARSITY)
    def drag(self, sparsity):
        self.page(sparsity=sparsity, moving=True)

    @rule()
    def release(self):
        self.past.append(self.view.state())
        self.page()

    @rule(scope=st.sampled_from(("global", "layer")), which=st.integers(0, 1), by_page=st.booleans())
    def rank(self, scope, which, by_page):
        traits = {"scope": scope, "criterion": self.criteria[which]}
        if by_page:
            self.page(**traits)
        else:
            self.view.criterion, self.view.scope = traits["criterion"], scope

    @rule(which=st.integers(0, 5))
    def look_at(self, which):
        self.page(layer=self.view.layers[which % len(self.view.layers)]["name"])

    @rule(
        which=st.integers(0, 5),
        index=st.integers(0, 11),
        word=st.sampled_from(("cut", "kept")),
        more=st.booleans(),
    )
    def edit(self, which, index, word, more):
        layer = self.view.layers[which % len(self.view.layers)]
        size = math.prod(layer["shape"]) if self.granularity == "weight" else layer["shape"][0]
        lists = {"cut": [], "kept": [], word: [index % size]}
        others = {name: of for name, of in self.view.by_hand.items() if name != layer["name"]}
        if self.granularity == "channel" and layer["name"] in ("one", "two"):
            others = {name: of for name, of in others.items() if name not in ("one", "two")}
        self.page(by_hand={**(others if more else {}), layer["name"]: lists})

    @rule(which=st.integers(0, 5))
    def empty_a_layer(self, which):
        layer = self.view.layers[which % len(self.view.layers)]
        size = math.prod(layer["shape"]) if self.granularity == "weight" else layer["shape"][0]
        self.view.by_hand = {layer["name"]: {"cut": list(range(size))}}

    @rule(by_page=st.booleans())
    def keep(self, by_page):
        if by_page:
            self.page(kept=[*self.view.kept, {**self.view.state(), "from": -1}])
        else:
            self.view.keep()

    @rule(which=st.integers(-1, 4))
    def compare(self, which):
        self.page(compare=min(which, len(self.view.kept) - 1))

    @precondition(lambda self: self.view.kept)
    @rule(which=st.integers(0, 4))
    def go_back(self, which):
        entry = self.view.kept[which % len(self.view.kept)]
        self.page(**{name: entry[name] for name in self.view.state_names})

    @precondition(lambda self: self.past)
    @rule()
    def undo(self):
        self.page(**self.past.pop())

    @rule()
    def cancel(self):
        if self.work is not None:
            self.work.close()
        self.work = None

    # -- a script --

    @rule()
    def read(self):
        state = self.view.state()
        assert self.view.card.correct == int((self.truth.of(state)["answers"] == Y).sum())
        assert self.view.result() == self.truth.of(state)["mask"]
        self.view.sentence()

    # -- the kernel's loop --

    @rule(many=st.integers(1, 12))
    def step(self, many):
        for _ in range(many):
            if self.work is not None and next(self.work, None) is None:
                self.work = None

    @rule()
    def finish(self):
        for _ in self.work or ():
            pass
        if self.work is not None and not self.view.moving:
            assert self.view.is_measured
        self.work = None

    # -- what must hold --

    def fresh(self, name):
        """Give a trait if it has changed."""
        value, old = getattr(self.view, name), self.seen.get(name)
        self.seen[name] = value
        return value if value and value is not old else None

    @invariant()
    def what_is_measured_is_of_its_state(self):
        if (found := self.fresh("exact")) is None:
            return
        truth = self.truth.of(found["state"])
        assert found["correct"] == int((truth["answers"] == Y).sum())
        assert {word: found[word] for word in ("lost", "won", "other")} == changed(
            self.whole, truth["answers"]
        )
        assert found["nonzero"] <= found["parameters"]
        if self.granularity == "weight":
            assert found["threshold"] == truth["threshold"]
            return
        table = np.zeros_like(found["confusion"])
        np.add.at(table, (Y, truth["answers"]), 1)
        assert np.array_equal(table, found["confusion"])
        small = truth["small"]
        if small is None:
            assert "problem" in found["smaller"]
        else:
            assert found["smaller"] == {"parameters": small.parameters, "macs": small.macs}

    @invariant()
    def the_comparison_is_of_its_two_states(self):
        if found := self.fresh("comparison"):
            before, after = (self.truth.of(found[word])["answers"] for word in ("with", "state"))
            assert {word: found[word] for word in ("lost", "won", "other")} == changed(before, after)
            self.images_are(found, before, after)

    def images_are(self, found, before, after):
        for image in found["images"]:
            i = image["index"]
            assert (image["truth"], image["before"], image["after"]) == (Y[i], before[i], after[i])

    @invariant()
    def the_curve_is_of_its_ranking(self):
        scope, criterion = (self.view.ranking[word] for word in ("scope", "criterion"))
        assert [scope, criterion] == [self.view.scope, self.view.criterion]
        if curve := self.fresh("curve"):
            for sparsity, correct in curve:
                own = {"sparsities": {}} if self.granularity == "channel" else {}
                state = {"sparsity": sparsity, "scope": scope, "criterion": criterion, "by_hand": {}, **own}
                assert correct == int((self.truth.of(state)["answers"] == Y).sum())

    @invariant()
    def kept_states_know_how_right_they_are(self):
        for entry in self.fresh("kept") or ():
            if "correct" in entry:
                state = {name: entry[name] for name in self.view.state_names}
                assert entry["correct"] == int((self.truth.of(state)["answers"] == Y).sum())

    def teardown(self):
        self.cancel()
        self.view.close()


class UnitHand(Hand):
    granularity = "neuron"

    @rule(against=st.sampled_from(("whole", "before")), by_page=st.booleans())
    def set_against(self, against, by_page):
        if by_page:
            self.page(against=against)
        else:
            self.view.against = against

    @rule(by_page=st.booleans())
    def remove(self, by_page):
        if by_page:
            self.page(wanted=self.view.state())
        elif self.truth.of(self.view.state())["small"] is None:
            with pytest.raises(ValueError, match="keep"):
                self.view.remove()
        else:
            small = self.view.remove()
            assert np.array_equal(answers(small), self.truth.of(self.view.state())["answers"])

    @rule(sort=st.sampled_from(("score", "place")))
    def sort(self, sort):
        self.page(sort=sort)

    @invariant()
    def changes_are_of_their_states(self):
        if found := self.fresh("changes"):
            before = self.truth.of(found["with"])["answers"] if found["with"] else self.whole
            after = self.truth.of(found["state"])["answers"]
            assert {word: found[word] for word in ("lost", "won", "other")} == changed(before, after)
            self.images_are(found, before, after)
            assert found["state"] == self.view.exact["state"]

    @invariant()
    def the_removal_is_of_its_state(self):
        if found := self.fresh("removal"):
            small = self.truth.of(found["state"])["small"]
            if small is None:
                assert found["problem"]
            else:
                assert (found["parameters"][1], found["macs"][1]) == (small.parameters, small.macs)
                assert found["other"] == 0


class NeuronHand(UnitHand):
    @rule(image=st.integers(-1, 7))
    def show_image(self, image):
        self.page(image=image)
        assert self.view.pictured["index"] == image


class FilterHand(UnitHand):
    granularity = "filter"
    criteria = ("magnitude", "fpgm")

    @rule(image=st.integers(0, 7))
    def show_image(self, image):
        self.page(image=image)
        assert (self.view.pictured["index"], self.view.pictured["layer"]) == (image, self.view.layer)

    @rule(rival=st.sampled_from(("", "l2", "random")))
    def set_rival(self, rival):
        self.page(rival=rival)
        assert (self.view.rivals["scope"], self.view.rivals["criterion"]) == (self.view.scope, rival)


class ChannelHand(UnitHand):
    granularity = "channel"

    @rule(group=st.sampled_from(("one", "three")), share=SPARSITY, moving=st.booleans())
    def set_share(self, group, share, moving):
        self.page(sparsities={group: share}, moving=moving)

    @rule()
    def no_shares(self):
        self.page(sparsities={})

    @rule(followed=st.sampled_from(([], ["one", 1], ["three", 0])))
    def follow(self, followed):
        self.page(followed=followed)


@pytest.fixture(autouse=True)
def _few_points(monkeypatch):
    grid = measuring.grid
    monkeypatch.setattr(measuring, "grid", lambda: grid(5))


@pytest.mark.parametrize("hand", [Hand, NeuronHand, FilterHand, ChannelHand])
def test_any_order_of_anything(hand):
    suppressed = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        hand,
        settings=settings(
            max_examples=SEQUENCES, stateful_step_count=25, deadline=None, suppress_health_check=suppressed
        ),
    )
