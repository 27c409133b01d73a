"""What test_mirrored runs: two devices must be named before TensorFlow starts."""

import importlib
import sys
import warnings

import numpy as np
import tensorflow as tf

(CPU,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
home = importlib.import_module(sys.argv[1])
import pruneviz as pv  # noqa: E402

layers, strategy = home.layers, tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
policy_of = (
    home.config.set_dtype_policy if home.__name__ == "keras" else home.mixed_precision.set_global_policy
)
rng = np.random.default_rng(0)
x, y = rng.random((64, 8, 8, 1), np.float32), np.arange(64) % 3


class Own(home.Model):
    """The layers of the sequential model in a call of its own."""

    def __init__(self):
        super().__init__()
        self.parts = stack()

    def call(self, x, training=None):
        for part in self.parts:
            x = part(x, training=training) if isinstance(part, layers.BatchNormalization) else part(x)
        return x


class Watch(home.callbacks.Callback):
    """Counts after each step what should be zero and is not, on both devices."""

    def __init__(self, mask):
        super().__init__()
        self.mask, self.seen = mask, []

    def on_train_batch_end(self, *_, **__):
        self.seen.append(alive(self.model, self.mask))


def stack():
    dense = [layers.Flatten(), layers.Dense(10, "relu"), layers.Dense(3, dtype="float32")]
    return [layers.Conv2D(6, 3), layers.BatchNormalization(), layers.ReLU(), *dense]


def trained(model, callbacks=()):
    loss = home.losses.SparseCategoricalCrossentropy(from_logits=True)
    with strategy.scope():
        model.compile(home.optimizers.Adam(0.01), loss)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=list(callbacks))
    return model


def replicas(weight):
    for wrap in ("_value", "_variable"):
        weight = getattr(weight, wrap, weight)
    return [np.asarray(value) for value in weight.values]


def alive(model, mask):
    kernels = [weight for weight in model.trainable_weights if len(weight.shape) > 1]
    found = 0
    for weight, kept in zip(kernels, list(mask.values()), strict=False):
        for value in replicas(weight):
            turned = np.moveaxis(value, (-1, -2), (0, 1))
            gone = ~kept if mask.granularity == "weight" else ~kept.reshape(-1, *[1] * (turned.ndim - 1))
            found += np.count_nonzero(turned * gone)
    return found


def check(model, how):
    mask = pv.prune(model, 0.5, **how)
    thin, watch = pv.apply(model, mask), Watch(mask)
    assert alive(thin, mask) == 0 < alive(model, mask)
    assert all(len(replicas(weight)) == 2 for weight in thin.trainable_weights)
    before = thin.get_weights()
    with pv.keep_pruned(thin, mask):
        trained(thin, [watch])
    assert [*watch.seen, alive(thin, mask)] == [0] * 5, watch.seen
    assert any((a != b).any() for a, b in zip(before, thin.get_weights(), strict=True))
    if how:
        small = pv.remove(thin, mask, x[:8])
        np.testing.assert_allclose(small(x), thin(x), atol=1e-5)  # of statistics, Keras keeps the mean
        assert all(len(replicas(weight)) == 2 for weight in small.trainable_weights)
        trained(small)
    else:  # a whole channel that is zero has no gradient
        trained(thin)
        assert alive(thin, mask) > 0


home.utils.set_random_seed(0)
warnings.simplefilter("error", UserWarning)
for policy, kind in (("float32", "sequential"), ("mixed_bfloat16", "own")):
    policy_of(policy)
    with strategy.scope():
        model = Own() if kind == "own" else home.Sequential([layers.Input((8, 8, 1)), *stack()])
        model(x[:1])
    trained(model)
    outputs = model.predict(x, verbose=0)
    same = pv.apply(model, pv.prune(model, 0.0))
    np.testing.assert_array_equal(same.predict(x, verbose=0), outputs)
    right, wanted = pv.scorecard(model, (x, y)).correct, np.count_nonzero(outputs.argmax(1) == y)
    assert abs(right - wanted) <= (0 if policy == "float32" else 2)
    check(model, {})
    if kind == "sequential":
        check(model, {"granularity": "channel", "example": x[:1]})
