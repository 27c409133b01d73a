"""Show code: pasted into a lesson it runs, changes nothing there, and prints what the card says."""

import ast
from pathlib import Path

import numpy as np
import pytest
import twins
from torch import nn
from twins import Spec, build

import pruneviz as pv
from pruneviz import zoo
from pruneviz.widgets.frame import code, names

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
    assert space["shown_keep"].keys() == mask.keys()
    for name, kept in space["shown_keep"].items():
        assert np.array_equal(np.asarray(kept).reshape(mask[name].shape), mask[name])
    assert capsys.readouterr().out.count("\n") == 1


def test_a_criterion_without_a_name_has_one_in_the_code(model, images):
    view = pv.explore(model, images, criterion=lambda layer: layer.weight**2, sparsity=0.5)
    assert view.criterion == "own"
    space = {"model": model, "data": images, "own": lambda layer: layer.weight**2}
    exec(view.snippet, space)
    assert np.array_equal(space["shown_keep"][NAMES[0]], view.result()[NAMES[0]].ravel())


@pytest.mark.parametrize(
    ("word", "value"),
    [("scope", "all"), ("layer", "x"), ("sparsity", 2), ("criterion", "best"), ("sort", "z")],
)
def test_explore_refuses_by_naming_the_argument(model, images, word, value):
    with pytest.raises(ValueError, match=word):
        pv.explore(model, images, granularity="neuron", **{word: value})


def stored(source: Path) -> set[str]:
    """Find the names that a lesson gives to things."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(source.read_text(encoding="utf-8"), source.name, "exec", flags)
    found = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return found | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


LESSONS = set().union(*map(stored, (Path(__file__).parents[1] / "lessons/source").glob("*.py")))


@pytest.fixture
def lesson(monkeypatch):
    """A notebook with all names of all lessons, and no others."""
    assert not [name for name in LESSONS if name.startswith("shown_")]
    space = {name: object() for name in LESSONS} | {"pv": pv, "np": np}
    monkeypatch.setattr(names, "_space", lambda: space)
    return space


def pasted(view, space, capsys):
    """Run what a view shows; gives what it prints."""
    view._recode()
    before = {name: thing for name, thing in space.items() if not name.startswith("shown_")}
    exec(view.snippet, space)
    space.pop("__builtins__")
    assert all(space[name] is thing for name, thing in before.items())
    assert all(name.startswith("shown_") for name in space.keys() - before.keys())
    return capsys.readouterr().out.splitlines()


def said(card, granularity):
    words = f"{card.correct:,} of {card.n:,} right"
    return [words if granularity == "weight" else f"{words}, {card.parameters:,} parameters"]


@pytest.mark.parametrize("granularity", ["weight", "neuron", "filter", "channel"])
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_a_snippet_prints_the_card_and_changes_no_name(framework, granularity, scope, lesson, capsys):
    model, few, seen = build(Spec(seed=3), framework), twins.images(30), twins.images(20, seed=1)
    lesson |= {"model": model, "few": few, "scored_on": seen}
    view = pv.explore(
        model, few, granularity=granularity, scope=scope, scored_on=seen, sparsity=0.5, predict=False
    )
    last = view.layers[-1]["name"]
    for criterion in view.criteria:
        view.criterion = criterion
        view.by_hand = {last: {"cut": [1]}}
        if granularity == "channel":
            view.sparsities = {last: 0.5}
        assert pasted(view, lesson, capsys) == said(view.card, granularity)
        assert "few" in view.snippet
        assert pv.scorecard(lesson["shown_model"], few).nonzero == view.card.nonzero
        view.by_hand = {}
    if granularity != "weight":
        card = pv.scorecard(view.remove(), few)
        assert pasted(view, lesson, capsys) == said(card, granularity)
        assert card.parameters == view.removal["parameters"][1]


def test_things_without_a_name_come_from_the_view(lesson, capsys):
    few = twins.images(30)
    lesson |= {"model": build(Spec(), "torch"), "images": few[0], "labels": few[1]}
    view = pv.explore(lesson["model"], (few[0], few[1]), granularity="channel", scored_on=twins.images(9))
    lesson["wires"] = view
    assert pasted(view, lesson, capsys) == said(view.card, "channel")
    assert "shown_pruning(model, wires.given.images)" in view.snippet
    assert "(images, labels)[0][:8]" in view.code
    part = pv.explore(lesson["model"], (few[0][:9], few[1][:9]))
    assert "pv.scorecard(shown_model, data)" in part.snippet  # no name yet
    lesson["view"] = part
    assert pasted(part, lesson, capsys) == said(part.card, "weight")
    assert "view.given.data" in part.snippet


def test_a_part_of_a_data_set_has_its_name(lesson):
    mnist = pv.datasets.mnist()
    lesson |= {"mnist": mnist}
    view = pv.explore(zoo.lenet_300_100("torch"), mnist.validation)
    assert "pv.scorecard(shown_model, mnist.validation)" in view.snippet


def test_a_schedule_trains_what_the_lesson_calls_it(lesson, capsys):
    def an_epoch(model, mask, seed):
        """Train nothing."""

    lesson |= {"model": build(Spec(), "torch"), "an_epoch": an_epoch, "validation": twins.images(20)}
    view = pv.ScheduleExplorer(lesson["model"], an_epoch, lesson["validation"], rounds=2, kind="linear")
    assert "shown_run(model, an_epoch, validation)" in view.snippet
    assert pasted(view, lesson, capsys) == [str(done) for done in view.run()]


@pytest.mark.parametrize("many", [4, 40])
def test_a_tiny_network_changes_no_name(lesson, capsys, many):
    x = np.linspace(-1, 1, 2 * many).reshape(many, 2)
    lesson |= {"plants": x, "thrive": (x[:, 0] > 0).astype(int)}
    view = pv.TinyNetwork.two_layers([[1, -1]], [0.5], [2], -0.1, x, lesson["thrive"], cut=["w1"])
    assert pasted(view, lesson, capsys) == [f"{view.loss:.3f}, {view.right} of {many} right"]
    assert ("shown_loss(plants, thrive)" in view.snippet) == (many == 40)
