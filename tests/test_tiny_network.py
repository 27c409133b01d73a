"""TinyNetwork without a browser: traits, losses against NumPy, the snippet executed, static twins."""

import base64
import json
import subprocess
import sys

import live
import numpy as np
import pytest
import traitlets
from js.make_tiny_fixtures import FIXTURES, FLATS, NAMES, PRICES, WEIGHTS, fixtures, flats, plants

import pruneviz as pv


def executed(view):
    """Run what Show code shows, with x and y as in a lesson; gives its loss."""
    scope = {"x": view._model.x, "y": view._model.y}
    exec(view.snippet, scope)
    return np.ravel(scope["shown_now"])[0]


def by_hand(view, cut):
    """The loss of a network, written differently."""
    model, names = view._model, [wire["name"] for wire in view.spec["wires"]]
    weights = np.concatenate([model.weights1.ravel(), model.weights2])
    weights[[names.index(name) for name in cut]] = 0
    first, last = weights[: model.weights1.size].reshape(-1, 2), weights[model.weights1.size :]
    costs = []
    for point, truth in zip(model.x, model.y, strict=True):
        z = sum(
            w * max(0, row @ point + bias) for w, row, bias in zip(last, first, model.bias1, strict=True)
        ) + float(model.bias2)
        costs.append(-np.log(1 / (1 + np.exp(-z if truth else z))))
    return np.mean(costs)


@pytest.mark.parametrize(
    ("cut", "loss"),
    [
        ([], 0),
        (["area"], 4.14),
        (["floor"], 0.01875),
        (["rooms"], 0.1175),
        (["balcony"], 0.045),
        (["garden"], 0.125),
        (["rooms", "garden"], 0.4425),
        (["balcony", "garden"], 0.095),
    ],
)
def test_linear_losses_are_those_of_the_lesson(cut, loss):
    view = flats(cut=cut)
    assert view.loss == pytest.approx(loss, abs=1e-12)
    assert view.loss_without(cut) == view.loss
    assert view.right is None


@pytest.mark.parametrize("hidden", [1, 3, 6])
def test_network_losses_against_numpy(hidden):
    view = plants(hidden=hidden)
    for cut in ([], ["w0"], ["w1", f"w{3 * hidden - 1}"], [w["name"] for w in view.spec["wires"]]):
        view.cut = cut
        assert view.loss == pytest.approx(by_hand(view, cut), rel=1e-9)
    assert view.loss == pytest.approx(
        np.mean(
            np.logaddexp(0, view.spec["biases"]["output"]) - view._model.y * view.spec["biases"]["output"]
        )
    )


@pytest.mark.parametrize("make", [flats, plants])
def test_snippet_gives_exactly_this_loss(make):
    view = make()
    names = [wire["name"] for wire in view.spec["wires"]]
    for cut in ([], names[:1], names[1:4], names):
        view.cut = cut
        assert executed(view) == view.loss


def test_snippet_runs_alone_where_the_examples_are_few(capsys):
    view = flats(cut=["area"])
    exec(view.snippet, {})
    assert capsys.readouterr().out == "4.1400\n"
    assert "np.array(x), np.array(y)  # 40 examples" in plants().snippet


def test_a_neuron_stands_for_its_weights():
    view = plants()
    view.cut = ["h1", "w0"]
    assert view.cut == ["w0", "w2", "w3", "w7"]
    kept = view.result()
    assert kept["hidden"].tolist() == [[False, True], [False, False], [True, True]]
    assert kept["output"].tolist() == [[True, False, True]]
    assert (kept.kept, kept.total) == (5, 9)


def test_cut_is_put_in_order_and_doubles_go():
    view = flats()
    view.cut = ("garden", "area", "garden")
    assert view.cut == ["area", "garden"]
    assert view.result()["weights"].tolist() == [False, True, True, True, False]


def test_the_browser_cuts_and_python_follows():
    view = plants()
    sent = live.record(view)
    live.from_browser(view, cut=["w2"], moving=False)
    assert view.cut == ["w2"]
    assert view.loss == pytest.approx(by_hand(view, ["w2"]), rel=1e-9)
    assert not [data for data, _ in sent if data["method"] == "update"]
    view.cut = []
    (data,) = [data for data, _ in sent if data["method"] == "update"]
    assert data["state"] == {"cut": []}
    assert len(json.dumps(data)) < 200


def test_state_that_is_sent_at_start_is_small():
    assert len(json.dumps({"x": plants(500).x, "y": plants(500).y})) < 40_000


@pytest.mark.parametrize("bad", [["attic"], ["w0"], [""]])
def test_unknown_names_are_refused(bad):
    view = flats(cut=["floor"])
    with pytest.raises(traitlets.TraitError, match="not one of area, floor"):
        view.cut = bad
    assert view.cut == ["floor"]
    with pytest.raises(traitlets.TraitError, match="give 0 to 3"):
        view.example = 4


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"weights": [1, 2]}, "weights has shape"),
        ({"weights": [1, 2, 3, 4, np.nan]}, "weights is NaN"),
        ({"names": ["a", "a", "b", "c", "d"]}, "names must all differ"),
        ({"x": [[1, 2]]}, "x has shape"),
        ({"x": np.zeros((0, 5)), "y": []}, "x is empty"),
        ({"y": [1, 2]}, "y has shape"),
    ],
)
def test_arguments_that_do_not_fit_are_named(changed, words):
    arguments = {"weights": WEIGHTS, "names": NAMES, "x": FLATS, "y": PRICES} | changed
    with pytest.raises(ValueError, match=words):
        pv.TinyNetwork.linear(**arguments)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"weights1": [1, 2]}, "one row for each hidden neuron"),
        ({"weights1": np.ones((9, 2)), "bias1": np.ones(9), "weights2": np.ones(9)}, "1 to 6"),
        ({"bias1": [1]}, "bias1 has shape"),
        ({"weights2": [[1], [1]]}, "weights2 has shape"),
        ({"names": ["a"]}, "exactly two"),
        ({"y": [0, 2]}, "other than 0 and 1"),
        ({"x": [[0, np.inf], [1, 1]]}, "x is NaN or infinite"),
    ],
)
def test_network_arguments_that_do_not_fit_are_named(changed, words):
    arguments = {"weights1": np.ones((2, 2)), "bias1": [0, 0], "weights2": [1, 1], "bias2": 0}
    arguments |= {"x": [[0, 0], [1, 1]], "y": [0, 1]} | changed
    with pytest.raises(ValueError, match=words):
        pv.TinyNetwork.two_layers(**arguments)


def test_words_for_numbers_and_unknown_options_are_refused():
    with pytest.raises(TypeError, match="weights must be numbers"):
        pv.TinyNetwork.linear(["a"], ["a"], [[1]], [1])
    with pytest.raises(TypeError, match="takes no colour"):
        flats(colour="red")


def test_arrays_are_copied():
    weights = np.array(WEIGHTS)
    view = pv.TinyNetwork.linear(weights, NAMES, FLATS, PRICES)
    weights[:] = 7
    assert view.loss == 0


def test_a_row_of_output_weights_and_a_scalar_in_brackets_are_taken():
    view = pv.TinyNetwork.two_layers(np.ones((2, 2)), [0, 0], [[1, -1]], [0.5], [[0, 0], [1, 1]], [0, 1])
    assert [wire["value"] for wire in view.spec["wires"]] == [1, 1, 1, 1, 1, -1]
    assert view.spec["biases"]["output"] == 0.5


def test_sentence_says_what_is_cut():
    assert flats().sentence() == (
        "Linear model · 5 weights: with all weights, the mean squared error is 0.0000 on 4 flats."
    )
    words = plants(cut=["w2"]).sentence()
    assert "without w2, the mean cross-entropy is" in words
    assert words.endswith("of them right.")


@pytest.mark.parametrize("make", [flats, plants])
def test_bundle_has_widget_picture_and_sentence(make):
    view = make()
    data, metadata = view._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} <= set(data)
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == view.sentence() == metadata["image/png"]["alt"]


@pytest.mark.parametrize("make", [flats, plants])
def test_snapshot_shows_every_weight_and_leaves_pyplot_alone(make):
    view = make()
    view.cut = [view.spec["wires"][0]["name"]]
    figure = view.snapshot()
    written = " ".join(text.get_text() for text in figure.axes[0].texts)
    for wire in view.spec["wires"]:
        assert f"{round(wire['value'], 2):g}".replace("-", "\N{MINUS SIGN}") in written
    assert f"{view.loss:.{view.spec['digits']}f}" in figure.axes[1].get_title(loc="left")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import pruneviz.widgets.tiny.still, sys; assert 'matplotlib.pyplot' not in sys.modules",
        ],
        check=False,
    )
    assert done.returncode == 0


@pytest.mark.parametrize("make", [flats, plants])
def test_exported_page_holds_what_the_browser_needs(make, tmp_path):
    view = make()
    view.export_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert ".pv-wire" in page
    assert "TinyNetwork: a model whose every number can be read" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_still_is_drawn_once_a_state(monkeypatch):
    view, drawn = flats(), []
    draw = pv.TinyNetwork.snapshot
    monkeypatch.setattr(pv.TinyNetwork, "snapshot", lambda self: drawn.append(self.cut) or draw(self))
    whole = view._png()
    view.moving, view.running = True, True
    assert view._png() is whole
    view.cut = ["garden"]
    assert view._png() != whole
    view.cut = []
    assert view._png() == whole
    assert drawn == [[], ["garden"], []]
    view.title = "Another"
    assert view._png() != whole


def test_fixtures_are_current():
    assert close(json.loads(FIXTURES.read_text()), json.loads(json.dumps(fixtures())))


def close(one, other):
    """Compare nested values; another CPU gives other last digits."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return one == pytest.approx(other, rel=1e-9, abs=1e-12) if isinstance(one, float) else one == other
