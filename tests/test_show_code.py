"""Show code of networks whose layers have names that are code themselves."""

import numpy as np
import pytest
from torch import nn

import pruneviz as pv
from pruneviz.widgets.frame import code

NAMES = ('x"]); print("…"); ("', "{cut}", "it's \\ \n {by_hand}")


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.random((12, 6), dtype=np.float32), np.arange(12) % 3


@pytest.fixture(scope="module")
def model():
    net = nn.Sequential()
    for name, layer in zip(NAMES, (nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)), strict=True):
        net.add_module(name, layer)
    return net.eval()


@pytest.mark.parametrize("name", [*NAMES, "\u2028", "\x00\x7f", '\'"""\'', "}{", "\\u007b"])
def test_a_quoted_name_is_the_name(name):
    assert eval(code.quoted(name)) == name
    assert eval(code.listed([name, name])) == [name, name]
    assert eval(code.mapped({name: name})) == {name: name}
    assert code.filled(code.quoted("{cut}"), cut="5") == code.quoted("{cut}")


@pytest.mark.parametrize("criterion", ["magnitude", "random", "taylor"])
@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("granularity", ["weight", "neuron", "channel"])
def test_names_that_are_code_are_not_run(model, images, granularity, scope, criterion, capsys):
    view = pv.explore(model, images, granularity=granularity, scope=scope, criterion=criterion, sparsity=0.5)
    view.by_hand = {NAMES[0]: {"cut": [3], "kept": [5]}}
    if granularity == "channel":
        view.sparsities = {NAMES[1]: 0.25}
    space = {"model": model, "data": images}
    exec(view.snippet, space)
    mask = view.result()
    assert space["keep"].keys() == mask.keys()
    for name, kept in space["keep"].items():
        assert np.array_equal(np.asarray(kept).reshape(mask[name].shape), mask[name])
    assert capsys.readouterr().out == ""


def test_a_criterion_without_a_name_has_one_in_the_code(model, images):
    view = pv.explore(model, images, criterion=lambda layer: layer.weight**2, sparsity=0.5)
    assert view.criterion == "own"
    space = {"model": model, "data": images, "own": lambda layer: layer.weight**2}
    exec(view.snippet, space)
    assert np.array_equal(space["mask"][NAMES[0]], view.result()[NAMES[0]])


@pytest.mark.parametrize(
    ("word", "value"),
    [("scope", "all"), ("layer", "x"), ("sparsity", 2), ("criterion", "best"), ("sort", "z")],
)
def test_explore_refuses_by_naming_the_argument(model, images, word, value):
    with pytest.raises(ValueError, match=word):
        pv.explore(model, images, granularity="neuron", **{word: value})
