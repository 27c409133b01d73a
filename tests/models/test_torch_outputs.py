"""What PyTorch models give in a structure of their own: it is found, or nothing is said to be equal."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.methods.removing import relative

X = np.random.default_rng(0).normal(size=(20, 10)).astype("f4")


@dataclass
class Out:
    """As in much code of research."""

    logits: torch.Tensor
    more: Any = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """Without a __dict__."""

    first: Out
    rest: tuple[Any, ...]


class Named(NamedTuple):
    """As torchvision's auxiliary outputs."""

    logits: torch.Tensor
    more: Any


class Net(nn.Module):
    """Gives its classes by a function."""

    def __init__(self, give):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.give = nn.Linear(10, 16), nn.Linear(16, 3), give

    def forward(self, x):
        return self.give(self.b(self.a(x).relu()))


GIVEN = {
    "dataclass": Out,
    "dataclass in a dataclass": lambda y: Frozen(Out(y), ({"x": y.exp()},)),
    "dataclass in a list": lambda y: [Out(y, (y,))],
    "named tuple": lambda y: Named(y, None),
    "named tuple in a dict": lambda y: {"x": Named(Out(y), 1)},
}


@pytest.mark.parametrize("give", GIVEN.values(), ids=GIVEN)
def test_classes_stay_in_any_structure(give):
    model = Net(give).eval()
    mask = pv.prune(model, 0.5, granularity="neuron", scope="layer", example=X)
    assert list(mask) == ["a"]
    small = pv.remove(model, mask, X)
    assert (small.a.out_features, small.b.out_features) == (8, 3)
    assert pv.check_removed(model, mask, small, X) <= 1e-6
    small.b.bias.data += 1
    assert pv.check_removed(model, mask, small, X) > 0.1


class Hidden:
    """Nothing that is known to hold a tensor."""

    def __init__(self, held):
        self.held = held


def test_outputs_without_a_tensor_are_refused():
    with pytest.raises(ValueError, match="in what Net gives is no tensor: let it return one"):
        pv.prune(Net(lambda _: "text").eval(), 0.5, granularity="neuron", example=X)
    plain, hidden = Net(lambda y: y).eval(), Net(Hidden).eval()
    mask = pv.prune(plain, 0.5, granularity="neuron", example=X)
    with pytest.raises(ValueError, match="in what Net gives is no number to compare"):
        pv.check_removed(hidden, mask, hidden, X)


def test_what_is_true_infinite_or_whole_is_compared():
    one, two = np.array([1.0, -np.inf, np.inf], "f4"), np.array([1.5, -np.inf, np.inf], "f4")
    assert relative(one, one) == 0
    assert relative(one, two) == 0.5
    assert relative(one, np.array([1, 0, np.inf], "f4")) == np.inf
    assert not relative(one, np.array([np.nan, -np.inf, np.inf], "f4")) <= 1
    assert relative(np.array([True, False]), np.array([True, True])) == 1
    assert relative(np.array([1, 2], np.uint8), np.array([2, 2], np.uint8)) == 0.5


OTHERS = {
    "true or false": lambda y: (y, y > 0),
    "what is not allowed": lambda y: y.masked_fill(torch.tensor([False, True, False]), -torch.inf),
    "places": lambda y: (y, y.argmax(1)),
}


@pytest.mark.parametrize("give", OTHERS.values(), ids=OTHERS)
def test_outputs_that_are_no_finite_numbers_are_compared(give):
    model = Net(give).eval()
    mask = pv.prune(model, 0.5, granularity="neuron", example=X, exclude="auto")
    small = pv.remove(model, mask, X)
    assert small.a.out_features == 8
    assert pv.check_removed(model, mask, small, X) <= 1e-6
