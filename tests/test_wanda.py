"""The criterion "wanda" (Sun et al. 2023), and the weights of one output as a pool."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import CLASSES, SPECS, Spec, build, images, keras, same, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.core.arrays import number_to_prune
from pruneviz.measures.scorecards import uses

RNG = np.random.default_rng(0)
nn = torch.nn


def mean_squares(x, kernel, strides, rates, before, made):
    """Average what each position of a kernel meets of (n, *places, in), place by place: (in, *kernel)."""
    found = np.zeros((x.shape[-1], *kernel))
    for position in np.ndindex(*kernel):
        for place in np.ndindex(*made):
            at = [
                p * s + k * r - b
                for p, s, k, r, b in zip(place, strides, position, rates, before, strict=True)
            ]
            if all(0 <= i < size for i, size in zip(at, x.shape[1:-1], strict=True)):
                found[(slice(None), *position)] += np.square(x[(slice(None), *at)], dtype=np.float64).sum(0)
    return found / (len(x) * math.prod(made))


def measured(model, x):
    """Give the squares that the scores of a model's only layer tell, and its weight."""
    (layer,) = pv.network(model).layers
    return np.square(pv.importance(model, criterion="wanda", data=x)[layer.name] / np.abs(layer.weight))


@st.composite
def convolutions(draw):
    """Draw a convolution: sizes of kernel, steps, rates and images, channels, groups and multiplier."""
    places = draw(st.integers(1, 3))
    sizes = [draw(st.tuples(*[st.integers(1, 3)] * places)) for _ in range(2)]
    steps = (1,) * places if draw(st.booleans()) else (draw(st.integers(1, 2)),) * places
    rates = (1,) * places if max(steps) > 1 else (draw(st.integers(1, 2)),) * places
    side = tuple(4 + size for size in sizes[0])
    return sizes[1], steps, rates, side, draw(st.sampled_from([(4, 1), (4, 2), (4, 4)]))


@given(convolutions(), st.integers(0, 2))
def test_torch_convolutions_meet_what_loops_say(geometry, around):
    kernel, steps, rates, side, (channels, groups) = geometry
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(kernel) - 1]
    layer = kind(channels, 2 * groups, kernel, steps, around, rates, groups)
    x = RNG.random((3, *side, channels), dtype=np.float32)
    given = x if len(kernel) == 2 else np.moveaxis(x, -1, 1).copy()
    made = layer(torch.from_numpy(np.moveaxis(x, -1, 1).copy())).shape[2:]
    whole = mean_squares(x, kernel, steps, rates, [around] * len(kernel), made)
    wanted = whole.reshape(groups, 1, -1, *kernel).repeat(2, axis=1).reshape(layer.weight.shape)
    np.testing.assert_allclose(measured(nn.Sequential(layer), given), wanted, rtol=1e-5, atol=1e-12)


@given(convolutions(), st.sampled_from(["valid", "same", "causal"]))
def test_keras_convolutions_meet_what_loops_say(geometry, padding):
    kernel, steps, rates, side, (channels, groups) = geometry
    padding = "same" if padding == "causal" and len(kernel) > 1 else padding
    x = RNG.random((3, *side, channels), dtype=np.float32)
    reach = [rate * (size - 1) for rate, size in zip(rates, kernel, strict=True)]
    before = [0] * len(kernel)
    if padding == "causal":
        before = reach
    elif padding == "same":
        made = [-(-size // step) for size, step in zip(side, steps, strict=True)]
        lacking = [(m - 1) * s + r + 1 - n for m, s, r, n in zip(made, steps, reach, side, strict=True)]
        before = [max(0, number) // 2 for number in lacking]
    for framework in (keras, tf_keras):
        name = f"Conv{len(kernel)}D"
        options = {"strides": steps, "dilation_rate": rates, "padding": padding, "activation": "tanh"}
        kinds = [framework.layers.Input(x.shape[1:])]
        if groups == channels and len(kernel) < 3 and padding != "causal":
            layer = getattr(framework.layers, f"Depthwise{name}")(kernel, depth_multiplier=2, **options)
        else:
            groups = 1  # TensorFlow computes no groups of 1-D and 3-D convolutions on a CPU
            layer = getattr(framework.layers, name)(2, kernel, **options)
        model = framework.Sequential([*kinds, layer])
        whole = mean_squares(x, kernel, steps, rates, before, model.output_shape[1:-1])
        wanted = (
            whole.reshape(groups, 1, -1, *kernel).repeat(2, axis=1).reshape(-1, channels // groups, *kernel)
        )
        np.testing.assert_allclose(measured(model, x), wanted, rtol=1e-5, atol=1e-12)


def test_grouped_convolutions_of_keras_meet_their_own_channels():
    x = RNG.random((3, 5, 5, 4), dtype=np.float32)
    for framework in (keras, tf_keras):
        layer = framework.layers.Conv2D(6, 3, groups=2)
        model = framework.Sequential([framework.layers.Input((5, 5, 4)), layer])
        whole = mean_squares(x, (3, 3), (1, 1), (1, 1), (0, 0), (3, 3))
        wanted = whole.reshape(2, 1, 2, 3, 3).repeat(3, axis=1).reshape(6, 2, 3, 3)
        np.testing.assert_allclose(measured(model, x), wanted, rtol=1e-5)


def test_channels_may_come_first():
    x = RNG.random((3, 4, 6, 5), dtype=np.float32)
    for framework in (keras, tf_keras):
        layer = framework.layers.Conv2D(2, 3, data_format="channels_first")
        model = framework.Sequential([framework.layers.Input((4, 6, 5)), layer])
        wanted = mean_squares(np.moveaxis(x, 1, -1), (3, 3), (1, 1), (1, 1), (0, 0), (4, 3))
        np.testing.assert_allclose(measured(model, x), np.broadcast_to(wanted, (2, 4, 3, 3)), rtol=1e-5)
        assert uses(frameworks.adapter(model), x) == {layer.name: 12}


def test_dense_layers_meet_every_row_and_transposed_ones_every_place():
    x = RNG.random((5, 7, 6), dtype=np.float32)
    wanted = np.square(x, dtype=np.float64).mean(axis=(0, 1))
    for model in (
        nn.Sequential(nn.Linear(6, 2)),
        keras.Sequential([keras.layers.Input((7, 6)), keras.layers.Dense(2)]),
        tf_keras.Sequential([tf_keras.layers.Input((7, 6)), tf_keras.layers.Dense(2)]),
        keras.Sequential(
            [keras.layers.Input((7, 6)), keras.layers.TimeDistributed(keras.layers.Dense(2, name="inner"))]
        ),
    ):
        np.testing.assert_allclose(measured(model, x), np.broadcast_to(wanted, (2, 6)), rtol=1e-5)
    for padding in (0, 1):
        model = nn.Sequential(nn.ConvTranspose1d(6, 4, 3, 2, padding, groups=2))
        rows = wanted.reshape(2, 1, 3, 1).repeat(2, axis=1).repeat(3, axis=3)
        given = np.moveaxis(x, -1, 1).copy()
        np.testing.assert_allclose(measured(model, given), rows.reshape(4, 3, 3), rtol=1e-5)
        for framework in (keras, tf_keras):
            layer = framework.layers.Conv1DTranspose(2, 3, 2, padding="same" if padding else "valid")
            model = framework.Sequential([framework.layers.Input((7, 6)), layer])
            columns = np.broadcast_to(wanted[:, None], (2, 6, 3))
            np.testing.assert_allclose(measured(model, x), columns, rtol=1e-5)


def test_a_separable_convolution_over_time_meets_what_its_first_half_makes():
    x = RNG.random((3, 9, 4), dtype=np.float32)
    for framework, padding, steps, rate in itertools.product(
        (keras, tf_keras), ("valid", "same", "causal"), (1, 2), (1, 2)
    ):
        if steps > 1 < rate or (framework is keras and padding == "causal"):
            continue  # neither TensorFlow nor Keras computes these
        options = {"padding": padding, "strides": steps, "dilation_rate": rate, "depth_multiplier": 2}
        layer = framework.layers.SeparableConv1D(3, 3, **options, name="both")
        model = framework.Sequential([framework.layers.Input((9, 4)), layer])
        first = framework.layers.DepthwiseConv1D(3, **{**options, "padding": "valid"}, use_bias=False)
        lead = {"valid": (0, 0), "causal": (2 * rate, 0)}.get(padding)
        if lead is None:
            lacking = max(0, (-(-9 // steps) - 1) * steps + 2 * rate + 1 - 9)
            lead = (lacking // 2, lacking - lacking // 2)
        made = first(np.pad(x, [(0, 0), lead, (0, 0)]))
        first.set_weights([np.asarray(layer.depthwise_kernel)])
        made = np.asarray(first(np.pad(x, [(0, 0), lead, (0, 0)])))
        wanted = np.square(made, dtype=np.float64).mean(axis=(0, 1))
        weight = pv.network(model)["both.pointwise"].weight
        scores = pv.importance(model, criterion="wanda", data=x)["both.pointwise"]
        np.testing.assert_allclose(
            np.square(scores / np.abs(weight))[..., 0], np.broadcast_to(wanted, (3, 8)), rtol=1e-4
        )


@given(SPECS)
@settings(max_examples=15)
def test_twins_score_the_same(spec):
    data = images(12)
    scores = [
        pv.importance(build(spec, name), criterion="wanda", data=data)
        for name in ("torch", "keras", "tf_keras")
    ]
    for other in scores[1:]:
        assert other.keys() == scores[0].keys()
        for name, wanted in scores[0].items():
            np.testing.assert_allclose(other[name], wanted, rtol=1e-4, atol=1e-6)


def test_labels_and_batches_do_not_matter(framework):
    model, (x, y) = build(Spec((("conv", 4), ("dense", 6))), framework), images()
    before = weights_of(model)
    scores = pv.importance(model, criterion="wanda", data=x)
    assert scores == pv.importance(model, criterion="wanda", data=(x, y))
    many = pv.importance(model, criterion="wanda", data=np.concatenate([x] * 30))  # more than one batch
    parts = [pv.importance(model, criterion="wanda", data=part) for part in (x[:13], x[13:])]
    for name, array in scores.items():
        np.testing.assert_allclose(many[name], array, rtol=1e-5)
        both = (13 * parts[0][name] ** 2 + 27 * parts[1][name] ** 2) / 40
        np.testing.assert_allclose(np.sqrt(both), array, rtol=1e-5)
    floats = (x / np.float32(255)).astype(np.float32)
    for name, array in pv.importance(model, criterion="wanda", data=floats).items():
        np.testing.assert_allclose(array, scores[name], rtol=1e-5)
    assert same(before, weights_of(model))
    mask = pv.prune(model, 0.5, criterion="wanda", data=x)
    assert pv.scorecard(pv.apply(model, mask), (x, y)).nonzero < pv.scorecard(model, (x, y)).nonzero


def test_a_layer_called_twice_meets_both():
    shared = nn.Linear(6, 6)
    model, x = nn.Sequential(shared, nn.ReLU(), shared), RNG.random((9, 6), dtype=np.float32)
    second = shared(torch.from_numpy(x)).relu().detach().numpy()
    wanted = np.square(np.concatenate([x, second]), dtype=np.float64).mean(axis=0)
    np.testing.assert_allclose(measured(model, x), np.broadcast_to(wanted, (6, 6)), rtol=1e-5)
    for framework in (keras, tf_keras):
        layer, entry = framework.layers.Dense(6, "relu"), framework.layers.Input((6,))
        model = framework.Model(entry, layer(layer(entry)))
        both = np.concatenate([x, np.asarray(layer(x))])
        wanted = np.square(both, dtype=np.float64).mean(axis=0)
        np.testing.assert_allclose(measured(model, x), np.broadcast_to(wanted, (6, 6)), rtol=1e-5)


def test_a_compiled_call_of_ones_own_shows_what_it_reads():
    x = RNG.random((9, 6), dtype=np.float32)
    for framework in (keras, tf_keras):

        class Own(framework.Model):
            def __init__(self, layer):
                super().__init__()
                self.first = layer

            @tf.function
            def call(self, inputs):
                return self.first(inputs)

        model = Own(framework.layers.Dense(CLASSES, name="first"))
        model(x)
        wanted = np.broadcast_to(np.square(x, dtype=np.float64).mean(axis=0), (CLASSES, 6))
        np.testing.assert_allclose(measured(model, x), wanted, rtol=1e-5)
        assert not tf.config.functions_run_eagerly()


def test_coarse_types_are_squared_in_fine_ones():
    x = np.full((3, 4), 1000, np.float32)  # whose square float16 does not hold
    wanted = np.full((2, 4), 1e6)
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        np.testing.assert_allclose(measured(nn.Sequential(nn.Linear(4, 2).to(dtype)), x), wanted, rtol=1e-2)
    for framework in (keras, tf_keras):
        layers = framework.layers
        model = framework.Sequential([layers.Input((4,)), layers.Dense(2, dtype="mixed_float16")])
        np.testing.assert_allclose(measured(model, x), wanted, rtol=1e-2)


class Untouched(nn.Module):
    """Reads the weight of one of its layers without calling it."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.b(nn.functional.linear(x, self.a.weight).relu())


def test_what_cannot_be_said_is_refused_by_its_name():
    model, x = Untouched(), RNG.random((4, 6), dtype=np.float32)
    with pytest.raises(ValueError, match=r"sees nothing that layer 'a' reads.*exclude it"):
        pv.prune(model, 0.5, criterion="wanda", data=x)
    assert list(pv.prune(model, 0.5, criterion="wanda", data=x, exclude=["a"])) == ["b"]
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(ValueError, match="criterion 'wanda' needs data"):
        pv.prune(model, 0.5, criterion="wanda")
    with pytest.raises(ValueError, match="criterion 'wanda' is not one of"):
        pv.prune(model, 0.5, granularity="neuron", criterion="wanda", data=x)
    with pytest.raises(TypeError, match=r"pair \(x, y\)"):
        pv.prune(model, 0.5, criterion="taylor", data=x)
    with pytest.raises(TypeError, match="data must be an array"):
        pv.prune(model, 0.5, criterion="wanda", data=x[:0])


def test_activations_need_no_labels_either(framework):
    model, (x, y) = build(Spec(), framework), images()
    for name in ("activation", "apoz"):
        wanted = pv.importance(model, granularity="neuron", criterion=name, data=(x, y))
        assert pv.importance(model, granularity="neuron", criterion=name, data=x) == wanted


@given(SPECS, st.floats(0, 1))
def test_each_output_loses_the_same_share_of_its_least(spec, share):
    model = build(spec, "torch")
    mask, scores = pv.prune(model, share, scope="output"), pv.importance(model)
    for name, kept in mask.items():
        rows, values = kept.reshape(len(kept), -1), scores[name].reshape(len(kept), -1)
        assert ((~rows).sum(axis=1) == number_to_prune(share, rows.shape[1])).all()
        for row, value in zip(rows, values, strict=True):
            order = np.lexsort((np.arange(len(value)), value))  # of equal scores the lowest index goes first
            assert set(order[: (~row).sum()]) == set(np.flatnonzero(~row))
    assert pv.rank(scores, "output").mask(share) == mask
    best = pv.prune(model, share, scope="output", keep_at_least=2)
    for name, kept in best.items():
        rows = kept.reshape(len(kept), -1)
        assert (rows.sum(axis=1) >= min(2, rows.shape[1])).all()
        assert (rows | ~mask[name].reshape(rows.shape)).all()


def test_units_are_no_weights_of_one_output():
    with pytest.raises(ValueError, match='scope "output" compares weights'):
        pv.prune(build(Spec(), "torch"), 0.5, granularity="neuron", scope="output", example=images()[0])


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_the_explorer_offers_it_and_shows_its_code(framework, scope):
    net, data = build(Spec((("dense", 6), ("dense", 5))), framework), images()
    view = pv.explore(net, data, criterion="wanda", scope=scope, sparsity=0.4)
    assert "wanda" in view.criteria
    assert view.result() == pv.prune(net, 0.4, criterion="wanda", scope=scope, data=data[0])
    assert ("pv.prune" in view.snippet) == (framework != "torch")
    space = {"model": net, "data": data}
    exec(view.snippet, space)
    for name, kept in view.result().items():
        assert np.array_equal(np.asarray(space["shown_keep"][name]).reshape(kept.shape), kept)
    convolutions = pv.explore(build(Spec(), framework), data, criterion="wanda", scope=scope, sparsity=0.4)
    space = {"model": build(Spec(), framework), "data": data}
    exec(convolutions.snippet, space)
    for name, kept in convolutions.result().items():
        assert np.array_equal(space["shown_keep"][name].reshape(kept.shape), kept)
