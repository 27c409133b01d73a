"""The quick rows of the table of models; `python -m benchmarks.models` goes through all of them."""

import numpy as np
import pytest
import torchvision
import unseen
from torch import nn
from twins import keras, tf_keras

import pruneviz as pv


@pytest.mark.parametrize("name", unseen.quick())
def test_a_model_stands_every_step(name):
    found = unseen.examine(unseen.ROWS[name])
    assert list(found) == ["mask", *unseen.STEPS[1:]]
    assert all(said.startswith("yes") for said in found.values()), found


def test_transposed_kernels_are_measured():
    x = np.random.default_rng(0).random((2, 16, 16, 3), np.float32)
    model = unseen.Unet()
    card = pv.scorecard(model, (x, np.zeros(2, int)))
    assert card.raw_bytes >= 4 * sum(p.numel() for p in model.parameters())


def test_the_neurons_of_a_transformer_encoder_layer():
    model, x = unseen.Encoder().eval(), np.random.default_rng(0).random((2, 9, 6), np.float32)
    mask = pv.prune(model, 0.5, granularity="neuron", scope="layer", example=x)
    assert list(mask) == ["body.layers.0.linear1", "body.layers.1.linear1"]
    small = pv.remove(model, mask, x)
    assert [layer.linear1.out_features for layer in small.body.layers] == [16, 16]


def test_frozen_norms_shrink_along():
    norm = torchvision.ops.FrozenBatchNorm2d
    layers = [nn.Conv2d(3, 8, 3), norm(8), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Flatten(), nn.Linear(64, 3)]
    model, x = nn.Sequential(*layers), np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
    rng = np.random.default_rng(1)
    for name, value in model[1].named_buffers():
        value.copy_(unseen.torch.from_numpy(rng.uniform(0.5, 2, 8).astype("f4"))), name
    mask = pv.prune(model, scope={"0": 0.5}, granularity="filter", example=x)
    small = pv.remove(model, mask, x)
    assert pv.check_removed(model, mask, small, x[::-1].copy()) <= 1e-6
    assert [len(value) for value in small[1].buffers()] == [4] * 4


def grouped(home):
    """Make a convolution of eight filters, a norm of four groups, and a layer that reads them."""
    if home is None:
        layers = [nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(64, 3)), "0"
    layers = home.layers
    body = [layers.Conv2D(8, 3, name="0"), layers.GroupNormalization(4), layers.ReLU(), layers.Conv2D(4, 3)]
    return home.Sequential([home.Input((8, 8, 3)), *body, layers.Flatten(), layers.Dense(3)]), "0"


@pytest.mark.parametrize("home", [None, keras, tf_keras], ids=["torch", "keras", "tf_keras"])
def test_whole_groups_of_a_norm_go(home):
    (model, name), x = grouped(home), np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
    mask = pv.prune(model, scope={name: 0.5}, granularity="filter", example=x)
    pairs = mask[name].reshape(4, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()
    assert pairs.sum() == 4
    small = pv.remove(model, mask, x)
    assert pv.check_removed(model, mask, small, x[::-1].copy()) <= 1e-5
    assert (small[1].num_groups if home is None else small.layers[1].groups) == 2


@pytest.mark.parametrize("home", [keras, tf_keras], ids=["keras", "tf_keras"])
@pytest.mark.parametrize("shared", [None, [1, 2]])
def test_slopes_of_a_channel_shrink_along(home, shared):
    layers, rng = home.layers, np.random.default_rng(0)
    slopes = layers.PReLU(shared_axes=shared)
    body = [layers.Conv2D(8, 3, name="a"), slopes, layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(3)]
    model, x = home.Sequential([home.Input((8, 8, 3)), *body]), rng.random((4, 8, 8, 3), np.float32)
    slopes.set_weights([rng.random(slopes.get_weights()[0].shape)])
    mask = pv.prune(model, scope={"a": 0.5}, granularity="filter", example=x)
    small = pv.remove(model, mask, x)
    assert pv.check_removed(model, mask, small, x[::-1].copy()) <= 1e-5
    assert small.layers[1].get_weights()[0].shape[-1] == 4
