"""Scores of units, answers by class and the chain of layers, by the data their artists hold."""

import numpy as np
import pytest
from artists import legend
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from twins import Spec, build, images

import pruneviz as pv
from pruneviz.core.masks import Importance
from pruneviz.plots import style
from pruneviz.plots.chain import sides

SCORES = np.array([0.3, 0.9, 0.1, 0.5])
KEPT = np.array([True, True, False, False])
SPEC = Spec((("conv", 4), ("conv", 6), ("dense", 9)))


def bars(ax):
    return {
        container.get_label(): {round(bar.get_x() + 0.5): bar.get_height() for bar in container}
        for container in ax.containers
    }


@pytest.mark.parametrize(("order", "ranks"), [("place", [0, 1, 2, 3]), ("score", [1, 3, 0, 2])])
def test_scores_are_bars_in_the_colour_of_their_fate(order, ranks):
    ax = pv.plot_scores(SCORES, mask=KEPT, order=order)
    drawn = {place: (SCORES[unit], "kept" if KEPT[unit] else "pruned") for place, unit in enumerate(ranks)}
    found = {place: (height, label) for label, part in bars(ax).items() for place, height in part.items()}
    assert found == drawn
    assert legend(ax) == ["kept", "pruned"]
    colours = {c.get_label(): to_hex(c.patches[0].get_facecolor()) for c in ax.containers}
    assert colours == {"kept": style.KEPT, "pruned": style.PRUNED}


def test_scores_say_of_what_and_by_what():
    scores = Importance({"conv1": SCORES, "conv2": SCORES[:3]}, "filter")
    ax = pv.plot_scores(scores, "conv1", mask={"conv1": KEPT}, criterion="taylor")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("filters of conv1, by score", "score by taylor")
    assert ax.get_title(loc="left") == "2 of 4 kept in conv1"
    assert pv.alt_text(ax) == ("Scores by taylor of 4 filters of conv1, from 0.1 to 0.9: kept 2 (50%).")
    whole = pv.plot_scores(scores, "conv2")
    assert bars(whole) == {"scores": {0: 0.9, 1: 0.3, 2: 0.1}}
    assert pv.alt_text(whole) == "Scores of 3 filters of conv2, from 0.1 to 0.9."


def test_answers_stand_in_their_cells_and_mistakes_are_coloured():
    table = [[50, 0, 2], [7, 40, 0], [0, 0, 1]]
    ax = pv.plot_confusion(table, class_names=["cat", "dog", "fox"])
    cells = {tuple(map(int, text.get_position()))[::-1]: text.get_text() for text in ax.texts}
    assert cells == {(0, 0): "50", (0, 2): "2", (1, 0): "7", (1, 1): "40", (2, 2): "1"}
    assert {text.get_text() for text in ax.texts if text.get_fontweight() == "bold"} == {"50", "40", "1"}
    assert np.array_equal(ax.images[0].get_array(), [[0, 0, 2], [7, 0, 0], [0, 0, 0]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog", "fox"]
    assert pv.alt_text(ax) == (
        "Table of answers by class: 91 of 100 right; the most frequent mistake, 7 times: dog taken for cat."
    )
    assert pv.alt_text(pv.plot_confusion(np.diag([3, 4]))) == "Table of answers by class: 7 of 7 right."


@pytest.mark.parametrize("granularity", ["channel", "filter", "neuron"])
def test_the_chain_has_the_shapes_that_removal_leaves(framework, granularity):
    model, (x, _) = build(SPEC, framework), images(8)
    mask = pv.prune(model, 0.5, granularity=granularity, example=x, scope="layer")
    small = pv.network(pv.remove(model, mask, x))
    ax = pv.plot_chain(mask)
    names = list(mask.units.of)
    assert [image.get_array().sum() for image in ax.images] == [
        np.prod(small[name].shape[:2]) for name in names
    ]
    written = [text.get_text() for text in ax.texts]
    for name in names:
        left, whole = (" × ".join(map(str, net[name].shape[:2])) for net in (small, pv.network(model)))
        assert name in written
        assert left in written
        assert f"{name} {left} of {whole}" in pv.alt_text(ax)


def test_the_chain_is_drawn_in_the_order_of_the_scores():
    model, (x, _) = build(SPEC, "torch"), images(8)
    scores = pv.importance(model, granularity="channel", data=(x, _))
    mask = pv.rank(scores, "layer").mask(0.5)
    both = sides(mask, ["l1"], scores)["l1"]
    assert np.array_equal(both[0].kept, mask["l1"][np.argsort(-scores["l1"], kind="stable")])
    assert np.array_equal(both[1].kept, mask["l0"][np.argsort(-scores["l0"], kind="stable")])
    assert not any(np.diff(side.kept.astype(int)).max() > 0 for side in both)  # the best first


def test_a_followed_unit_is_lit_wherever_it_goes():
    model, (x, _) = build(SPEC, "torch"), images(8)
    mask = pv.prune(model, 0.5, granularity="channel", example=x, scope="layer")
    found = sides(mask, followed=("l0", 2))
    lit = {name: [np.flatnonzero(side.lit).tolist() for side in both] for name, both in found.items()}
    assert lit == {"l0": [[2], []], "l1": [[], [2]], "l2": [[], []], "out": [[], []]}
    ax = pv.plot_chain(mask, followed=("l0", 2))
    white = [p for p in ax.patches if isinstance(p, Rectangle) and to_hex(p.get_facecolor()) == style.PAPER]
    assert sum(patch.get_fill() for patch in white) == 2
    assert pv.alt_text(ax).endswith("With channel 2 of l0 go slices of l0, l1.")


def mask_of_channels():
    return pv.prune(build(SPEC, "torch"), 0.5, granularity="channel", example=images(2)[0])


REFUSED = {
    "order is 'size': choose from score, place": lambda: pv.plot_scores(SCORES, order="size"),
    "scores has 2 layers: give layer=, one of a, b": lambda: pv.plot_scores({"a": SCORES, "b": SCORES}),
    "layer 'c' is not in scores: choose from a": lambda: pv.plot_scores({"a": SCORES}, "c"),
    "shape \\(2, 4\\), not one a unit": lambda: pv.plot_scores(np.ones((2, 4))),
    "not finite": lambda: pv.plot_scores([1.0, np.inf]),
    "mask has shape \\(3,\\), but": lambda: pv.plot_scores(SCORES, mask=KEPT[:3]),
    "mask is of b, but the weights are of a": lambda: pv.plot_scores({"a": SCORES}, mask={"b": KEPT}),
    "table has shape \\(2, 3\\)": lambda: pv.plot_confusion(np.ones((2, 3), int)),
    "table has shape \\(0, 0\\)": lambda: pv.plot_confusion(np.ones((0, 0), int)),
    "not counts": lambda: pv.plot_confusion([[0.5, 0.5], [0, 1]]),
    "class_names has 1 names, but table has 2": lambda: pv.plot_confusion([[1, 0], [0, 1]], class_names="a"),
    "mask is not of whole units": lambda: pv.plot_chain(pv.prune(build(SPEC, "torch"), 0.5)),
    "layers is \\['l9'\\]: choose from l0, l1": lambda: pv.plot_chain(mask_of_channels(), layers=["l9"]),
    "layers is \\[\\]: choose": lambda: pv.plot_chain(mask_of_channels(), layers=[]),
    "output 0 of layer 'out' must stay": lambda: pv.plot_chain(mask_of_channels(), followed=("out", 0)),
    "no layer 'l9'": lambda: pv.plot_chain(mask_of_channels(), followed=("l9", 0)),
    "ax is a str": lambda: pv.plot_confusion([[1]], ax="here"),
    "ax is a Figure": lambda: pv.plot_scores(SCORES, ax=Figure()),
}


@pytest.mark.parametrize("message", REFUSED)
def test_errors_name_the_argument_and_say_what_to_do(message):
    with pytest.raises((ValueError, TypeError), match=message):
        REFUSED[message]()
