"""A small transformer of the learner's own, end to end: MLPs are pruned, attention named as not covered."""

import numpy as np
import pytest
import torch
from torch import nn
from twins import keras, tf_keras

import pruneviz as pv

RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 16, 16, 3), np.float32)
LABELS = np.arange(6) % 4
WIDE, DIM = 32, 16


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.attention = nn.MultiheadAttention(DIM, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(DIM, WIDE), nn.GELU(), nn.Dropout(0.1), nn.Linear(WIDE, DIM))

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.patches = nn.Conv2d(3, DIM, 4, 4)
        self.token, self.places = nn.Parameter(torch.rand(1, 1, DIM)), nn.Parameter(torch.rand(1, 17, DIM))
        self.blocks = nn.Sequential(Block(), Block())
        self.norm, self.head = nn.LayerNorm(DIM), nn.Linear(DIM, 4)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        return self.head(self.norm(self.blocks(x))[:, 0])


def vit(home):
    """Build the same of Keras's layers."""
    if home is None:
        return Vit().eval()
    home.utils.set_random_seed(0)
    layers, inputs = home.layers, home.Input((16, 16, 3))
    x = layers.Reshape((16, DIM))(layers.Conv2D(DIM, 4, 4, name="patches")(inputs))
    for i in range(2):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(2, DIM // 2, name=f"attention{i}")(y, y)
        y = layers.Dense(WIDE, "gelu", name=f"wide{i}")(layers.LayerNormalization()(x))
        x = x + layers.Dense(DIM, name=f"narrow{i}")(layers.Dropout(0.1)(y))
    return home.Model(inputs, layers.Dense(4, name="head")(layers.LayerNormalization()(x)[:, 0]))


def step(model):
    """Train one step; give the loss."""
    if isinstance(model, nn.Module):
        batch = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)
        loss = nn.functional.cross_entropy(model.train()(batch), torch.from_numpy(LABELS))
        loss.backward()
        torch.optim.SGD(model.parameters(), 0.1).step()
        model.eval()
        return float(loss.detach())
    home = tf_keras if isinstance(model, tf_keras.Model) else keras
    model.compile("sgd", home.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    return model.fit(IMAGES, LABELS, verbose=0).history["loss"][0]


@pytest.mark.parametrize("home", [None, keras, tf_keras], ids=["torch", "keras", "tf_keras"])
def test_a_transformer_end_to_end(home, tmp_path):
    model = vit(home)
    wide = ["blocks.0.mlp.0", "blocks.1.mlp.0"] if home is None else ["wide0", "wide1"]
    attention = ["blocks.0.attention", "blocks.1.attention"] if home is None else ["attention0", "attention1"]
    mask = pv.prune(
        model, 0.5, granularity="neuron", scope="layer", example=IMAGES, criterion="taylor",
        data=(IMAGES, LABELS), exclude="auto",
    )  # fmt: skip
    assert {name: len(kept) - kept.sum() for name, kept in mask.items()} == dict.fromkeys(wide, WIDE // 2)
    small = pv.remove(model, mask, IMAGES)
    assert pv.check_removed(model, mask, small, RNG.random(IMAGES.shape, np.float32)) <= 1e-5
    cards = [pv.scorecard(one, (IMAGES, LABELS)) for one in (model, pv.apply(model, mask), small)]
    assert cards[1].correct == cards[2].correct
    assert cards[2].raw_bytes < cards[0].raw_bytes - 4 * 2 * WIDE // 2 * 2 * DIM
    for shown in (pv.network(model), mask, cards[0]):
        assert set(attention) <= {*shown.uncovered}
        assert all(shown.uncovered[name] >= 4 * DIM * DIM - (home is None) * DIM * DIM for name in attention)
        assert all(name in str(shown) for name in attention)
    pv.save(small, tmp_path / "small.pv")
    again = pv.load(tmp_path / "small.pv", model, IMAGES)
    assert pv.check_removed(small, pv.prune(small, 0.0), again, IMAGES) == 0
    assert np.isfinite([step(small), step(small)]).all()
    weights = [layer.weight for one in (small, again) for layer in pv.network(one).layers]
    half = len(weights) // 2
    assert any((one != other).any() for one, other in zip(weights[:half], weights[half:], strict=True))
