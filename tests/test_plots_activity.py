"""How active neurons are, by the data the artists hold."""

import numpy as np
import pytest
from artists import labelled, legend, overlaps
from twins import FRAMEWORKS, Spec, build, images, torch

import pruneviz as pv
from pruneviz.core.masks import Mask

SPEC = Spec((("conv", 4), ("dense", 9)))


def network(weight):
    """One dense layer without bias, and ReLU."""
    model = torch.nn.Sequential()
    model.add_module("fc", torch.nn.Linear(4, len(weight), bias=False))
    model.add_module("on", torch.nn.ReLU())
    model.add_module("out", torch.nn.Linear(len(weight), 2))
    with torch.no_grad():
        model.fc.weight.copy_(torch.tensor(weight, dtype=torch.float32))
    return model


ROWS = [[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 3]]


@pytest.fixture(scope="module")
def known():
    """Neuron 0 never fires, 1 on one image of 200, 2 on class 2 alone, 3 always, 4 always and more."""
    x = np.zeros((200, 4), np.float32)
    y = np.arange(200) % 4
    x[:, 0] = x[:, 3] = 1
    x[7, 1] = 0.5
    x[y == 2, 2] = 0.25
    return network(ROWS), x, y


def halves(ax):
    """Give what the bars reach, kept and pruned ones together, upwards and downwards."""
    return [
        labelled(ax, name).get_data().values + labelled(ax, f"{name}, pruned").get_data().values
        for name in ("mean", "fires")
    ]


def test_bars_are_what_the_criteria_measure(framework):
    model, (x, y) = build(SPEC, framework), images(60)
    means, fires = halves(pv.plot_neuron_activity(model, x))
    scores = {
        name: pv.importance(model, granularity="neuron", criterion=name, data=(x, y))["l1"]
        for name in ("activation", "apoz")
    }
    order = np.lexsort((scores["apoz"], scores["activation"]))
    assert means == pytest.approx(scores["activation"][order], rel=1e-5, abs=1e-9)
    assert -fires / means.max() == pytest.approx(scores["apoz"][order])
    assert means.max() > 0


def test_dead_neurons_are_told_from_seldom_ones(known):
    model, x, _ = known
    ax = pv.plot_neuron_activity(model, x)
    means, fires = halves(ax)
    assert means == pytest.approx([0, 0.5 / 200, 0.25 / 4, 1, 3])
    assert -fires / 3 == pytest.approx([0, 1 / 200, 1 / 4, 1, 1])
    assert list(labelled(ax, "fires on none: 1").get_xdata()) == [0]
    assert list(labelled(ax, "on under 1%: 1").get_xdata()) == [1]
    assert legend(ax) == ["fires on none: 1", "on under 1%: 1"]
    assert "Fires on none: 1; on under 1%: 1." in pv.alt_text(ax)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[:3] == ["100%", "50%", "0%"]
    ticks = dict(zip(names[3:], ax.get_yticks()[3:], strict=True))
    assert all(float(name) == pytest.approx(tick) for name, tick in ticks.items())


def test_classes_show_the_quiet_specialist(known):
    model, x, y = known
    ax = pv.plot_neuron_activity(model, x, by=y)
    shares = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert np.isnan(shares[:, 0]).all()
    assert shares[:, 2] == pytest.approx([0, 0, 1, 0])
    assert shares[:, 3:] == pytest.approx(0.25)
    # Of five, neurons 0 and 1 are the quieter half, and neuron 1 fires on too few images to be called one.
    assert not ax.lines
    wide = network([*ROWS, *ROWS[3:]])
    ax = pv.plot_neuron_activity(wide, x, by=np.array(["zero", "one", "two", "three"])[y])
    [mark] = ax.lines
    assert mark.get_label() == "quiet specialist: 2"
    assert [label.get_text() for label in ax.get_yticklabels()][int(mark.get_ydata()[0])] == "two"
    assert "Number 2 is quiet, with 100% of its activity on two." in pv.alt_text(ax)


def test_classes_of_unequal_size_count_alike(known):
    model, x, y = known
    few = np.flatnonzero((y != 1) | (np.arange(len(y)) % 8 == 1))
    shares = pv.plot_neuron_activity(model, x[few], by=y[few]).images[0].get_array()
    assert np.allclose(shares[:, 3:], 0.25)


def test_pruned_neurons_are_hatched(known):
    model, x, y = known
    mask = Mask({"fc": np.array([1, 1, 0, 1, 0], bool)}, "neuron")
    ax = pv.plot_neuron_activity(model, x, mask=mask)
    assert labelled(ax, "mean, pruned").get_data().values == pytest.approx([0, 0, 0.25 / 4, 0, 3])
    assert labelled(ax, "mean, pruned").get_hatch()
    assert legend(ax)[:2] == ["kept 3", "pruned 2"]
    assert "Pruned: 2, of them 0 in the quieter half." in pv.alt_text(ax)
    strip = labelled(pv.plot_neuron_activity(model, x, mask=mask, by=y), "pruned")
    assert [path.vertices[:, 0].min() for path in strip.get_paths()] == [1.5, 3.5]


def test_filters_are_averaged_over_their_maps():
    model, (x, y) = build(SPEC, "torch"), images(40)
    means, fires = halves(pv.plot_neuron_activity(model, x, "l0"))
    expected = pv.importance(model, granularity="filter", criterion="activation", data=(x, y))["l0"]
    assert means == pytest.approx(np.sort(expected), rel=1e-5)
    assert -fires.min() / means.max() == pytest.approx(1)


def test_batches_are_joined():
    model, (x, y) = build(SPEC, "torch"), images(2500)
    means, _ = halves(pv.plot_neuron_activity(model, x))
    expected = pv.importance(model, granularity="neuron", criterion="activation", data=(x, y))["l1"]
    assert means == pytest.approx(np.sort(expected), rel=1e-5)


@pytest.mark.parametrize("by_class", [False, True])
def test_no_text_stands_on_another(by_class):
    model, (x, y) = build(Spec((("dense", 300),)), "torch"), images(80)
    mask = Mask({"l0": np.arange(300) % 2 == 0}, "neuron")
    assert not overlaps(pv.plot_neuron_activity(model, x, mask=mask, by=y if by_class else None))


def test_twins_give_the_same_picture():
    x, y = images(30)
    pictures = [
        pv.plot_neuron_activity(build(SPEC, name), x, by=y).images[0].get_array() for name in FRAMEWORKS
    ]
    for other in pictures[1:]:
        assert np.ma.allclose(pictures[0], other, atol=1e-5)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("layer 'fc9' is not in model: choose from fc, out", {"layer": "fc9"}),
        ("mask of layer 'fc' has shape \\(3,\\)", {"mask": np.ones(3, bool)}),
        ("by has shape \\(3,\\) for 200 images", {"by": np.arange(3)}),
        ("x must be an array .* of at least one image", {"x": [1, 2]}),
    ],
)
def test_errors_name_the_argument_and_say_what_to_do(known, message, options):
    model, x, _ = known
    with pytest.raises((ValueError, TypeError), match=message):
        pv.plot_neuron_activity(**{"model": model, "x": x} | options)
