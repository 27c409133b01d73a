"""What Keras models answer where there is little to prune: why, what is left out, what is in the way."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from twins import keras, tf_keras

import pruneviz as pv

RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 8, 8, 3), np.float32)
TOKENS = RNG.random((4, 5, 6), np.float32)
LABELS = np.zeros(4, int)


@pytest.fixture(params=[keras, tf_keras], ids=["keras", "tf_keras"])
def home(request):
    return request.param


def headed(home, middle):
    inputs = home.Input((5, 6))
    hidden = home.layers.GlobalAveragePooling1D()(middle(inputs))
    return home.Model(inputs, home.layers.Dense(3, name="head")(hidden))


def adapted(home):
    class Adapted(home.layers.Dense):
        def build(self, shape):
            super().build(shape)
            self.down, self.up = (self.add_weight(shape=s, name=f"w{s[0]}") for s in ((6, 2), (2, 4)))

        def call(self, x):
            return super().call(x) + tf.matmul(tf.matmul(x, self.down), self.up)

    return Adapted(4, name="m")


MIDDLES = {
    "attention": (lambda home: (lambda x: home.layers.MultiHeadAttention(2, 3, name="m")(x, x)), 18, 168),
    "LSTM": (lambda home: home.layers.LSTM(12, return_sequences=True, name="m"), 36, 912),
    "both ways": (
        lambda home: home.layers.Bidirectional(home.layers.GRU(6, return_sequences=True), name="m"), 36, 504
    ),
    "EinsumDense": (
        lambda home: home.layers.EinsumDense("abc,cd->abd", output_shape=(5, 4), name="m"), 12, 24
    ),
    "more weights": (adapted, 5 * 24 + 12, 20),
}  # fmt: skip


@pytest.mark.parametrize(("make", "macs", "numbers"), MIDDLES.values(), ids=MIDDLES)
def test_what_is_not_counted_or_covered_is_named(home, make, macs, numbers):
    model = headed(home, make(home))
    card = pv.scorecard(model, (TOKENS, LABELS))
    assert (card.macs, card.uncounted, dict(card.uncovered)) == (macs, ("m",), {"m": numbers})
    for text in (repr(pv.network(model)), repr(pv.prune(model, 0.5)), str(card)):
        assert f"not covered: m ({numbers} numbers)" in text
    assert "not counted: m" in str(card)


def test_products_of_activations_are_named(home):
    model = headed(home, lambda x: home.layers.Dot(axes=2, name="products")([x, x]))
    assert pv.scorecard(model, (TOKENS, LABELS)).uncounted == ("products",)


def test_all_known_layers_are_counted_at_each_use(home):
    layer, shared = home.layers, home.layers.Dense(6)
    inputs = home.Input((8, 8, 6))
    hidden = layer.Conv2D(6, 1, groups=2)(layer.SeparableConv2D(6, 3, padding="same")(shared(shared(inputs))))
    hidden = layer.Conv2DTranspose(6, 1)(layer.DepthwiseConv2D(3, padding="same")(hidden))
    model = home.Model(inputs, layer.Dense(3)(layer.GlobalAveragePooling2D()(hidden)))
    card = pv.scorecard(model, (RNG.random((2, 8, 8, 6), np.float32), LABELS[:2]))
    assert card.uncounted == ()
    assert card.macs == 64 * (2 * 36 + 6 * 9 + 36 + 6 * 3 + 6 * 9 + 36) + 18


def test_nothing_to_prune_is_refused_and_sparsity_is_checked_first(home):
    model = home.Sequential([home.Input((5, 6)), home.layers.LSTM(4, name="m")])
    assert pv.prune(model, 0).total == 0
    with pytest.raises(TypeError, match="sparsity 'half' is not a number"):
        pv.prune(model, "half")
    for attempt in (lambda: pv.prune(model, 0.5), lambda: pv.sweep(model, (TOKENS, LABELS), [0.5])):
        with pytest.raises(
            ValueError, match=r"the model has no weights to prune: not covered: m \(176 numbers\)"
        ):
            attempt()
    inputs = home.Input((5, 6))
    tied = home.layers.Add()([home.layers.Dense(6, name="a")(inputs), inputs])
    model = home.Model(inputs, home.layers.Dense(3, name="head")(tied))
    with pytest.raises(
        ValueError, match=r"no neurons to prune: a's are tied to .*; head's are what the model gives"
    ):
        pv.prune(model, 0.5, granularity="neuron")


def blocked(home):
    layer = home.layers

    class Block(layer.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.c1, self.c2 = (layer.Conv2D(6, 3, padding="same", name=name) for name in ("c1", "c2"))

        def call(self, x):
            return x + self.c2(self.c1(x))

    inputs = home.Input((8, 8, 3))
    hidden = layer.Conv2D(5, 3, name="after")(Block()(layer.Conv2D(6, 3, name="before")(inputs)))
    return home.Model(inputs, layer.Dense(3)(layer.GlobalAveragePooling2D()(hidden)))


def test_a_block_without_a_graph_is_named_with_what_lies_inside(home):
    model = blocked(home)
    with pytest.raises(
        ValueError, match=r"'block' is a Block .*inside: block\.c1, block\.c2; .*\['before'\]"
    ):
        pv.prune(model, 0.4, granularity="filter")
    mask = pv.prune(model, 0.4, granularity="filter", exclude="auto")
    assert (list(mask), mask.left_alone) == (["after"], ["before"])
    assert mask.uncovered == {"block.c1": 324, "block.c2": 324}
    pv.remove(model, mask, IMAGES)
    with pytest.raises(ValueError, match=r"scope names layer 'block\.c1', whose outputs lie inside 'block'"):
        pv.prune(model, granularity="filter", scope={"block.c1": 0.5}, exclude="auto")


def test_a_mask_of_another_model_is_refused(home):
    def chain(*, adds):
        inputs = home.Input((6,))
        first = home.layers.Dense(8, "relu", name="a")(inputs)
        second = home.layers.Dense(8, name="b")(first)
        hidden = home.layers.Add()([first, second]) if adds else second
        return home.Model(inputs, home.layers.Dense(3, name="head")(hidden))

    mask = pv.prune(chain(adds=False), 0.4, granularity="neuron")
    pv.apply(chain(adds=False), mask)
    with pytest.raises(ValueError, match=r"is tied to layer '[ab]', where the mask prunes it"):
        pv.apply(chain(adds=True), mask)


OTHER_BACKEND = """
import keras
import pruneviz as pv

try:
    pv.network(keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(3)]))
except ValueError as error:
    print(keras.backend.backend(), error)
"""


def test_another_backend_is_refused_with_what_to_set():
    told = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(
        [sys.executable, "-c", OTHER_BACKEND], capture_output=True, text=True, check=False, env=told
    )
    assert done.stdout == (
        "torch pruneviz reads Keras models on the backend TensorFlow: set KERAS_BACKEND=tensorflow before "
        "you import keras\n"
    ), done.stderr


def layered():
    hidden = keras.layers.Conv2D(4, 3, name="c"), keras.layers.Flatten(), keras.layers.Dense(5, name="d")
    return keras.Sequential([keras.layers.Input((8, 8, 3)), *hidden])


@pytest.mark.parametrize("name", ["c", "d"])
def test_lora_is_merged_before_weights_are_looked_at(name, tmp_path):
    model, plain = layered(), layered()
    tuned = model.get_layer(name)
    tuned.enable_lora(2)
    tuned.lora_kernel_b.assign(np.ones(tuned.lora_kernel_b.shape))
    with pytest.raises(
        ValueError, match=f"^layer '{name}' has LoRA on: merge it first, as save_weights does$"
    ):
        pv.network(model)
    model.save_weights(tmp_path / "merged.weights.h5")
    plain.load_weights(tmp_path / "merged.weights.h5")
    merged = np.moveaxis(np.asarray(tuned.kernel), (-1, -2), (0, 1))
    np.testing.assert_array_equal(pv.network(plain)[name].weight, merged)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_codes_are_not_ranked_as_weights(mode):
    model = layered()
    model.quantize(mode)
    with pytest.raises(ValueError, match=f"^layer 'd' is quantised to {mode}: prune before you quantise$"):
        pv.prune(model, 0.5)


@pytest.mark.parametrize("kind", ["Dense", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"])
def test_a_layer_that_is_not_built_is_named(home, kind):
    class Late(home.Model):
        def __init__(self):
            super().__init__()
            self.late = getattr(home.layers, kind)(*[3] * (2 - (kind == "Dense")), name="late")

    model = Late()
    model.built = True
    with pytest.raises(ValueError, match=r"^layer 'late' has no weights yet: build the model"):
        pv.network(model)
