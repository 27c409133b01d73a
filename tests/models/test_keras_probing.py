"""Lambdas, functions and layers of the learner's own, which are run to see what they do."""

import numpy as np
import pytest
import tensorflow as tf
from twins import keras, tf_keras

import pruneviz as pv

IMAGES = np.random.default_rng(1).random((4, 8, 8, 3), np.float32)


@pytest.fixture(params=[keras, tf_keras], ids=["keras", "tf_keras"])
def home(request):
    return request.param


def convolved(home, body, filters=8):
    """Put something between two convolutions."""
    inputs = home.Input((8, 8, 3))
    hidden = home.layers.Conv2D(filters, 3, padding="same", activation="relu", name="first")(inputs)
    hidden = home.layers.Conv2D(4, 1, name="last")(body(hidden))
    return home.Model(inputs, home.layers.Dense(3)(home.layers.GlobalAveragePooling2D()(hidden)))


def check(model, **options):
    """Prune half of the first filters, remove them, compare on other images, and train one step."""
    mask = pv.prune(model, scope={"first": 0.5}, granularity="filter", example=IMAGES, **options)
    small = pv.remove(model, mask, IMAGES[:2])
    assert pv.check_removed(model, mask, small, IMAGES[::-1].copy()) <= 1e-5
    small.compile("sgd", "mse", run_eagerly=True)
    small.fit(IMAGES, np.ones((4, 3)), verbose=0)
    return mask, small


def scale(home):
    """Make a layer that scales each channel, and one that shifts them, and counts them."""

    class LayerScale(home.layers.Layer):
        def __init__(self, start=0.5, **options):
            super().__init__(**options)
            self.start = start

        def build(self, shape):
            start = home.initializers.Constant(self.start)
            self.gamma = self.add_weight(name="gamma", shape=(shape[-1],), initializer=start)
            self.built = True

        def call(self, x):
            return x * self.gamma

        def get_config(self):
            return {**super().get_config(), "start": self.start}

    class Shift(home.layers.Layer):
        def __init__(self, units, **options):
            super().__init__(**options)
            self.units = units

        def build(self, shape):
            del shape
            self.shift = self.add_weight(name="b", shape=(1, 1, self.units), initializer="ones")
            self.built = True

        def call(self, x):
            return x + self.shift

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return LayerScale, Shift


@pytest.mark.parametrize("place", [0, 1])
def test_scales_of_a_channel_shrink_along(home, place, tmp_path):
    kind = scale(home)[place]
    layer = kind(*([8] if place else []), name="scale")
    model = convolved(home, lambda x: x + layer(home.layers.Conv2D(8, 3, padding="same", name="inner")(x)))
    layer.set_weights([np.random.default_rng(0).random(w.shape) + 0.5 for w in layer.get_weights()])
    mask, small = check(model)
    assert np.array_equal(mask["first"], mask["inner"])
    gone = ~mask["first"]
    thin = pv.apply(model, mask)
    assert all((array.ravel()[gone] == 0).all() for array in thin.get_layer("scale").get_weights())
    assert all(array.size == 4 for array in small.get_layer("scale").get_weights())
    pv.save(small, tmp_path / "small.pv")
    again = pv.load(tmp_path / "small.pv", model, IMAGES)
    np.testing.assert_array_equal(again(IMAGES), small(IMAGES))
    small.save(tmp_path / "small.keras")
    with home.utils.custom_object_scope({kind.__name__: kind}):
        again = home.models.load_model(tmp_path / "small.keras")
    np.testing.assert_array_equal(again(IMAGES), small(IMAGES))
    thin.compile(home.optimizers.SGD(1.0), "mse", run_eagerly=True)
    with pv.keep_pruned(thin, mask):
        thin.fit(IMAGES, np.ones((4, 3)), verbose=0)
    assert all((array.ravel()[gone] == 0).all() for array in thin.get_layer("scale").get_weights())


def test_weights_that_do_something_else_are_refused_by_name(home):
    class Affine(home.layers.Layer):
        def build(self, shape):
            self.a, self.b = (self.add_weight(name=n, shape=(shape[-1],), initializer="ones") for n in "ab")
            self.built = True

        def call(self, x):
            return x * self.a + self.b

    class Power(Affine):
        def build(self, shape):
            self.a = self.add_weight(name="a", shape=(shape[-1],), initializer=home.initializers.Constant(2))
            self.built = True

        def call(self, x):
            return tf.abs(x) ** self.a

    for kind in (Affine, Power):
        model = convolved(home, kind(name="own"))
        with pytest.raises(ValueError, match=rf"'own' is a {kind.__name__} that .*exclude=\['first'\]"):
            pv.prune(model, scope={"first": 0.5}, granularity="filter", example=IMAGES)
        mask = pv.prune(model, 0.5, granularity="filter", example=IMAGES, exclude=["first"])
        assert pv.check_removed(model, mask, pv.remove(model, mask, IMAGES), IMAGES[::-1].copy()) <= 1e-5


def own(home, call):
    return type("Own", (home.layers.Layer,), {"call": lambda _, x: call(x)})()


FOLLOWED = {
    "doubled": lambda x: 2 * x,
    "gate": lambda x: x * tf.sigmoid(x),
    "means of places": lambda x: x * x - tf.reduce_mean(x, (1, 2), keepdims=True),
    "a constant": lambda x: tf.tanh(x) + 0.5,
    "flipped": lambda x: x[:, ::-1],
    "flipped units": lambda x: x[..., ::-1],
    "resized": lambda x: tf.image.resize(x, (4, 4)),
    "places to units": lambda x: tf.nn.space_to_depth(x, 2),
    "units to places": lambda x: tf.nn.depth_to_space(x, 2),
    "norm of places": lambda x: x / (1 + tf.norm(x, axis=(1, 2), keepdims=True)),
}


@pytest.mark.parametrize("kind", ["Lambda", "layer"])
@pytest.mark.parametrize("call", FOLLOWED.values(), ids=FOLLOWED)
def test_what_moves_entries_or_treats_channels_alike_is_followed(home, kind, call):
    layer = home.layers.Lambda(call) if kind == "Lambda" else own(home, call)
    mask, small = check(convolved(home, layer))
    if call is FOLLOWED["units to places"]:
        sets = mask["first"].reshape(4, 2)
        assert (sets == sets[0]).all()
        assert small.get_layer("last").kernel.shape[-2] == 1


def test_functions_are_run_too(home):
    do = keras.ops if home is keras else tf
    shuffled = home.layers.Lambda(lambda x: x)
    body = {
        "flip": lambda x: keras.ops.flip(x, 1) if home is keras else tf.reverse(x, [1]),
        "d2s": lambda x: do.depth_to_space(x, 2) if home is keras else tf.nn.depth_to_space(x, 2),
    }
    for one in body.values():
        check(convolved(home, lambda x, one=one: one(shuffled(x))))


REFUSED = {
    "softmax": tf.nn.softmax,
    "mean of units": lambda x: x - tf.reduce_mean(x, -1, keepdims=True),
    "sorted": lambda x: tf.sort(x, axis=-1),
    "cumulated": lambda x: tf.cumsum(x, axis=-1),
    "place by place": lambda x: x * tf.range(8, dtype=tf.float32),
    "the batch": lambda x: x - tf.reduce_mean(x, 0, keepdims=True),
    "fails on other sizes": lambda x: tf.ensure_shape(tf.tanh(x), (None, 8, 8, 8)),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_what_mixes_channels_is_refused_by_name(home, call):
    model = convolved(home, home.layers.Lambda(call, name="own"))
    with pytest.raises(
        ValueError, match=r"'own' is a Lambda that pruneviz does not know.*exclude=\['first'\]"
    ):
        pv.prune(model, scope={"first": 0.5}, granularity="filter", example=IMAGES)


def test_a_layer_that_is_random_in_training_only(home):
    class DropPath(home.layers.Layer):
        def call(self, x, training=None):
            return x * tf.floor(0.8 + tf.random.uniform((tf.shape(x)[0], 1, 1, 1))) if training else x

    model = convolved(home, lambda x: x + DropPath()(home.layers.Conv2D(8, 1)(x)))
    check(model)


@pytest.mark.parametrize("kind", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("filters", [8, 32])
def test_means_in_16_bits_are_followed(home, kind, filters):
    inputs, policy = home.Input((16, 16, 3)), home.mixed_precision.Policy(kind)
    hidden = home.layers.Conv2D(filters, 3, activation="relu", dtype=policy)(inputs)
    hidden = home.layers.GlobalAveragePooling2D(dtype=policy)(hidden)
    model = home.Model(inputs, home.layers.Dense(3)(hidden))
    mask = pv.prune(model, 0.5, granularity="filter")
    assert mask.pruned == filters // 2
    pv.remove(model, mask, np.random.default_rng(2).random((4, 16, 16, 3), np.float32))


MAPS = {
    "erf": lambda home, x: (keras.ops if home is keras else tf.math).erf(x),
    "Lambda": lambda home, x: home.layers.Lambda(lambda z: tf.nn.leaky_relu(z, 0.1) + 0.1)(x),
    "thresholds": lambda home, x: home.layers.ReLU(6.0, 0.1, 0.2)(x),
}


@pytest.mark.parametrize("body", MAPS)
def test_what_treats_each_number_for_itself_is_a_map(home, body):
    check(convolved(home, lambda x: MAPS[body](home, x)))


def flipped(home, x):
    return home.layers.Permute((2, 1, 3))(x)


def relative(_, x):
    return x - tf.reduce_mean(x)


@pytest.mark.parametrize(
    "body", [flipped, lambda home, x: home.layers.Lambda(lambda z: relative(home, z))(x)]
)
def test_what_only_looks_like_a_map_is_none(home, body):
    model = convolved(home, lambda x: body(home, x))
    graph = pv.frameworks.adapter(model).graph(None)
    assert [node.op for node in graph.nodes][3] != "map"
