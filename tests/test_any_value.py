"""Whatever a page sends or a script sets, a view takes it or refuses it in a line, and goes on as a whole."""

import os
import random

import numpy as np
import pytest
import torch
import traitlets
from torch import nn

import pruneviz as pv

VALUES = 1_000 if "PRUNEVIZ_LONG" in os.environ else 40  # for each view, from each side
X, Y = np.random.default_rng(0).random((8, 4, 4, 1), np.float32), np.arange(8) % 3

PLAIN = (
    *(None, True, False, 0, 1, -1, 2, 7, 0.5, 1.0, -0.1, 1e308, float("nan"), float("inf"), 10**30),
    *(
        "",
        "x",
        "1",
        "4",
        "global",
        "layer",
        "l2",
        "score",
        "before",
        "accuracy",
        "linear",
        "dense",
        "w0",
        "garden",
    ),
    *([], [0], [-1], ["1", 0], [{}], ["cut"], {}, {"1": 0.5}, {"1": {"cut": [0]}}, {"1": {"cut": [0.5]}}),
    *({"1": {"cut": 5}}, {"1": 5}, {"1": None}, {"1": [{}, "kept"]}, {"a": {}}, {"sparsity": 0.5}),
    {"sparsity": "x", "scope": [], "criterion": 0, "by_hand": {"1": 3}},
)
KEYS = ("cut", "kept", "1", "id", "name", "sparsity", "scope", "state")


def anything(rng, depth=2):
    """Draw a value as JSON has them, often one that a trait of a view takes."""
    if depth and rng.random() < 0.3:
        inner = [anything(rng, depth - 1) for _ in range(rng.randrange(4))]
        return inner if rng.random() < 0.5 else dict(zip(rng.sample(KEYS, len(inner)), inner, strict=True))
    return rng.choice(PLAIN)


def model():
    torch.manual_seed(0)
    convolutions = (nn.Flatten(), nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Flatten())
    return nn.Sequential(*convolutions, nn.Linear(27, 4), nn.ReLU(), nn.Linear(4, 3))


def explored(granularity):
    return lambda: pv.explore(model(), (X, Y), granularity=granularity, predict=False)


def tradeoff():
    cards = [
        pv.scorecard(pv.apply(model(), pv.prune(model(), s)), (X, Y), n)
        for s, n in ((0, "dense"), (0.5, "x"))
    ]
    return pv.TradeoffExplorer([cards[0], pv.Variant(cards[1], "dense", "half")], (X, Y))


def two_layers():
    weights = [[1, 2], [3, -4], [1, 1]], [0, 1, 0], [1, -1, 2], 0.5
    return pv.TinyNetwork.two_layers(*weights, [[0, 1], [1, 0]], [0, 1])


OPENED = {
    **{granularity: explored(granularity) for granularity in ("weight", "neuron", "filter", "channel")},
    "schedule": lambda: pv.ScheduleExplorer(model(), lambda *_: None, (X, Y), rounds=2),
    "tradeoff": tradeoff,
    "linear": lambda: pv.TinyNetwork.linear([0.02, 0.5], ["1", "garden"], [[50, 0], [80, 1]], [1.0, 2.1]),
    "two layers": two_layers,
    "corruption": lambda: pv.CorruptionView(
        model(), (X, Y), {"0": range(16), "0.5": range(16), "1": range(16)}
    ),
}


def shown(view):
    hidden = ("layout", "moving", "problem")  # a view of its own, the hand that lets go, and why it refuses
    return {name: getattr(view, name) for name in view.traits(sync=True) if name not in hidden}


def same(before, after):
    return all(after[name] is value or after[name] == value for name, value in before.items())


def fitting(view, name, rng):
    """Draw a value that a trait may well take."""
    trait = view.traits()[name]
    if name == "kept":
        return [*view.kept, view.state()]
    if isinstance(trait, traitlets.Enum):
        return rng.choice(trait.values)
    kinds = {
        traitlets.Bool: rng.random() < 0.5,
        traitlets.Int: rng.randrange(3),
        traitlets.Float: rng.random(),
    }
    return next((value for kind, value in kinds.items() if isinstance(trait, kind)), getattr(view, name))


def refusal(view, sent, by):
    """Set traits as a page does, or a script; gives why it is refused, if it is."""
    try:
        if by == "page":
            view.set_state(sent)
            return view._refusal or None
        for name, value in sent.items():
            setattr(view, name, value)
    except (traitlets.TraitError, RuntimeError) as error:
        return str(error)
    return None


@pytest.mark.parametrize("by", ["page", "script"])
@pytest.mark.parametrize("kind", OPENED)
def test_whatever_is_set_the_view_goes_on(kind, by):
    view, rng, refused = OPENED[kind](), random.Random(kind), 0
    names = [name for name in view.traits(sync=True) if name[0] != "_"]
    told = {name for name in names if view.traits()[name].read_only}
    theirs = {name for name in names if view.trait_metadata(name, "echo_update") is False}
    ours = [name for name in names if name not in ("layout", "tabbable", "tooltip")]  # but of every widget
    assert not told & theirs
    for _ in range(VALUES):
        many = rng.choice((1, 1, 2)) if by == "page" else 1
        named = rng.sample(names if by == "page" else ours, many)
        named = (
            ["running"] if "running" in named else named
        )  # what it refuses leaves the others as they were set
        sent = {name: fitting(view, name, rng) if rng.random() < 0.4 else anything(rng) for name in named}
        before = shown(view)
        why = refusal(view, sent, by)
        assert "\n" not in (why or "")
        if why or (by == "page" and not theirs & sent.keys()) or told >= sent.keys():
            assert same(before, shown(view)), (sent, why)
        refused += bool(why)
        assert view.sentence()
        assert view.get_state()
        if rng.random() < 0.1:
            view.measure()
        if rng.random() < 0.02:
            view.snapshot()
    assert 0.1 * VALUES < refused < VALUES
