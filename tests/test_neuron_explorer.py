"""Explorers of whole units without a browser: traits and bytes against NumPy, removal, messages, refusals."""

import re

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
from pruneviz import zoo
from pruneviz.widgets import NeuronExplorer, UnitExplorer
from pruneviz.widgets.explorer import payload
from pruneviz.widgets.frame import wire

SPARSITIES = (0, 0.0001, 0.15, 0.5, 0.9, 0.9999, 1)
CRITERIA = ("magnitude", "l2", "fpgm", "gradient", "taylor", "activation", "apoz", "random")


class Filters(UnitExplorer):
    """The same foundation for convolutions."""

    granularity = "filter"


class Tied(nn.Module):
    """Two layers whose outputs are added."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(1, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.after = nn.Conv2d(6, 8, 3, bias=False)
        self.last = nn.Linear(8 * 16, 4)

    def forward(self, x):
        both = torch.relu(self.norm(self.one(x) + self.two(x)))
        return self.last(torch.relu(self.after(both)).flatten(1))


@pytest.fixture(scope="module")
def images():
    draw = np.random.default_rng(1)
    return draw.integers(0, 255, (1200, 6, 6, 1), dtype=np.uint8), draw.integers(0, 4, 1200)


@pytest.fixture
def model():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten())
    for name, sizes in {"one": (36, 20), "two": (20, 12)}.items():
        net.add_module(name, nn.Linear(*sizes))
        net.add_module(f"{name}_relu", nn.ReLU())
    net.add_module("out", nn.Linear(12, 4))
    with torch.no_grad():
        net.two.weight.copy_(net.two.weight.round(decimals=1))
        net.two.weight[3:5] = net.two.weight[2]  # ties
        for layer in (net.one, net.out):  # answers that differ from image to image
            layer.weight -= layer.weight.mean(dim=1, keepdim=True)
            layer.bias -= layer.bias
    return net


@pytest.fixture
def keras_model(model):
    layers = keras.layers
    net = keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten()])
    for name, size in {"one": 20, "two": 12}.items():
        net.add(layers.Dense(size, activation="relu", name=name))
    net.add(layers.Dense(4, name="out"))
    copy_weights(model, net)
    return net


@pytest.fixture
def tied():
    torch.manual_seed(0)
    return Tied().eval()


@pytest.fixture
def view(model, images):
    return pv.explore(model, images, granularity="neuron")


def prune(model, images, sparsity, granularity="neuron", **options):
    return live.prune_units(model, images, sparsity, granularity, **options)


def bare(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def live_cost(view, mask):
    """Compute from the wires, as the browser does, what the network costs without the pruned units."""
    gone = {unit for layer in view.layers for unit in layer["id"][~mask[layer["name"]]].tolist()}
    parameters, macs = view.rest, 0
    for layer in view.wires:
        outputs, inputs = (
            sum(unit < 0 or unit not in gone for unit in layer[part].tolist()) for part in ("rows", "columns")
        )
        parameters += outputs * (layer["each"] + inputs * layer["area"])
        macs += layer["uses"] * outputs * inputs * layer["area"]
    return {"parameters": parameters, "macs": macs}


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_places_prune_exactly_what_prune_prunes(model, images, scope, criterion):
    view = pv.explore(model, images, granularity="neuron", scope=scope, criterion=criterion)
    places, scores = of_layers(view, "place"), of_layers(view, "score")
    imp = pv.importance(model, granularity="neuron", criterion=criterion, data=images)
    for name, array in scores.items():
        assert np.array_equal(array, imp[name])
    for sparsity in SPARSITIES:
        view.sparsity = sparsity
        mask = prune(model, images, sparsity, scope=scope, criterion=criterion)
        assert view.result() == mask
        for name, kept in mask.items():
            assert np.array_equal(places[name] > round(sparsity * payload.STEPS), kept)


def test_keras_twin_sees_the_same(model, keras_model, images):
    one = pv.explore(model, images, granularity="neuron", sparsity=0.4)
    two = pv.explore(keras_model, images, granularity="neuron", sparsity=0.4)
    for name in ("layers", "wires", "dense_layers"):
        assert wire.encode(getattr(one, name)) == wire.encode(getattr(two, name))
    assert wire.encode(of_layers(one, "place")) == wire.encode(of_layers(two, "place"))
    for name, activity in one.pictured["activity"].items():
        assert np.abs(activity - two.pictured["activity"][name]).max() < 1e-5
    two.measure()
    thin = pv.apply(keras_model, two.result(), images[0][:1])
    assert two.exact["correct"] == pv.scorecard(thin, images).correct


@pytest.mark.parametrize(
    ("name", "granularity"),
    [
        ("lenet_300_100", "neuron"),
        *[(name, kind) for name in ("lenet_5", "lenet_5_bn") for kind in ("neuron", "filter")],
    ],
)
def test_live_cost_is_that_of_the_removed_network(name, granularity):
    net = getattr(zoo, name)("torch")
    data = (np.random.default_rng(0).random((20, 28, 28, 1), np.float32), np.arange(20) % 10)
    view = (Filters if granularity == "filter" else NeuronExplorer)(net, data, sparsity=0.45)
    view.measure()
    small = view.remove()
    card = pv.scorecard(small, data)
    expected = {"parameters": card.parameters, "macs": card.macs}
    assert live_cost(view, view.result()) == view.exact["smaller"] == expected
    assert {word: view.removal[word][1] for word in expected} == expected


def test_live_cost_of_tied_layers(tied, images):
    view = Filters(tied, images, sparsity=0.5)
    view.measure()
    card = pv.scorecard(view.remove(), images)
    assert live_cost(view, view.result()) == view.exact["smaller"]
    assert view.exact["smaller"] == {"parameters": card.parameters, "macs": card.macs}


def test_measuring_agrees_with_the_scorecard(view, model, images):
    view.sparsity = 0.7
    view.measure()
    thin = pv.apply(model, prune(model, images, 0.7))
    card, dense = pv.scorecard(thin, images), pv.scorecard(model, images)
    assert view.is_measured
    assert view.exact["correct"] == card.correct
    change = card.versus(dense)
    assert (view.exact["lost"], view.exact["won"]) == (change.lost, change.won)
    assert (view.changes["lost"], view.changes["won"]) == (change.lost, change.won)
    for word in ("nonzero", "parameters", "macs", "nonzero_macs", "raw_bytes"):
        assert view.exact[word] == getattr(card, word)
    table = np.array(view.exact["confusion"])
    assert table.sum() == 1200
    assert np.trace(table) == card.correct
    assert table[2, 1] == np.count_nonzero((images[1] == 2) & (card.predictions == 1))
    rows = pv.sweep(
        model, images, [s for s, _ in view.curve], granularity="neuron", keep_at_least=1, progress=False
    )
    assert [correct for _, correct in view.curve] == [row.correct for row in rows]
    assert view.changes["images"]
    changed = [image["index"] for image in view.changes["images"]]
    assert np.array_equal(view.changes["pictures"], images[0][changed])


def test_the_last_change_alone(view, model, images):
    view.sparsity = 0.4
    view.measure()
    before = view.card
    view.against = "before"
    first = int(np.flatnonzero(view.result()["one"])[0])
    view.by_hand = {"one": {"cut": [first]}}
    for _ in range(2):  # measuring once more changes nothing
        view.measure()
        change = view.card.versus(before)
        assert (view.changes["lost"], view.changes["won"]) == (change.lost, change.won)
        assert view.changes["with"] == {**view.state(), "by_hand": {}}
        assert view.exact["lost"] == view.card.versus(pv.scorecard(model, images)).lost


def test_everything_pruned_keeps_the_best(view, model, images):
    view.sparsity = 1
    assert [np.count_nonzero(kept) for kept in view.result().values()] == [1, 1]
    found = {}
    for criterion in ("magnitude", "random"):
        view.criterion = criterion
        view.measure()
        found[criterion] = view.exact["correct"]
        thin = pv.apply(model, prune(model, images, 1, criterion=criterion))
        assert found[criterion] == pv.scorecard(thin, images).correct


def test_by_hand_overrules(view, model):
    kept, gone = (int(np.flatnonzero(view.result()["one"] == state)[0]) for state in (True, False))
    view.by_hand = {"one": {"cut": [kept], "kept": [gone]}}
    mask = view.result()
    assert not mask["one"][kept]
    assert mask["one"][gone]
    assert mask.kept == prune(model, (view._meter.x, view._meter.labels), 0.5).kept
    view.measure()
    assert (
        view.exact["correct"]
        == view.card.correct
        == pv.scorecard(view.apply(), (view._meter.x, view._meter.labels)).correct
    )


def test_hand_moves_tied_outputs_together(tied, images):
    view = Filters(tied, images, sparsity=0)
    view.by_hand = {"two": {"cut": [4]}}
    assert view.by_hand == {"one": {"cut": [4], "kept": []}, "two": {"cut": [4], "kept": []}}
    mask = view.result()
    assert np.flatnonzero(~mask["one"]).tolist() == np.flatnonzero(~mask["two"]).tolist() == [4]
    assert mask.kept == mask.total - 1
    view.measure()
    assert view.exact["correct"] == pv.scorecard(pv.apply(tied, mask), images).correct


def test_a_layer_emptied_by_hand_cannot_be_removed(view):
    view.by_hand = {"two": {"cut": list(range(12))}}
    view.measure()
    assert "two" in view.exact["smaller"]["problem"]
    view.wanted = view.state()
    view.measure()
    assert "two" in view.removal["problem"]
    with pytest.raises(ValueError, match="two"):
        view.remove()


def test_remove_is_pv_remove_with_its_proof(view, model, images):
    before = bare(model)
    small, expected = view.remove(), pv.remove(model, view.result(), images[0][:8])
    assert {n: tuple(t.shape) for n, t in small.state_dict().items()} == {
        n: tuple(t.shape) for n, t in expected.state_dict().items()
    }
    assert all(torch.equal(t, expected.state_dict()[n]) for n, t in small.state_dict().items())
    found = view.removal
    assert found["state"] == view.state() == view.wanted
    assert found["difference"] == pv.check_removed(
        model, view.result(), small, images[0][:1000] / np.float32(255)
    )
    assert found["difference"] <= 1e-5
    assert found["other"] == 0
    assert found["layers"][1] == {"name": "two", "before": [12, 20], "after": list(small.two.weight.shape)}
    assert found["raw_bytes"][1] == pv.scorecard(small, images).raw_bytes < found["raw_bytes"][0]
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())


def test_the_button_removes_after_measuring(view):
    sent = live.record(view)
    live.from_browser(view, wanted=view.state())
    view.measure()
    assert view.removal["state"] == view.state()
    assert view.removal["images"] == 1000
    view.sparsity = 0.6
    view.measure()
    assert view.removal["state"]["sparsity"] == 0.5
    assert live.weight_of(sent) < 150_000


def test_activity_is_the_mean_or_that_of_one_image(view, model, images):
    imp = pv.importance(model, granularity="neuron", criterion="activation", data=images)
    assert all(np.allclose(a, imp[n]) for n, a in view.pictured["activity"].items())
    view.image = 7
    with torch.no_grad():
        x = torch.from_numpy(images[0][7:8] / np.float32(255)).permute(0, 3, 1, 2)
        values = torch.relu(model.one(model[0](x)))[0].numpy()
    assert np.allclose(view.pictured["activity"]["one"], values, atol=1e-6)
    assert (view.pictured["index"], view.pictured["truth"]) == (7, int(images[1][7]))
    assert np.array_equal(view.pictured["picture"], images[0][7:8])


def test_mean_activity_is_that_of_the_images_on_view_whatever_scores(model, images):
    few = (images[0][:5], images[1][:5])
    view = pv.explore(model, images, granularity="neuron", scored_on=few, criterion="activation")
    mean = pv.importance(model, granularity="neuron", criterion="activation", data=images)
    assert all(np.allclose(a, mean[n]) for n, a in view.pictured["activity"].items())
    assert view.scores() == pv.importance(model, granularity="neuron", criterion="activation", data=few)


def test_weights_for_the_picture_are_close(view, model):
    scale = view.dense_layers[0]["scale"]
    sent = view.dense_layers[0]["weight"] * scale
    assert np.abs(sent - model.one.weight.detach().numpy()).max() <= 0.51 * scale
    assert view.looks_at == [6, 6]


def test_lenet_5_has_neurons_too():
    net = zoo.lenet_5("torch")
    data = (np.random.default_rng(0).random((12, 28, 28, 1), np.float32), np.arange(12) % 10)
    view = pv.explore(net, data, granularity="neuron")
    assert [layer["name"] for layer in view.layers] == ["fc1", "fc2"]
    assert view.looks_at == []  # its first dense layer looks at feature maps


def test_bn_scale_is_offered_where_every_neuron_passes_a_batchnorm(view, images):
    assert "bn_scale" not in view.criteria
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4)).eval()
    nn.init.uniform_(net[2].weight)
    view = pv.explore(net, images, granularity="neuron", criterion="bn_scale")
    assert view.criteria[-1] == "bn_scale"
    kept, _ = run_snippet(view, net, images)
    assert np.array_equal(kept["1"], view.result()["1"])
    assert view.result()["1"].sum() == 4


def run_snippet(view, model, data):
    space = {"model": model, "data": data}
    exec(view.snippet, space)
    return {name: np.asarray(kept) for name, kept in space["shown_keep"].items()}, space["shown_model"]


@pytest.mark.parametrize("framework", ["torch", "keras"])
@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_show_code_gives_exactly_this_mask(request, images, framework, scope, criterion):
    net = request.getfixturevalue("model" if framework == "torch" else "keras_model")
    view = pv.explore(net, images, granularity="neuron", scope=scope, criterion=criterion)
    before = [np.array(layer.weight) for layer in pv.network(net).layers]
    for sparsity in (0.35, 1):
        view.sparsity = sparsity
        view.by_hand = {"one": {"cut": [3, 4], "kept": [5]}}
        assert "pv.prune" not in view.snippet
        keep, thin = run_snippet(view, net, images)
        assert pv.Mask(keep, "neuron") == view.result()
        assert np.array_equal(_outputs(thin, images), _outputs(view.apply(), images))
    assert all(np.array_equal(a, b.weight) for a, b in zip(before, pv.network(net).layers, strict=True))


def _outputs(model, images):
    x = images[0][:50] / np.float32(255)
    if isinstance(model, nn.Module):
        with torch.no_grad():
            return model(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()
    return model(x).numpy()


def test_show_code_with_a_criterion_of_ones_own(model, images):
    def widest(layer):
        return np.ptp(layer.weight, axis=1)

    view = pv.explore(model, images, granularity="neuron", criterion=widest, sparsity=0.35, exclude=["two"])
    space = {"model": model, "data": images, "widest": widest}
    exec(view.snippet, space)
    mask = pv.Mask({name: np.asarray(kept) for name, kept in space["shown_keep"].items()}, "neuron")
    assert mask == view.result() == prune(model, images, 0.35, criterion=widest, exclude=["two"])


def test_show_code_of_tied_units_is_pruneviz(tied, images):
    view = Filters(tied, images, sparsity=0.4, by_hand={"one": {"cut": [2]}}, exclude=["after"])
    assert "pv.prune" in view.snippet
    keep, _ = run_snippet(view, tied, images)
    assert pv.Mask(keep, "filter") == view.result()


def test_a_move_costs_two_small_messages(view, monkeypatch):
    live.check_a_move(view, monkeypatch)


def test_a_flood_of_events_leaves_no_backlog(view, model, images, monkeypatch):
    live.check_a_flood(view, monkeypatch)
    assert view.result() == prune(model, images, view.sparsity)


def test_clicks_in_the_form_of_the_browser_are_not_echoed(view):
    """The browser writes by_hand as Python does, or each click would cost a message more."""
    sent = live.record(view)
    live.from_browser(view, by_hand={"one": {"cut": [3], "kept": []}}, layer="one")
    assert sent == []


def test_the_model_stays_as_it_was(view, model):
    before, mode = bare(model), model.training
    view.sparsity = 0.95
    view.image = 3
    view.measure()
    view.apply()
    view.remove()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.training == mode


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sparsity", 90, "sparsity"),
        ("criterion", "bn", "criterion"),
        ("layer", "out", "layer"),
        ("sort", "size", "sort"),
        ("image", 1200, "image"),
        ("image", -2, "image"),
        ("by_hand", {"out": {"cut": [1]}}, "out"),
        ("by_hand", {"one": {"cut": [20]}}, "no neuron 20"),
        ("by_hand", {"one": {"cut": ["a"]}}, "no neuron a"),
        ("by_hand", {"one": {"away": [1]}}, "away"),
    ],
)
def test_traits_refuse_what_is_not_there(view, name, value, words):
    before = getattr(view, name)
    with pytest.raises((traitlets.TraitError, ValueError), match=words):
        setattr(view, name, value)
    assert getattr(view, name) == before


def test_explore_refuses(model, images):
    with pytest.raises(ValueError, match="granularity"):
        pv.explore(model, images, granularity="layer")
    with pytest.raises(ValueError, match="show takes"):
        pv.explore(model, images, granularity="neuron", show=["mask"])
    with pytest.raises(TypeError, match="image"):
        pv.explore(model, images, image=3)
    with pytest.raises(ValueError, match="no layer of the model: three"):
        pv.explore(model, images, granularity="neuron", exclude=["three"])
    with pytest.raises(TypeError, match="list of layer names"):
        pv.explore(model, images, exclude="one")
    with pytest.raises(ValueError, match="no neurons"):
        pv.explore(model, images, granularity="neuron", exclude=["one", "two"])


def test_twins_and_page(view, tmp_path):
    view.guess, view.more = 0.4, True
    view.measure()
    data, _ = view._repr_mimebundle_()
    assert "neurons kept" in data["text/plain"]
    assert "right" in view.sentence()
    assert len(view.snapshot().axes) == 4
    filters = Filters(view_of_conv(), conv_images(), predict=False, more=True)
    assert len(filters.snapshot().axes) == 1  # nothing is measured yet
    filters.measure()
    assert len(filters.snapshot().axes) == 4
    view.export_html(tmp_path / "view.html")
    page = (tmp_path / "view.html").read_text()
    assert not re.search(r"(src|href)\s*=\s*[\"']?https?:", page)


def view_of_conv():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4))


def conv_images():
    return np.zeros((8, 6, 6, 1), np.uint8), np.arange(8) % 4


def test_hidden_until_the_guess(view):
    view.measure()
    assert view.hidden
    assert "right" not in view.sentence()


def said(net, mask, images, image):
    """What a masked network says to one image, as shares of 1."""
    pruned = pv.apply(net, mask)
    x = (images[0][image : image + 1] / 255).astype(np.float32)
    if isinstance(net, keras.Model):
        outputs = torch.tensor(keras.ops.convert_to_numpy(pruned(x)))
    else:
        outputs = pruned(torch.tensor(x).permute(0, 3, 1, 2)).detach()
    return torch.softmax(outputs[0].double(), 0).numpy()


def test_what_is_said_to_one_image_along_the_way(model, keras_model, images):
    for net in (model, keras_model):
        view = pv.explore(net, images, granularity="neuron", predict=False)
        view.measure()
        assert (view.outputs, view.along) == ([], {})  # of all images there is no one answer
        view.image = 5
        view.measure()
        assert view.outputs == pytest.approx(said(net, view.result(), images, 5), abs=1e-4)
        assert sum(view.outputs) == pytest.approx(1, abs=1e-3)
        assert [sparsity for sparsity, _ in view.along["shares"]] == [round(0.05 * k, 2) for k in range(21)]
        assert view.along["shares"][14][1] == pytest.approx(
            said(net, prune(net, images, 0.7), images, 5), abs=1e-6
        )
        assert f"image 5, a {images[1][5]}, is taken for {np.argmax(view.outputs)}." in " ".join(
            view.sentence().split()
        )
        (inset,) = view.snapshot().axes[0].child_axes
        assert [bar.get_width() for bar in inset.patches] == view.outputs
        view.by_hand = {"one": {"cut": [0, 1, 2], "kept": []}}
        view.measure()
        assert view.outputs == pytest.approx(said(net, view.result(), images, 5), abs=1e-4)


def test_probabilities_are_taken_as_they_are(model, images):
    probable = nn.Sequential(model, nn.Softmax(1))
    outputs = []
    for net in (model, probable):
        view = pv.explore(net, images, granularity="neuron", predict=False, image=3)
        view.measure()
        outputs.append(view.outputs)
    assert outputs[0] == pytest.approx(outputs[1], abs=2e-4)


def test_what_is_said_to_an_image_waits_for_the_guess(model, images):
    view = pv.explore(model, images, granularity="neuron", image=5)
    view.measure()
    assert view.outputs == []
    assert "taken for" not in view.sentence()
    assert view.snapshot().axes[0].child_axes == []
    view.guess = -1.0
    assert len(view.outputs) == 4
