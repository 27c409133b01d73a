"""A sweep gives the same cards here, in threads, in spawned processes and on a Dask cluster."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction

import pytest
from dask.distributed import Client, LocalCluster
from twins import Spec, build, images, same, torch, weights_of

import pruneviz as pv

LEVELS = [0, 0.5, 0.9, 0.975]


class Own(torch.nn.Module):
    """A class that no worker can import by name."""

    def __init__(self):
        super().__init__()
        self.inner = build(Spec(), "torch")

    def forward(self, x):
        return self.inner(x)


Own.__module__ = "__main__"


def test_cards_come_in_order_with_their_names(framework):
    model = build(Spec(), framework)
    before = weights_of(model)
    cards = pv.sweep(model, images(), LEVELS, scope="layer", progress=False)
    assert [card.name for card in cards] == ["0%", "50%", "90%", "97.5%"]
    for card, level in zip(cards, LEVELS, strict=True):
        mask = pv.prune(model, level, scope="layer")
        assert card == pv.scorecard(pv.apply(model, mask), images(), name=card.name)
        assert card.sparsity == pytest.approx(mask.sparsity)
    assert same(before, weights_of(model))


def test_criteria_that_need_data_take_it_apart_from_the_images_measured():
    model = build(Spec(), "torch")
    cards = pv.sweep(model, images(), [0.5], criterion="taylor", scored_on=images(20, seed=1), progress=False)
    mask = pv.prune(model, 0.5, criterion="taylor", data=images(20, seed=1))
    assert cards[0].nonzero == pv.scorecard(pv.apply(model, mask), images()).nonzero
    with pytest.raises(ValueError, match="needs data"):
        pv.sweep(model, images(), [0.5], criterion="taylor", progress=False)


def test_spawned_processes_give_the_same_cards(framework):
    model = Own() if framework == "torch" else build(Spec(), framework)
    here = pv.sweep(model, images(), LEVELS, progress=False)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert pv.sweep(model, images(), LEVELS, executor=executor, progress=False) == here


def test_dask_gives_the_same_cards():
    model = build(Spec(), "torch")
    here = pv.sweep(model, images(), LEVELS, progress=False)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        assert pv.sweep(model, images(), LEVELS, executor=client.get_executor(), progress=False) == here


def test_threads_give_the_same_cards(framework):
    model = build(Spec(), framework)
    here = pv.sweep(model, images(), LEVELS, progress=False)
    with ThreadPoolExecutor(2) as executor:
        assert pv.sweep(model, images(), LEVELS, executor=executor, progress=False) == here


def test_forking_processes_are_refused_by_name():
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as executor,
        pytest.raises(ValueError, match=r'executor forks.*get_context\("spawn"\)'),
    ):
        pv.sweep(build(Spec(), "torch"), images(), LEVELS, executor=executor, progress=False)


def test_bad_levels_are_refused_before_anything_is_measured():
    with pytest.raises(ValueError, match=r"did you mean 0\.9"):
        pv.sweep(build(Spec(), "torch"), images(), [0.5, 90], progress=False)


def test_an_executor_without_cloudpickle_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(ImportError, match=r'executor needs cloudpickle: pip install "pruneviz\[parallel\]"'),
    ):
        pv.sweep(build(Spec(), "torch"), images(), LEVELS, executor=executor, progress=False)


def test_fractions_are_shares_and_other_things_are_refused_by_name():
    model = build(Spec(), "torch")
    cards = pv.sweep(model, images(), [Fraction(1, 2)], progress=False)
    assert [card.name for card in cards] == ["50%"]
    for options, words in (
        ({"sparsities": 0.5}, "sparsities is 0.5, not a list"),
        ({"sparsities": "0.5"}, "sparsities is '0.5', not a list"),
        ({"sparsities": [0.5], "executor": 4}, "executor is 4, not an Executor"),
    ):
        with pytest.raises(TypeError, match=words):
            pv.sweep(model, images(), progress=False, **options)


def test_a_model_without_weights_is_not_explored():
    for granularity in ("weight", "neuron", "filter", "channel"):
        with pytest.raises(ValueError, match="has no weights to prune: it has no dense layers"):
            pv.explore(torch.nn.ReLU(), images(), granularity=granularity)
