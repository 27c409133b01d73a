"""Figures, by the data their artists hold, plus a few stored images.

To replace the stored images after a wanted change, run
PRUNEVIZ_NEW_BASELINES=1 pytest tests/test_plots.py -k stored, and look at them.
"""

import base64
import inspect
import io
import itertools
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from artists import Stairs, contrast, drawn_texts, labelled, legend, luminance, overlaps
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from twins import Spec, build, images

import pruneviz as pv
from pruneviz.core.layers import Layer, Network
from pruneviz.core.masks import Importance, Mask
from pruneviz.plots import style

BASELINES = Path(__file__).parent / "baselines"
SPARSITIES = [0.0, 0.25, 0.5, 0.8, 0.9, 0.99]


def made_up(*shapes, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(0, 0.05, shape).astype(np.float32) for shape in shapes]


@pytest.fixture(scope="module")
def mlp():
    weights = made_up((30, 64), (20, 30), (10, 20))
    return Network([Layer(f"fc{i}", "dense", weight) for i, weight in enumerate(weights, 1)])


@pytest.fixture(scope="module")
def cnn():
    conv1, conv2, fc1 = made_up((6, 1, 5, 5), (16, 6, 5, 5), (120, 400))
    return Network([Layer("conv1", "conv", conv1), Layer("conv2", "conv", conv2), Layer("fc1", "dense", fc1)])


def pruned(network, sparsity):
    scores = {name: np.abs(layer.weight) for name, layer in network.items()}
    return pv.rank(Importance(scores)).mask(sparsity)


def cards(accuracies, sparsities=SPARSITIES, half=0.01):
    return [
        SimpleNamespace(
            name="card",
            accuracy=accuracy,
            interval=(max(accuracy - half, 0), min(accuracy + half, 1)),
            n=10_000,
            sparsity=sparsity,
            parameters=266_610,
            nonzero=266_610 - round(266_200 * sparsity),
            macs=266_200,
            raw_bytes=1_066_896,
            gzip_bytes=1000 + round(9e5 * (1 - sparsity)),
            compact_bytes=1000 + round(1e6 * (1 - sparsity)),
            latency_ms={1: pv.Latency((2.0,), "wall", "PyTorch")},
        )
        for accuracy, sparsity in zip(accuracies, sparsities, strict=True)
    ]


CONFUSED = np.diag(np.full(10, 1000)) + np.tri(10, k=-1, dtype=int) * 123
FALLING = [0.98, 0.981, 0.97, 0.9, 0.6, 0.1]


def by_weight(image):
    """Give one value a weight of a picture that may be drawn out to several pixels each."""
    values, (left, right, bottom, top) = np.ma.filled(image.get_array(), np.nan), image.get_extent()
    down, across = values.shape[0] / (bottom - top), values.shape[1] / (right - left)
    each = values[:: int(down), :: int(across)]
    assert np.array_equal(each.repeat(int(down), 0).repeat(int(across), 1), values, equal_nan=True)
    return each


def bars(ax):
    """Give the counts of kept and pruned weights in each bin, and the edges."""
    below = labelled(ax, "pruned").get_data()
    above = labelled(ax, "kept").get_data()
    assert np.array_equal(above.baseline, below.values)
    return above.values - below.values, below.values, below.edges


# -- the visual language


def test_kept_and_pruned_differ_in_luminance():
    assert contrast(style.KEPT, style.PRUNED) >= 3
    assert contrast(style.KEPT, style.CUT) >= 3
    for end in (0.0, 1.0):
        assert contrast(mpl.colors.to_hex(style.STRENGTH(end)), style.PRUNED) >= 3


def test_text_and_lines_stand_out_from_paper():
    for colour in (style.INK, style.QUIET, *(colour for colour, _, _ in style.SERIES)):
        assert contrast(colour, style.PAPER) >= 4.5
    for colour in (style.PRUNED_EDGE, style.CUT):
        assert contrast(colour, style.PAPER) >= 3


def test_share_kept_darkens_steadily():
    levels = [luminance(mpl.colors.to_hex(style.SHARE_KEPT(share))) for share in np.linspace(0, 1, 50)]
    assert np.all(np.diff(levels) < 0)


def test_series_differ_in_marker_and_dashes():
    assert len({marker for _, marker, _ in style.SERIES}) == len(style.SERIES)
    assert len({str(dashes) for _, _, dashes in style.SERIES}) == len(style.SERIES)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        *((0, "0"), (1, "100"), (0.3, "30"), (0.9, "90"), (0.9825, "98.2")),
        *((0.00001, "under 0.1"), (0.99999, "over 99.9")),
    ],
)
def test_percent_never_rounds_to_all_or_none(share, text):
    assert style.percent(share) == f"{text}%"


def test_thousands_are_set_apart_by_a_thin_space():
    assert style.grouped(266_200) == "266,200"


# -- weight histogram


@settings(deadline=None, max_examples=25)
@given(
    values=hnp.arrays(np.float32, st.integers(1, 200), elements=st.floats(-1e3, 1e3, width=32)),
    threshold=st.none() | st.floats(0, 1e3),
    by=st.sampled_from(["value", "magnitude"]),
    bins=st.integers(1, 60),
)
def test_every_weight_is_in_the_histogram(values, threshold, by, bins):
    ax = pv.plot_weight_histogram(values, threshold=threshold, by=by, bins=bins)
    kept, cut, edges = bars(ax)
    below = 0 if threshold is None else np.count_nonzero(np.abs(values.astype(float)) < threshold)
    assert kept.min() >= 0
    assert (kept.sum(), cut.sum()) == (values.size - below, below)
    assert len(edges) <= 4 * bins + 4


def test_histogram_shades_what_the_mask_prunes(mlp):
    mask = pruned(mlp, 0.7)
    ax = pv.plot_weight_histogram(mlp, mask=mask, layer="fc2")
    kept, cut, edges = bars(ax)
    weight = mlp["fc2"].weight
    assert np.array_equal(kept, np.histogram(weight[mask["fc2"]], edges)[0])
    assert np.array_equal(cut, np.histogram(weight[~mask["fc2"]], edges)[0])
    assert legend(ax)[1].startswith(f"pruned {np.count_nonzero(~mask['fc2'])}")


def test_histogram_of_all_layers_and_excluded_ones(mlp):
    mask = Mask({"fc1": np.zeros((30, 64), bool)})
    kept, cut, _ = bars(pv.plot_weight_histogram(mlp, mask=mask))
    assert (kept.sum(), cut.sum()) == (20 * 30 + 10 * 20, 30 * 64)


def test_threshold_is_drawn_on_both_sides_and_is_an_edge(mlp):
    ax = pv.plot_weight_histogram(mlp, threshold=0.04)
    assert [line.get_xdata()[0] for line in ax.lines] == [-0.04, 0.04]
    _, _, edges = bars(ax)
    assert np.abs(edges - 0.04).min() < 1e-12
    assert len(pv.plot_weight_histogram(mlp, threshold=0.04, by="magnitude").lines) == 1


def test_histogram_of_units_and_of_importance(mlp):
    units = Mask({"fc1": np.arange(30) % 2 == 0}, "neuron")
    kept, cut, _ = bars(pv.plot_weight_histogram(mlp, "fc1", mask=units))
    assert (kept.sum(), cut.sum()) == (15 * 64, 15 * 64)
    ax = pv.plot_weight_histogram(Importance({"fc1": np.arange(30.0)}), threshold=10)
    assert [counts.sum() for counts in bars(ax)[:2]] == [20, 10]
    assert ax.get_xlabel() == "score"


def test_histogram_accepts_layer_mapping_and_edges(mlp):
    for weights in (mlp["fc3"], {"fc3": mlp["fc3"].weight}, mlp["fc3"].weight):
        kept, _, _ = bars(pv.plot_weight_histogram(weights))
        assert kept.sum() == 200
    kept, _, edges = bars(pv.plot_weight_histogram(mlp["fc3"], bins=[-0.05, 0, 0.05]))
    assert np.array_equal(kept, np.histogram(mlp["fc3"].weight, edges)[0])


# -- mask


def test_mask_is_drawn_one_pixel_a_weight(mlp):
    mask = pruned(mlp, 0.8)
    ax = pv.plot_mask(mask, "fc1")
    assert np.array_equal(ax.images[0].get_array() == 1, mask["fc1"])
    assert legend(ax)[0].startswith(f"kept {np.count_nonzero(mask['fc1'])}")


def test_convolution_is_a_grid_of_kernels(cnn):
    kept = pruned(cnn, 0.5)["conv2"]
    image = np.ma.filled(pv.plot_mask({"conv2": kept}).images[0].get_array(), np.nan)
    assert image.shape == (6 * 6 - 1, 16 * 6 - 1)
    for (output, entry), kernel in ((place, kept[place]) for place in np.ndindex(16, 6)):
        tile = image[entry * 6 : entry * 6 + 5, output * 6 : output * 6 + 5]
        assert np.array_equal(tile == 1, kernel)
    assert np.isnan(image[5]).all()
    assert np.isnan(image[:, 5]).all()


@pytest.mark.parametrize(("width", "place"), [(9, ""), (18, "share kept")])
def test_what_a_bar_of_colours_is_called_stands_where_the_legend_leaves_room(width, place):
    figure = Figure((width, width / 2.5), layout="constrained")
    for ax, strength in zip(figure.subplots(1, 2), (None, np.ones((1200, 1500))), strict=True):
        pv.plot_mask(np.arange(1_800_000).reshape(1200, 1500) % 3 == 0, weights=strength, ax=ax)
        assert not overlaps(ax)
    bar = figure.axes[0].child_axes[0]
    assert bar.get_title("right") == place
    assert "share kept" in (place, bar.get_ylabel())


def test_large_layers_are_drawn_as_shares_of_blocks():
    kept = np.random.default_rng(0).random((1001, 2500)) < 0.3
    image = np.asarray(pv.plot_mask(kept).images[0].get_array())
    assert image.shape == (334, 834)
    assert image[0, 0] == pytest.approx(kept[:3, :3].mean())
    assert image[-1, -1] == pytest.approx(kept[999:, 2499:].mean())
    kernels = np.random.default_rng(0).random((400, 20, 3, 3)) < 0.3
    image = by_weight(pv.plot_mask(kernels).images[0])
    assert np.allclose(image, kernels.mean(axis=(2, 3)).T)


@pytest.mark.parametrize("shape", [(784, 20), (20, 784), (90, 7), (3, 41)])
def test_long_layers_fill_the_axes_each_weight_at_its_place(shape):
    kept = np.random.default_rng(0).random(shape) < 0.3
    weights = np.random.default_rng(1).random(shape)
    ax = pv.plot_mask(kept, weights=weights)
    shares, shades = ax.images
    assert ax.get_aspect() == "auto"
    assert np.array_equal(by_weight(shares) == 1, kept)
    assert np.allclose(by_weight(shades)[kept], weights[kept])
    assert not overlaps(ax)


def test_few_units_are_numbered_each_and_many_by_round_numbers():
    few = pv.plot_mask(np.ones((12, 12), bool))
    assert [label.get_text() for label in few.get_xticklabels()] == [str(unit) for unit in range(12)]
    many = pv.plot_mask(np.ones((300, 784), bool))
    assert [label.get_text() for label in many.get_xticklabels()] == ["0", "200", "400", "600"]


def test_all_layers_share_a_figure(mlp):
    figure = pv.plot_mask(pruned(mlp, 0.5))
    assert isinstance(figure, Figure)
    assert [ax.images[0].get_array().shape for ax in figure.axes] == [(30, 64), (20, 30), (10, 20)]


@pytest.mark.parametrize("sparsity", [0.0, 1.0])
def test_mask_at_the_ends(mlp, sparsity):
    ax = pv.plot_mask(pruned(mlp, sparsity), "fc3", weights=mlp)
    assert np.all(ax.images[0].get_array() == 1 - sparsity)


def test_mask_of_units_is_a_strip_or_spread_over_weights(mlp):
    units = Mask({"fc2": np.arange(20) < 5}, "neuron")
    assert pv.plot_mask(units).images[0].get_array().shape == (1, 20)
    image = pv.plot_mask(units, weights=mlp).images[0].get_array()
    assert np.array_equal(image == 1, np.repeat(units["fc2"][:, None], 30, axis=1))


def test_kept_weights_are_shaded_by_magnitude(mlp):
    mask = pruned(mlp, 0.5)
    shades = pv.plot_mask(mask, "fc2", weights=mlp).images[1]
    expected = np.abs(mlp["fc2"].weight)
    assert np.allclose(np.ma.filled(shades.get_array(), 0), np.where(mask["fc2"], expected, 0))
    assert np.array_equal(shades.get_alpha() == 1, mask["fc2"])


def test_zeros_of_a_network_count_as_pruned():
    weight = np.array([[0.0, 1.0], [2.0, 0.0]])
    assert np.array_equal(pv.plot_mask(weight).images[0].get_array() == 1, weight != 0)


def test_pixels_show_how_many_weights_they_keep():
    kept = np.random.default_rng(0).random((30, 64)) < 0.5
    kept[:, :3] = False
    ax = pv.plot_mask(kept, "fc1", image_shape=(8, 8))
    assert np.array_equal(ax.images[0].get_array(), kept.sum(axis=0).reshape(8, 8))
    assert len(ax.lines[0].get_xdata()) == 3
    assert "3 pixels keep none" in pv.alt_text(ax)
    twice = pv.plot_mask(np.tile(kept, 2), image_shape=(8, 8))
    assert np.array_equal(twice.images[0].get_array(), 2 * kept.sum(axis=0).reshape(8, 8))


# -- lines


def test_tradeoff_draws_the_cards_and_their_intervals():
    points = cards(FALLING)
    ax = pv.plot_tradeoff({"global": points[::-1]}, reference=points[0])
    line = labelled(ax, "global")
    assert list(line.get_xdata()) == SPARSITIES
    assert list(line.get_ydata()) == FALLING
    corners = ax.collections[0].get_paths()[0].vertices
    for card in points:
        for bound in card.interval:
            assert np.any(np.all(np.isclose(corners, (card.sparsity, bound)), axis=1))
    assert labelled(ax, "unpruned").get_ydata()[0] == 0.98


def test_tradeoff_of_seeds_is_the_median_within_worst_and_best():
    runs = [[a + shift for a in FALLING] for shift in (0.01, -0.03, 0.0)]
    ax = pv.plot_tradeoff({"global": [cards(run) for run in runs]})
    line = next(line for line in ax.lines if line.get_label() == "global")
    assert np.allclose(line.get_ydata(), FALLING)
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == pytest.approx(0.07)
    assert any("range of 3 seeds; line: median" in text.get_text() for text in ax.texts)


def test_tradeoff_of_accuracies_is_that_of_the_cards():
    runs = [[a + shift for a in FALLING] for shift in (0.01, -0.03, 0.0)]
    measured = {place: [run[i] for run in runs] for i, place in enumerate(SPARSITIES)}
    ax = pv.plot_tradeoff({"l1": measured, "random": {0: 0.98, 0.5: 0.4}})
    line = next(line for line in ax.lines if line.get_label() == "l1")
    assert np.allclose(line.get_ydata(), FALLING)
    corners = ax.collections[0].get_paths()[0].vertices
    assert {round(float(low), 6) for low in corners[:, 1]} >= {0.07, 0.11, 0.95, 0.99}
    assert any("band: range of 3 seeds; line: median" in text.get_text() for text in ax.texts)
    assert list(labelled(ax, "random").get_xdata()) == [0, 0.5]
    assert list(pv.plot_tradeoff(measured).lines[0].get_xdata()) == SPARSITIES


def test_tradeoff_against_bytes_and_published_points():
    ax = pv.plot_tradeoff(cards(FALLING), x="compact_bytes", published={"Table 1": [(5e5, 0.97), (2e5, 0.9)]})
    assert ax.lines[0].get_xdata()[0] == 11_000
    assert list(labelled(ax, "Table 1").get_xdata()) == [2e5, 5e5]
    assert ax.xaxis.get_major_formatter()(500_000) == "500 kB"


def test_accuracy_axis_stays_within_its_range():
    low, high = pv.plot_tradeoff(cards([1.0, 0.99, 0.97, 0.5, 0.1, 0.0])).get_ylim()
    assert -0.05 < low <= 0
    assert 1 <= high < 1.05
    assert pv.plot_tradeoff(cards([0.99] * 6)).get_ylim()[0] > 0.9


def test_sensitivity_draws_a_line_a_layer():
    curves = {"conv1": cards(FALLING), "fc1": cards([0.98] * 6)}
    ax = pv.plot_sensitivity(curves, SPARSITIES)
    for name, points in curves.items():
        assert list(labelled(ax, name).get_xdata()) == SPARSITIES
        assert list(labelled(ax, name).get_ydata()) == [card.accuracy for card in points]
    pairs = pv.plot_sensitivity({"fc1": [(0.9, 0.5), (0.1, 0.9)]})
    assert list(labelled(pairs, "fc1").get_ydata()) == [0.9, 0.5]


def test_line_ends_are_named_apart_in_the_order_of_the_lines():
    names = [f"layer{i}" for i in range(7)]
    ax = pv.plot_sensitivity({name: [(0, 0.98), (1, 0.1 + i / 1000)] for i, name in enumerate(names)})
    ax.figure.draw_without_rendering()
    spans = sorted(
        (Text.get_window_extent(text).y0, Text.get_window_extent(text).y1, text.get_text())
        for text in ax.texts
        if text.get_text() in names
    )
    assert [name for *_, name in spans] == names
    assert all(lower[1] <= upper[0] for lower, upper in itertools.pairwise(spans))


# -- network


def connections(ax):
    return {name: len(labelled(ax, name).get_paths()) for name in ("kept", "pruned")}


def test_network_draws_every_connection_kept_or_cut():
    wires = [np.random.default_rng(i).random(shape) < 0.5 for i, shape in enumerate([(6, 4), (3, 6)])]
    for view in ("diagram", "matrix"):
        ax = pv.plot_network([4, 6, 3], mask=wires, view=view)
        kept = sum(int(wire.sum()) for wire in wires)
        assert connections(ax) == {"kept": kept, "pruned": 42 - kept}


def test_pruned_neurons_are_hollow_and_lose_their_connections():
    alive = np.array([1, 0, 1, 1, 0, 1], bool)
    figure = pv.plot_network([4, 6, 3], masks={"whole": None, "neurons": Mask({"fc1": alive}, "neuron")})
    assert [connections(ax)["kept"] for ax in figure.axes] == [42, 4 * 4 + 4 * 3]
    hollow = [
        len(artist.get_offsets())
        for artist in figure.axes[1].collections
        if artist.get_label() == "pruned neurons"
    ]
    assert hollow == [2, 0]


def test_network_of_arrays_draws_larger_weights_thicker():
    weight = np.array([[0.1, -2.0], [1.0, 0.0]])
    ax = pv.plot_network({"out": weight}, mask={"out": np.array([[True, True], [True, False]])})
    thin, thickest, middle = labelled(ax, "kept").get_linewidths()
    assert thin < middle < thickest


def test_both_views_of_a_real_network(cnn):
    small = Network([Layer("a", "dense", cnn["fc1"].weight[:5, :4])])
    figure = pv.plot_network(small, view="both")
    assert [connections(ax)["kept"] for ax in figure.axes] == [20, 20]
    with pytest.raises(ValueError, match="only dense layers"):
        pv.plot_network(Network([cnn["conv1"]]))
    with pytest.raises(ValueError, match="too large for a diagram"):
        pv.plot_network(Network([cnn["fc1"]]))


# -- all of them


def every_plot(mlp, cnn):
    mask, units = pruned(mlp, 0.6), {"fc1": np.array([1, 0, 1, 1, 0, 1], bool)}
    filters = Mask({"conv2": np.arange(16) % 3 > 0}, "filter")
    model, (x, y) = build(Spec(), "torch"), images()
    curves = {name: cards(FALLING) for name in ("conv1", "features.block1.conv_depthwise.weights", "fc1")}
    return {
        "histogram": lambda **o: pv.plot_weight_histogram(mlp, "fc1", mask=mask, threshold=0.04, **o),
        "mask": lambda **o: pv.plot_mask(mask, "fc3", weights=mlp, **o),
        "kernels": lambda **o: pv.plot_mask(pruned(cnn, 0.5), "conv1", **o),
        "strip": lambda **o: pv.plot_mask(units, **o),
        "pixels": lambda **o: pv.plot_mask(mask, "fc1", image_shape=(8, 8), **o),
        "sensitivity": lambda **o: pv.plot_sensitivity(curves, SPARSITIES, **o),
        "tradeoff": lambda **o: pv.plot_tradeoff(
            {
                "global": cards(FALLING),
                "per layer": [cards([a - d for a in FALLING]) for d in (0, 0.05, 0.1)],
            },
            reference=0.98,
            published={"Table 1": [(0.5, 0.9), (0.9, 0.5)]},
            **o,
        ),
        "network": lambda **o: pv.plot_network([4, 6, 3], mask=units, **o),
        "filters": lambda **o: pv.plot_filters(cnn, "conv2", mask=filters, scores=np.arange(16.0), **o),
        "schedule": lambda **o: pv.plot_schedule(
            {"gradual": Stairs(0.8, 100, 1000, 300), "at once": Stairs(0.9, 400, 400, 1)}, **o
        ),
        "scorecards": lambda **o: pv.plot_scorecards(cards(FALLING[:3], SPARSITIES[:3]), **o),
        "activity": lambda **o: pv.plot_neuron_activity(model, x, mask=np.arange(6) > 0, **o),
        "classes": lambda **o: pv.plot_neuron_activity(model, x, by=y, mask=np.arange(6) > 0, **o),
        "feature_maps": lambda **o: pv.plot_feature_maps(model, x[0], mask=np.arange(4) > 0, **o),
        "scores": lambda **o: pv.plot_scores(np.arange(16.0), mask=filters, **o),
        "confusion": lambda **o: pv.plot_confusion(CONFUSED, **o),
        "named": lambda **o: pv.plot_confusion(
            CONFUSED, class_names=[f"class number {i}" for i in range(10)], **o
        ),
        "chain": lambda **o: pv.plot_chain(
            pv.prune(model, 0.4, granularity="channel", example=x), followed=("l0", 1), **o
        ),
    }


KINDS = [
    "histogram",
    "mask",
    "kernels",
    "strip",
    "pixels",
    "sensitivity",
    "tradeoff",
    "network",
    "filters",
    "feature_maps",
    "activity",
    "classes",
    "schedule",
    "scorecards",
    "scores",
    "confusion",
    "named",
    "chain",
]


@pytest.fixture(params=KINDS)
def plot(request, mlp, cnn):
    return every_plot(mlp, cnn)[request.param]


def test_plots_draw_into_given_axes_and_describe_themselves(plot):
    ax = Figure().add_subplot()
    assert plot(ax=ax) is ax
    assert plot(ax=None) is not ax
    assert pv.alt_text(ax) == pv.alt_text(plot())
    assert len(pv.alt_text(ax)) > 30
    assert pv.alt_text(ax).endswith(".")
    assert pv.alt_text(ax.figure) == pv.alt_text(ax)


def test_titles_can_be_replaced(plot):
    ax = plot(title="Mine")
    assert "Mine" in (ax.get_title(loc="left"), ax.get_title())


def test_no_text_leaves_the_picture(plot):
    figure = plot().figure
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    for text in drawn_texts(figure):
        box = Text.get_window_extent(text)
        assert text.get_fontsize() >= 9
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y1 <= height + 1, text


def test_no_text_stands_on_another(plot):
    assert not overlaps(plot())


def test_a_dark_style_does_not_swallow_the_text(plot):
    with mpl.rc_context({"figure.facecolor": "black", "text.color": "white", "axes.labelcolor": "white"}):
        figure = plot().figure
        figure.draw_without_rendering()
    assert mpl.colors.to_hex(figure.get_facecolor()) == style.PAPER
    for text in drawn_texts(figure):
        assert contrast(mpl.colors.to_hex(text.get_color()), style.PAPER) >= 4.5, text


def test_a_notebook_shows_png_and_sentence(plot):
    ax = plot()
    for picture in (ax, ax.figure):
        data, metadata = picture._repr_mimebundle_(include=None, exclude=None)
        image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        assert image.width == 2 * metadata["image/png"]["width"]
        assert data["text/plain"] == metadata["image/png"]["alt"] == pv.alt_text(ax)


def test_options_are_keyword_only_and_end_with_ax_none():
    for name in (name for name in pv.plots.__all__ if name.startswith("plot_")):
        parameters = inspect.signature(getattr(pv, name)).parameters
        assert parameters["ax"].default is None
        assert parameters["ax"].kind is parameters["title"].kind is inspect.Parameter.KEYWORD_ONLY


def test_neither_pyplot_nor_a_setting_is_touched():
    code = """if True:
        import sys
        import matplotlib as mpl, numpy as np
        settings = lambda: {key: mpl.rcParams[key] for key in mpl.rcParams if key != "backend"}
        before = settings()
        import pruneviz as pv
        ax = pv.plot_mask(np.eye(3, dtype=bool))
        ax._repr_mimebundle_()
        pv.plot_network([2, 3, 1], masks={"a": None})._repr_mimebundle_()
        assert "matplotlib.pyplot" not in sys.modules
        assert settings() == before
        assert not {"torch", "tensorflow", "keras"} & sys.modules.keys()
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def distance(one, other):
    return np.sqrt(np.mean((one - other) ** 2))


@pytest.mark.parametrize("kind", ["histogram", "kernels", "tradeoff", "network"])
def test_plots_look_like_the_stored_images(kind, mlp, cnn):
    stream = io.BytesIO()
    every_plot(mlp, cnn)[kind]().figure.savefig(stream, format="png", dpi=40, facecolor="white")
    now = Image.open(stream).convert("RGB")
    path = BASELINES / f"{kind}.png"
    if os.environ.get("PRUNEVIZ_NEW_BASELINES"):
        now.save(path, optimize=True)
    with Image.open(path) as stored:
        assert now.size == stored.size
        before, after = (np.asarray(im.convert("RGB").reduce(4), float) for im in (stored, now))
    # Blocks of 4 × 4 pixels, so that another version's text rendering counts for little.
    assert distance(before, after) < 0.3 * distance(before, np.full_like(before, 255))


# -- alt text


def test_alt_text_tells_the_numbers(mlp):
    text = pv.alt_text(pv.plot_mask(pruned(mlp, 0.9)))
    assert text.startswith("Mask of fc1, 30 × 64: kept ")
    assert text.count("Mask of") == 3
    text = pv.alt_text(pv.plot_tradeoff({"global": cards(FALLING)}, reference=0.98))
    assert "global: 98% at 0%" in text
    assert "10% at 99%" in text
    assert "Unpruned: 98%" in text
    text = pv.alt_text(pv.plot_network([2, 3, 1], mask=[np.array([True, False, True]), None]))
    assert text == "Diagram of a 2-3-1 network: 6 of 9 connections are kept, 1 neuron removed."


def test_alt_text_of_foreign_axes_tells_what_it_can():
    figure = Figure()
    assert pv.alt_text(figure) == "An empty figure."
    ax = figure.add_subplot()
    assert pv.alt_text(ax) == "Plot."
    ax.plot([1, 2])
    ax.plot([2, 1])
    ax.set(title="Loss", xlabel="epoch", ylabel="nats")
    expected = "Plot: Loss. Epoch on the horizontal axis, nats on the vertical axis. 2 lines."
    assert pv.alt_text(ax) == pv.alt_text(figure) == expected
    with pytest.raises(TypeError, match="not a str"):
        pv.alt_text("figure")


def test_a_second_drawing_adds_a_sentence(mlp):
    ax = Figure().add_subplot()
    pv.plot_weight_histogram(mlp, "fc1", ax=ax)
    pv.plot_weight_histogram(mlp, "fc2", ax=ax)
    assert pv.alt_text(ax).count("Histogram") == 2


# -- refusals

WEIGHT = np.ones((3, 4))
REFUSED = {
    "layer 'fc9' is not in weights: choose from fc1, fc2, fc3": lambda m: pv.plot_weight_histogram(m, "fc9"),
    "layer 'fc9' is not in mask": lambda m: pv.plot_mask(pruned(m, 0.5), "fc9"),
    "mask of layer 'fc1' has shape": lambda m: pv.plot_weight_histogram(
        m, mask={"fc1": np.ones((2, 2), bool)}
    ),
    "mask is of conv9": lambda m: pv.plot_weight_histogram(m, mask={"conv9": np.ones(3, bool)}),
    "weights is a Mask": lambda m: pv.plot_weight_histogram(pruned(m, 0.5)),
    "weights has no layers": lambda _: pv.plot_weight_histogram([]),
    "not finite numbers": lambda _: pv.plot_weight_histogram([1.0, np.nan]),
    "threshold is -1": lambda m: pv.plot_weight_histogram(m, threshold=-1),
    "threshold is nan": lambda m: pv.plot_weight_histogram(m, threshold=np.nan),
    "bins is 0": lambda m: pv.plot_weight_histogram(m, bins=0),
    "by is 'size'": lambda m: pv.plot_weight_histogram(m, by="size"),
    "ax is a str": lambda m: pv.plot_weight_histogram(m, ax="here"),
    "mask has no layers": lambda _: pv.plot_mask({}),
    "ax is one Axes, but the mask has 3": lambda m: pv.plot_mask(pruned(m, 0.5), ax=Figure().add_subplot()),
    "weights has no layer fc1": lambda _: pv.plot_mask(
        {"fc1": WEIGHT > 0, "a": WEIGHT > 0}, weights={"a": WEIGHT}
    ),
    "image_shape 5 × 5 does not fit layer 'fc1'": lambda m: pv.plot_mask(m, "fc1", image_shape=(5, 5)),
    "image_shape needs one layer": lambda m: pv.plot_mask(m, image_shape=(8, 8)),
    "weights= has no place": lambda m: pv.plot_mask(m, "fc1", weights=m, image_shape=(8, 8)),
    "curves is empty": lambda _: pv.plot_sensitivity({}),
    "curves has no points for 'fc1'": lambda _: pv.plot_sensitivity({"fc1": []}),
    "sparsities is missing": lambda _: pv.plot_sensitivity({"fc1": cards(FALLING)}),
    "6 points for layer 'fc1', but sparsities has 2": lambda _: pv.plot_sensitivity(
        {"fc1": cards(FALLING)}, [0, 1]
    ),
    "not a share": lambda _: pv.plot_sensitivity({"fc1": [(0.5, 98.0)]}),
    "cards is empty": lambda _: pv.plot_tradeoff({}),
    "cards has no points": lambda _: pv.plot_tradeoff([]),
    "published has no points for 'Table 1'": lambda _: pv.plot_tradeoff(
        cards(FALLING), published={"Table 1": []}
    ),
    "x is 'latency_ms'.*choose from sparsity, parameters, nonzero": lambda _: pv.plot_tradeoff(
        cards(FALLING), x="latency_ms"
    ),
    "seeds of different length": lambda _: pv.plot_tradeoff([cards(FALLING), cards(FALLING)[1:]]),
    "seeds of different length for 'l1'": lambda _: pv.plot_tradeoff({"l1": {0: [0.9, 0.8], 0.5: [0.7]}}),
    "mask and masks are both given": lambda _: pv.plot_network([2, 1], mask=[WEIGHT], masks={"a": None}),
    "masks is empty": lambda _: pv.plot_network([2, 1], masks={}),
    "view is 'tree'": lambda _: pv.plot_network([2, 1], view="tree"),
    "2 inputs after 3 outputs": lambda _: pv.plot_network([WEIGHT, np.ones((1, 2))]),
    "names no layer of the network: fc7": lambda _: pv.plot_network([2, 1], mask={"fc7": np.ones(1, bool)}),
    "masks\\['a'\\] of layer 'fc1' has shape": lambda _: pv.plot_network(
        [2, 1], masks={"a": [np.ones((3, 3))]}
    ),
    "several panels": lambda _: pv.plot_network([2, 1], view="both", ax=Figure().add_subplot()),
}


@pytest.mark.parametrize("message", REFUSED)
def test_errors_name_the_argument_and_say_what_to_do(message, mlp):
    with pytest.raises((ValueError, TypeError), match=message):
        REFUSED[message](mlp)
