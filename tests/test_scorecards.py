"""A Scorecard's numbers against arithmetic, files and the frameworks' own counts."""

import gzip

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from twins import Spec, build, images, keras, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz.measures.intervals import wilson


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_equals_scipy(counts):
    correct, n = counts
    low, high = wilson(correct, n)
    reference = binomtest(correct, n).proportion_ci(method="wilson")
    assert low == pytest.approx(reference.low, abs=1e-12)
    assert high == pytest.approx(reference.high, abs=1e-12)


def test_counts_of_a_network_small_enough_to_count_by_hand(framework):
    model = build(Spec((("conv", 4), ("dense", 6))), framework)
    thin = pv.apply(model, pv.prune(model, scope={"l0": 0.5}))
    card = pv.scorecard(thin, images(), name="half")
    conv, dense, out = 3 * 9 * 4, 4 * 64 * 6, 6 * 4
    assert card.name == "half"
    assert card.n == 40
    assert card.parameters == conv + 4 + dense + 6 + out + 4
    assert card.buffers == 0
    assert card.nonzero == card.parameters - conv // 2
    assert card.sparsity == pytest.approx((conv // 2) / (conv + dense + out))
    assert card.macs == conv * 64 + dense + out
    assert card.nonzero_macs == conv // 2 * 64 + dense + out


def test_parameters_are_what_the_framework_counts_as_trainable(framework):
    model = build(Spec(), framework)
    if framework == "torch":
        model.append(torch.nn.BatchNorm1d(4))
        model[0].bias.requires_grad_(False)
        counted = sum(p.numel() for p in model.parameters() if p.requires_grad)
    else:
        model.add((keras if framework == "keras" else tf_keras).layers.BatchNormalization())
        model.build()
        model.layers[0].trainable = False
        counted = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    card = pv.scorecard(model, images())
    assert card.parameters == counted
    assert card.buffers > 0


def test_bytes_are_those_of_real_files(framework, tmp_path):
    model = build(Spec(), framework)
    thin = pv.apply(model, pv.prune(model, 0.9))
    card = pv.scorecard(thin, images())
    safetensors.numpy.save_file(
        {name: np.ascontiguousarray(array) for name, array in weights_of(thin).items()}, tmp_path / "raw"
    )
    pv.save(thin, tmp_path / "compact")
    raw = (tmp_path / "raw").read_bytes()
    assert card.raw_bytes == len(raw)
    assert card.gzip_bytes == pytest.approx(len(gzip.compress(raw, 6)), abs=8)
    assert card.compact_bytes == (tmp_path / "compact").stat().st_size


def test_accuracy_predictions_and_change_agree(framework):
    model = build(Spec(), framework)
    x, y = images(200)
    dense = pv.scorecard(model, (x, y))
    thin = pv.scorecard(pv.apply(model, pv.prune(model, 0.8)), (x, y))
    change = thin.versus(dense)
    assert dense.correct == round(dense.accuracy * 200) == int((dense.predictions == y).sum())
    assert change.won - change.lost == thin.correct - dense.correct
    assert change.changed >= change.lost + change.won
    assert change.changed == int((thin.predictions != dense.predictions).sum())
    assert dense.interval[0] <= dense.accuracy <= dense.interval[1]
    assert str(change) == (
        f"{change.changed} answers changed: {change.lost} lost, {change.won} won, "
        f"{change.changed - change.lost - change.won} wrong in a new way"
    )
    assert "of 200" in str(dense)
    assert "predictions" not in repr(dense)


def test_cards_of_other_images_cannot_be_compared():
    model = build(Spec(), "torch")
    with pytest.raises(ValueError, match="different images"):
        pv.scorecard(model, images(30)).versus(pv.scorecard(model, images(40)))


def test_models_that_do_not_classify_are_refused():
    with pytest.raises(ValueError, match=r"shape \(40, 3, 6, 6\), not \(40, classes\)"):
        pv.scorecard(torch.nn.Conv2d(3, 3, 3), images())
    for home in (keras, tf_keras):
        inputs = home.Input((8, 8, 3))
        twice = home.Model(inputs, [home.layers.Flatten()(inputs), inputs])
        with pytest.raises(TypeError, match="the model gives a list, not one array of outputs"):
            pv.scorecard(twice, images())
    with pytest.raises(TypeError, match="the model gives a tuple, not one array of outputs"):
        pv.scorecard(
            torch.nn.LSTM(3, 3).requires_grad_(False), (np.zeros((4, 2, 3), np.float32), np.zeros(4, int))
        )
    broken = build(Spec(), "torch")
    torch.nn.init.constant_(broken.out.bias, float("nan"))
    with pytest.raises(ValueError, match="outputs are NaN"):
        pv.scorecard(broken, images())


@pytest.mark.parametrize(
    ("correct", "n", "words"),
    [
        (0, 0, "n is 0, not a whole number from 1"),
        (-1, 10, "correct is -1, not a whole number from 0"),
        (0.9, 10, r"correct is 0\.9, not a whole number"),
        (11, 10, "correct is 11, more than n, 10"),
    ],
)
def test_an_interval_of_no_share_is_refused(correct, n, words):
    with pytest.raises(ValueError, match=words):
        pv.wilson(correct, n)


def test_a_layer_of_which_nothing_is_left_is_named(framework):
    model = build(Spec((("conv", 4), ("conv", 5), ("dense", 6))), framework)
    dense = pv.scorecard(model, images())
    assert dense.emptied == ()
    assert "nothing is left" not in str(dense)
    by_hand = pv.Mask({"l0": np.zeros(4, bool)}, "filter")
    for mask in (pv.prune(model, scope={"l0": 1.0, "l1": 0.9}), by_hand):
        card = pv.scorecard(pv.apply(model, mask, images()[0][:1]), images())
        assert card.emptied == ("l0",)
        assert "pruned; nothing is left of l0\n" in str(card)
    card = pv.scorecard(pv.apply(model, pv.prune(model, 1.0)), images())
    assert card.emptied == ("l0", "l1", "l2", "out")
    assert "100.0% pruned; nothing is left of l0, l1, l2, and 1 more" in str(card)
    almost = pv.prune(model, scope={"l0": 1.0}, keep_at_least=1)
    assert pv.scorecard(pv.apply(model, almost), images()).emptied == ()


def test_an_emptied_layer_is_named_where_weights_are_tied_nested_or_in_two_kernels():
    tied = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.Linear(6, 6))
    tied[1].weight = tied[0].weight
    x, y = np.random.default_rng(0).random((8, 6), np.float32), np.arange(8) % 3
    assert pv.scorecard(pv.apply(tied, pv.prune(tied, 1.0)), (x, y)).emptied == ("0",)
    for home in (keras, tf_keras):
        layers = home.layers
        inner = home.Sequential(
            [layers.Input((8, 8, 3)), layers.SeparableConv2D(4, 3, name="s")], name="base"
        )
        model = home.Sequential([layers.Input((8, 8, 3)), inner, layers.Flatten(), layers.Dense(4)])
        names = list(pv.network(model))
        for name in names:
            thin = pv.apply(model, pv.prune(model, scope={name: 1.0}))
            assert pv.scorecard(thin, images()).emptied == (name,)
        assert names[:2] == ["base.s.depthwise", "base.s.pointwise"]
