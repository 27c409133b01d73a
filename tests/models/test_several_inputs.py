"""Models with several inputs take a tuple of arrays: images and vectors, two images, whole numbers."""

import numpy as np
import pytest
import torch
from torch import nn
from twins import keras, tf_keras

import pruneviz as pv

RNG = np.random.default_rng(0)
IMAGES = RNG.random((9, 8, 8, 3), np.float32)
VECTORS = RNG.random((9, 5), np.float32)
TOKENS = RNG.integers(0, 30, (9, 7))
LABELS = np.arange(9) % 3


class Meeting(nn.Module):
    """An image and a vector, added."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Conv2d(3, 8, 3), nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, image, vector, scale=1.0):
        return self.out(torch.relu(self.a(image).mean((2, 3)) + self.b(vector)) * scale)


class Reading(nn.Module):
    """Words and a vector, side by side."""

    def __init__(self):
        super().__init__()
        self.embed, self.a = nn.Embedding(30, 6), nn.Linear(6, 8)
        self.b, self.out = nn.Linear(5, 4), nn.Linear(12, 3)

    def forward(self, words, vector):
        sides = [self.a(self.embed(words)).relu().mean(1), self.b(vector).relu()]
        return self.out(torch.cat(sides, 1))


def meeting(home):
    layers, image, vector = home.layers, home.Input((8, 8, 3)), home.Input((5,))
    one = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, name="a")(image))
    both = layers.ReLU()(layers.Add()([one, layers.Dense(8, name="b")(vector)]))
    return home.Model([image, vector], layers.Dense(3, name="out")(both))


def named(home):
    layers, image, vector = home.layers, home.Input((8, 8, 3), name="one"), home.Input((5,), name="two")
    one = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, name="a")(image))
    both = layers.ReLU()(layers.Add()([one, layers.Dense(8, name="b")(vector)]))
    return home.Model({"one": image, "two": vector}, layers.Dense(3, name="out")(both))


def reading(home):
    layers, words, vector = home.layers, home.Input((7,), dtype="int64"), home.Input((5,))
    one = layers.Dense(8, "relu", name="a")(layers.Embedding(30, 6)(words))
    sides = [layers.GlobalAveragePooling1D()(one), layers.Dense(4, "relu", name="b")(vector)]
    return home.Model([words, vector], layers.Dense(3, name="out")(layers.Concatenate()(sides)))


def siamese(home):
    layers = home.layers
    inside = home.Input((8, 8, 3))
    hidden = layers.Conv2D(6, 3, activation="relu", name="a")(inside)
    encoder = home.Model(inside, layers.Dense(4)(layers.GlobalAveragePooling2D()(hidden)), name="encoder")
    one, two = home.Input((8, 8, 3)), home.Input((8, 8, 3))
    return home.Model([one, two], layers.Dense(3)(layers.Subtract()([encoder(one), encoder(two)])))


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Conv2d(3, 6, 3), nn.Linear(6, 4), nn.Linear(4, 3)

    def encode(self, x):
        return self.b(self.a(x).relu().mean((2, 3)))

    def forward(self, *pair):
        return self.out(self.encode(pair[0]) - self.encode(pair[1]))


MODELS = {
    "torch, image and vector": (Meeting, (IMAGES, VECTORS)),
    "torch, words and vector": (Reading, (TOKENS, VECTORS)),
    "torch, siamese": (Siamese, (IMAGES, IMAGES[::-1].copy())),
    **{
        f"{home.__name__}, {make.__name__}": (lambda make=make, home=home: make(home), x)
        for home in (keras, tf_keras)
        for make, x in [
            (meeting, (IMAGES, VECTORS)),
            (named, (IMAGES, VECTORS)),
            (reading, (TOKENS, VECTORS)),
            (siamese, (IMAGES, IMAGES[::-1].copy())),
        ]
    },
}


def outputs(model, x):
    """Let the model itself compute."""
    if isinstance(model, nn.Module):
        turned = [np.moveaxis(part, -1, 1).copy() if part.ndim == 4 else part for part in x]
        with torch.no_grad():
            return model.eval()(*map(torch.from_numpy, turned)).numpy()
    given = dict(zip(["one", "two"], x, strict=True)) if isinstance(model.input, dict) else list(x)
    return np.asarray(model(given, training=False))


@pytest.mark.parametrize(("make", "x"), MODELS.values(), ids=MODELS)
def test_two_inputs_end_to_end(make, x, tmp_path):
    model = make()
    data = (x, LABELS)
    assert pv.scorecard(model, data).correct == np.count_nonzero(outputs(model, x).argmax(1) == LABELS)
    for criterion in ("magnitude", "taylor"):
        options = {"granularity": "channel" if criterion == "magnitude" else "neuron", "criterion": criterion}
        if any(layer.kind != "dense" for layer in pv.network(model).values()) and criterion != "magnitude":
            options["granularity"] = "filter"
        mask = pv.prune(model, 0.5, data=data, keep_at_least=1, **options)
        assert mask.pruned
        thin, small = pv.apply(model, mask), pv.remove(model, mask, x)
        assert pv.check_removed(model, mask, small, tuple(part[::-1].copy() for part in x)) <= 1e-5
        np.testing.assert_allclose(outputs(small, x), outputs(thin, x), rtol=1e-4, atol=1e-5)
        assert sum(a.size for a in pv.importance(small).values()) < sum(
            a.size for a in pv.importance(model).values()
        )
    pv.save(small, tmp_path / "small.pv")
    again = pv.load(tmp_path / "small.pv", model, x)
    np.testing.assert_array_equal(outputs(again, x), outputs(small, x))
    assert len(pv.sweep(model, data, [0, 0.5], progress=False)) == 2
    assert pv.latency({"it": model}, x, (1, 3), seconds=0.01)["it"][3].low > 0


def classifier(home):
    """Classify words: the integers of any type are indices."""
    if home is None:
        return nn.Sequential(nn.Embedding(30, 6), nn.Flatten(), nn.Linear(42, 8), nn.ReLU(), nn.Linear(8, 3))
    layers = [home.layers.Embedding(30, 6), home.layers.Flatten(), home.layers.Dense(8, "relu")]
    return home.Sequential([home.Input((7,)), *layers, home.layers.Dense(3)])


@pytest.mark.parametrize("home", [None, keras, tf_keras], ids=["torch", "keras", "tf_keras"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_whole_numbers_reach_an_embedding_as_they_are(home, dtype):
    model, x = classifier(home), TOKENS.astype(dtype)
    wanted = model(torch.from_numpy(TOKENS)).detach().numpy() if home is None else np.asarray(model(TOKENS))
    assert pv.scorecard(model, (x, LABELS)).correct == np.count_nonzero(wanted.argmax(1) == LABELS)
    mask = pv.prune(model, 0.5, granularity="neuron", example=x)
    assert pv.check_removed(model, mask, pv.remove(model, mask, x), x[::-1]) <= 1e-5


@pytest.mark.parametrize("home", [None, keras, tf_keras], ids=["torch", "keras", "tf_keras"])
def test_whole_numbers_that_no_embedding_reads_are_refused(home):
    model = nn.Sequential(nn.Linear(7, 3))
    if home is not None:
        model = home.Sequential([home.Input((7,)), home.layers.Dense(3)])
    with pytest.raises(TypeError, match="x is int64, which no Embedding reads: pass uint8 images, or floats"):
        pv.scorecard(model, (TOKENS, LABELS))


@pytest.mark.parametrize(
    ("x", "error"),
    [
        ((IMAGES, VECTORS[:5]), "x is a tuple of arrays, and must have one"),
        ((IMAGES, LABELS.tolist()), r"x\[1\] must be a NumPy array"),
        ((IMAGES, np.full((9, 5), np.nan, "f4")), r"x\[1\] has entries that are NaN"),
        (
            (IMAGES, VECTORS, VECTORS, VECTORS),
            "x is 4 arrays, and the model has 2 inputs, image, vector: pass",
        ),
    ],
)
def test_tuples_that_do_not_fit_are_refused_by_name(x, error):
    with pytest.raises((TypeError, ValueError), match=error):
        pv.scorecard(Meeting(), (x, LABELS))


def test_what_shows_images_takes_one_array():
    with pytest.raises(TypeError, match="x is 2 arrays: only what a model with one input does is shown"):
        pv.explore(Meeting(), ((IMAGES, VECTORS), LABELS))
