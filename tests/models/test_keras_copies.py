"""Copies of Keras models are what they are copies of, whatever their layers hold."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from twins import keras, same, tf_keras, weights_of

import pruneviz as pv

X = np.random.default_rng(0).random((8, 6), np.float32)
IMAGES = np.random.default_rng(1).random((4, 8, 8, 3), np.float32)


@pytest.fixture(params=[keras, tf_keras], ids=["keras", "tf_keras"])
def home(request):
    return request.param


def outputs(model, x):
    return np.asarray(model(x, training=False))


def check_copies(model, x):
    """Copy, prune, train the copy: the original stays, and a mask that prunes nothing changes nothing."""
    before, wanted = weights_of(model), outputs(model, x)
    np.testing.assert_array_equal(outputs(pv.apply(model, pv.prune(model, 0.0)), x), wanted)
    mask = pv.prune(model, 0.5)
    thin = pv.apply(model, mask)
    assert type(thin) is type(model)
    assert [weight.name for weight in thin.weights] == [weight.name for weight in model.weights]
    assert len(thin.trainable_weights) == len(model.trainable_weights)
    assert all((pv.network(thin)[name].weight[~kept] == 0).all() for name, kept in mask.items())
    thin.compile("sgd", "mse")
    with pv.keep_pruned(thin, mask):
        thin.fit(x, np.ones_like(wanted), verbose=0)
    assert all((pv.network(thin)[name].weight[~kept] == 0).all() for name, kept in mask.items())
    assert not np.array_equal(outputs(pv.apply(thin, mask), x), wanted)
    assert same(before, weights_of(model))
    np.testing.assert_array_equal(outputs(model, x), wanted)


def adapted(home, x):
    layer = home.layers.Normalization()
    layer.adapt(9 * x + 5)
    return layer


def test_an_adapted_normalization_is_not_forgotten(home, tmp_path):
    model = home.Sequential([home.Input((6,)), adapted(home, X), home.layers.Dense(4)])
    check_copies(model, X)
    pv.save(model, tmp_path / "model.pv")
    np.testing.assert_array_equal(outputs(pv.load(tmp_path / "model.pv", model), X), outputs(model, X))
    np.testing.assert_array_equal(outputs(pv.recalibrate(model, X), X), outputs(model, X))


def test_an_adapted_normalization_is_not_forgotten_by_removal(home):
    layers = [home.Input((6,)), adapted(home, X), home.layers.Dense(8, "relu"), home.layers.Dense(4)]
    model = home.Sequential(layers)
    mask = pv.prune(model, 0.5, granularity="neuron", example=X)
    assert pv.check_removed(model, mask, pv.remove(model, mask, X), X[::-1]) <= 1e-5


def test_adapted_layers_inside_others(home):
    inner = home.Sequential([home.Input((6,)), adapted(home, X)])
    inputs = home.Input((6,))
    check_copies(home.Model(inputs, home.layers.Dense(3)(inner(inputs))), X)


def scale(home):
    class Scale(home.layers.Layer):
        def __init__(self, factor=1.0, **options):
            super().__init__(**options)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    return Scale


def test_an_attribute_that_was_set_later(home):
    layer = scale(home)()
    layer.factor = 5.0
    check_copies(home.Sequential([home.Input((6,)), home.layers.Dense(4), layer]), X)


def test_a_layer_whose_configuration_forgets_an_argument(home):
    class Forgetful(scale(home)):
        def get_config(self):
            return {"name": self.name}

    check_copies(home.Sequential([home.Input((6,)), home.layers.Dense(4), Forgetful(3.0)]), X)


def test_an_activation_that_was_exchanged(home):
    layer = home.layers.Dense(5)
    model = home.Sequential([home.Input((6,)), layer, home.layers.Dense(3)])
    layer.activation = lambda x: x * x
    check_copies(model, X)


def net(home):
    class Net(home.Model):
        def __init__(self, factor):
            super().__init__()
            self.blocks = [home.layers.Dense(3), home.layers.Dense(4)]
            self.named = {"drop": home.layers.Dropout(0.1)}
            self.both = (home.layers.Dense(2), None)
            self.head = home.Sequential(
                [home.Input((2,)), home.layers.Dense(5), home.layers.BatchNormalization()]
            )
            self.factor = factor

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.head(self.both[0](self.named["drop"](x))) * self.factor

    return Net


@pytest.mark.parametrize("compiled", [False, True])
def test_a_subclassed_model(home, compiled):
    model = net(home)(2.0)
    model(X)
    if compiled:
        model.compile("adam", lambda wanted, given: (wanted - given) ** 2, metrics=["mae"])
        model.fit(X, np.zeros((8, 5)), verbose=0)
    check_copies(model, X)
    thin = pv.apply(model, pv.prune(model, 0.5))
    assert thin.blocks[0] is thin.layers[0]
    assert thin.head is not model.head


def test_a_subclassed_model_is_measured_swept_and_read_again(home, tmp_path):
    model = net(home)(2.0)
    model(X)
    data = X, np.arange(8) % 5
    cards = pv.sweep(model, data, [0.0, 0.5], progress=False)
    assert cards[0].correct == pv.scorecard(model, data).correct
    pv.save(pv.apply(model, pv.prune(model, 0.5)), tmp_path / "thin.pv")
    assert pv.scorecard(pv.load(tmp_path / "thin.pv", model), data).sparsity == cards[1].sparsity


def test_a_layer_with_layers_inside_and_no_configuration(home):
    class Block(home.layers.Layer):
        def __init__(self, filters, norm):
            super().__init__()
            self.first = home.layers.Conv2D(filters, 3, padding="same")
            self.second = home.layers.Conv2D(filters, 3, padding="same")
            self.norm = norm

        def call(self, x):
            return x + self.norm(self.second(self.first(x)))

    inputs = home.Input((8, 8, 3))
    block = Block(3, home.layers.BatchNormalization())
    model = home.Model(inputs, home.layers.GlobalAveragePooling2D()(block(inputs)))
    assert [name.rpartition(".")[2] for name in pv.network(model)] == [block.first.name, block.second.name]
    check_copies(model, IMAGES)


def test_a_python_function(home):
    factor, inputs = 0.5, home.Input((6,))
    hidden = home.layers.Dense(5)(home.layers.Lambda(lambda x: x * factor)(inputs))
    model = home.Model(inputs, home.layers.Dense(3)(hidden))
    check_copies(model, X)
    mask = pv.prune(model, 0.5, granularity="neuron", example=X)
    assert pv.check_removed(model, mask, pv.remove(model, mask, X), X[::-1]) <= 1e-5


def test_two_layers_that_share_a_third(home):
    class Tied(home.layers.Layer):
        def __init__(self, of):
            super().__init__()
            self.of = of

        def call(self, x):
            return x @ self.of.kernel

    inputs, layer = home.Input((6,)), home.layers.Dense(6)
    model = home.Model(inputs, Tied(layer)(layer(inputs)))
    thin = pv.apply(model, pv.prune(model, 0.5))
    assert thin.layers[2].of is thin.layers[1]
    check_copies(model, X)


@pytest.mark.parametrize("kind", ["Bidirectional", "MultiHeadAttention"])
def test_layers_of_keras_with_layers_inside(home, kind):
    x, inputs = np.random.default_rng(2).random((3, 5, 6), np.float32), home.Input((5, 6))
    if kind == "Bidirectional":
        hidden = home.layers.Bidirectional(home.layers.LSTM(4))(inputs)
    else:
        hidden = home.layers.MultiHeadAttention(2, 4)(inputs, inputs)
    check_copies(home.Model(inputs, home.layers.Dense(3)(hidden)), x)


def test_a_model_that_computes_in_16_bits(home):
    mixed = home.mixed_precision.Policy("mixed_float16")
    layers = [home.layers.Dense(8, dtype=mixed), home.layers.Dropout(0.1, dtype=mixed), home.layers.Dense(3)]
    check_copies(home.Sequential([home.Input((6,)), *layers]), X)


def test_a_functional_model_with_a_training_step_of_its_own(home):
    class Own(home.Model):
        def train_step(self, *data):
            return super().train_step(*data)

    inputs = home.Input((6,))
    model = Own(inputs, home.layers.Dense(3)(inputs))
    model.compile("adam", lambda wanted, given: (wanted - given) ** 2)
    check_copies(model, X)
    thin = pv.apply(model, pv.prune(model, 0.5))
    assert thin.layers[0].name == model.layers[0].name


def test_what_training_leaves_alone_is_left_alone_in_the_copy(home):
    base = home.Sequential([home.Input((6,)), home.layers.Dense(5), home.layers.BatchNormalization()])
    base.trainable = False
    model = home.Sequential([home.Input((6,)), base, home.layers.Dense(4)])
    check_copies(model, X)
    assert not pv.apply(model, pv.prune(model, 0.5)).layers[0].trainable


def bound(model):
    def inner(x):
        return tf.nn.relu(model.a(x))

    return lambda x: inner(x) + 0


def in_turn(first, second):
    return lambda x: second(first(x))


# What a model sets as its body, and how it calls that: functions that a copy cannot have of its own.
BODIES = {
    "lambda": lambda model: lambda x: tf.nn.relu(model.a(x)),
    "default": lambda model: lambda x, a=model.a: tf.nn.relu(a(x)),
    "inner function": bound,
    "list": lambda model: [lambda x: tf.nn.relu(model.a(x))],
    "dict of tuples": lambda model: {"body": (lambda x: tf.nn.relu(model.a(x)),)},
    "partial": lambda model: functools.partial(lambda _, x: tf.nn.relu(model.a(x)), 1),
    "method of a layer": lambda model: in_turn(model.a.__call__, tf.nn.relu),
    "compiled": lambda model: tf.function(lambda x: tf.nn.relu(model.a(x))),
    "compiled method": lambda model: tf.function(model.own),
}


def called(body, x):
    while isinstance(body, (list, tuple, dict)):
        body = body["body"] if isinstance(body, dict) else body[0]
    return body(x)


def closing(home, make):
    class Net(home.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = home.layers.Dense(12, name="a"), home.layers.Dense(3, name="b")
            self.body = make(self)

        def call(self, x):
            return self.b(called(self.body, x))

        def own(self, x):
            return tf.nn.relu(self.a(x))

    model = Net()
    model(X)
    return model


@pytest.mark.parametrize("name", BODIES)
def test_a_function_that_holds_a_layer_of_the_original_is_refused(home, name):
    model = closing(home, BODIES[name])
    with pytest.raises(
        ValueError, match=r"^Net\.body is a function that holds layers or weights of the model"
    ):
        pv.apply(model, pv.prune(model, 0.5))


@pytest.mark.parametrize(
    "make",
    [
        lambda model: model.own,
        lambda model: functools.partial(lambda a, x: tf.nn.relu(a(x)), model.a),
        lambda model: functools.partial(type(model).own, model),
    ],
    ids=["method", "partial of a layer", "partial of the model"],
)
def test_a_function_that_is_given_the_layer_is_copied(home, make):
    model = closing(home, make)
    check_copies(model, X)
    thin = pv.apply(model, pv.prune(model, scope={"a": 1.0}))
    np.testing.assert_array_equal(outputs(thin, X)[0], thin.b.bias)


def test_a_lambda_that_reads_a_layer_from_outside_is_refused(home):
    first, inputs = home.layers.Dense(6), home.Input((6,))
    hidden = home.layers.Dense(8, "relu")(first(inputs))
    scaled = home.layers.Lambda(lambda x: x * tf.reduce_sum(first.weights[0]))(hidden)
    model = home.Model(inputs, home.layers.Dense(3)(scaled))
    mask = pv.prune(model, 0.5, granularity="neuron", example=X, exclude=[first.name])
    for use in (lambda: pv.apply(model, mask), lambda: pv.remove(model, mask, X)):
        with pytest.raises(ValueError, match=r"^Lambda\.function is a function that holds layers"):
            use()


def test_a_patched_call_is_refused(home):
    model = home.Sequential([home.Input((6,)), home.layers.Dense(8, "relu"), home.layers.Dense(3)])
    first, last = model.layers
    mask = pv.prune(model, 0.5)
    model.call = lambda x, training=None, mask=None: last(first(x))  # noqa: ARG005
    with pytest.raises(ValueError, match=r"^Sequential\.call is a function that holds layers"):
        pv.apply(model, mask)
