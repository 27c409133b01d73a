"""Inputs and outputs of Keras models in dictionaries and lists, and masks that travel beside them."""

from collections import OrderedDict

import numpy as np
import pytest
import tensorflow as tf
from twins import keras, tf_keras

import pruneviz as pv
from pruneviz.core.arrays import checked_images

RNG = np.random.default_rng(0)
X, OTHER = RNG.normal(size=(20, 10)).astype("f4"), RNG.normal(size=(20, 10)).astype("f4")
TOKENS = RNG.integers(1, 30, (20, 9))
TOKENS[:, 6:] = TOKENS[0, 2:] = 0
SERIES = RNG.random((20, 9, 8)).astype("f4")
SERIES[:, 6:] = SERIES[0, 2:] = 0


@pytest.fixture(params=[keras, tf_keras], ids=["keras", "tf_keras"])
def home(request):
    return request.param


@pytest.fixture(autouse=True)
def _seeded(home):
    home.utils.set_random_seed(0)  # another start may leave nothing of a small network


def compare(wanted, given):
    assert type(wanted) is type(given)
    tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), wanted, given)


OUTPUTS = {
    "dict": lambda a, b: {"z": a, "b": b},
    "nested": lambda a, b: {"z": [a, {"q": b}], "a": b},
    "dict of one": lambda a, _: {"z": a},
    "list": lambda a, b: [b, a],
    "tuple": lambda a, b: (b, a),
    "ordered": lambda a, b: OrderedDict(z=a, b=b),
    "twice": lambda a, _: [a, a],
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_outputs_keep_their_structure(home, kind):
    layers, inputs = home.layers, home.Input((10,))
    hidden = layers.Dense(12, "relu")(inputs)
    heads = layers.Dense(3, name="ha")(hidden), layers.Dense(1, name="hb")(hidden)
    model = home.Model(inputs, OUTPUTS[kind](*heads))
    mask = pv.prune(model, 0.5, granularity="neuron")
    small = pv.remove(model, mask, X)
    compare(pv.apply(model, mask)(X), small(X))
    if kind == "dict":
        small.compile("sgd", {"z": "mse", "b": "mse"})
        small.fit(X, {"z": np.ones((20, 3)), "b": np.ones((20, 1))}, verbose=0)


INPUTS = {
    "dict": lambda a, b: {"zz": a, "b": b},
    "ordered": lambda a, b: OrderedDict(zz=a, b=b),
    "list": lambda a, b: [a, b],
    "dict of one": lambda a, _: {"zz": a},
}


@pytest.mark.parametrize("kind", INPUTS)
def test_inputs_keep_their_structure(home, kind):
    layers, pack = home.layers, INPUTS[kind]
    ends = [home.Input((10,), name="zz"), home.Input((10,), name="b")][: 1 + (kind != "dict of one")]
    parts = [layers.Dense(12 - 5 * place, "relu")(end) for place, end in enumerate(ends)]
    hidden = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    model = home.Model(pack(ends[0], ends[-1]), layers.Dense(3)(hidden))
    x = {"zz": X, "b": OTHER}
    given = tuple(x[tensor.name.partition(":")[0]] for tensor in model.inputs)
    given = given if len(given) > 1 else X
    mask = pv.prune(model, 0.5, granularity="neuron", example=given)
    small = pv.remove(model, mask, given)
    compare(pv.apply(model, mask)(pack(X, OTHER)), small(pack(X, OTHER)))
    assert pv.check_removed(model, mask, small, given) <= 1e-5
    seen = pv.frameworks.adapter(model).predict(checked_images("x", given))
    np.testing.assert_allclose(seen, model(pack(X, OTHER)), atol=1e-6)


def test_a_dictionary_inside(home):
    layers, inner = home.layers, home.Input((10,))
    hidden = layers.Dense(12, "relu")(inner)
    part = home.Model(inner, {"z": hidden, "b": layers.Dense(5, "relu")(hidden)})
    inputs = home.Input((10,))
    made = part(inputs)
    outputs = {
        "o": layers.Dense(3)(layers.Concatenate()([made["z"], made["b"]])),
        "a": layers.Dense(2)(made["b"]),
    }
    model = home.Model(inputs, outputs)
    mask = pv.prune(model, 0.5, granularity="neuron")
    small = pv.remove(model, mask, X)
    compare(pv.apply(model, mask)(X), small(X))


def embedded(home):
    inputs = home.Input((9,))
    return inputs, home.layers.Embedding(30, 8, mask_zero=True)(inputs)


def masking(home):
    inputs = home.Input((9, 8))
    return inputs, home.layers.Masking()(inputs)


def inside(home, x):
    inner = home.Input((9, 8))
    return home.Model(inner, home.layers.Dense(12, "relu")(inner))(x)


def added(home, x):
    layers = home.layers
    return layers.Add()([layers.Dense(12, "relu")(x), layers.Dense(12)(x)])


def concatenated(home, x):
    hidden = home.layers.Dense(12, "relu")(x)
    return home.layers.Concatenate()([hidden, home.layers.Dense(6)(hidden)])


BODIES = {
    "dense": lambda home, x: home.layers.Dense(12, "relu")(x),
    "sum": added,
    "concatenation": concatenated,
    "attention": lambda home, x: home.layers.MultiHeadAttention(2, 4)(x, x),
    "recurrent": lambda home, x: home.layers.Bidirectional(home.layers.SimpleRNN(4, return_sequences=True))(
        x
    ),
    "model inside": inside,
}


def check_masked(model, x):
    """Remove units, then from a copy, then again; what is masked out changes nothing."""
    criterion = {"granularity": "neuron", "exclude": "auto", "example": x}
    mask = pv.prune(model, 0.5, **criterion)
    assert mask.pruned
    small, thin = pv.remove(model, mask, x[:8]), pv.apply(model, mask)
    compare(thin(x), small(x))
    np.testing.assert_array_equal(pv.apply(model, pv.prune(model, 0.0))(x), model(x))
    assert not np.allclose(small(x), small(np.where(x == 0, x.max(), x)), atol=1e-4)
    again = pv.prune(thin, 0.6, **criterion)
    assert pv.check_removed(thin, again, pv.remove(thin, again, x), x) <= 1e-5
    labels = np.arange(20) % 3
    mask = pv.prune(small, 0.5, criterion="activation", data=(x, labels), **criterion)
    assert pv.check_removed(small, mask, pv.remove(small, mask, x), x) <= 1e-5
    return small


@pytest.mark.filterwarnings("ignore:Layer 'functional")  # Keras 3 says that a model inside drops masks
@pytest.mark.parametrize("first", [embedded, masking])
@pytest.mark.parametrize("body", BODIES)
def test_masks_are_handed_on(home, first, body):
    layers, (inputs, hidden) = home.layers, first(home)
    hidden = layers.GlobalAveragePooling1D()(BODIES[body](home, hidden))
    model = home.Model(inputs, layers.Dense(3)(layers.Dense(7, "relu")(hidden)))
    check_masked(model, TOKENS if first is embedded else SERIES)


@pytest.mark.parametrize("last", ["GlobalAveragePooling1D", "LSTM"])
def test_a_text_classifier_stays_sequential(home, last):
    layers = home.layers
    middle = layers.LSTM(6) if last == "LSTM" else layers.GlobalAveragePooling1D()
    first = [home.Input((9,)), layers.Embedding(30, 8, mask_zero=True), middle]
    small = check_masked(home.Sequential([*first, layers.Dense(12, "relu"), layers.Dense(3)]), TOKENS)
    assert type(small) is home.Sequential


def test_a_mask_that_a_layer_is_given_stays(home):
    layers, inputs = home.layers, home.Input((9,))
    mask = layers.Embedding(30, 8, mask_zero=True).compute_mask(inputs)
    hidden = layers.GlobalAveragePooling1D()(
        layers.Dense(12, "relu")(layers.Embedding(30, 8)(inputs)), mask=mask
    )
    check_masked(home.Model(inputs, layers.Dense(3)(layers.Dense(7, "relu")(hidden))), TOKENS)


def test_what_is_edited_keeps_its_mask(home):
    layers, (inputs, hidden) = home.layers, embedded(home)
    hidden = layers.GlobalAveragePooling1D()(layers.Dense(12, "relu", name="a")(hidden))
    model = home.Model(inputs, layers.Dense(3, name="b")(hidden))
    seen = pv.frameworks.adapter(model).activations(TOKENS, {"a", "b"}, lambda _, array: array)
    np.testing.assert_allclose(np.concatenate([part["b"] for part in seen]), model(TOKENS), atol=1e-6)
