"""Forward passes that are timed are those that predict."""

import functools
import logging
import pickle
import time

import numpy as np
import pytest
import tensorflow as tf
from twins import Spec, build, images, same, torch, weights_of

import pruneviz as pv
from pruneviz import frameworks


def test_the_pass_that_is_timed_computes_what_predict_does(framework):
    adapter = frameworks.adapter(build(Spec(), framework))
    x, _ = images()
    assert np.allclose(np.asarray(adapter.forward(x)()), adapter.predict(x), atol=1e-6)


def test_more_work_takes_longer(framework):
    x = np.zeros((1, 28, 28, 1), np.uint8)
    small, large = pv.zoo.tiny_cnn(framework), pv.zoo.mnist_cnn(framework)
    before = weights_of(large)
    found = pv.latency({"small": small, "large": large}, x, (1, 16), seconds=0.05)
    assert found["large"][16].median > found["large"][1].median
    assert found["large"][16].over(found["small"][16])[1] > 1
    assert same(weights_of(large), before)


def test_a_scorecard_times_only_when_asked(framework):
    model = build(Spec(), framework)
    assert pv.scorecard(model, images()).latency_ms == {}
    card = pv.scorecard(model, images(), latency=(1, 8))
    assert list(card.latency_ms) == [1, 8]
    text = str(card)
    assert f"batch 8: {card.latency_ms[8]:.3g} ms" in text
    assert f"lowest and highest of 9 rounds of wall time ({card.latency_ms[8].runtime}); counts and" in text


def test_a_latency_is_its_median_with_its_spread():
    ours, theirs = pv.Latency((3.0, 1.0, 8.0), "wall", "a"), pv.Latency((1.0, 2.0, 2.0), "wall", "b")
    assert (ours.low, float(ours), ours.high) == (1, 3, 8)
    assert ours.over(theirs) == (0.5, 3, 4)
    assert f"{ours:.2f}" == "3.00 (1.00-8.00)"
    assert f"{ours}" == "3 (1-8)"
    assert str(ours) == "3 (1-8) ms of wall time (a)"
    assert pickle.loads(pickle.dumps(ours)) == ours


def test_each_runtime_is_named_with_its_threads(framework, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    model, x = build(Spec(), framework), images()[0]
    found = pv.latency({"net": model, "own": lambda _: int}, x, (1,), clock="processor", seconds=0.001)
    one = found["net"][1]
    called, _, threads = one.runtime.partition(", ")
    assert called == {"torch": "PyTorch", "keras": "Keras", "tf_keras": "tf_keras"}[framework]
    if framework == "torch":
        n = torch.get_num_threads()
    else:
        n = tf.config.threading.get_intra_op_parallelism_threads() or 3
    assert threads == f"{n} thread{'s' * (n > 1)}"
    assert (one.clock, len(one.rounds)) == ("processor", 9)
    assert found["own"][1].runtime == "a function"


def test_functions_are_made_ready_once_a_batch_and_take_turns():
    said = []

    def prepared(name, given):
        said.append((name, given.shape))
        return functools.partial(said.append, name)

    own = {name: functools.partial(prepared, name) for name in "ab"}
    pv.latency(own, np.zeros((3, 2, 2, 1), np.uint8), (1, 4), seconds=0)
    half = len(said) // 2
    assert said[0:2] == [("a", (1, 2, 2, 1)), ("b", (1, 2, 2, 1))]
    assert said[half : half + 2] == [("a", (4, 2, 2, 1)), ("b", (4, 2, 2, 1))]
    assert said[2:half] == [*"aabb", *"abbaabbaabbaabbaab"]


def test_processor_time_holds_no_waiting():
    own = {"waits": lambda _: functools.partial(time.sleep, 0.02)}
    wall, processor = (
        pv.latency(own, np.zeros((1, 2)), (1,), clock=clock, seconds=0)["waits"][1]
        for clock in ("wall", "processor")
    )
    assert wall.low >= 20 > 10 * processor.high


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (int, {}, "'it' is a function that gives a int.*lambda images: lambda"),
        (3, {}, "model is a builtins.int, not a torch.nn.Module"),
        (lambda _: int, {"clock": "sun"}, "clock 'sun' is not one of wall, processor"),
    ],
)
def test_what_cannot_be_timed_is_refused(given, options, words):
    given = (lambda _: 7) if given is int else given
    with pytest.raises((TypeError, ValueError), match=words):
        pv.latency({"it": given}, np.zeros((1, 2)), (1,), **options)


@pytest.mark.parametrize("batch", [0, True, 1.5, "1"])
def test_what_is_no_batch_is_refused(batch):
    with pytest.raises(ValueError, match=r"a batch is .*, not a whole number from 1"):
        pv.latency({"a": build(Spec(), "torch")}, images()[0], [batch])


def test_a_model_timed_again_and_again_leaves_no_warning(caplog):
    x = np.zeros((1, 28, 28, 1), np.uint8)
    adapter = frameworks.adapter(pv.zoo.tiny_cnn("keras"))
    logging.getLogger("tensorflow").addHandler(caplog.handler)
    for _ in range(12):
        adapter.forward(x)()
    logging.getLogger("tensorflow").removeHandler(caplog.handler)
    assert caplog.messages == []
