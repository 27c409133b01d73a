"""Real layers as matrices: scattered weights against whole rows and columns."""

import numpy as np
import pytest
from architectures import Plan
from architectures import build as build_plan
from architectures import images as images_of
from artists import labelled, overlaps
from twins import Spec, build, images

import pruneviz as pv
from pruneviz.plots import style
from pruneviz.plots.layout import lay_out

SPEC = Spec((("conv", 4), ("conv", 6), ("dense", 40), ("dense", 9)))


def drawn(ax, name):
    return np.ma.filled(labelled(ax, name).get_array(), np.nan)


def names(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("granularity", ["neuron", "filter"])
def test_matrices_are_the_shapes_that_removal_leaves(framework, granularity):
    model, (x, _) = build(SPEC, framework), images(8)
    mask = pv.prune(model, 0.5, granularity=granularity, example=x, scope="layer")
    small = pv.network(pv.remove(model, mask, x))
    ax = pv.plot_network(model, mask=mask, view="matrix")
    for name, layer in pv.network(model).items():
        before, after = (" × ".join(map(str, shape)) for shape in (layer.shape, small[name].shape))
        assert f"{name}\n{before}" + (f"\n→ {after}" if before != after else "") in names(ax)
        image = drawn(ax, name)
        assert not overlaps(ax)
        assert np.count_nonzero(image == 1) == small[name].weight.size


def test_rows_go_with_their_columns():
    model, (x, _) = build(SPEC, "torch"), images(8)
    mask = pv.prune(model, 0.4, granularity="neuron", example=x, scope="layer")
    ax = pv.plot_network(model, mask=mask, view="matrix", layers=["l3"])
    assert np.array_equal(drawn(ax, "l3") == 1, mask["l3"][:, None] & mask["l2"])
    kept = mask["l3"].sum(), mask["l2"].sum()
    assert f"l3 9 × 40 → {kept[0]} × {kept[1]}" in pv.alt_text(ax)


def test_units_are_followed_through_additions_and_grouped_convolutions(framework):
    plan = Plan((("conv", 4), ("bn", 0), ("residual", 0), ("depthwise", 2), ("conv", 5), ("gate", 3)))
    model, x = build_plan(plan, framework), images_of(plan, framework)
    mask = pv.prune(model, 0.5, granularity="filter", example=x, scope="layer")
    small = pv.network(pv.remove(model, mask, x))
    ax = pv.plot_network(model, mask=mask, view="matrix")
    for name, layer in small.items():
        assert " × ".join(map(str, layer.shape)) in "\n".join(names(ax))
        assert np.count_nonzero(drawn(ax, name) == 1) == layer.weight.size


def test_weights_and_neurons_stand_side_by_side():
    model, (x, _) = build(Spec((("dense", 60), ("dense", 45))), "torch"), images(8)
    masks = {
        "weights": pv.prune(model, 0.5),
        "neurons": pv.prune(model, 0.5, granularity="neuron", example=x, scope="layer"),
    }
    figure = pv.plot_network(model, masks=masks, view="matrix", layers=["l1"])
    left, right = figure.axes
    assert np.array_equal(drawn(left, "l1") == 1, masks["weights"]["l1"])
    assert np.array_equal(drawn(right, "l1") == 1, masks["neurons"]["l1"][:, None] & masks["neurons"]["l0"])
    assert names(left)[:1] == ["l1\n45 × 60"]
    assert names(right)[:1] == ["l1\n45 × 60\n→ 22 × 30"]
    figure.draw_without_rendering()
    assert left.get_position().x1 < right.get_position().x0
    assert not overlaps(left)
    assert left.images[0].get_cmap() is style.SHARE_KEPT


def test_masks_of_arrays_are_taken_for_a_chain():
    weights = [np.ones((40, 12)), np.ones((7, 40))]
    alive = np.arange(40) % 4 > 0
    ax = pv.plot_network(weights, mask=[alive, None], view="matrix")
    assert np.array_equal(drawn(ax, "fc1") == 1, np.repeat(alive[:, None], 12, axis=1))
    assert np.array_equal(drawn(ax, "fc2") == 1, np.repeat(alive[None], 7, axis=0))
    assert names(ax)[:2] == ["fc1\n40 × 12\n→ 30 × 12", "fc2\n7 × 40\n→ 7 × 30"]


def test_convolutions_are_grids_of_kernels():
    model = build(SPEC, "torch")
    mask = pv.prune(model, 0.5)
    ax = pv.plot_network(model, mask=mask, view="matrix", layers=["l1"])
    assert np.array_equal(drawn(ax, "l1"), lay_out(mask["l1"]).image, equal_nan=True)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("layers is \\['l9'\\]: choose from l0, l1, l2, l3, out", {"layers": ["l9"], "view": "matrix"}),
        ("layers is \\[\\]", {"layers": [], "view": "matrix"}),
        ("layers chooses among matrices", {"layers": ["l1"]}),
        ("only dense layers can be drawn as a diagram", {}),
        (
            "mask prunes neurons before layer 'l2', but which of its 384 inputs",
            {"mask": {"l1": np.arange(6) > 0}, "view": "matrix"},
        ),
    ],
)
def test_errors_name_the_argument_and_say_what_to_do(message, options):
    with pytest.raises(ValueError, match=message):
        pv.plot_network(build(SPEC, "torch"), **options)
