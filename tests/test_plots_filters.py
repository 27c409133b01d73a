"""Galleries of kernels and of feature maps, by the data their artists hold."""

import matplotlib as mpl
import numpy as np
import pytest
from artists import captions, labelled, legend, luminance, overlaps, tile
from matplotlib.figure import Figure
from twins import Spec, build, images, torch

import pruneviz as pv
from pruneviz.core.layers import Layer, Network
from pruneviz.core.masks import Importance, Mask
from pruneviz.plots import style


def kernels(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.2, shape).astype(np.float32)


@pytest.fixture(scope="module")
def cnn():
    weights = {"conv1": kernels(6, 1, 5, 5), "conv2": kernels(16, 6, 5, 5), "wide": kernels(12, 16, 3, 3)}
    convolutions = [Layer(name, "conv", weight) for name, weight in weights.items()]
    return Network([*convolutions, Layer("fc1", "dense", kernels(10, 400))])


def test_sign_survives_greyscale():
    levels = [luminance(mpl.colors.to_hex(style.WEIGHT(share))) for share in np.linspace(0, 1, 50)]
    assert np.all(np.diff(levels) > 0)
    levels = [luminance(mpl.colors.to_hex(style.ACTIVITY(share))) for share in np.linspace(0, 1, 50)]
    assert np.all(np.diff(levels) < 0)


def test_a_filter_is_drawn_as_its_kernel(cnn):
    ax = pv.plot_filters(cnn)
    for number, kernel in enumerate(cnn["conv1"].weight):
        values, opaque = tile(ax, number)
        assert np.array_equal(values, kernel[0])
        assert np.all(opaque == 1)
    assert captions(ax) == list("012345")
    largest = np.abs(cnn["conv1"].weight).max()
    assert ax.images[0].get_clim() == pytest.approx((-largest, largest))


def test_kernels_of_several_channels_are_stacked_and_labelled(cnn):
    ax = pv.plot_filters(cnn, "conv2")
    values, opaque = tile(ax, 11)
    assert values.shape == (6 * 6 - 1, 5)
    for channel, kernel in enumerate(cnn["conv2"].weight[11]):
        assert np.array_equal(values[6 * channel : 6 * channel + 5], kernel)
    assert np.all(opaque[5::6] == 0)
    assert [text.get_text() for text in ax.texts if text.get_text().startswith("in ")] == [
        f"in {channel}" for channel in range(6)
    ]


def test_many_channels_are_laid_out_in_rows(cnn):
    values, _ = tile(pv.plot_filters(cnn, "wide"), 3)
    assert values.shape == (4 * 4 - 1, 4 * 4 - 1)
    assert np.array_equal(values[4:7, 8:11], cnn["wide"].weight[3, 6])


def test_pruned_filters_are_pale_and_hatched(cnn):
    mask = Mask({"conv1": np.array([1, 0, 1, 1, 0, 1], bool)}, "filter")
    ax = pv.plot_filters(cnn, mask=mask)
    for number, kept in enumerate(mask["conv1"]):
        values, opaque = tile(ax, number)
        frame = labelled(ax, f"filter {number}")
        assert np.array_equal(values, cnn["conv1"].weight[number, 0])
        assert np.all((opaque == 1) == kept)
        assert bool(frame.get_hatch()) != kept
        assert (frame.get_linestyle() == "--") != kept
    assert [text.split()[1] for text in legend(ax)] == ["4", "2"]
    assert "Pruned: 1, 4." in pv.alt_text(ax)


def test_pruned_weights_of_kept_filters_are_left_out(cnn):
    kept = np.random.default_rng(1).random((6, 1, 5, 5)) < 0.6
    kept[2] = False
    ax = pv.plot_filters(cnn, mask={"conv1": kept})
    for number in (0, 5):
        assert np.array_equal(np.isnan(tile(ax, number)[0]), ~kept[number, 0])
    assert np.array_equal(tile(ax, 2)[0], cnn["conv1"].weight[2, 0])
    assert int(legend(ax)[0].split()[1]) == kept.sum()


def test_filters_are_ordered_by_score(cnn):
    scores = Importance({"conv1": np.array([0.5, 3.0, 0.25, 3.0, 1.0, 12.0])}, "filter")
    ax = pv.plot_filters(cnn, scores=scores, sort=True)
    assert captions(ax) == ["5\n12.0", "1\n3.0", "3\n3.0", "4\n1.0", "0\n0.5", "2\n0.2"]
    assert labelled(ax, "filter 5").get_x() < labelled(ax, "filter 1").get_x()
    assert np.array_equal(tile(ax, 5)[0], cnn["conv1"].weight[5, 0])
    assert "highest first: from 0.25 (filter 2) to 12 (filter 5)" in pv.alt_text(ax)
    assert captions(pv.plot_filters(cnn, scores=scores))[2] == "2\n0.2"


@pytest.mark.parametrize("scale", [1e-7, 3e-3, 0.4, 7, 180, 25_000])
@pytest.mark.parametrize("shape", [(64, 32, 3, 3), (16, 6, 5, 5), (64, 1, 1, 1), (1, 1, 5, 5), (20, 3, 3, 3)])
def test_no_caption_stands_on_another(shape, scale):
    scores = scale * np.random.default_rng(0).random(shape[0])
    assert not overlaps(pv.plot_filters(kernels(*shape), scores=scores))


def test_narrow_axes_and_other_kernels_fit_too():
    ax = Figure(figsize=(3, 4), layout="constrained").add_subplot()
    pv.plot_filters(kernels(16, 1, 3, 3), scores=np.arange(16.0), title="Filters", ax=ax)
    assert not overlaps(ax)
    for shape in [(4, 3, 7), (4, 2, 3, 3, 3)]:
        ax = pv.plot_filters(kernels(*shape))
        assert np.nansum(tile(ax, 2)[0]) == pytest.approx(kernels(*shape)[2].sum(), rel=1e-5)


# -- feature maps


def test_feature_maps_are_what_the_layer_gives_on_the_image(framework):
    model, (x, _) = build(Spec(), framework), images(3)
    ax = pv.plot_feature_maps(model, x[1])
    twin = build(Spec(), "torch")
    with torch.no_grad():
        maps = twin[:2](torch.from_numpy(x[1:2].transpose(0, 3, 1, 2) / np.float32(255)))[0].numpy()
    assert np.any(maps > 0)
    for number, expected in enumerate(maps):
        assert tile(ax, number)[0] == pytest.approx(expected, abs=1e-5)
    assert np.array_equal(labelled(ax, "image").get_array(), x[1])
    assert ax.images[0].get_clim() == pytest.approx((0, maps.max()))


def test_maps_of_pruned_filters_are_marked_and_scale_is_signed_without_activation():
    model, (x, _) = build(Spec(), "torch"), images(1)
    ax = pv.plot_feature_maps(model, x, mask=Mask({"l0": np.array([1, 1, 0, 1], bool)}, "filter"))
    assert [bool(labelled(ax, f"filter {number}").get_hatch()) for number in range(4)] == [0, 0, 1, 0]
    assert "Pruned: 2." in pv.alt_text(ax)
    bare = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 2))
    torch.nn.init.constant_(bare[0].weight, -1)
    low, high = pv.plot_feature_maps(bare, x).images[0].get_clim()
    assert low == -high < 0


# -- refusals

MODEL = build(Spec(), "torch")
X, _ = images(4)
REFUSED = {
    "layer 'fc1' of shape .* is not a convolution: plot_mask": lambda n: pv.plot_filters(n, "fc1"),
    "layer 'conv9' is not in weights": lambda n: pv.plot_filters(n, "conv9"),
    "weights has no convolution, only an array": lambda _: pv.plot_filters(np.ones((3, 4))),
    "weights is a Mask": lambda _: pv.plot_filters(Mask({"conv1": np.ones(6, bool)})),
    "has 65 filters, and 64 are legible": lambda _: pv.plot_filters(kernels(65, 1, 3, 3)),
    "mask of layer 'conv1' has shape": lambda n: pv.plot_filters(n, mask={"conv1": np.ones((6, 5), bool)}),
    "scores has shape \\(5,\\) for layer 'conv1'": lambda n: pv.plot_filters(n, scores=np.ones(5)),
    "layer 'conv1' is not in scores": lambda n: pv.plot_filters(n, scores={"conv2": np.ones(6)}),
    "sort orders by score": lambda n: pv.plot_filters(n, sort=True),
    "image is a list, not a NumPy array": lambda _: pv.plot_feature_maps(MODEL, [1]),
    "image has shape \\(4, 8, 8, 3\\): give one": lambda _: pv.plot_feature_maps(MODEL, X),
    "layer 'l9' is not in model: choose from l0, l1, out": lambda _: pv.plot_feature_maps(MODEL, X[0], "l9"),
    "layer 'l1' gives 6 numbers an image": lambda _: pv.plot_feature_maps(MODEL, X[0], "l1"),
    "mask of layer 'l0' has shape": lambda _: pv.plot_feature_maps(MODEL, X[0], mask=np.ones(5, bool)),
    "model has no convolution, only l0, out": lambda _: pv.plot_feature_maps(
        build(Spec((("dense", 5),)), "torch"), X[0]
    ),
    "has 65 feature maps": lambda _: pv.plot_feature_maps(build(Spec((("conv", 65),)), "torch"), X[0]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_errors_name_the_argument_and_say_what_to_do(message, cnn):
    with pytest.raises((ValueError, TypeError), match=message):
        REFUSED[message](cnn)
