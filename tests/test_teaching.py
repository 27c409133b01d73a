"""The checks of exercises say what is right, and name what is wrong."""

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pruneviz as pv
from pruneviz.lessons.checks import lesson_00, lesson_01a, lesson_01b, lesson_01c
from pruneviz.teaching import exercise
from pruneviz.teaching.exercises import close


def right_order(loss, weights):
    return np.argsort([loss(np.where(np.arange(len(weights)) == i, 0, weights)) for i in range(len(weights))])


def forgetful_order(loss, weights):
    losses = []
    for i in range(len(weights)):
        weights[i] = 0
        losses.append(loss(weights))
    return np.argsort(losses)


def unsigned_order(loss, weights):
    cut = [loss(np.where(np.arange(len(weights)) == i, 0, weights)) for i in range(len(weights))]
    return np.argsort(np.abs(np.array(cut) - loss(weights)))


def test_an_untouched_answer_is_not_called_wrong():
    for stub in (..., None, lambda *_: None, lambda *_: ...):
        assert lesson_00.order_of_importance.verdict(stub).startswith("Not answered yet:")


def test_an_error_of_the_learners_function_is_told_in_a_sentence():
    def broken(_loss, _weights):
        return 1 / 0

    assert "broken stops with ZeroDivisionError" in lesson_00.order_of_importance.verdict(broken)


def test_a_check_prints_one_line_and_returns_nothing(capsys):
    @exercise(right="Well seen.")
    def seven(answer):
        """Judge a seven."""
        return None if close(answer, 7) else "it is seven."

    assert seven(7) is None
    seven(8)
    assert capsys.readouterr().out == "Right. Well seen.\nNot yet: it is seven.\n"
    assert seven.__doc__ == "Judge a seven."


@pytest.mark.parametrize("answer", ["seven", [7, 7], object(), {"a": 1}])
def test_close_is_false_for_what_is_no_such_number(answer):
    assert not close(answer, 7)


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (right_order, "Right."),
        (lambda _loss, w: np.argsort(np.abs(w)), "this ranks by size"),
        (lambda loss, w: right_order(loss, w)[::-1], "most important first"),
        (lambda loss, w: np.argsort(right_order(loss, w)), "rank of each weight"),
        (forgetful_order, "leaves a weight at zero"),
        (unsigned_order, "Keep the sign"),
        (lambda _loss, _w: [0, 1], "it should be [1 3 2 4 0]"),
    ],
)
def test_orders_of_importance(order, told):
    assert told in lesson_00.order_of_importance.verdict(order)


@pytest.mark.parametrize(
    ("loss", "told"),
    [(0.4425, "Right."), (0.2425, "adds"), (0.1175, "rooms alone"), (0.125, "garden alone"), (1.0, "0.4425")],
)
def test_cutting_two_together(loss, told):
    assert told in lesson_00.cut_together.verdict(loss)


def right_smallest(weights, sparsity):
    kept = np.ones(weights.size, bool)
    kept[np.argsort(np.abs(weights), axis=None, kind="stable")[: round(sparsity * weights.size)]] = False
    return kept.reshape(weights.shape)


def by_threshold(weights, sparsity):
    return (
        np.abs(weights) > np.quantile(np.abs(weights), sparsity) if sparsity else np.ones(weights.shape, bool)
    )


def signed_smallest(weights, sparsity):
    kept = np.ones(weights.size, bool)
    kept[np.argsort(weights, axis=None)[: round(sparsity * weights.size)]] = False
    return kept.reshape(weights.shape)


@pytest.mark.parametrize(
    ("prune", "told"),
    [
        (right_smallest, "Right."),
        (by_threshold, "tied"),
        (signed_smallest, "np.abs(weight)"),
        (lambda w, s: right_smallest(w, 1 - s), "sparsity is the share that is pruned"),
        (lambda w, s: ~right_smallest(w, 1 - s), "larger than a kept one"),
        (lambda w, s: right_smallest(w, s).astype(int), "not int64 numbers"),
        (lambda w, s: right_smallest(w, s).ravel(), "shape of the weights"),
        (lambda w, s: right_smallest(w, s / 2), "must go"),
    ],
)
def test_smallest_first(prune, told):
    assert told in lesson_01a.smallest_first.verdict(prune)


@pytest.mark.parametrize(
    ("four", "told"),
    [
        ([1, 4, 6, 8], "Right."),
        (np.array([8, 6, 4, 1]), "Right."),
        ([0, 1, 2, 3], "100 plants are right, and 425 must be"),
        ([1, 1, 6, 8], "four different numbers"),
        ([1, 4, 6, 9], "four different numbers"),
        (4, "such as [0, 1, 2, 3]"),
    ],
)
def test_four_weights(four, told):
    def right(weights):
        return 429 if set(np.flatnonzero(weights)) == {1, 4, 6, 8} else 100

    assert told in lesson_00.four_weights.verdict(four, right=right, weights=np.arange(1.0, 10.0))


@pytest.fixture(scope="module")
def lenet():
    return pv.zoo.lenet_300_100("torch"), pv.datasets.mnist().validation


def test_pixels_cut(lenet):
    model, validation = lenet
    lit = (pv.datasets.mnist().train[0].reshape(-1, 784) > 0).mean(axis=0)
    size = np.abs(pv.network(model)["fc1"].weight).mean(axis=0)
    order = np.argsort(lit * size)

    def verdict(pixels):
        return lesson_01a.pixels_cut.verdict(pixels, model=model, validation=validation, at_least=4_850)

    assert verdict(np.isin(np.arange(784), order[:500])).startswith("Right.")
    assert "450 pixels are cut" in verdict(np.isin(np.arange(784), order[:450]))
    assert "4,850 must be" in verdict(np.isin(np.arange(784), np.argsort(size)[:500]))
    assert "784 bools" in verdict(order[:500])
    assert verdict(...).startswith("Not answered yet")


def one_threshold(sizes, sparsity):
    everything = np.sort(np.concatenate([array.ravel() for array in sizes.values()]))
    return {
        name: (array < everything[round(sparsity * everything.size)]).mean() for name, array in sizes.items()
    }


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        (one_threshold, "Right."),
        (dict.fromkeys, "this is layer scope"),
        (lambda *a: {name: 1 - share for name, share in one_threshold(*a).items()}, "the shares that stay"),
        (lambda sizes, _: dict.fromkeys(sizes, 0.1), "it should give"),
        (lambda *_: 0.5, "a dict with the keys a, b, c"),
    ],
)
def test_shares_under_one_threshold(shares, told):
    assert told in lesson_01b.shares_under_one_threshold.verdict(shares)


@pytest.mark.parametrize(
    ("factors", "told"),
    [
        ((1e-6, 1e6), "Right."),
        ((10, 0.1), "fc2 loses"),
        ((0.1, 5), "does not compute"),
        ((-0.1, -10), "must be positive"),
        (3, "two numbers"),
    ],
)
def test_empties_the_first(factors, told, lenet):
    assert told in lesson_01b.empties_the_first.verdict(factors, sizes=pv.importance(lenet[0]))


def test_ninety_one(lenet):
    model, validation = lenet

    def verdict(mask):
        return lesson_01b.ninety_one.verdict(mask, model=model, validation=validation, at_least=4_760)

    wanda = pv.importance(model, criterion="wanda", data=pv.datasets.mnist().train[0][:10_000])
    tilted = {name: score * np.abs(pv.network(model)[name].weight) ** 0.5 for name, score in wanda.items()}
    assert verdict(pv.rank(pv.Importance(tilted), scope="global").mask(0.91)).startswith("Right.")
    assert "4,760 must be" in verdict(pv.prune(model, 0.91))
    assert "weights are cut, but" in verdict(pv.prune(model, 0.8))
    assert "must be a mask" in verdict(3)


def churn(before, after, labels):
    was, now = before == labels, after == labels
    return np.sum(was & ~now), np.sum(~was & now), np.sum(before != after)


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (churn, "Right."),
        (lambda *a: (churn(*a)[1], churn(*a)[0], churn(*a)[2]), "wrong way round"),
        (lambda *a: (*churn(*a)[:2], sum(churn(*a)[:2])), "from one wrong digit to another"),
        (lambda *a: churn(*a)[:2], "it should be"),
        (lambda *_: 3, "three whole numbers"),
    ],
)
def test_lost_won_changed(count, told):
    assert told in lesson_01a.lost_won_changed.verdict(count)


def test_small_file(lenet):
    model, (images, labels) = lenet
    few = images[:500], labels[:500]
    sparse = pv.scorecard(pv.apply(model, pv.prune(model, 0.95)), few)
    assert lesson_01c.small_file.verdict(sparse, at_least=50).startswith("Right.")
    assert "right, and 450 must be" in lesson_01c.small_file.verdict(sparse, at_least=450)
    assert "995 kB under gzip" in lesson_01c.small_file.verdict(pv.scorecard(model, few), at_least=50)
    assert "must be a scorecard" in lesson_01c.small_file.verdict(0.9, at_least=50)


def test_clothes(lenet, monkeypatch):
    model, (images, labels) = lenet
    here, elsewhere = (images[:500], labels[:500]), (images[500:1000], labels[500:1000])
    monkeypatch.setattr(pv.datasets, "fashion_mnist", lambda: SimpleNamespace(validation=here))
    thin = pv.apply(model, pv.prune(model, 0.95))
    sparse = pv.scorecard(thin, here)
    assert lesson_01c.clothes.verdict(sparse, at_least=50).startswith("Right.")
    assert "right, and 450 must be" in lesson_01c.clothes.verdict(sparse, at_least=450)
    assert "995 kB under gzip" in lesson_01c.clothes.verdict(pv.scorecard(model, here), at_least=50)
    for card in (pv.scorecard(thin, elsewhere), pv.scorecard(thin, (images, labels))):
        assert "is not of pv.datasets.fashion_mnist()" in lesson_01c.clothes.verdict(card, at_least=50)
    assert "must be a scorecard" in lesson_01c.clothes.verdict(0.9, at_least=50)


def test_zeros_kept():
    mask, before = {"fc1": np.array([True, False])}, {"fc1": np.array([1.0, 0.0])}

    def verdict(after):
        return lesson_01c.zeros_kept.verdict(after, before=before, mask=mask)

    assert verdict({"fc1": np.array([1.5, 0.0])}).startswith("Right.")
    assert "1 pruned weights are not zero" in verdict({"fc1": np.array([1.5, 1e-9])})
    assert "no kept weight moved" in verdict(before)
    assert "by layer: fc1" in verdict([1.0])
    assert verdict(...).startswith("Not answered yet")


def shown(monkeypatch, *arguments, **keywords):
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda data, **rest: bundles.append((data, rest)))
    pv.teaching.show(*arguments, **keywords)
    return bundles


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (lambda w, h: 0.5 * h * w**2, "Right."),
        (lambda w, h: [half * weight**2 for half, weight in zip(h / 2, w, strict=True)], "Right."),
        (lambda w, h: h * w**2, "half of the formula"),
        (lambda w, h: 0 * w * h, "slope is zero at rest"),
        (lambda w, h: abs(w * h), "square the distance"),
        (lambda w, _: abs(w), "How steep"),
        (lambda w, _: w**2 / 2, "leaves out"),
        (lambda w, h: -0.5 * h * w**2, "sign"),
        (lambda w, h: w + h, "it should give [1.0, 1.0, 1.5"),
        (lambda *_: ..., "Not answered yet:"),
    ],
)
def test_cost_of_cuts(cost, told):
    assert told in lesson_01c.cost_of_cuts.verdict(cost)


def amounts(targets):
    kept = np.array([1.0, *(1 - np.array(targets))])
    return 1 - kept[1:] / kept[:-1]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (amounts, "Right."),
        (lambda targets: list(amounts(targets)), "Right."),
        (lambda targets: targets, "together they would cut 85.0%"),
        (lambda targets: np.diff(targets, prepend=0), "shares of the whole"),
        (lambda targets: 1 - amounts(targets), "shares that stay"),
        (lambda targets: [0.5 for _ in targets], "about [0.25, 0.3333, 0.2]"),
        (lambda _: None, "Not answered yet:"),
    ],
)
def test_compounding_amounts(answer, told):
    assert told in lesson_01c.compounding_amounts.verdict(answer)


def test_a_figure_is_shown_with_its_words_and_the_same_bytes_each_time(monkeypatch):
    def draw():
        figure = Figure(figsize=(4, 2))
        figure.subplots().plot([1, 3])
        return figure

    (picture, rest), (words, _) = shown(monkeypatch, draw().axes[0], alt="A line  <rises>.")
    assert picture["text/plain"] == "Figure: A line <rises>."
    picture_of = {"alt": "A line <rises>.", "width": 384}
    assert rest["metadata"] == {"image/png": picture_of, "needs_background": "light"}
    assert "&lt;rises&gt;" in words["text/html"]
    assert shown(monkeypatch, draw(), alt="x")[0][0]["image/png"] == picture["image/png"]


@pytest.mark.parametrize("draw", [Axes.imshow, Axes.pcolormesh, Axes.matshow])
def test_what_holds_a_picture_is_not_turned_dark(monkeypatch, draw):
    axes = Figure().subplots(1, 2)
    axes[0].plot([1, 3])
    assert "needs_background" in shown(monkeypatch, axes[0])[0][1]["metadata"]
    draw(axes[1].inset_axes((0, 0, 1, 1)), np.eye(3))
    assert "needs_background" not in shown(monkeypatch, axes[0])[0][1]["metadata"]


def test_the_numbers_at_a_figures_axes_are_written_as_in_the_text(monkeypatch):
    figure = Figure()
    plain, log, named = figure.subplots(1, 3)
    plain.plot([0, 1], [0, 4_000])
    log.loglog([1, 9_000], [1, 9_000])
    named.barh(["two", "three"], [2_000, 3_000])
    named.set_xticks([0, 3_000], ["none", "3k"])
    before = [axis.get_major_formatter() for axis in (plain.xaxis, log.xaxis, named.xaxis, named.yaxis)]
    shown(monkeypatch, figure, alt="Three plots.")
    assert [
        axis.get_major_formatter() for axis in (plain.xaxis, log.xaxis, named.xaxis, named.yaxis)
    ] == before
    assert plain.yaxis.get_major_formatter()(4_000, 0) == "4,000"


def test_a_figure_without_words_is_described_by_its_plot(monkeypatch):
    axes = pv.plot_weight_histogram(np.linspace(-1, 1, 50))
    (picture, _), _ = shown(monkeypatch, axes)
    assert picture["text/plain"] == "Figure: " + pv.alt_text(axes)


def test_an_empty_description_is_refused():
    with pytest.raises(ValueError, match="alt must describe"):
        pv.teaching.show(Figure(), alt=" ")


def test_axes_without_a_figure_are_refused():
    axes = Figure().subplots()
    axes.remove()
    with pytest.raises(ValueError, match="removed"):
        pv.teaching.show(axes, alt="nothing")


@pytest.mark.parametrize("track", ["torch", "", None, "keras"])
def test_an_unknown_track_is_refused(track):
    with pytest.raises(ValueError, match="track must be 'pytorch' or 'tensorflow'"):
        pv.teaching.start(track)


START = """
import json, sys
import numpy as np
import pruneviz as pv

def draws():
    pv.teaching.start(sys.argv[1])
    if "torch" in sys.modules:
        import torch
        return [torch.get_num_threads(), int(np.random.randint(1000)), float(torch.rand(()))]
    import tensorflow as tf
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    return [threads, int(np.random.randint(1000)), float(tf.random.uniform(()))]

loaded = lambda: [name for name in ("torch", "tensorflow") if name in sys.modules]
print(json.dumps({"first": draws(), "again": draws(), "loaded": loaded()}))
"""


CAPS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


@pytest.mark.parametrize(
    ("track", "module", "caps", "most"),
    [
        ("pytorch", "torch", {}, 2),
        ("tensorflow", "tensorflow", {}, 2),
        ("tensorflow", "tensorflow", dict.fromkeys(CAPS, "1"), 1),
    ],
)
def test_start_is_quiet_seeded_and_capped(track, module, caps, most):
    env = {name: value for name, value in os.environ.items() if name not in CAPS} | caps
    command = [sys.executable, "-c", START, track]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert run.stderr == ""
    *said, seen = run.stdout.splitlines()
    assert len(said) == 2
    assert all(line.endswith(" is ready.") for line in said)
    seen = json.loads(seen)
    assert seen["first"] == seen["again"]
    assert seen["loaded"] == [module]
    assert seen["first"][0] <= most


def test_what_a_logger_says_after_the_start_is_heard():
    code = """
import pruneviz.teaching
pruneviz.teaching.start("tensorflow")
import tensorflow
tensorflow.get_logger().warning("mind the gap")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "mind the gap" in run.stderr
    assert "Logging error" not in run.stderr


def test_what_a_failed_import_says_is_shown(monkeypatch):
    def fail(_name):
        os.write(2, b"the library is broken\n")
        sys.stderr.write("and so is this")
        raise ModuleNotFoundError("no module named torch")

    heard = io.StringIO()
    monkeypatch.setattr(sys, "stderr", heard)
    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(ImportError, match=r'pip install "pruneviz\[torch\]"'):
        pv.teaching.start("pytorch")
    assert "the library is broken" in heard.getvalue()
    assert "and so is this" in heard.getvalue()
