"""Operators and functions among the layers of a Keras model."""

import numpy as np
import pytest
from twins import keras, same, tf_keras, weights_of

import pruneviz as pv

IMAGES = np.random.default_rng(1).random((4, 8, 8, 3), np.float32)
X = np.random.default_rng(0).random((8, 6), np.float32)


@pytest.fixture(params=[keras, tf_keras], ids=["keras", "tf_keras"])
def home(request):
    return request.param


def check(model, x=IMAGES, granularity="filter", share=0.5):
    """Prune units, remove them, compare on other images; and train one step."""
    before = weights_of(model)
    mask = pv.prune(model, share, granularity=granularity, example=x, keep_at_least=1)
    assert mask.pruned
    small = pv.remove(model, mask, x[:2])
    assert pv.check_removed(model, mask, small, x[::-1]) <= 1e-5
    small.compile("sgd", "mse")
    small.fit(x, np.ones((len(x), 3)), verbose=0)
    assert same(before, weights_of(model))
    return small


def convolved(home, body):
    """Put something between two convolutions."""
    inputs = home.Input((8, 8, 3))
    hidden = home.layers.Conv2D(8, 3, name="first")(inputs)
    hidden = home.layers.Conv2D(4, 1, name="last")(body(hidden))
    return home.Model(inputs, home.layers.Dense(3)(home.layers.GlobalAveragePooling2D()(hidden)))


def functions(home):
    """Name functions alike: keras.ops and TensorFlow."""
    if home is keras:
        return keras.ops
    return __import__("tensorflow")


def split(home, x, parts, axis=-1):
    return functions(home).split(x, parts, axis=axis)


BODIES = {
    "residual": lambda home, x: x + home.layers.Conv2D(8, 1)(x),
    "numbers": lambda _, x: 2 * x * 0.5 - 1.0 + 1.0,
    "divided": lambda _, x: -x / 255.0,
    "gate": lambda home, x: x * home.layers.Conv2D(8, 1, activation="sigmoid")(x),
    "slice": lambda _, x: x[:, 1:-1, 1:-1],
    "slice of all": lambda _, x: x[:, ::2, ..., :],
    "ranges": lambda home, x: home.layers.Concatenate()([x[..., 3:], x[:, :, :, :-2] * 2.0]),
    "split": lambda home, x: home.layers.Multiply()(split(home, x, 2)),
    "split by sizes": lambda home, x: home.layers.Concatenate()(
        split(home, x, [3] if home is keras else [3, 5])
    ),
    "split by places": lambda home, x: home.layers.Add()(split(home, x, 2, 1)),
    "crop": lambda home, x: home.layers.Cropping2D(((1, 2), (0, 1)))(x),
    "square": lambda _, x: x**2,
    "constant": lambda _, x: x + np.float32(0.0),
}


@pytest.mark.parametrize("body", BODIES)
def test_operators(home, body):
    check(convolved(home, lambda x: BODIES[body](home, x)))


def squeezed(home, x):
    do = functions(home)
    mean = do.mean if home is keras else do.reduce_mean
    scale = mean(x, axis=(1, 2), keepdims=True)
    return x * home.layers.Conv2D(8, 1, activation="sigmoid")(scale)


def joined(home, x):
    do = functions(home)
    other = home.layers.Conv2D(4, 1)(x)
    return do.concatenate([x, other], axis=-1) if home is keras else do.concat([x, other], -1)


def rectified(home, x):
    do = functions(home)
    relu = do.relu if home is keras else do.nn.relu
    return do.maximum(relu(x), 0.0)


@pytest.mark.parametrize("body", [squeezed, joined, rectified])
def test_functions(home, body):
    check(convolved(home, lambda x: body(home, x)))


def test_a_size_that_is_spelled_out_is_rewritten(home):
    inputs = home.Input((8, 8, 3))
    hidden = functions(home).reshape(home.layers.Conv2D(6, 3)(inputs), (-1, 216))
    small = check(home.Model(inputs, home.layers.Dense(3)(hidden)))
    assert small.layers[-1].kernel.shape[0] == 108
    transposed = functions(home).transpose(home.layers.Conv2D(6, 3)(inputs), (0, 3, 1, 2))
    hidden = functions(home).reshape(transposed, (-1, 216))
    check(home.Model(inputs, home.layers.Dense(3)(hidden)))


def by_layers(home, x):
    layers = home.layers
    return layers.Reshape((6, 6, 8))(layers.Permute((1, 2, 4, 3))(layers.Reshape((6, 6, 2, 4))(x)))


def by_functions(home, x):
    do = functions(home)
    return do.reshape(do.transpose(do.reshape(x, (-1, 6, 6, 2, 4)), (0, 1, 2, 4, 3)), (-1, 6, 6, 8))


@pytest.mark.parametrize("body", [by_layers, by_functions])
def test_a_channel_shuffle_takes_pairs(home, body):
    model = convolved(home, lambda x: body(home, x))
    mask = pv.prune(model, scope={"first": 0.5}, granularity="filter", example=IMAGES)
    assert (mask["first"].reshape(2, 4) == mask["first"][:4]).all()
    small = pv.remove(model, mask, IMAGES)
    assert pv.check_removed(model, mask, small, IMAGES[::-1]) <= 1e-5
    assert small.get_layer("last").kernel.shape[-2] == 4


def test_what_is_cut_is_cut_anew_in_the_file_too(home, tmp_path):
    inputs = home.Input((6,))
    one, other = split(home, inputs, 2)
    wide = home.layers.Dense(8, name="wide")(home.layers.Concatenate()([one, other]))
    model = home.Model(inputs, home.layers.Dense(3)(wide[:, 5:]))
    small = check(model, X, "neuron", 0.3)
    small.save(tmp_path / "small.keras")
    again = home.models.load_model(tmp_path / "small.keras")
    np.testing.assert_array_equal(again(X), small(X))


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_layers_with_several_outputs(home, cell):
    tokens = np.random.default_rng(0).random((4, 5, 6), np.float32)
    inputs = home.Input((5, 6))
    hidden = home.layers.Dense(6, name="before")(inputs)
    states = getattr(home.layers, cell)(4, return_sequences=True, return_state=True)(hidden)
    joined = home.layers.Concatenate()([states[0][:, -1], states[1]])
    model = home.Model(inputs, home.layers.Dense(3)(home.layers.Dense(8, "relu", name="wide")(joined)))
    with pytest.raises(ValueError, match=r"exclude=\['before'\]"):
        pv.prune(model, 0.5, granularity="neuron", example=tokens)
    mask = pv.prune(model, 0.5, granularity="neuron", example=tokens, exclude=["before"])
    small = pv.remove(model, mask, tokens)
    assert pv.check_removed(model, mask, small, tokens[::-1]) <= 1e-5
    assert small.get_layer("wide").units == 4


def test_a_model_that_was_measured_is_as_it_was(home):
    inputs = home.Input((6, 6))
    hidden = functions(home).tanh(home.layers.Dense(6)(inputs * 2.0))[:, 0]
    model = home.Model(inputs, home.layers.Dense(3)(hidden))
    x = np.random.default_rng(0).random((4, 6, 6), np.float32)
    wanted = model(x).numpy()
    assert wanted.shape == (4, 3)
    pv.scorecard(model, (x, np.arange(4) % 3))
    np.testing.assert_array_equal(model(x), wanted)
    np.testing.assert_array_equal(pv.apply(model, pv.prune(model, 0.0))(x), wanted)


def test_attention_beside_what_is_pruned(home):
    tokens = np.random.default_rng(0).random((4, 5, 6), np.float32)
    inputs = home.Input((5, 6))
    hidden = inputs + home.layers.MultiHeadAttention(2, 3)(inputs, inputs)
    wide = home.layers.Dense(6)(home.layers.Dense(9, "relu", name="wide")(hidden))
    pooled = home.layers.GlobalAveragePooling1D()(hidden + wide)
    small = check(home.Model(inputs, home.layers.Dense(3)(pooled)), tokens, "neuron")
    assert small.get_layer("wide").units == 4


def test_inputs_that_the_graph_rescales(home):
    inputs = home.Input((6,))
    model = home.Model(inputs, home.layers.Dense(3)(home.layers.Dense(8, "relu")(inputs / 255.0 - 0.5)))
    check(model, X, "neuron")


def test_operations_in_nested_models_of_one_name(home):
    def inner(name):
        inputs = home.Input((6,))
        return home.Model(inputs, home.layers.Dense(6, "relu")(inputs) + inputs, name=name)

    inputs = home.Input((6,))
    hidden = inner("two")(inner("one")(home.layers.Dense(6)(inputs)) + 1.0)
    check(home.Model(inputs, home.layers.Dense(3)(home.layers.Dense(5, "relu")(hidden))), X, "neuron", 0.3)


@pytest.mark.parametrize("name", ["MobileNetV3Small", "ConvNeXtTiny"])
def test_applications_with_operators_can_be_followed(name):
    options = {"weights": None, "input_shape": (32, 32, 3), "classes": 3}
    if name == "MobileNetV3Small":
        options |= {"alpha": 0.35, "classifier_activation": None}
    model = getattr(keras.applications, name)(**options)
    assert pv.frameworks.adapter(model).graph(None).nodes


def test_what_is_not_known_is_refused_by_name(home):
    do = functions(home)
    hidden = home.layers.Dense(6, name="before")(home.Input((6,)))
    summed = do.cumsum(hidden, 1)
    model = home.Model(hidden._keras_history[0].input, home.layers.Dense(3)(summed))
    with pytest.raises(ValueError, match=r"pruneviz does not know; .*exclude=\['before'\]"):
        pv.prune(model, 0.5, granularity="neuron", example=X)
    part = home.Model(hidden._keras_history[0].input, home.layers.Dense(3)(hidden[:, ::2]))
    with pytest.raises(ValueError, match=r"takes single units; .*exclude=\['before'\]"):
        pv.prune(part, 0.5, granularity="neuron", example=X)
    assert pv.apply(part, pv.prune(part, 0.5))
