"""Training loops of one's own, compiled before keep_pruned and inside."""

import numpy as np
import pytest
import tensorflow as tf
from twins import keras, tf_keras

import pruneviz as pv

X = np.random.default_rng(0).random((8, 6), np.float32)


def prepared(home):
    model = home.Sequential([home.Input((6,)), home.layers.Dense(4)])
    mask = pv.prune(model, 0.5)
    thin = pv.apply(model, mask)
    optimizer = home.optimizers.Adam(0.1)
    optimizer.build(thin.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((thin(X) - 1) ** 2)
        slopes = tape.gradient(loss, thin.trainable_variables)
        optimizer.apply_gradients(zip(slopes, thin.trainable_variables, strict=True))

    (name,) = mask
    return thin, mask, step, lambda: np.count_nonzero(pv.network(thin)[name].weight[~mask[name]])


@pytest.mark.parametrize("home", [keras, tf_keras])
def test_a_step_that_is_compiled_inside_keeps_zeros_until_the_end(home):
    thin, mask, step, alive = prepared(home)
    with pv.keep_pruned(thin, mask):
        for _ in range(3):
            step()
            assert alive() == 0
    step()
    assert alive() == 12


@pytest.mark.parametrize("home", [keras, tf_keras])
def test_a_step_that_was_compiled_before_is_told(home):
    thin, mask, step, alive = prepared(home)
    step()
    thin.set_weights(pv.apply(thin, mask).get_weights())
    with pytest.warns(UserWarning, match="define the tf.function inside"), pv.keep_pruned(thin, mask):
        step()
    assert alive() == 0
