"""Functions and objects of the learner's own in Keras layers that removal builds anew."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from twins import keras, same, tf_keras, weights_of

import pruneviz as pv

X = np.random.default_rng(0).normal(size=(20, 10)).astype("f4")
IMAGES = np.random.default_rng(1).random((4, 8, 8, 3), np.float32)


@pytest.fixture(params=[keras, tf_keras], ids=["keras", "tf_keras"])
def home(request):
    return request.param


class Leaky:
    """An activation that is an object, with a method that is one too."""

    def __call__(self, x):
        return tf.nn.leaky_relu(x, 0.1)

    def shifted(self, x):
        return tf.nn.relu(x) + 0.1


def small_weights(kernel):
    return 1e-3 * tf.reduce_sum(tf.abs(kernel))


def at_most_one(kernel):
    return tf.clip_by_value(kernel, -1.0, 1.0)


def one_shape(shape, dtype=None, **_):
    assert tuple(shape) == (10, 12)
    return tf.random.stateless_normal(shape, [0, 1], dtype=dtype or tf.float32)


ACTIVATIONS = {
    "silu": lambda _: tf.nn.silu,
    "lambda": lambda _: lambda x: tf.nn.leaky_relu(x, 0.1),
    "partial": lambda _: functools.partial(tf.nn.leaky_relu, alpha=0.1),
    "partial that gives a constant": lambda _: functools.partial(lambda x, a: tf.sigmoid(a * x), a=2.0),
    "sin": lambda _: tf.sin,
    "object": lambda _: Leaky(),
    "method": lambda _: Leaky().shifted,
    "compiled": lambda _: tf.function(lambda x: tf.nn.relu(x) + 0.1),
    "LeakyReLU": lambda home: home.layers.LeakyReLU(),
    "softplus layer": lambda home: home.layers.Activation("softplus"),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_of_any_kind(home, name):
    activation, layers = ACTIVATIONS[name](home), home.layers
    body = [layers.Dense(12, "relu"), layers.Dense(8, activation=activation), layers.Dense(3)]
    model = home.Sequential([home.Input((10,)), *body])
    before = weights_of(model)
    mask = pv.prune(model, 0.5, granularity="neuron", keep_at_least=1)
    small = pv.remove(model, mask, X)
    assert pv.check_removed(model, mask, small, X[::-1]) <= 1e-5
    assert small.layers[1].units < 8
    assert same(before, weights_of(model))
    small.compile("sgd", "mse")
    small.fit(X, np.ones((20, 3)), verbose=0)
    pv.remove(small, pv.prune(small, 0.3, granularity="neuron", keep_at_least=1), X)


OTHERS = {
    "PReLU": lambda home: home.layers.PReLU(),
    "Softmax": lambda home: home.layers.Softmax(),
    "<lambda>": lambda _: lambda x: tf.nn.relu(x) * tf.reduce_max(x),
}


@pytest.mark.parametrize("name", OTHERS)
def test_an_activation_that_is_no_map_is_named(home, name):
    layers = home.layers
    body = [layers.Dense(12, "relu"), layers.Dense(2, activation=OTHERS[name](home)), layers.Dense(3)]
    model = home.Sequential([home.Input((10,)), *body])
    model(X)
    with pytest.raises(ValueError, match=f"a layer with the activation {name} that pruneviz does not know"):
        pv.prune(model, 0.5, granularity="neuron")
    small = pv.remove(model, pv.prune(model, 0.5, granularity="neuron", exclude="auto"), X)
    assert small.layers[0].units == 6


def test_regularisers_constraints_and_initialisers_are_kept(home):
    class Squares(home.regularizers.Regularizer):
        def __call__(self, weight):
            return 1e-2 * tf.reduce_sum(tf.square(weight))

    class Modest(home.constraints.Constraint):
        def __call__(self, weight):
            return tf.clip_by_norm(weight, 1.0)

    own = {
        "kernel_regularizer": small_weights,
        "bias_regularizer": Squares(),
        "kernel_constraint": at_most_one,
        "bias_constraint": Modest(),
        "kernel_initializer": one_shape,
        "activity_regularizer": small_weights,
    }
    layers = home.layers
    model = home.Sequential([home.Input((10,)), layers.Dense(12, "relu", **own), layers.Dense(3)])
    mask = pv.prune(model, 0.5, granularity="neuron")
    small = pv.remove(model, mask, X)
    assert pv.check_removed(model, mask, small, X[::-1]) <= 1e-5
    first = small.layers[0]
    assert first.kernel_regularizer is small_weights
    assert first.kernel_constraint is at_most_one
    assert first.kernel_initializer is one_shape
    assert isinstance(first.bias_regularizer, Squares)
    assert isinstance(first.bias_constraint, Modest)
    small.compile("sgd", "mse")
    assert small.evaluate(X, small.predict(X, verbose=0), verbose=0) > 0  # what the regularisers add
    small.fit(X, 100 * np.ones((20, 3)), epochs=5, verbose=0)
    assert np.abs(np.asarray(first.kernel)).max() <= 1


def test_ones_own_parts_of_other_layers(home):
    layers = home.layers
    body = [
        layers.SeparableConv2D(
            8, 3, activation=tf.nn.silu, depthwise_regularizer=small_weights, use_bias=False
        ),
        layers.BatchNormalization(gamma_regularizer=small_weights, gamma_constraint=at_most_one),
        layers.DepthwiseConv2D(3, depthwise_initializer=lambda shape, dtype=None: tf.ones(shape, dtype)),
        layers.PReLU(alpha_constraint=at_most_one),
        layers.Conv2DTranspose(8, 3, activation=Leaky().shifted, padding="valid"),
    ]
    model = home.Sequential([home.Input((8, 8, 3)), *body, layers.Flatten(), layers.Dense(3)])
    mask = pv.prune(model, 0.5, granularity="filter", example=IMAGES)
    small = pv.remove(model, mask, IMAGES)
    assert pv.check_removed(model, mask, small, IMAGES[::-1]) <= 1e-5
    assert small.layers[0].depthwise_regularizer is small_weights
    assert small.layers[1].gamma_constraint is at_most_one
    assert small.layers[3].alpha_constraint is at_most_one
    small.compile("sgd", "mse")
    small.fit(IMAGES, np.ones((4, 3)), verbose=0)
