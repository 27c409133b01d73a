"""How many images a model is given at once."""

import numpy as np
import pytest

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
