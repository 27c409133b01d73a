"""How many images a model is given at once."""

import numpy as np
import pytest
import torch
from twins import keras

import pruneviz as pv
from pruneviz import frameworks


@pytest.mark.parametrize(("name", "side", "depth"), [("lenet_5", 28, 1), ("resnet_20", 32, 3)])
def test_a_deep_keras_model_is_given_fewer_images_at_once(name, side, depth):
    model = getattr(pv.zoo, name)("keras", pretrained=False)
    x = np.zeros((1_200, side, side, depth), np.uint8)
    sizes = [len(batch) for (batch,) in frameworks.adapter(model)._batches(x)]
    assert sum(sizes) == len(x)
    assert (max(sizes) == frameworks.BATCH) == (name == "lenet_5")
    assert name == "lenet_5" or max(sizes) < 150


def test_gradients_do_not_depend_on_how_many_fit(monkeypatch):
    model = pv.zoo.lenet_5("keras")
    data = tuple(part[:50] for part in pv.datasets.mnist().train)
    adapter = frameworks.adapter(model)
    whole = adapter.gradients(data, None)
    monkeypatch.setattr(type(adapter), "_images_that_fit", lambda _: 20)
    for name, slopes in adapter.gradients(data, None).items():
        np.testing.assert_allclose(slopes, whole[name], rtol=1e-4, atol=1e-6)


class Squeezing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.f = torch.nn.Conv2d(1, 4, 8), torch.nn.Linear(4, 3)

    def forward(self, x):
        return self.f(torch.relu(self.c(x)).squeeze())


def squeezing():
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, keras.ops.squeeze(keras.layers.Conv2D(3, 8)(inputs)))


@pytest.mark.parametrize("make", [Squeezing, squeezing], ids=["torch", "keras"])
def test_a_last_batch_of_one_image_may_be_squeezed(make):
    model, rng = make(), np.random.default_rng(0)
    x, y = rng.random((frameworks.BATCH + 1, 8, 8, 1), np.float32), np.arange(frameworks.BATCH + 1) % 3
    predict = frameworks.adapter(model).predict
    outputs = predict(x)
    assert outputs.shape == (len(x), 3)
    for part in (slice(-1), slice(-2, None)):
        np.testing.assert_allclose(outputs[part], predict(x[part]), rtol=1e-5, atol=1e-6)
    assert pv.scorecard(model, (x, y)).n == len(x)
    pv.importance(model, criterion="gradient", data=(x, y))
