"""Forward passes that are timed are those that predict."""

import logging

import numpy as np
import pytest
from twins import Spec, build, images, same, weights_of

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
    assert found["large"][16] > found["large"][1]
    assert found["large"][16] > found["small"][16]
    assert same(weights_of(large), before)


def test_a_scorecard_times_only_when_asked(framework):
    model = build(Spec(), framework)
    assert pv.scorecard(model, images()).latency_ms == {}
    card = pv.scorecard(model, images(), latency=(1, 8))
    assert list(card.latency_ms) == [1, 8]
    assert "ms (batch 8)" in str(card)


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
