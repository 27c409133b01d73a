"""What learners bring to a Keras model: bytes, labels in other forms, one output, images of any size."""

import numpy as np
import pytest
import tensorflow as tf
from twins import keras, tf_keras

import pruneviz as pv

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (40, 6, 6, 3), np.uint8)
LABELS = RNG.integers(0, 3, 40)


@pytest.fixture(params=[keras, tf_keras], ids=["keras", "tf_keras"])
def home(request):
    return request.param


def headed(home, first):
    inputs = home.Input((6, 6, 3))
    hidden = home.layers.Conv2D(8, 3, activation="relu")(first(inputs))
    return home.Model(inputs, home.layers.Dense(3)(home.layers.GlobalAveragePooling2D()(hidden)))


def predicted(model, x):
    return pv.frameworks.adapter(model).predict(x)


def normalized(home, x):
    layer = home.layers.Normalization()
    layer.adapt(x.astype("f4"))
    return layer


def nested(home):
    return home.Sequential([home.Input((6, 6, 3)), home.layers.Rescaling(1 / 255)])


SCALES = {
    "Rescaling": lambda home, x: home.layers.Rescaling(1 / 255)(x),
    "from -1 to 1": lambda home, x: home.layers.Rescaling(1 / 127.5, offset=-1)(x),
    "/ 255": lambda _, x: x / 255.0,
    "/ 127.5 - 1": lambda _, x: x / 127.5 - 1.0,
    "Normalization": lambda home, x: normalized(home, BYTES)(x),
    "after a crop": lambda home, x: home.layers.Rescaling(1 / 255)(home.layers.Cropping2D(1)(x)),
    "nested": lambda home, x: nested(home)(x),
    "Lambda": lambda home, x: home.layers.Lambda(lambda z: z / 255.0)(x),
    "Lambda from -1 to 1": lambda home, x: home.layers.Lambda(lambda z: (z - 127.5) / 127.5)(x),
    "Lambda by channel": lambda home, x: home.layers.Lambda(lambda z: z / np.float32([250, 255, 260]))(x),
    "Rescaling, then a flip": lambda home, x: home.layers.Lambda(lambda z: z[..., ::-1])(
        home.layers.Rescaling(1 / 255)(x)
    ),
    "means of bytes": lambda home, x: home.layers.Rescaling(1.0, offset=[-103.9, -116.8, -123.7])(x),
}


@pytest.mark.parametrize("scale", SCALES)
def test_a_model_that_scales_by_itself_is_given_bytes(home, scale):
    model = headed(home, lambda x: SCALES[scale](home, x))
    wanted = model.predict(BYTES.astype("f4"), verbose=0)
    np.testing.assert_allclose(predicted(model, BYTES), wanted, rtol=1e-4, atol=1e-5)


def test_a_model_that_takes_numbers_from_0_to_1_is_given_these(home):
    for first in (
        lambda x: x,
        home.layers.Rescaling(2.0, offset=-1.0),
        lambda x: (x - 0.5) / 0.2,
        home.layers.Lambda(lambda z: z * 2 - 1),
        home.layers.Lambda(lambda z: z[:, 1:-1, 1:-1, ::-1]),
        home.layers.Lambda(lambda z: z[:, :, :, :2] + z[:, :, :, 1:]),
    ):
        model = headed(home, first)
        wanted = model.predict(BYTES / np.float32(255), verbose=0)
        np.testing.assert_allclose(predicted(model, BYTES), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", ["Rescaling", "Normalization", "Lambda from -1 to 1", "means of bytes"])
def test_an_explorer_gives_a_model_what_the_scorecard_does(home, scale):
    model = headed(home, lambda x: SCALES[scale](home, x))
    labels = predicted(model, BYTES).argmax(1)
    for how in ({}, {"granularity": "filter"}):
        view = pv.explore(model, (BYTES, labels), sparsity=0.0, **how)
        view.measure()
        assert view.exact["correct"] == view.card.correct == 40
        view.sparsity = 0.5
        view.measure()
        assert view.exact["correct"] == pv.scorecard(view.apply(), (BYTES, labels)).correct


def test_integers_that_an_embedding_reads_stay_integers(home):
    tokens = RNG.integers(0, 200, (9, 5), np.uint8)
    layers = [home.layers.Embedding(200, 4), home.layers.GlobalAveragePooling1D(), home.layers.Dense(3)]
    model = home.Sequential([home.Input((5,)), *layers])
    np.testing.assert_allclose(
        predicted(model, tokens), model.predict(tokens, verbose=0), rtol=1e-5, atol=1e-6
    )

    class Own(home.Model):
        def __init__(self):
            super().__init__()
            self.embed, self.head = home.layers.Embedding(200, 4), home.layers.Dense(3)

        def call(self, x):
            return self.head(self.embed(x)[:, 0])

    own = Own()
    wanted = own.predict(tokens, verbose=0)
    np.testing.assert_allclose(predicted(own, tokens), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_one_output_tells_two_classes_apart(home, activation):
    x, y = RNG.normal(size=(60, 6)).astype("f4"), RNG.integers(0, 2, 60)
    model = home.Sequential([home.Input((6,)), home.layers.Dense(1, activation)])
    home.utils.set_random_seed(0)
    wanted = model.predict(x, verbose=0)[:, 0] > (0.5 if activation else 0)
    assert pv.scorecard(model, (x, y)).correct == np.count_nonzero(wanted == y)
    slopes = pv.importance(model, criterion="gradient", data=(x, y))
    kernel = np.array(model.layers[-1].kernel, np.float64)
    shares = 1 / (1 + np.exp(-(x @ kernel)[:, 0]))
    by_hand = np.abs(((shares - y)[:, None] * x).mean(0))
    np.testing.assert_allclose(slopes[model.layers[-1].name][0], by_hand, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "hint"),
    [
        (LABELS[:, None], r"y\.ravel\(\)$"),
        (LABELS[:, None].astype("f4"), r"y\.ravel\(\)\.astype\(int\)$"),
        (LABELS.astype("f8"), r"y\.astype\(int\)$"),
        (np.eye(3)[LABELS], r"y\.argmax\(1\)$"),
    ],
)
def test_the_hint_fits_the_labels(labels, hint):
    with pytest.raises(TypeError, match=hint):
        pv.scorecard(headed(keras, lambda x: x), (BYTES, labels))


def test_keep_pruned_is_no_callback(home):
    model = headed(home, lambda x: x)
    mask = pv.prune(model, 0.5)
    thin = pv.apply(model, mask)
    thin.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"no callback: with pv\.keep_pruned"):
        thin.fit(BYTES, np.eye(3)[LABELS], callbacks=[pv.keep_pruned(thin, mask)], verbose=0)


def test_sizes_that_are_open_are_taken_from_the_example(home):
    inputs = home.Input((None, None, 3))
    hidden = home.layers.Conv2D(8, 3, padding="same", activation="relu", name="a")(inputs)
    hidden = home.layers.Conv2D(6, 3, name="b")(home.layers.MaxPooling2D()(hidden))
    model = home.Model(inputs, home.layers.Dense(3)(home.layers.GlobalAveragePooling2D()(hidden)))
    x = BYTES / np.float32(255)
    mask = pv.prune(model, 0.5, granularity="filter", example=x)
    small = pv.remove(model, mask, x)
    assert small.input_shape == model.input_shape
    assert pv.check_removed(model, mask, small, RNG.random((2, 9, 12, 3), np.float32)) <= 1e-5
    with pytest.raises(ValueError, match=r"has no fixed size.*pass example"):
        pv.prune(model, 0.5, granularity="filter")


def test_several_inputs_are_refused_by_a_sentence(home):
    one, two = home.Input((6,)), home.Input((6,))
    model = home.Model([one, two], home.layers.Dense(3)(home.layers.Add()([one, two])))
    with pytest.raises(ValueError, match=r"x is 1 array, and the model has 2 inputs, .*: pass one"):
        pv.scorecard(model, (np.zeros((2, 6), "f4"), np.zeros(2, int)))


CODES = RNG.integers(0, 30, (60, 6))


def hot(home, x):
    ops = keras.ops if home is keras else tf
    return home.layers.Flatten()(ops.one_hot(x, 30))


def adapted(home, codes):
    layer = home.layers.IntegerLookup(output_mode="multi_hot")
    layer.adapt(codes)
    return layer


ENCODINGS = {
    "CategoryEncoding": lambda home, x: home.layers.CategoryEncoding(30, output_mode="multi_hot")(x),
    "IntegerLookup": lambda home, x: adapted(home, np.arange(5, 40))(x),
    "Hashing": lambda home, x: home.layers.Hashing(50, output_mode="multi_hot")(x),
    "one_hot": hot,
    "more than a byte": lambda home, x: home.layers.CategoryEncoding(300, output_mode="multi_hot")(x * 9),
    "Embedding": lambda home, x: home.layers.Flatten()(home.layers.Embedding(30, 4)(x)),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_input_of_integers_is_given_integers(home, name):
    layers, inputs = home.layers, home.Input((6,), dtype="int64")
    hidden = layers.Dense(12, "relu")(ENCODINGS[name](home, inputs))
    model = home.Model(inputs, layers.Dense(3)(hidden))
    labels, masks = np.asarray(model(CODES)).argmax(1), []
    for kind in ("uint8", "int32", "int64", "float32"):
        x = CODES.astype(kind)
        assert pv.scorecard(model, (x, labels)).correct == 60
        masks.append(pv.prune(model, 0.5, granularity="neuron", criterion="activation", data=(x, labels)))
        assert masks[0] == masks[-1]
        assert pv.check_removed(model, masks[0], pv.remove(model, masks[0], x), CODES) <= 1e-5


def test_an_input_of_bytes_is_given_bytes(home):
    inputs = home.Input((6, 6, 3), dtype="uint8")
    hidden = home.layers.Conv2D(4, 3)(home.layers.Lambda(lambda x: tf.cast(x, "float32") / 255)(inputs))
    model = home.Model(inputs, home.layers.Dense(3)(home.layers.Flatten()(hidden)))
    assert pv.scorecard(model, (BYTES, np.asarray(model(BYTES)).argmax(1))).correct == 40


def test_other_integers_are_refused_by_what_to_do(home):
    layers = [home.layers.CategoryEncoding(30, output_mode="multi_hot"), home.layers.Dense(3)]
    model = home.Sequential([home.Input((6,)), *layers])
    with pytest.raises(TypeError, match=r"or build the model with an Input of dtype='int64'$"):
        pv.scorecard(model, (CODES, CODES[:, 0] % 3))


def test_a_vocabulary_is_no_weight(home, tmp_path):
    layers = [adapted(home, np.arange(10, 40)), home.layers.Dense(12, "relu"), home.layers.Dense(3)]
    model = home.Sequential([home.Input((6,), dtype="int64"), *layers])
    mask = pv.prune(model, 0.5, granularity="neuron")
    small = pv.remove(model, mask, CODES)
    assert pv.check_removed(model, mask, small, CODES[::-1]) <= 1e-5
    pv.save(small, tmp_path / "small.pv")
    assert pv.scorecard(pv.load(tmp_path / "small.pv", small), (CODES, CODES[:, 0] % 3)).n == 60


RECURRENT = {
    "lstm": lambda layers: layers.LSTM(6, stateful=True, name="lstm"),
    "rnn": lambda layers: layers.RNN(layers.GRUCell(6), stateful=True, name="rnn"),
    "both": lambda layers: layers.Bidirectional(layers.GRU(6, stateful=True), name="both"),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_a_layer_with_a_state_that_stays_is_refused_before_it_changes(home, name):
    layers = home.layers
    body = [RECURRENT[name](layers), layers.Dense(10, "relu"), layers.Dense(3)]
    model = home.Sequential([home.Input(batch_shape=(4, 7, 5)), *body])
    x, y = RNG.normal(size=(4, 7, 5)).astype("f4"), LABELS[:4]
    inner = model.layers[0].forward_layer if name == "both" else model.layers[0]
    before = [np.array(state) for state in inner.states]
    for look in (
        lambda: pv.prune(model, 0.5, criterion="taylor", data=(x, y)),
        lambda: pv.importance(model, criterion="wanda", data=(x, y)),
        lambda: pv.scorecard(model, (x, y)),
        lambda: pv.remove(model, pv.prune(model, 0.5, granularity="neuron"), x),
    ):
        with pytest.raises(ValueError, match=rf"^layer '{name}.*' has a state that stays: build it with"):
            look()
    assert all(np.array_equal(was, state) for was, state in zip(before, inner.states, strict=True))
    assert pv.apply(model, pv.prune(model, 0.5)) is not model
