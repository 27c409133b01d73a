"""Feature maps skipped at run time: twins agree, zero changes nothing, saved multiplications are counted."""

import numpy as np
import pytest
from architectures import Plan, build, images
from twins import keras, same, torch, weights_of

import pruneviz as pv
from pruneviz import frameworks

CHAIN = Plan((("conv", 5), ("act", 0), ("pool", 0), ("conv", 6), ("bn", 0), ("act", 0)), dense=(7,))
BLOCK = Plan((("conv", 4), ("act", 0), ("residual", 0), ("conv", 3), ("act", 0)), tail="average")
HOMES = ("torch", "keras", "tf_keras")


def labelled(plan, framework, n=12):
    x = images(plan, framework, n=n)
    return x, np.arange(n) % 3


def digits(n=300):
    return tuple(array[:n] for array in pv.datasets.mnist().validation)


@pytest.mark.parametrize("name", ["lenet_5", "lenet_5_bn", "mnist_cnn"])
def test_zero_skips_empty_maps_and_changes_no_answer(name, framework):
    data = digits(50)
    model = getattr(pv.zoo, name)(framework)
    before = weights_of(model)
    gated = pv.gate(model, data, 0)
    card = pv.scorecard(model, data)
    np.testing.assert_array_equal(gated.predictions, card.predictions)
    assert gated.dense_macs == card.macs
    assert gated.correct == card.correct
    assert same(before, weights_of(model))
    spent = np.zeros(len(data[0]), int)
    for off in gated.skipped.values():
        spent += off.sum(axis=1)
    assert ((gated.macs < card.macs) == (spent > 0)).all()


@pytest.mark.parametrize("measure", ["max", "mean"])
@pytest.mark.parametrize("plan", [CHAIN, BLOCK], ids=["chain", "block"])
def test_twins_skip_the_same(plan, measure):
    found = []
    for home in HOMES:
        model, data = build(plan, home), labelled(plan, home)
        found.append(pv.gate(model, data, 0.5, measure=measure))
    first = found[0]
    assert 0 < first.saved < 1
    for other in found[1:]:
        assert other.skipped.keys() == first.skipped.keys()
        for name, off in first.skipped.items():
            np.testing.assert_array_equal(other.skipped[name], off)
        np.testing.assert_array_equal(other.macs, first.macs)
        np.testing.assert_array_equal(other.predictions, first.predictions)


def test_a_gate_does_what_a_mask_for_that_image_does(framework):
    """The second gate sees what the first has left, so the masks of one image do it all at once."""
    data = labelled(CHAIN, framework)
    model = build(CHAIN, framework)
    gated = pv.gate(model, data, 0.6)
    assert any(off.any() for off in gated.skipped.values())
    for i, image in enumerate(data[0]):
        mask = pv.Mask({name: ~off[i] for name, off in gated.skipped.items()}, "filter")
        thin = pv.apply(model, mask, data[0])
        outputs = frameworks.adapter(thin).predict(image[None])
        assert outputs.argmax() == gated.predictions[i]


def test_only_the_multiplications_of_the_layers_that_read_a_map_are_saved(framework):
    """By hand: six maps of 28 × 28, sixteen of 10 × 10, of which fc1 reads 25 places."""
    gated = pv.gate(pv.zoo.lenet_5(framework), digits(100), {"conv1": 1.3, "conv2": 1.2})
    first, second = (gated.skipped[name].sum(axis=1) for name in ("conv1", "conv2"))
    assert len(set(first)) > 1
    assert len(set(second)) > 1
    left = 6 * 25 * 28**2 + (6 - first) * 16 * 25 * 10**2 + (16 - second) * 25 * 120 + 120 * 84 + 84 * 10
    np.testing.assert_array_equal(gated.macs, left)
    assert gated.saved == pytest.approx(1 - left.mean() / 416_520)


def test_a_sum_is_gated_as_one_map(framework):
    """What a block adds up goes by one name, and both layers that read the sum save."""
    model = pv.zoo.resnet_20(framework, pretrained=False)
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    data = (x, np.zeros(2, int))
    gated = pv.gate(model, data, {"block4.conv2": np.inf})
    assert gated.skipped["block4.conv2"].all()
    assert "block4.shortcut" not in pv.gate(model, data, 0).skipped
    # block5.conv1 alone reads the sum of block4: 32 × 32 kernels of 3 × 3 at 16 × 16 places.
    assert (gated.dense_macs - gated.macs == 32 * 32 * 9 * 16**2).all()


def test_depthwise_readers_save_too():
    plan = Plan((("conv", 4), ("act", 0), ("depthwise", 2), ("act", 0), ("conv", 3), ("act", 0)))
    for home in HOMES:
        model, data = build(plan, home), labelled(plan, home)
        gated = pv.gate(model, data, {"s0": np.inf})
        # Each of four channels meets two kernels of 3 × 3, at 6 × 6 places.
        assert (gated.dense_macs - gated.macs == 4 * 2 * 9 * 36).all()


def test_the_threshold_meets_the_share(framework):
    model = pv.zoo.lenet_5(framework)
    x, y = digits(60)
    for measure in ("max", "mean"):
        threshold = pv.gate_threshold(model, x, 0.8, measure=measure)
        assert pv.gate(model, (x, y), threshold, measure=measure).saved >= 0.2
        assert pv.gate(model, (x, y), 0.99 * threshold, measure=measure).saved < 0.2
    assert pv.gate_threshold(model, x, 1) == 0
    with pytest.raises(ValueError, match=r"with every map skipped 0\.309 of the multiplications are left"):
        pv.gate_threshold(model, x, 0.3)


def test_the_result_speaks():
    gated = pv.gate(pv.zoo.lenet_5("torch"), digits(50), np.inf)
    assert str(gated).splitlines()[0] == "conv1: 100.0% of the maps skipped"
    assert f"{gated.correct} of 50 right, 69.1% of the MACs saved" in str(gated)
    assert "skipped" not in repr(gated)


def test_what_cannot_be_gated_is_refused():
    model, data = pv.zoo.lenet_5("torch"), digits(5)
    with pytest.raises(ValueError, match="threshold names 'fc1'; there are gates behind conv1, conv2"):
        pv.gate(model, data, {"fc1": 0.1})
    for wrong in (-0.1, float("nan"), True, "much"):
        with pytest.raises(ValueError, match=r"^threshold is .*, not a number from 0"):
            pv.gate(model, data, wrong)
        with pytest.raises(ValueError, match=r"^the threshold of layer 'conv2' is .*, not a number from 0"):
            pv.gate(model, data, {"conv2": wrong})
    with pytest.raises(ValueError, match="measure 'sum' is not one of max, mean"):
        pv.gate(model, data, 0, measure="sum")
    for wrong in (0, 1.5, "half", True):
        with pytest.raises(ValueError, match=r"share .* is not a number above 0 and at most 1"):
            pv.gate_threshold(model, data[0], wrong)
    broken = np.where(np.arange(5).reshape(5, 1, 1, 1) == 3, np.nan, data[0] / np.float32(255))
    with pytest.raises(ValueError, match="x has entries that are NaN"):
        pv.gate_threshold(model, broken, 0.8)
    separable = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.SeparableConv2D(4, 3, depth_multiplier=2, name="sep"),
         keras.layers.ReLU(), keras.layers.Flatten(), keras.layers.Dense(10)]
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"the maps of layer 'sep.depthwise' never leave the layer"):
        pv.gate(separable, data, 0)
    assert pv.gate(separable, data, {"sep.pointwise": np.inf}).saved > 0
    without = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    assert pv.gate(without, data, 1).saved == 0
