"""What is measured belongs to the state that it names, whatever the hand does meanwhile."""

import live
import numpy as np
import pytest
import torch
from torch import nn

import pruneviz as pv


@pytest.fixture
def images():
    draw = np.random.default_rng(0)
    return draw.random((12, 4, 4, 1), np.float32), draw.integers(0, 3, 12)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 3))


def until_measured(view):
    """Begin to measure, and stop before the present state is measured."""
    work = view._work()
    next(work)
    return work


def smallest_kept(view, sparsity):
    scores, mask = view.scores(), pv.rank(view.scores()).mask(sparsity)
    return min(scores[name][kept].min() for name, kept in mask.items() if kept.any())


def test_what_is_measured_is_of_one_state(model, images):
    view = pv.explore(model, images, sparsity=0.613)
    work = until_measured(view)
    live.from_browser(view, sparsity=0.9, moving=True)
    for _ in work:
        pass
    assert view.exact["state"]["sparsity"] == 0.613
    assert view.exact["threshold"]["1"] == smallest_kept(view, 0.613)
    assert not view.is_measured


def test_changes_are_of_the_state_that_was_measured(model, images):
    view = pv.explore(model, images, granularity="neuron", sparsity=0.5)
    work = until_measured(view)
    live.from_browser(view, sparsity=0.9, moving=True)
    for _ in work:
        pass
    assert view.changes["state"] == view.exact["state"]
    assert view.changes["state"]["sparsity"] == 0.5


@pytest.mark.parametrize("granularity", ["weight", "neuron"])
def test_grabbing_the_slider_again_while_a_comparison_is_measured(model, images, granularity):
    view = pv.explore(model, images, granularity=granularity, sparsity=0.2)
    view.keep()
    view.compare = 0
    view.sparsity = 0.613
    work = until_measured(view)
    live.from_browser(view, sparsity=0.9, moving=True)
    for _ in work:
        pass
    assert view.comparison["state"]["sparsity"] == 0.613


def test_the_scorecard_reads_and_moves_nothing(model, images):
    view = pv.explore(model, images, granularity="neuron", sparsity=0.3)
    view.measure()
    before = view.get_state()
    view.sparsity = 0.6
    sent = live.record(view)
    assert view.card.correct == pv.scorecard(view.apply(), images).correct
    assert sent == []
    assert view.exact == before["exact"]


def test_a_scorecard_between_two_batches_leaves_the_measurement_alone(model, images, monkeypatch):
    monkeypatch.setattr("pruneviz.widgets.explorer.measuring.BATCH", 3)
    monkeypatch.setattr("pruneviz.widgets.explorer.measuring._AT_ONCE", 1)
    view = pv.explore(model, images, sparsity=0.9)
    work = until_measured(view)
    for _ in range(5):
        next(work)
    live.from_browser(view, sparsity=0.0, moving=True)
    assert view.card.correct == pv.scorecard(model, images).correct
    for _ in work:
        pass
    assert view.exact["correct"] == pv.scorecard(pv.apply(model, pv.prune(model, 0.9)), images).correct


def test_what_is_kept_while_others_are_measured_stays(model, images):
    view = pv.explore(model, images, sparsity=0.2)
    view.keep()
    view.sparsity = 0.4
    work = view._work()
    while not view.exact:
        next(work)
    live.from_browser(view, sparsity=0.7, moving=True)
    view.keep()
    for _ in work:
        pass
    assert [entry["sparsity"] for entry in view.kept] == [0.2, 0.7]
