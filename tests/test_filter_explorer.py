"""FilterExplorer without a browser: feature maps, a second criterion, removal, messages, refusals."""

import keras
import live
import numpy as np
import pytest
import torch
import traitlets
from live import of_layers
from torch import nn
from twins import copy_weights

import pruneviz as pv
from pruneviz.widgets import FilterExplorer
from pruneviz.widgets.explorer import payload
from pruneviz.widgets.frame import wire

SPARSITIES = (0, 0.15, 0.5, 0.9, 1)


@pytest.fixture(scope="module")
def images():
    draw = np.random.default_rng(1)
    return draw.integers(0, 255, (300, 8, 8, 1), dtype=np.uint8), draw.integers(0, 4, 300)


@pytest.fixture
def model():
    torch.manual_seed(0)
    net = nn.Sequential()
    net.add_module("conv1", nn.Conv2d(1, 5, 3))
    net.add_module("bn1", nn.BatchNorm2d(5))
    net.add_module("relu1", nn.ReLU())
    net.add_module("conv2", nn.Conv2d(5, 7, 3))
    net.add_module("relu2", nn.ReLU())
    net.add_module("flat", nn.Flatten())
    net.add_module("out", nn.Linear(7 * 16, 4))
    with torch.no_grad():
        net.bn1.weight.copy_(torch.tensor([0.9, 0.2, 0.7, 0.4, 0.5]))
        net.bn1.running_mean.copy_(torch.randn(5) / 4)
        net.out.weight -= net.out.weight.mean(dim=1, keepdim=True)
    return net.eval()


@pytest.fixture
def keras_model(model):
    layers = keras.layers
    net = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(5, 3, name="conv1"),
            layers.BatchNormalization(name="bn1", epsilon=1e-5),
            layers.ReLU(name="relu1"),
            layers.Conv2D(7, 3, activation="relu", name="conv2"),
            layers.Permute((3, 1, 2)),
            layers.Flatten(),
            layers.Dense(4, name="out"),
        ]
    )
    copy_weights(model, net)
    return net


@pytest.fixture(params=["torch", "keras"])
def either(request):
    return request.getfixturevalue("model" if request.param == "torch" else "keras_model")


@pytest.fixture
def view(model, images):
    return pv.explore(model, images, granularity="filter")


def prune(model, images, sparsity, **options):
    return live.prune_units(model, images, sparsity, "filter", **options)


def maps_of(view):
    found = view.pictured
    return found["low"] + found["maps"] / 255 * (found["high"] - found["low"])


def test_explore_opens_it(view, model):
    assert isinstance(view, FilterExplorer)
    assert [layer["name"] for layer in view.layers] == ["conv1", "conv2"]
    assert view.sentence().endswith("50% pruned by magnitude, scope global; 6 of 12 filters kept.")
    assert "bn_scale" not in view.criteria  # conv2 passes no BatchNorm
    only = pv.explore(model, (view._meter.x, view._meter.labels), granularity="filter", exclude=["conv2"])
    assert "bn_scale" in only.criteria


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("criterion", ["magnitude", "fpgm", "taylor", "apoz"])
def test_masks_are_those_of_prune(either, images, scope, criterion):
    view = pv.explore(either, images, granularity="filter", scope=scope, criterion=criterion)
    places = of_layers(view, "place")
    for sparsity in SPARSITIES:
        view.sparsity = sparsity
        mask = prune(either, images, sparsity, scope=scope, criterion=criterion)
        assert view.result() == mask
        for name, kept in mask.items():
            assert np.array_equal(places[name] > round(sparsity * payload.STEPS), kept)


def test_feature_maps_follow_norm_and_activation(view, model, images):
    x = torch.from_numpy(images[0][[0, 9]] / np.float32(255)).permute(0, 3, 1, 2)
    with torch.no_grad():
        first = model.relu1(model.bn1(model.conv1(x)))
        second = model.relu2(model.conv2(first)).numpy()
    for image, place in ((0, 0), (9, 1)):
        view.image = image
        for name, expected in (("conv1", first.numpy()[place]), ("conv2", second[place])):
            view.layer = name
            found = view.pictured
            assert (found["layer"], found["index"], found["low"]) == (name, image, 0)
            assert np.abs(maps_of(view) - expected).max() <= 0.51 * found["high"] / 255
            assert np.allclose(found["means"], expected.mean(axis=(1, 2)), atol=1e-6)
    assert view.pictured["truth"] == images[1][9]
    assert np.array_equal(view.pictured["picture"], images[0][9:10])


def test_twins_see_the_same(view, keras_model, images):
    two = pv.explore(keras_model, images, granularity="filter")
    assert wire.encode(view.layers) == wire.encode(two.layers)
    assert wire.encode(of_layers(view, "place")) == wire.encode(of_layers(two, "place"))
    for one in (view, two):
        one.layer, one.image = "conv2", 5
    assert np.abs(maps_of(view) - maps_of(two)).max() <= 1.1 * view.pictured["high"] / 255
    two.measure()
    thin = pv.apply(keras_model, two.result(), images[0][:1])
    assert two.exact["correct"] == pv.scorecard(thin, images).correct


def test_maps_with_negative_values_have_zero_in_the_middle(images):
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 4))
    found = FilterExplorer(net, images).pictured
    assert found["low"] == -found["high"] < 0


def test_kernels_are_close_and_large_ones_averaged(view, model, images):
    weight = model.conv2.weight.detach().numpy()
    sent = view.layers[1]["kernels"] * np.abs(weight).max() / 127
    assert np.abs(sent - weight).max() <= 0.51 * np.abs(weight).max() / 127
    wide = nn.Sequential(nn.Conv2d(1, 80, 1), nn.ReLU(), nn.Conv2d(80, 3, 3), nn.Flatten(), nn.Linear(108, 4))
    assert [layer["kernels"].shape[1:] for layer in FilterExplorer(wide, images).layers] == [
        (1, 1, 1),
        (1, 3, 3),
    ]


def test_rival_gives_the_places_of_the_other_criterion(view, model, images):
    assert view.rivals["places"] == {}
    view.rival = "fpgm"
    for scope in ("global", "layer"):
        view.scope = scope
        assert (view.rivals["scope"], view.rivals["criterion"]) == (scope, "fpgm")
        rivals = view.rivals["places"]
        for sparsity in (0.2, 0.5):
            mask = prune(model, images, sparsity, scope=scope, criterion="fpgm")
            for name, kept in mask.items():
                assert np.array_equal(rivals[name] > round(sparsity * payload.STEPS), kept)
    view.rival = ""
    assert view.rivals["places"] == {}


def test_remove_is_pv_remove_and_the_model_stays(either, images):
    view = pv.explore(either, images, granularity="filter", sparsity=0.5)
    before = [np.array(layer.weight) for layer in pv.network(either).layers]
    small, mask = view.remove(), prune(either, images, 0.5)
    expected = pv.remove(either, mask, images[0][:8])
    assert {n: a.shape for n, a in pv.network(small).items()} == {
        n: a.shape for n, a in pv.network(expected).items()
    }
    for one, two in zip(pv.network(small).layers, pv.network(expected).layers, strict=True):
        assert np.array_equal(one.weight, two.weight)
    assert view.removal["difference"] < 1e-5
    assert view.removal["other"] == 0
    shapes = {layer["name"]: (layer["before"], layer["after"]) for layer in view.removal["layers"]}
    kept = [int(mask[name].sum()) for name in ("conv1", "conv2")]
    assert shapes["conv2"] == ([7, 5, 3, 3], [kept[1], kept[0], 3, 3])
    assert all(np.array_equal(a, b.weight) for a, b in zip(before, pv.network(either).layers, strict=True))


def test_by_hand_and_accuracy(view, model, images):
    best = int(view.scores()["conv1"].argmax())
    view.by_hand = {"conv1": {"cut": [best]}}
    mask = view.result()
    assert not mask["conv1"][best]
    view.measure()
    thin = pv.apply(model, mask, images[0][:1])
    assert view.exact["correct"] == pv.scorecard(thin, images).correct
    gone = ~mask["conv1"]
    for array in (thin.conv1.bias, thin.bn1.weight, thin.bn1.bias, thin.bn1.running_mean):
        assert (array.detach().numpy()[gone] == 0).all()


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_show_code_prunes_weights_biases_and_norms(either, images, scope):
    view = pv.explore(either, images, granularity="filter", scope=scope, criterion="l2")
    view.by_hand = {"conv2": {"cut": [6], "kept": [0]}}
    for sparsity in (0, 0.5, 0.8):
        view.sparsity = sparsity
        assert "pv.prune" not in view.snippet
        space = {"model": either, "data": images}
        exec(view.snippet, space)
        keep, thin, ours = space["shown_keep"], space["shown_model"], view.apply()
        assert pv.Mask({name: np.asarray(kept) for name, kept in keep.items()}, "filter") == view.result()
        for name in ("conv1", "conv2", "bn1"):
            for one, two in zip(values_of(thin, name), values_of(ours, name), strict=True):
                assert np.array_equal(one, two)


def values_of(model, name):
    if not isinstance(model, nn.Module):
        return model.get_layer(name).get_weights()
    layer = model.get_submodule(name)
    names = ("weight", "bias", "running_mean") if name == "bn1" else ("weight", "bias")
    return [getattr(layer, part).detach().numpy() for part in names]


def test_a_move_costs_two_small_messages(view, monkeypatch):
    live.check_a_move(view, monkeypatch)


def test_a_new_image_is_one_small_message(view):
    sent = live.record(view)
    live.from_browser(view, image=12)
    [(data, buffers)] = sent
    assert set(data["state"]) == {"pictured"}
    assert data["buffer_paths"] == [["pictured", name, "view"] for name in ("picture", "maps", "means")]
    assert sum(map(len, buffers)) < 10_000


@pytest.mark.parametrize(
    ("trait", "value", "says"),
    [
        ("image", 300, "image 300 is not one of the 300 images"),
        ("image", -1, "image -1"),
        ("rival", "l3", "rival 'l3' is not one of , magnitude, l2"),
        ("layer", "out", "layer 'out' is not one of conv1, conv2"),
        ("by_hand", {"conv1": {"cut": [5]}}, "no filter 5"),
    ],
)
def test_bad_values_are_refused(view, trait, value, says):
    before = getattr(view, trait)
    with pytest.raises(traitlets.TraitError, match=says):
        setattr(view, trait, value)
    assert getattr(view, trait) == before


def test_a_network_without_convolutions_is_refused(images):
    with pytest.raises(ValueError, match="no filters to prune"):
        FilterExplorer(nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 4)), images)


def test_twin_and_page(view, tmp_path):
    view.measure()
    figure = view.snapshot()
    assert figure.axes[0].get_title(loc="left") == "Filters of conv1: 2 of 5 kept"
    path = tmp_path / "filters.html"
    view.export_html(path)
    text = path.read_text()
    assert "filtersPart" in text
    assert pv.__file__.removesuffix("__init__.py") not in text
