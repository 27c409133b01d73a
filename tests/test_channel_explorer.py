"""ChannelExplorer without a browser: coupled slices, a share for each group, masks, messages, refusals."""

import asyncio

import keras
import live
import numpy as np
import pytest
import torch
import torch_pruning
import traitlets
from live import of_layers
from torch import nn
from twins import copy_weights

import pruneviz as pv
from pruneviz.widgets import ChannelExplorer
from pruneviz.widgets.explorer import payload
from pruneviz.widgets.frame import wire

SPARSITIES = (0, 0.15, 0.5, 0.9, 1)


class Small(nn.Module):
    """A stem, one residual block, and a head: conv3 is added to conv1."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 5, 3, padding=1), nn.BatchNorm2d(5)
        self.conv3, self.bn3 = nn.Conv2d(5, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv4, self.flat, self.out = nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(6 * 36, 4)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn3(self.conv3(torch.relu(self.bn2(self.conv2(x))))) + x)
        return self.out(self.flat(torch.relu(self.conv4(x))))


@pytest.fixture(scope="module")
def images():
    draw = np.random.default_rng(1)
    return draw.integers(0, 255, (120, 8, 8, 1), dtype=np.uint8), draw.integers(0, 4, 120)


@pytest.fixture
def model():
    torch.manual_seed(0)
    net = Small()
    with torch.no_grad():
        for norm in (net.bn1, net.bn2, net.bn3):
            norm.weight.uniform_(0.2, 1)
            norm.running_mean.normal_(0, 0.25)
        net.out.weight -= net.out.weight.mean(dim=1, keepdim=True)
    return net.eval()


@pytest.fixture
def keras_model(model):
    layers = keras.layers

    def conv(name, out, x, padding="same"):
        return layers.Conv2D(out, 3, padding=padding, name=name)(x)

    def norm(name, x):
        return layers.BatchNormalization(name=name, epsilon=1e-5)(x)

    image = keras.Input((8, 8, 1))
    x = layers.ReLU()(norm("bn1", conv("conv1", 4, image)))
    branch = layers.ReLU()(norm("bn2", conv("conv2", 5, x)))
    x = layers.ReLU()(layers.Add()([norm("bn3", conv("conv3", 4, branch)), x]))
    x = layers.ReLU()(conv("conv4", 6, x, padding="valid"))
    x = layers.Flatten()(layers.Permute((3, 1, 2))(x))
    net = keras.Model(image, layers.Dense(4, name="out")(x))
    copy_weights(model, net)
    return net


@pytest.fixture(params=["torch", "keras"])
def either(request):
    return request.getfixturevalue("model" if request.param == "torch" else "keras_model")


@pytest.fixture
def view(model, images):
    return pv.explore(model, images, granularity="channel")


def prune(model, images, sparsity, **options):
    return live.prune_units(model, images, sparsity, "channel", **options)


def test_explore_opens_it(view):
    assert isinstance(view, ChannelExplorer)
    assert [layer["name"] for layer in view.layers] == ["conv1", "conv2", "conv3", "conv4"]
    assert [entry["name"] for entry in view.chain] == ["conv1", "conv2", "conv3", "conv4", "out"]
    assert [entry["norms"] for entry in view.chain] == [["bn1"], ["bn2"], ["bn3"], [], []]
    assert view.groups == [
        {"name": "conv1", "layers": ["conv1", "conv3"], "size": 4, "how": ["added"]},
        {"name": "conv2", "layers": ["conv2"], "size": 5, "how": []},
        {"name": "conv4", "layers": ["conv4"], "size": 6, "how": []},
    ]
    assert view.sentence().endswith("50% pruned by magnitude, scope global; 7 of 15 channels kept.")


def test_criteria_are_those_that_score_channels(view, model, images):
    assert view.criteria == ["magnitude", "l2", "fpgm", "gradient", "taylor", "random"]
    only = pv.explore(model, images, granularity="channel", exclude=["conv4"])  # it passes no BatchNorm
    assert only.criteria[-1] == "bn_scale"


def test_reconstruction_is_offered_where_it_is_asked_for(view, model, images):
    assert "reconstruction" not in view.criteria
    view = pv.explore(model, images, granularity="channel", criterion="reconstruction")
    assert view.criteria[-1] == "reconstruction"
    assert view.result() == prune(model, images, 0.5, criterion="reconstruction")
    assert 'criterion="reconstruction"' in view.snippet


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("criterion", ["magnitude", "fpgm", "taylor"])
def test_masks_are_those_of_prune(either, images, scope, criterion):
    view = pv.explore(either, images, granularity="channel", scope=scope, criterion=criterion)
    places = of_layers(view, "place")
    for sparsity in SPARSITIES:
        view.sparsity = sparsity
        mask = prune(either, images, sparsity, scope=scope, criterion=criterion)
        assert view.result() == mask
        for name, kept in mask.items():
            assert np.array_equal(places[name] > round(sparsity * payload.STEPS), kept)


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_groups_with_a_share_of_their_own_overrule(either, images, scope):
    view = pv.explore(either, images, granularity="channel", scope=scope, sparsity=0.4)
    view.sparsities = {"conv4": 0.5, "conv3": 0.75}
    assert list(view.sparsities.items()) == [("conv1", 0.75), ("conv4", 0.5)]
    own = prune(either, images, None, scope={"conv1": 0.75, "conv4": 0.5})
    plain = prune(either, images, 0.4, scope=scope)
    mask = view.result()
    assert {name: kept.tolist() for name, kept in mask.items()} == {
        name: (plain if name == "conv2" else own)[name].tolist() for name in mask
    }
    assert [int(mask[name].sum()) for name in ("conv1", "conv3", "conv4")] == [1, 1, 3]
    places = of_layers(view, "own")
    for name, share in (("conv1", 0.75), ("conv3", 0.75), ("conv4", 0.5)):
        assert np.array_equal(places[name] > round(share * payload.STEPS), mask[name])
    assert "but of conv1 75%, conv4 50%" in " ".join(view.sentence().split())


def test_the_curve_knows_nothing_of_own_shares(view, model, images):
    view.measure()
    curve = view.curve
    view.sparsities = {"conv2": 1}
    view.by_hand = {"conv1": {"cut": [0]}}
    view.measure()
    assert view.curve == curve
    thin = pv.apply(model, view.result(), images[0][:1])
    assert view.exact["correct"] == pv.scorecard(thin, images).correct
    assert view.exact["state"]["sparsities"] == {"conv2": 1.0}
    assert view.result()["conv2"].sum() == 1  # every layer keeps its best
    small = pv.scorecard(pv.remove(model, view.result(), images[0][:8]), images)
    assert view.exact["smaller"] == {"parameters": small.parameters, "macs": small.macs}


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_show_code_gives_this_mask(either, images, scope):
    view = pv.explore(either, images, granularity="channel", scope=scope, sparsity=0.5)
    for sparsities, by_hand in (({}, {}), ({"conv1": 0.25, "conv2": 1}, {"conv4": {"cut": [5]}})):
        view.sparsities, view.by_hand = sparsities, by_hand
        space = {"model": either, "data": images}
        exec(view.snippet, space)
        assert pv.Mask(space["shown_keep"], "channel") == view.result()
        assert layers_of(space["shown_model"]) == layers_of(either)
        small = view.remove()
        exec(view.snippet, space)
        assert layers_of(space["shown_model"]) == layers_of(small) != layers_of(either)


def layers_of(model):
    return [layer.shape for layer in pv.network(model).layers]


def test_coupled_slices_of_a_residual_block(either, images):
    view = pv.explore(either, images, granularity="channel")
    columns = list(range(2 * 36, 3 * 36))  # behind the flatten, the places of channel 2
    stream = {
        "outputs": {"conv1": [2], "conv3": [2]},
        "norms": {"bn1": [2], "bn3": [2]},
        "inputs": {"conv2": [2], "conv4": [2]},
    }
    assert view.coupled("conv1", 2) == view.coupled("conv3", 2) == stream
    assert view.coupled("conv4", 2) == {"outputs": {"conv4": [2]}, "norms": {}, "inputs": {"out": columns}}


@pytest.fixture(scope="module")
def residual():
    return pv.zoo.resnet_20("torch", pretrained=False)


@pytest.fixture(scope="module")
def pictures():
    return np.zeros((2, 32, 32, 3), np.uint8), np.array([0, 1])


def test_torch_pruning_couples_the_same_slices(residual, pictures):
    view = pv.explore(residual, pictures, granularity="channel")
    graph = torch_pruning.DependencyGraph().build_dependency(residual, torch.zeros(1, 3, 32, 32))
    names = {module: name for name, module in residual.named_modules()}
    outputs = (torch_pruning.prune_conv_out_channels, torch_pruning.prune_linear_out_channels)
    for layer, index in (("conv1", 5), ("block2.conv2", 15), ("block5.conv1", 0), ("block7.shortcut", 63)):
        first = residual.get_submodule(layer)
        group = graph.get_pruning_group(first, torch_pruning.prune_conv_out_channels, idxs=[index])
        theirs = {"outputs": {}, "norms": {}, "inputs": {}}
        for dependency, indices in group:
            module = dependency.target.module
            if module not in names:
                continue  # additions and the like
            norm = isinstance(module, nn.BatchNorm2d)
            part = "norms" if norm else "outputs" if dependency.handler in outputs else "inputs"
            theirs[part][names[module]] = sorted(indices)
        assert view.coupled(layer, index) == theirs
    assert [len(group["layers"]) for group in view.groups] == [4, 1, 1, 1, 1, 4, 1, 1, 1, 4, 1, 1]


def test_twins_of_resnet_20_are_described_alike(residual, pictures):
    one = pv.explore(residual, pictures, granularity="channel")
    two = pv.explore(pv.zoo.resnet_20("keras", pretrained=False), pictures, granularity="channel")
    assert one.groups == two.groups
    assert one.chain == two.chain
    for layer, index in (("conv1", 5), ("block4.shortcut", 31), ("block9.conv2", 7)):
        assert one.coupled(layer, index) == two.coupled(layer, index)


def test_twins_see_the_same(view, keras_model, images):
    two = pv.explore(keras_model, images, granularity="channel")
    for name in ("layers", "wires", "chain", "groups"):
        assert wire.encode(getattr(view, name)) == wire.encode(getattr(two, name))
    for name in ("place", "own"):
        assert wire.encode(of_layers(view, name)) == wire.encode(of_layers(two, name))
    two.sparsities = {"conv1": 0.5}
    two.measure()
    thin = pv.apply(keras_model, two.result(), images[0][:1])
    assert two.exact["correct"] == pv.scorecard(thin, images).correct


def test_what_ties_layers_is_said(images):
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 6, 1), nn.Conv2d(6, 6, 1, groups=2),
        nn.ReLU(), nn.Flatten(), nn.Linear(6 * 16, 4),
    )  # fmt: skip
    view = ChannelExplorer(net, images)
    assert [(group["layers"], group["how"]) for group in view.groups] == [
        (["0", "1"], ["depthwise"]),
        (["2"], []),
        (["3"], ["grouped"]),
    ]
    assert view.coupled("0", 1)["inputs"] == {"2": [1]}  # of a depthwise layer input and output are one slice


def test_followed_travels_both_ways(view):
    view.followed = ["conv3", 1]
    live.from_browser(view, followed=["conv1", 3])
    assert view.followed == ["conv1", 3]
    view.followed = []


def test_remove_is_pv_remove_and_the_model_stays(either, images):
    view = pv.explore(either, images, granularity="channel", sparsity=0.5, sparsities={"conv2": 0.8})
    before = [np.array(layer.weight) for layer in pv.network(either).layers]
    small, mask = view.remove(), view.result()
    expected = pv.remove(either, mask, images[0][:8])
    for one, two in zip(pv.network(small).layers, pv.network(expected).layers, strict=True):
        assert np.array_equal(one.weight, two.weight)
    assert small is not either
    assert view.removal["difference"] < 1e-5
    assert view.removal["state"]["sparsities"] == {"conv2": 0.8}
    assert all(np.array_equal(a, b.weight) for a, b in zip(before, pv.network(either).layers, strict=True))


def test_a_move_costs_two_small_messages(view, monkeypatch):
    live.check_a_move(view, monkeypatch)


def test_a_flood_ends_in_its_last_state(view, monkeypatch):
    live.check_a_flood(view, monkeypatch)


def test_a_move_of_a_group_is_measured(view):
    async def scenario():
        view._live = True
        await view.measured()
        live.from_browser(view, sparsities={"conv2": 0.3}, moving=True)
        live.from_browser(view, sparsities={"conv2": 0.6}, moving=False)
        await view.measured()

    asyncio.run(scenario())
    assert view.is_measured
    assert view.exact["state"]["sparsities"] == {"conv2": 0.6}


def test_cancel_stops_the_work_and_keeps_what_is_measured(view, monkeypatch):
    monkeypatch.setattr("pruneviz.widgets.frame.view._BETWEEN_REPORTS", 0)

    async def scenario():
        view._live = True
        view._restart()
        while len(view.curve) < 3:  # noqa: ASYNC110  # a trait, not an event
            await asyncio.sleep(0)
        live.from_browser(view, running=False)
        await asyncio.wait_for(view._task, 30)

    asyncio.run(scenario())
    assert 3 <= len(view.curve) < 21
    assert not view.running


def test_kept_states_return_with_their_shares(view):
    view.sparsities = {"conv1": 0.5}
    view.keep()
    view.sparsities = {}
    view.compare = 0
    view.measure()
    assert view.kept[0]["sparsities"] == view.comparison["with"]["sparsities"] == {"conv1": 0.5}
    assert "correct" in view.kept[0]


@pytest.mark.parametrize(
    ("trait", "value", "says"),
    [
        ("sparsities", {"out": 0.5}, "layer 'out' is not one of conv1, conv3, conv2, conv4"),
        ("sparsities", {"conv2": 90}, r"sparsities\['conv2'\]: .* did you mean 0.9"),
        ("sparsities", {"conv2": "half"}, r"sparsities\['conv2'\]: sparsity 'half' is not a number"),
        ("sparsities", {"conv1": 0.5, "conv3": 0.25}, "two shares to layers that are tied to 'conv1'"),
        ("followed", ["out", 1], "output 1 of layer 'out' must stay"),
        ("followed", ["conv9", 1], "no layer 'conv9'"),
        ("followed", ["conv1", 4], "outputs 0 to 3, and no 4"),
        ("followed", ["conv1", 0.5], "not a whole number"),
        ("followed", ["conv1"], r"\[layer, index\]"),
        ("criterion", "apoz", "criterion 'apoz' is not one of magnitude"),
        ("by_hand", {"conv1": {"cut": [4]}}, "no channel 4"),
    ],
)
def test_bad_values_are_refused(view, trait, value, says):
    before = getattr(view, trait)
    with pytest.raises(traitlets.TraitError, match=says):
        setattr(view, trait, value)
    assert getattr(view, trait) == before


def test_no_image_is_shown(model, images):
    with pytest.raises(TypeError, match="explore takes no image"):
        pv.explore(model, images, granularity="channel", image=3)


def test_coupled_refuses_what_must_stay(view):
    with pytest.raises(ValueError, match="output 0 of layer 'out' must stay"):
        view.coupled("out", 0)


def test_the_twin_draws_the_mask_in_the_order_of_the_view(view):
    view.followed = ["conv3", 1]
    names = [layer["name"] for layer in view.chain]
    for view.sort in ("place", "score"):
        drawn, mask = view.snapshot().axes[0].images, view.result()
        order = np.argsort(-view.scores()["conv3"], kind="stable") if view.sort == "score" else np.arange(4)
        rows = drawn[names.index("conv3")].get_array().any(axis=1)
        assert np.array_equal(rows, mask["conv3"][order])
        columns = [1, *(int(mask[name].sum()) for name in ("conv1", "conv2", "conv3"))]
        columns.append(36 * int(mask["conv4"].sum()))
        assert [int(image.get_array().any(axis=0).sum()) for image in drawn] == columns


def test_twin_and_page(view, tmp_path):
    view.sparsities, view.followed = {"conv1": 0.5}, ["conv1", 2]
    view.measure()
    titles = [ax.get_title(loc="left") for ax in view.snapshot().axes]
    assert titles[0] == "Weights left of each layer: outputs down, inputs across; channel 2 of conv1 in white"
    path = tmp_path / "channels.html"
    view.export_html(path)
    assert "chainPart" in path.read_text()
    assert pv.__file__.removesuffix("__init__.py") not in path.read_text()
