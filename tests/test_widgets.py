"""The live views without a browser: traits and bytes against NumPy, messages, work in the background."""

import asyncio
import base64
import json
import re
import subprocess
import sys

import keras
import live
import numpy as np
import pytest
import torch
import traitlets
from artists import overlaps
from ipywidgets.widgets.widget import _remove_buffers
from js.make_fixtures import FIXTURES, fixtures
from torch import nn

import pruneviz as pv
from pruneviz import zoo
from pruneviz.widgets import View
from pruneviz.widgets.explorer import history, measuring, payload
from pruneviz.widgets.explorer.parts import Part
from pruneviz.widgets.frame import wire

SPARSITIES = (0, 0.0001, 0.15, 0.5, 0.9, 0.9999, 1)
ACCURACY = ("slider", "accuracy")


@pytest.fixture(scope="module")
def images():
    draw = np.random.default_rng(1)
    return draw.integers(0, 255, (1200, 6, 6, 1), dtype=np.uint8), draw.integers(0, 4, 1200)


@pytest.fixture
def model():
    torch.manual_seed(0)
    net = nn.Sequential()
    net.add_module("conv", nn.Conv2d(1, 3, 3))
    net.add_module("relu", nn.ReLU())
    net.add_module("flat", nn.Flatten())
    net.add_module("fc", nn.Linear(48, 4))
    with torch.no_grad():
        net.fc.weight.copy_((net.fc.weight * 20).round() / 20)  # ties
    return net


@pytest.fixture
def view(model, images):
    return pv.explore(model, images)


def bare(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("criterion", ["magnitude", "taylor", "random"])
def test_places_prune_exactly_what_prune_prunes(model, images, scope, criterion):
    view = pv.explore(model, images, scope=scope, criterion=criterion)
    places = np.concatenate(list(live.of_layers(view, "place").values()))
    for sparsity in SPARSITIES:
        view.sparsity = sparsity
        mask = pv.prune(model, sparsity, scope=scope, criterion=criterion, data=images)
        assert view.result() == mask
        kept = np.concatenate([array.ravel() for array in mask.values()])
        assert np.array_equal(places > round(sparsity * payload.STEPS), kept)


def test_every_step_of_the_slider_is_exact():
    scores = pv.Importance({"a": np.random.default_rng(0).random(977), "b": np.ones(500)})
    ranking = pv.rank(scores)
    places = payload.places(ranking)
    for step in range(0, payload.STEPS + 1, 7):
        mask = ranking.mask(step / payload.STEPS)
        assert all(np.array_equal(places[name] > step, mask[name]) for name in mask)
        assert all(
            payload.pruned_by_step(places[name])[step] == np.count_nonzero(~mask[name]) for name in mask
        )


def test_histogram_is_split_by_rank(view):
    scores = view.scores()
    for name, shown in live.of_layers(view, "histogram").items():
        shifted = np.minimum(scores[name], shown["high"])
        counts, _ = np.histogram(shifted, payload.BINS, (shown["low"], shown["high"]))
        assert shown["counts"] == counts.tolist()
        assert sum(counts) == scores[name].size


def test_scores_far_out_share_the_last_bin():
    scores = np.append(np.linspace(0, 1, 10_000), [50.0, 80.0])
    shown = payload.histogram(scores)
    assert shown["beyond"]
    assert shown["high"] == pytest.approx(0.99, abs=0.01)
    assert sum(shown["counts"]) == scores.size
    assert not payload.histogram(scores[:-2])["beyond"]


def test_scores_of_many_decades_have_bins_of_equal_ratio():
    draw = np.random.default_rng(0)
    scores = np.concatenate([np.zeros(500), 10 ** draw.uniform(-7, -2, 9_500)])
    shown = payload.histogram(scores)
    assert shown["log"]
    assert shown["below"]
    assert not shown["beyond"]
    assert shown["high"] == scores.max()
    edges = np.geomspace(shown["low"], shown["high"], payload.BINS + 1)
    above = scores[scores > edges[1]]
    assert shown["counts"][1:] == np.histogram(above, edges[1:])[0].tolist()
    assert shown["counts"][0] == scores.size - above.size
    assert max(shown["counts"][1:]) < 0.01 * scores.size
    assert not payload.histogram(np.abs(draw.normal(size=9_999)))["log"]
    assert payload.histogram(np.repeat([0.0, 1.0], [999, 1]))["counts"][0] == 999


def test_large_models_send_blocks(monkeypatch, model, images):
    monkeypatch.setattr(payload, "LARGEST", 10)
    view = pv.explore(model, images)
    assert all("place" not in layer for layer in view.ranking["layers"].values())
    counts, shares = (live.of_layers(view, name) for name in ("counts", "shares"))
    for sparsity in SPARSITIES:
        pruned = {name: np.count_nonzero(~kept) for name, kept in pv.prune(model, sparsity).items()}
        assert {name: array[round(sparsity * payload.STEPS)] for name, array in counts.items()} == pruned
    assert {name: array.shape for name, array in shares.items()} == {"conv": (51, 3, 9), "fc": (51, 4, 48)}
    assert all((array[-1] == 255).all() for array in shares.values())


def test_blocks_hold_the_share_pruned():
    ranking = pv.rank(pv.Importance({"fc": np.random.default_rng(0).random((130, 200))}))
    shares = payload.blocks(payload.places(ranking)["fc"], (130, 200))
    assert shares.shape == (payload.LEVELS, 44, 50)
    kept = ranking.mask(0.5)["fc"]
    expected = [[1 - kept[r : r + 3, c : c + 4].mean() for c in range(0, 200, 4)] for r in range(0, 130, 3)]
    assert np.abs(shares[25] / 255 - expected).max() < 0.003


def test_lenet_starts_with_little():
    net = zoo.lenet_300_100("torch")
    x = np.zeros((10, 28, 28, 1), np.uint8)
    view = pv.explore(net, (x, np.arange(10)))
    state, _, buffers = _remove_buffers(view.get_state())
    assert sum(map(len, buffers)) == 2 * 266_200
    assert len(json.dumps(state)) + sum(map(len, buffers)) < 1_200_000


def test_traits_refuse_what_is_not_there(view):
    for name, value in (
        ("sparsity", 90),
        ("sparsity", -0.1),
        ("scope", "all"),
        ("criterion", "x"),
        ("layer", "x"),
        ("by_hand", {"x": {"cut": [1]}}),
        ("by_hand", {"fc": {"cut": [192]}}),
        ("by_hand", {"fc": {"away": [1]}}),
    ):
        before = getattr(view, name)
        with pytest.raises((traitlets.TraitError, ValueError)):
            setattr(view, name, value)
        assert getattr(view, name) == before
    with pytest.raises(ValueError, match="granularity"):
        pv.explore(view._model, (view._meter.x, view._meter.labels), granularity="kernel")
    with pytest.raises(TypeError, match="speed"):
        pv.explore(view._model, (view._meter.x, view._meter.labels), speed=1)
    with pytest.raises(ValueError, match="show takes"):
        pv.explore(view._model, (view._meter.x, view._meter.labels), show=["sliders"])


def test_measuring_agrees_with_the_scorecard(view, model, images):
    view.sparsity = 0.7
    view.measure()
    thin = pv.apply(model, pv.prune(model, 0.7))
    card, dense = pv.scorecard(thin, images), pv.scorecard(model, images)
    assert view.is_measured
    assert view.exact["correct"] == card.correct
    assert (view.exact["low"], view.exact["high"]) == card.interval
    change = card.versus(dense)
    assert (view.exact["lost"], view.exact["won"]) == (change.lost, change.won)
    for word in ("nonzero", "parameters", "macs", "nonzero_macs", "raw_bytes", "gzip_bytes", "compact_bytes"):
        assert view.exact[word] == getattr(card, word)
    assert view.card.compact_bytes == card.compact_bytes
    table = pv.sweep(model, images, [sparsity for sparsity, _ in view.curve], progress=False)
    assert [correct for _, correct in view.curve] == [row.correct for row in table]
    assert {round(sparsity, 2) for sparsity, _ in view.curve} >= {round(i / 20, 2) for i in range(21)}


def test_keras_measures_the_same(images):
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Conv2D(3, 3), keras.layers.Flatten(), keras.layers.Dense(4)]
    )
    before = [weight.copy() for weight in net.get_weights()]
    view = pv.explore(net, images, sparsity=0.8)
    view.measure()
    assert view.exact["correct"] == pv.scorecard(pv.apply(net, view.result()), images).correct
    assert all(np.array_equal(a, b) for a, b in zip(before, net.get_weights(), strict=True))
    assert run_snippet(view, net, images) == view.result()


def test_the_model_stays_as_it_was(view, model):
    before, mode = bare(model), model.training
    view.sparsity = 0.95
    view.measure()
    thin = view.apply()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.training == mode
    assert pv.network(thin)["fc"].weight[~view.result()["fc"]].sum() == 0


def test_by_hand_overrules(view, model):
    first = int(np.flatnonzero(view.result()["fc"].ravel())[0])
    gone = int(np.flatnonzero(~view.result()["conv"].ravel())[0])
    view.by_hand = {"fc": {"cut": [first], "kept": []}, "conv": {"cut": [], "kept": [gone]}}
    mask, rule = view.result(), pv.prune(model, 0.5)
    assert not mask["fc"].ravel()[first]
    assert mask["conv"].ravel()[gone]
    assert mask.kept == rule.kept
    view.measure()
    assert view.exact["correct"] == view.card.correct
    assert all(sparsity != 0.5 or correct != -1 for sparsity, correct in view.curve)


def run_snippet(view, model, data):
    space = {"model": model, "data": data}
    exec(view.snippet, space)
    layers = pv.network(model)
    return pv.Mask(
        {n: np.asarray(kept).reshape(layers[n].shape).astype(bool) for n, kept in space["shown_keep"].items()}
    )


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("criterion", ["magnitude", "gradient", "taylor", "random"])
def test_show_code_gives_exactly_this_mask(model, images, scope, criterion):
    view = pv.explore(model, images, scope=scope, criterion=criterion, sparsity=0.35)
    view.by_hand = {"fc": {"cut": [3, 4], "kept": [5]}}
    before = bare(model)
    assert "pv.prune" not in view.snippet
    assert run_snippet(view, model, images) == view.result()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_show_code_falls_back_on_pruneviz(images):
    net = nn.Sequential(nn.ConvTranspose2d(1, 2, 3), nn.Flatten(), nn.Linear(128, 4))
    view = pv.explore(net, images, sparsity=0.5)
    assert "pv.prune" in view.snippet
    assert run_snippet(view, net, images) == view.result()


def test_a_move_costs_two_small_messages(view, monkeypatch):
    live.check_a_move(view, monkeypatch)


def test_a_flood_of_events_leaves_no_backlog(view, monkeypatch):
    live.check_a_flood(view, monkeypatch)
    assert view.result() == pv.prune(view._model, view.sparsity)


def test_releases_supersede_each_other(view):
    async def scenario():
        view._live = True
        for sparsity in np.linspace(0.1, 0.9, 50):
            live.from_browser(view, sparsity=float(sparsity), moving=False)
            await asyncio.sleep(0)
        await view.measured()

    asyncio.run(scenario())
    assert view.exact["state"]["sparsity"] == 0.9
    assert len(view._cards) < 25


def test_cancel_stops_within_one_chunk(view, monkeypatch):
    monkeypatch.setattr("pruneviz.widgets.frame.view._BETWEEN_REPORTS", 0.0)
    calls = []
    predict = view._meter._adapter.predict
    monkeypatch.setattr(view._meter._adapter, "predict", lambda *a: (calls.append(1), predict(*a))[1])

    async def scenario():
        waiting = asyncio.ensure_future(view.measured())
        while not (view.running or waiting.done()):  # noqa: ASYNC110  # a trait, not an event
            await asyncio.sleep(0)
        before = len(calls)
        live.from_browser(view, running=False)
        await waiting
        return len(calls) - before

    assert asyncio.run(scenario()) <= 1
    assert not view.running
    assert view.progress == 0
    view.measure()
    assert view.is_measured


def test_a_failure_is_told(view, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(view._meter._adapter, "predict", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        asyncio.run(view.measured())
    assert view.problem == "out of memory"
    assert not view.running


def test_changing_criterion_sends_one_array(view):
    sent = live.record(view)
    live.from_browser(view, criterion="random")
    bytes_sent = sum(len(b) for _, buffers in sent for b in buffers)
    assert bytes_sent == 2 * view.result().total
    assert (view.ranking["scope"], view.ranking["criterion"]) == ("global", "random")
    assert view.result() == pv.prune(view._model, 0.5, criterion="random")


def test_history_compares_answers(view, images):
    view.keep()
    view.sparsity = 0.95
    view.compare = 0
    view.measure()
    assert (
        view.kept[0]["correct"]
        == pv.scorecard(pv.apply(view._model, pv.prune(view._model, 0.5)), images).correct
    )
    found = view.comparison
    dense, thin = (pv.scorecard(pv.apply(view._model, pv.prune(view._model, s)), images) for s in (0.5, 0.95))
    change = thin.versus(dense)
    assert (found["lost"], found["won"]) == (change.lost, change.won)
    assert sum(row["lost"] for row in found["by_class"]) == change.lost
    assert sum(row["n"] for row in found["by_class"]) == 1200
    assert np.array_equal(found["pictures"], images[0][[image["index"] for image in found["images"]]])


def test_comparison_shows_some_of_every_kind():
    labels = np.zeros(100, int)
    before, after = np.zeros(100, int), np.ones(100, int)
    before[:10], after[:10] = 1, 0
    found = history.comparison(before, after, labels, np.zeros((100, 2)))
    kinds = {(image["before"] == 0, image["after"] == 0) for image in found["images"]}
    assert kinds == {(True, False), (False, True)}
    assert len(found["images"]) == history.PICTURES


def test_guess_hides_the_accuracy(view):
    view.measure()
    assert view.hidden
    assert view.mark is None
    assert "right" not in view.sentence()
    view.guess = 0.5
    assert view.mark == 0.5
    assert "right" in view.sentence()
    view.guess = -1  # passed
    assert not view.hidden
    assert view.mark is None
    assert not pv.explore(view._model, (view._meter.x, view._meter.labels), predict=False).hidden


def test_truth_is_bracketed(view):
    view.target = 0.26
    view.measure()
    gap = measuring.crossing(dict(view.curve), view.target * view.n)
    assert gap is None or gap[1] - gap[0] <= 0.005


def test_own_criterion_and_excluded_layers(model, images):
    def largest_first(layer):
        return -np.abs(layer.weight)

    view = pv.explore(model, images, criterion=largest_first, exclude=["conv"])
    assert list(view.result()) == ["fc"]
    assert view.criterion == "largest_first"
    assert view.result() == pv.prune(model, 0.5, criterion=largest_first, exclude=["conv"])


def test_bundle_has_widget_picture_and_sentence(view):
    data, metadata = view._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == view.sentence() == metadata["image/png"]["alt"]
    assert "kept" in data["text/plain"]


def test_a_change_that_crosses_one_from_python_is_echoed(view):
    sent = live.record(view)
    live.from_browser(view, sparsity=0.3, moving=True)
    view.sparsity = 0.5
    assert [data["state"] for data, _ in sent] == [{"sparsity": 0.5}]
    live.from_browser(view, sparsity=0.38, moving=True)  # sent before the page heard of 0.5
    assert [(data["method"], data["state"]) for data, _ in sent[1:]] == [("echo_update", {"sparsity": 0.38})]
    live.from_browser(view, moving=False)
    live.from_browser(view, sparsity=0.4, moving=False)
    assert len(sent) == 2


def test_snapshot_shows_accuracy_after_a_guess_and_leaves_pyplot_alone(view):
    view.measure()
    *_, curve = view.snapshot().axes
    assert [text.get_text() for text in curve.texts] == ["waits for your guess"]
    view.guess = 0.4
    view.measure()
    assert len(view.snapshot().axes) == 2  # the basic parts
    view.more = True
    figure = view.snapshot()
    assert len(figure.axes) == 4
    assert "50%" in pv.alt_text(figure)


def test_snapshot_of_a_large_layer_writes_nothing_over_something_else(images):
    large = nn.Sequential(nn.Flatten(), nn.Linear(36, 1200), nn.ReLU(), nn.Linear(1200, 4))
    view = pv.explore(large, images, predict=False)
    view.more = True
    view.measure()
    mask, *_ = view.snapshot().axes
    assert mask.child_axes  # the shares of blocks have a bar of colours
    assert not overlaps(mask)


@pytest.mark.parametrize(("criterion", "scale"), [("magnitude", "linear"), ("taylor", "log")])
def test_snapshot_has_the_bars_of_the_live_histogram(view, criterion, scale):
    view.criterion, view.sparsity, view.more = criterion, 0.9, True
    view.measure()
    ax = view.snapshot().axes[1]
    found = view.ranking["layers"][view.layer]["histogram"]
    everything = ax.patches[1].get_data()
    assert ax.get_xscale() == scale
    assert everything.edges[[0, -1]].tolist() == [found["low"], found["high"]]
    assert everything.values.sum() == sum(found["counts"])
    assert np.abs(everything.values - np.reshape(found["counts"], (64, -1)).sum(1)).max() <= 2  # at an edge
    assert ax.patches[0].get_data().values.sum() == np.count_nonzero(~view.result()[view.layer])


def test_exported_page_needs_nothing(view, tmp_path):
    view.title = "</script><b>x"
    view.export_html(tmp_path / "view.html")
    page = (tmp_path / "view.html").read_text()
    assert "<b>x" not in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?https?:", page)
    state = json.loads(re.search(r'id="state">(.*?)</script>', page, re.DOTALL)[1])
    for name, layer in state["ranking"]["layers"].items():
        place = view.ranking["layers"][name]["place"]
        assert (layer["place"]["dtype"], layer["place"]["shape"]) == ("uint16", [place.size])
        assert np.array_equal(np.frombuffer(base64.b64decode(layer["place"]["view"]["base64"]), "<u2"), place)


class WithAPanel(pv.WeightExplorer):
    """One more panel: an entry, its still and its drawing."""

    parts = (*pv.WeightExplorer.parts, Part("noise", "grid", lambda ax, view: ax.set_title(view.layer)))


def test_a_panel_is_one_entry_and_its_drawing(model, images):
    view = WithAPanel(model, images)
    assert view.panels[-1] == ["noise", "grid"]
    assert view.show[-1] == "noise"
    view.measure()
    assert view.basic == ["slider", "selectors", "mask", "accuracy"]
    assert view.snapshot().axes[-1].get_title() != "fc"  # it waits for More
    view.more = True
    assert view.snapshot().axes[-1].get_title() == "fc"
    only = WithAPanel(model, images, show=["noise"])
    assert only.basic == []
    assert not only._eager()
    with pytest.raises(ValueError, match=r"show takes some of slider, .*history, noise; not"):
        WithAPanel(model, images, show=["signal"])


def test_a_view_needs_its_own_words():
    bare_view = View()
    with pytest.raises(NotImplementedError):
        bare_view.sentence()
    bare_view.measure()
    assert bare_view.state() == {}


def test_an_array_that_browsers_do_not_have_is_refused():
    with pytest.raises(TypeError, match="an array of int64: the browser has int8, uint8"):
        wire.encode({"layers": [np.arange(3)]})


def test_importing_pruneviz_loads_no_widgets():
    code = "import sys, pruneviz; assert not {'anywidget', 'ipywidgets', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_fixtures_are_current():
    assert json.loads(FIXTURES.read_text()) == json.loads(json.dumps(fixtures()))


def test_grid_is_coarse_first():
    points = list(measuring.grid())
    assert sorted(points) == [round(i / 20, 4) for i in range(21)]
    assert points[:2] == [0.0, 1.0]
