"""Transfer learning: a trained base inside a model of one's own, from masks to files."""

import copy

import numpy as np
import pytest
from twins import keras, same, tf_keras, weights_of

import pruneviz as pv

IMAGES = np.random.default_rng(1).random((4, 32, 32, 3), np.float32)
DATA = IMAGES, np.arange(4) % 3


@pytest.fixture(params=[keras, tf_keras], ids=["keras", "tf_keras"])
def home(request):
    return request.param


def transfer(home):
    """Build what the guide to transfer learning builds: a frozen base in evaluation mode, and a head."""
    options = {"input_shape": (32, 32, 3), "alpha": 0.35, "include_top": False, "weights": None}
    base = home.applications.MobileNetV2(**options)
    rng = np.random.default_rng(0)
    for layer in base.layers:
        if "BatchNorm" in type(layer).__name__:
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    base.trainable = False
    inputs = home.Input((32, 32, 3))
    hidden = home.layers.Rescaling(2.0, offset=-1.0)(inputs)
    hidden = home.layers.GlobalAveragePooling2D()(base(hidden, training=False))
    return home.Model(inputs, home.layers.Dense(3)(home.layers.Dropout(0.2)(hidden)))


def test_a_base_with_a_head_end_to_end(home, tmp_path):
    model = transfer(home)
    before = weights_of(model)
    card = pv.scorecard(pv.apply(model, pv.prune(model, 0.0)), DATA)
    assert card.versus(pv.scorecard(model, DATA)).changed == 0
    thin = pv.apply(model, pv.prune(model, 0.5, scope="layer"))
    pv.save(thin, tmp_path / "thin.pv")
    assert same(weights_of(pv.load(tmp_path / "thin.pv", model)), weights_of(thin))
    options = {"granularity": "filter", "criterion": "bn_scale", "example": IMAGES, "keep_at_least": 1}
    mask = pv.prune(model, 0.3, **options)
    small = pv.remove(model, mask, IMAGES)
    assert pv.check_removed(model, mask, small, IMAGES[::-1]) <= 1e-5
    assert pv.scorecard(small, DATA).macs < card.macs
    pv.save(small, tmp_path / "small.pv")
    assert same(weights_of(pv.load(tmp_path / "small.pv", model)), weights_of(small))
    small.save(tmp_path / "small.keras")
    again = home.models.load_model(tmp_path / "small.keras")
    np.testing.assert_allclose(again.predict(IMAGES, verbose=0), small.predict(IMAGES, verbose=0), rtol=1e-5)
    thin = pv.apply(model, mask)
    thin.compile("sgd", "mse")
    with pv.keep_pruned(thin, mask):
        thin.fit(IMAGES, np.ones((4, 3)), verbose=0)
    assert pv.check_removed(thin, mask, thin, IMAGES) == 0
    assert same(before, weights_of(model))


def test_a_small_model_trains_as_the_original_does(home):
    """Statistics that the original's training leaves alone are left alone in the smaller model's."""
    inner = home.Sequential(
        [home.Input((6,)), home.layers.Dense(5), home.layers.BatchNormalization(), home.layers.ReLU()]
    )
    inputs = home.Input((6,))
    model = home.Model(inputs, home.layers.Dense(3)(inner(inputs, training=False)))
    x = np.random.default_rng(0).random((8, 6), np.float32)
    small = pv.remove(model, pv.prune(model, 0.3, granularity="neuron", example=x), x)
    moved = []
    for net in (pv.apply(model, pv.prune(model, 0.0)), small):
        means = [weight for weight in net.weights if "moving_mean" in weight.name]
        start = [np.array(weight) for weight in means]
        net.compile("sgd", "mse")
        net.fit(x, np.ones((8, 3)), verbose=0)
        moved.append([not np.array_equal(a, np.array(b)) for a, b in zip(start, means, strict=True)])
    assert moved[0] == moved[1] == [home is keras]


def nested(home, name="inner"):
    layers = [home.layers.Dense(5), home.layers.BatchNormalization(), home.layers.ReLU()]
    return home.Sequential([home.Input((6,)), *layers], name=name)


def checked(model, x):
    mask = pv.prune(model, 0.4, granularity="neuron", example=x)
    small = pv.remove(model, mask, x)
    assert pv.check_removed(model, mask, small, x[::-1]) <= 1e-5
    assert pv.prune(model, 0.4, granularity="neuron", criterion="bn_scale", example=x).pruned == mask.pruned
    thin = pv.apply(model, mask)
    thin.compile("adam", "mse")
    with pv.keep_pruned(thin, mask):
        thin.fit(x, np.ones((len(x), 4)), verbose=0)
    return small, mask


def test_norms_inside_nested_models(home):
    x = np.random.default_rng(0).random((8, 6), np.float32)
    checked(home.Sequential([home.Input((6,)), nested(home), home.layers.Dense(4)]), x)
    inputs = home.Input((6,))
    one, two = nested(home, "one"), nested(home, "two")
    checked(home.Model(inputs, home.layers.Dense(4)(home.layers.Add()([one(inputs), two(inputs)]))), x)
    twice = home.Sequential(
        [home.Input((6,)), home.layers.Dense(5), home.layers.BatchNormalization()], name="t"
    )
    deep = home.Sequential([home.Input((6,)), twice, home.layers.ReLU()], name="deep")
    small, mask = checked(home.Sequential([home.Input((6,)), deep, home.layers.Dense(4)]), x)
    assert list(mask) == [f"deep.t.{twice.layers[0].name}"]
    assert len(copy.deepcopy(small).weights) == len(small.weights)


def test_a_model_that_is_called_twice(home):
    x = np.random.default_rng(0).random((8, 6), np.float32)
    both, first = home.Input((6,)), nested(home)
    hidden = home.layers.Concatenate()([first(both), first(home.layers.Dense(6, name="before")(both))])
    checked(home.Model(both, home.layers.Dense(4)(hidden)), x)
