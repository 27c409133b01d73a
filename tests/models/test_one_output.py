"""Models of one output: a probability, or a logit that happens to lie from 0 to 1."""

import numpy as np
import pytest
import torch
from torch import nn
from twins import keras, tf_keras

import pruneviz as pv

X = np.random.default_rng(0).random((12, 6), np.float32)
Y = np.arange(12) % 2
HOMES = pytest.mark.parametrize("home", [keras, tf_keras], ids=["keras", "tf_keras"])
BIAS = 0.3  # all that is left: 0.3 is class 1 of a logit, and class 0 of a probability


class Net(nn.Module):
    """A dense layer, of which nothing but the bias is left, and what comes behind it."""

    def __init__(self, end, width=1):
        super().__init__()
        self.layer, self.end = nn.Linear(6, width), end
        nn.init.zeros_(self.layer.weight)
        nn.init.constant_(self.layer.bias, BIAS)

    def forward(self, x):
        return self.end(self.layer(x))


def logit_of(p):
    return float(np.log(p / (1 - p)))


LOGITS = {
    "as it is": lambda z: z,
    "in another shape": lambda z: z.reshape(1, -1).reshape(-1, 1),
    "at a temperature": lambda z: z / 7,
    "shifted": lambda z: z - 0.1,
    "after a norm": nn.BatchNorm1d(1),
    "never below 0": lambda z: z.relu(),
}
SHARES = {
    "sigmoid": lambda z: (z - BIAS + logit_of(0.4)).sigmoid(),
    "a module": nn.Sequential(nn.BatchNorm1d(1), nn.Hardsigmoid(), nn.Linear(1, 1), nn.Sigmoid()),
    "from tanh": lambda z: ((z - BIAS).tanh() + 1) / 2.5,
    "turned round": lambda z: 1 - (z - BIAS + logit_of(0.6)).sigmoid(),
    "cut off": lambda z: z.clamp(0, 1),
    "exponential": lambda z: torch.exp(-z.square() * 20),
}


def said(model):
    return pv.scorecard(model, (X, Y)).predictions.tolist()


@pytest.mark.parametrize("end", LOGITS)
def test_a_logit_of_torch_is_one_also_from_0_to_1(end):
    model = Net(LOGITS[end]).eval()
    assert 0 <= model(torch.from_numpy(X)).min() <= model(torch.from_numpy(X)).max() <= 1
    assert said(model) == [1] * 12


@pytest.mark.parametrize("end", SHARES)
def test_a_probability_of_torch_stays_one(end):
    model = Net(SHARES[end]).eval()
    wanted = model(torch.from_numpy(X)).detach().numpy()[:, 0] > 0.5
    assert said(model) == wanted.tolist()


def test_one_of_two_probabilities_is_one():
    model = Net(lambda z: z.softmax(1)[:, 1:], width=2)
    nn.init.constant_(model.layer.bias[:1], 1.0)
    assert said(model) == [0] * 12


def test_a_model_that_is_cut_down_in_steps_keeps_its_classes():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1))
    nn.init.constant_(model[2].bias, BIAS)
    everything = pv.sweep(model, (X, Y), [0.0, 1.0])[-1]
    assert everything.predictions.tolist() == [1] * 12
    view = pv.explore(model, (X, Y), sparsity=1.0)
    view.measure()
    assert view.exact["correct"] == 6 == view.card.correct
    assert view.card.predictions.tolist() == [1] * 12


def test_a_forward_that_cannot_be_traced_is_looked_at_too():
    class Branch(Net):
        def forward(self, x):
            return self.layer(x) if x.sum() > -1 else self.layer(-x)

    assert said(Branch(None)) == [1] * 12


@HOMES
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "float64"])
def test_keras_tells_a_logit_by_its_activation(home, policy):
    layers = home.layers
    for activation, rest, wanted in (
        (None, [], 1),
        ("linear", [layers.Rescaling(0.1)], 1),
        (None, [layers.Reshape((1, 1)), layers.Reshape((1,))], 1),
        ("sigmoid", [layers.Rescaling(0.5)], 0),
        (None, [layers.Activation("sigmoid"), layers.Rescaling(0.5)], 0),
        ("hard_sigmoid", [layers.Rescaling(0.5)], 0),
    ):
        dense = layers.Dense(
            1,
            activation,
            kernel_initializer="zeros",
            bias_initializer=home.initializers.Constant(BIAS),
            dtype=policy,
        )
        model = home.Sequential([home.Input((6,)), dense, *rest])
        outputs = np.asarray(model.predict(X, verbose=0))
        assert 0 <= outputs.min() <= outputs.max() <= 0.5
        assert said(model) == [wanted] * 12


@HOMES
def test_a_subclass_is_told_by_what_it_does(home):
    class Own(home.Model):
        def __init__(self, ends):
            super().__init__()
            self.layer = home.layers.Dense(
                1, kernel_initializer="zeros", bias_initializer=home.initializers.Constant(BIAS)
            )
            self.ends = ends

        def call(self, x):
            return self.ends(self.layer(x))

    for ends, wanted in (
        (lambda z: z, 1),
        (lambda z: z / 3, 1),
        (lambda z: 1 - home.activations.sigmoid(z), 0),
    ):
        model = Own(ends)
        model(X)
        assert said(model) == [wanted] * 12


@HOMES
def test_the_loss_of_a_small_logit_is_that_of_logits(home):
    dense = home.layers.Dense(
        1,
        kernel_initializer=home.initializers.Constant(0.01),
        bias_initializer=home.initializers.Constant(BIAS),
    )
    twin = nn.Linear(6, 1)
    nn.init.constant_(twin.weight, 0.01)
    nn.init.constant_(twin.bias, BIAS)
    logits = X @ np.full(6, 0.01) + BIAS
    by_hand = np.abs(((1 / (1 + np.exp(-logits)) - Y)[:, None] * X).mean(0))
    column, row = home.Sequential([home.Input((6,)), dense]), home.layers.Reshape(())
    flat = [home.Sequential([home.Input((6,)), dense, row]), nn.Sequential(twin, nn.Flatten(0))]
    for model in (column, twin, *flat):
        (scores,) = pv.importance(model, criterion="gradient", data=(X, Y)).values()
        np.testing.assert_allclose(scores[0], by_hand, rtol=1e-4)
