"""A model that divides by 255 itself, given images that are divided already: its card says so."""

import numpy as np
import pytest
import torch
from architectures import PLANS
from architectures import build as architecture
from architectures import images as images_for
from hypothesis import given
from torch import nn
from twins import keras, tf_keras

import pruneviz as pv

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (12, 8, 8, 3), np.uint8)
FLOATS = BYTES / np.float32(255)
LABELS = np.arange(12) % 3
GIVEN = {"bytes": BYTES, "from 0 to 1": FLOATS}
OWN = {
    "x / 255": lambda x: x / 255,
    "from -1 to 1": lambda x: x / 127.5 - 1,
    "by channel": lambda x: x * torch.tensor([1 / 250, 1 / 255, 1 / 260])[:, None, None],
    "standardised": lambda x: (x / 255 - 0.45) / 0.22,
    "flipped and padded": lambda x: nn.functional.pad(x.flip(1) / 255, (1, 1, 1, 1)),
}
OTHER = {
    "nothing": lambda x: x,
    "from 0 to 1": lambda x: 2 * x - 1,
    "standardised": lambda x: (x - 0.45) / 0.22,
    "cut off": lambda x: x.clamp(0, 1),
    "squashed": torch.tanh,
    "each by its own": nn.InstanceNorm2d(3),
    "by its largest": lambda x: x / x.amax((1, 2, 3), keepdim=True).clamp_min(1e-6),
    "as in its first training": nn.BatchNorm2d(3),
}


class Net(nn.Module):
    def __init__(self, first):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.layers = first, nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten())
        self.head = nn.LazyLinear(3)

    def forward(self, x):
        return self.head(self.layers(self.first(x)))


def net(first):
    model = Net(first)
    model(torch.zeros(2, 3, 8, 8))
    return model.eval()


def twice(model, x):
    card = pv.scorecard(model, (x, LABELS))
    said = "divided by 255 twice, for the model does it too: pass float32 from 0 to 255" in str(card)
    assert said == card.divided_twice
    return said


@pytest.mark.parametrize("x", GIVEN)
@pytest.mark.parametrize("first", OWN)
def test_a_module_that_divides_by_itself_is_told_from_others(first, x):
    model = net(OWN[first])
    assert twice(model, GIVEN[x])
    assert twice(pv.apply(model, pv.prune(model, 1.0)), GIVEN[x])
    assert not twice(model, BYTES.astype("f4"))


@pytest.mark.parametrize("x", GIVEN)
@pytest.mark.parametrize("first", OTHER)
def test_other_modules_are_not_suspected(first, x):
    assert not twice(net(OTHER[first]), GIVEN[x])


def test_a_norm_that_was_trained_on_bytes_takes_bytes():
    model = net(nn.BatchNorm2d(3))
    for x, wanted in ((BYTES.astype("f4"), True), (FLOATS, False)):
        model.first.reset_running_stats()
        model.train()
        for _ in range(60):
            model(torch.from_numpy(x).movedim(-1, 1))
        assert twice(model.eval(), BYTES) is wanted


def test_a_module_that_takes_no_such_image_is_not_suspected():
    def strict(x):
        if x.max() > 1:
            raise ValueError("from 0 to 1, please")
        return x

    assert not twice(net(strict), BYTES)
    assert not twice(nn.Sequential(nn.Flatten(), nn.LSTM(192, 3), Taken()), FLOATS)


def test_flat_images_are_looked_at_and_tokens_are_not():
    flat, tokens = BYTES.reshape(12, -1), BYTES[:, 0, :5, 0]

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(192, 3)

        def forward(self, x):
            return self.head(x / 255)

    words = nn.Sequential(nn.Embedding(256, 4), nn.Flatten(), nn.Linear(20, 3))
    assert twice(Own(), flat)
    assert not twice(nn.Linear(192, 3), flat)
    assert not twice(words, tokens)
    for home in (keras, tf_keras):
        layers = [home.layers.Embedding(256, 4), home.layers.Flatten(), home.layers.Dense(3)]
        assert not twice(home.Sequential([home.Input((5,)), *layers]), tokens)


class Taken(nn.Module):
    def forward(self, given):
        return given[0]


@pytest.mark.parametrize("home", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_a_subclass_of_keras_too(home):
    class Own(home.Model):
        def __init__(self, scale):
            super().__init__()
            self.scale, self.conv = scale, home.layers.Conv2D(4, 3)
            self.flat, self.head = home.layers.Flatten(), home.layers.Dense(3)

        def call(self, x):
            return self.head(self.flat(self.conv(self.scale(x))))

    for scale, wanted in (
        (lambda x: x / 255.0, True),
        (home.layers.Rescaling(1 / 127.5, offset=-1.0), True),
        (lambda x: x, False),
        (lambda x: 2 * x - 1, False),
    ):
        model = Own(scale)
        model(FLOATS)
        assert [twice(model, x) for x in (BYTES, FLOATS, BYTES.astype("f4"))] == [wanted, wanted, False]


@pytest.mark.parametrize("home", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_a_graph_of_keras_is_given_bytes_and_suspected_of_nothing(home):
    layers = home.layers
    for first, of_floats in (
        ([layers.Rescaling(1 / 255)], True),
        ([], False),
        ([layers.BatchNormalization()], False),
    ):
        model = home.Sequential(
            [home.Input((8, 8, 3)), *first, layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)]
        )
        assert not twice(model, BYTES)
        assert twice(model, FLOATS) == of_floats


@given(PLANS)
def test_no_architecture_is_suspected(plan):
    for home in ("torch", "keras"):
        data = images_for(plan, home), np.arange(4) % 3
        assert not pv.scorecard(architecture(plan, home), data).divided_twice


@pytest.mark.parametrize("name", ["lenet_300_100", "lenet_5", "mnist_cnn"])
def test_the_zoo_is_not_suspected(framework, name):
    x, y = (part[:20] for part in pv.datasets.mnist().validation)
    model = getattr(pv.zoo, name)(framework)
    for sparsity in (0.0, 0.9, 0.99, 1.0):
        assert not pv.scorecard(pv.apply(model, pv.prune(model, sparsity)), (x, y)).divided_twice
