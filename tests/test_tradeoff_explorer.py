"""TradeoffExplorer without a browser: its traits, what it sends, its sentence and its still."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import traitlets
from families import LABELS, card, family, pictures, timed
from js.make_tradeoff_fixtures import FIXTURES, fixtures
from live import from_browser, record, weight_of

import pruneviz as pv
from pruneviz.widgets.explorer import history
from pruneviz.widgets.tradeoff import models


@pytest.fixture
def view():
    return pv.TradeoffExplorer(family(), pictures())


def test_the_map_lists_each_model_after_its_parent(view):
    rows = [(row["name"], row["parent"], row["step"], row["depth"]) for row in view.models]
    assert rows == [
        ("dense", None, "", 0),
        ("half", "dense", "prune 50%", 1),
        ("small", "half", "remove", 2),
        ("tenth", "dense", "prune 90%", 1),
        ("tenth, tuned", "tenth", "fine-tune", 2),
    ]
    assert view.models[3]["layers"] == {"fc1": (10_000, 100_000), "fc2": (1_000, 10_000)}


def test_what_is_left_of_a_layer_is_a_share_of_what_it_was_before_removal():
    dense, half, *_ = family()
    small = replace(half.card, name="small", weights={"fc1": (40_000, 50_000), "conv": (7, 9)})
    view = pv.TradeoffExplorer([dense, half, pv.Variant(small, "half", "remove")])
    assert view.models[2]["layers"] == {"fc1": (40_000, 100_000), "conv": (7, 9)}
    alone = pv.TradeoffExplorer([dense, small])
    assert alone.models[1]["layers"] == {"fc1": (40_000, 50_000), "conv": (7, 9)}


def test_values_come_with_what_is_known_of_them(view):
    dense, tenth = view.models[0]["values"], view.models[3]["values"]
    assert dense["accuracy"] == (0.97, *pv.wilson(194, 200))
    assert dense["compact_bytes"] == (400_000, 400_000, 400_000)
    assert dense["latency 1"] == pytest.approx((0.9, 0.855, 1.08))
    assert tenth["latency 1"] is None
    rises = {axis["name"]: axis["rises"] for axis in view.axes}
    bars = {axis["name"]: axis["bars"] for axis in view.axes}
    assert bars["latency 1"] == "lowest and highest of 3 rounds (wall time, PyTorch, 1 thread)"
    assert (bars["accuracy"], bars["macs"]) == ("95% intervals", "")
    assert rises["accuracy"]
    assert not rises["macs"]


def test_the_newest_is_compared_with_what_it_was_made_from(view):
    assert (view.selected, view.against) == ("small", "half")
    assert view.change.changed == 0
    view.selected = "tenth, tuned"
    cards = {one.name: one.card for one in family()}
    assert view.change == cards["tenth, tuned"].versus(cards["tenth"])
    view.compared = "dense"
    assert view.change == cards["tenth, tuned"].versus(cards["dense"])
    view.selected = "dense"  # with itself there is nothing to compare, and it was made from nothing
    assert (view.against, view.change) == (None, None)


def test_the_sentence(view):
    view.selected, view.y = "tenth, tuned", "macs"
    words = " ".join(view.sentence().split())
    assert words.startswith("tenth, tuned: 94% right, 188 of 200, MACs an image 10 k, compact file 40 kB; ")
    change = view.change
    other = change.changed - change.lost - change.won
    ways = f"{change.lost} images lost, {change.won} won, {other} wrong in a new way."
    assert words.endswith(f"against tenth: {ways}")
    view.selected, view.x = "tenth", "latency 1"
    assert "ms" not in view.sentence()  # it was not timed


def test_each_pair_has_the_pictures_that_a_comparison_shows(view):
    x, y = pictures()
    pictured = view.answers["pictured"].tolist()
    assert np.array_equal(view.answers["pictures"], x[pictured])
    for one, other in itertools.permutations(family(), 2):
        found = history.comparison(one.card.predictions, other.card.predictions, y, x / 255)
        for kind in ("lost", "won", "other"):
            some = [image["index"] for image in found["images"] if kind_of(image) == kind][
                : history.PICTURES // 3
            ]
            assert set(some) <= set(pictured)


def kind_of(image):
    if image["before"] == image["truth"]:
        return "lost"
    return "won" if image["after"] == image["truth"] else "other"


def test_large_images_are_fewer():
    x = np.zeros((200, 96, 96, 3), np.uint8)
    view = pv.TradeoffExplorer(family(), (x, LABELS))
    assert 0 < view.answers["pictures"].nbytes <= 1_500_000


@pytest.mark.parametrize("data", [None, (np.zeros((200, 5), np.float32), LABELS)])
def test_without_pictures_the_rest_stays(data):
    view = pv.TradeoffExplorer(family(), data)
    assert view.answers["pictures"] is None
    assert view.answers["predictions"].shape == (5, 200)


def test_choosing_sends_nothing_back(view):
    sent = record(view)
    for name in ("dense", "tenth"):
        from_browser(view, selected=name, compared="half", x="macs")
    assert (view.selected, view.compared, view.x) == ("tenth", "half", "macs")
    assert weight_of(sent) == 0


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("x", "joules", "no card has 'joules'; there is 'accuracy', 'compact_bytes'"),
        ("y", "latency 64", r"no card has 'latency 64': time it with pv.scorecard\(…, latency=…\); there is"),
        ("selected", "nobody", "selected is 'nobody', which is none of the models: dense, half"),
        ("selected", "", "selected is ''"),
        ("compared", "nobody", "compared is 'nobody'"),
    ],
)
def test_what_is_not_there_is_refused_and_changes_nothing(view, trait, value, words):
    before = view.state()
    with pytest.raises(traitlets.TraitError, match=words):
        setattr(view, trait, value)
    assert view.state() == before
    with pytest.raises(traitlets.TraitError, match=words):
        pv.TradeoffExplorer(family(), **{trait: value})


def test_bad_input_is_refused_in_a_sentence():
    x, y = pictures()
    with pytest.raises(ValueError, match="data is not what the cards were measured on"):
        pv.TradeoffExplorer(family(), (x[:50], y[:50]))
    with pytest.raises(ValueError, match="show takes some of map, scatter, changes, classes, layers; not"):
        pv.TradeoffExplorer(family(), show=["maps"])
    with pytest.raises(TypeError, match="TradeoffExplorer takes no colour"):
        pv.TradeoffExplorer(family(), colour="red")


@pytest.mark.parametrize("rises", [(False, True), (True, True), (False, False), (True, False)])
def test_the_front_is_what_nothing_beats(rises):
    points = [tuple(map(float, pair)) for pair in np.random.default_rng(1).integers(0, 12, (60, 2))]
    signs = np.where(rises, 1, -1)
    good = np.array(points) * signs
    beaten = [any((g >= one).all() and (g > one).any() for g in good) for one in good]
    best = models.front(points, rises)
    assert sorted(best) == [place for place, lost in enumerate(beaten) if not lost]
    assert [points[place][0] for place in best] == sorted(points[place][0] for place in best)


def test_the_still_shows_every_model_and_its_bundle_a_sentence(view):
    view.selected = "tenth"
    left, right = view.snapshot().axes
    written = [text.get_text() for text in left.texts]
    assert "4  tenth" in written
    assert "  prune 90%" in written
    assert {text.get_text() for text in right.texts} == {"1", "2, 3", "4", "5"}  # 2 and 3 are at one place
    assert right.get_xscale() == "log"
    assert (right.get_xlabel(), right.get_ylabel()) == ("compact file", "accuracy, log scale of errors")
    assert {"90%", "95%"} <= {tick.get_text() for tick in right.get_yticklabels()}
    data, metadata = view._repr_mimebundle_()
    assert (
        data["text/plain"] == view.sentence() == metadata["image/png"]["alt"] == pv.alt_text(view.snapshot())
    )
    view.x = "latency 1"
    assert {text.get_text() for text in view.snapshot().axes[1].texts} == set("1235")


def test_one_model_alone_and_models_without_a_common_quantity_are_drawn():
    alone = pv.TradeoffExplorer([card("dense", LABELS, ms=1.0)])
    assert alone.snapshot().axes[1].lines
    assert alone.sentence() == "dense: 100% right, 200 of 200, compact file 400 kB."
    one, other = family()[0].card, card("other", LABELS)
    object.__setattr__(one, "latency_ms", {1: timed(1.0)})
    object.__setattr__(other, "latency_ms", {64: timed(5.0)})
    view = pv.TradeoffExplorer([one, other], x="latency 1", y="latency 64")
    assert [text.get_text() for text in view.snapshot().axes[1].texts] == ["no model has both"]


def test_the_browser_is_tested_against_what_is_true_today():
    assert json.loads(FIXTURES.read_text()) == json.loads(json.dumps(fixtures()))
