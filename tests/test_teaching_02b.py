"""The checks of lesson 02b accept right answers and name each typical mistake."""

from itertools import pairwise

import numpy as np
import pytest

import pruneviz as pv
from pruneviz.lessons.checks import lesson_02b


def right_torch(weight, bias, following, neuron):
    return np.delete(weight, neuron, 0), np.delete(bias, neuron), np.delete(following, neuron, 1)


def right_keras(weight, bias, following, neuron):
    return np.delete(weight, neuron, 1), np.delete(bias, neuron), np.delete(following, neuron, 0)


def zeroed(weight, bias, following, neuron):
    weight[neuron], bias[neuron] = 0, 0
    return weight, bias, following


@pytest.mark.parametrize(("take_out", "framework"), [(right_torch, "torch"), (right_keras, "keras")])
def test_a_neuron_is_removed_in_each_layout(take_out, framework):
    assert lesson_02b.neuron_removed.verdict(take_out, fewer=885, framework=framework).startswith("Right.")
    other = "keras" if framework == "torch" else "torch"
    assert "turn the axis" in lesson_02b.neuron_removed.verdict(take_out, fewer=885, framework=other)


@pytest.mark.parametrize(
    ("take_out", "told"),
    [
        (zeroed, "Zeros are a mask"),
        (lambda w, b, f, i: (np.delete(w, i, 0), b, np.delete(f, i, 1)), "bias is still there"),
        (lambda w, b, f, i: (np.delete(w, i, 0), np.delete(b, i), f), "still reads 6 neurons"),
        (lambda w, b, f, i: (np.delete(w, i, 0), np.delete(b, i), np.delete(f, 1, 0)), "neuron of its own"),
        (lambda w, b, f, i: (w[:i], b[:i], f[:, :i]), "have the shape of (2, 4)"),
        (lambda w, b, f, i: (np.delete(w, i, 0), b[:i], np.delete(f, i, 1)), "do not fit"),
        (lambda w, b, f, i: right_torch(w, b, f, i - 1), "the same neuron must go"),
        (lambda w, *_: w, "return three arrays"),
        (lambda *_: None, "Not answered yet:"),
        (lambda w, *_: w[99], "stops with IndexError"),
    ],
)
def test_wrong_removals_are_recognised(take_out, told):
    assert told in lesson_02b.neuron_removed.verdict(take_out, fewer=885, framework="torch")


@pytest.mark.parametrize(
    ("fewer", "told"),
    [
        (784, "bias and the next layer's weights"),
        (785, "each of its 100 neurons"),
        (884, "the bias is missing"),
        (786, "one in all"),
        (1085, "300 is how many"),
        (12, "another number"),
        ("many", "another number"),
        (..., "in place of the dots after fewer"),
    ],
)
def test_wrong_counts_are_recognised(fewer, told):
    assert told in lesson_02b.neuron_removed.verdict(right_torch, fewer=fewer, framework="torch")


def parameters(widths):
    return sum((before + 1) * after for before, after in pairwise(widths))


@pytest.mark.parametrize(
    ("answer", "share", "told"),
    [
        (parameters, 0.48, "Right."),
        (parameters, 0.5, "125,810"),
        (parameters, 0.52, "the share that stays"),
        (parameters, 0.47, "133,835"),
        (parameters, 48, "0.48"),
        (parameters, 0.3, "steps of 0.01"),
        (parameters, "half", "steps of 0.01"),
        (parameters, ..., "in place of the dots after share"),
        (lambda widths: sum(a * b for a, b in pairwise(widths)), 0.48, "biases are missing"),
        (lambda widths: parameters(widths) + widths[0], 0.48, "no neurons"),
        (lambda widths: sum(a * (b + 1) for a, b in pairwise(widths)), 0.48, "the layer that adds it"),
        (lambda widths: parameters(widths[:-1]), 0.48, "last layer"),
        (lambda _: 7, 0.48, "each pair"),
        (lambda _: None, 0.48, "Not answered yet:"),
    ],
)
def test_half_of_the_parameters(answer, share, told):
    assert told in lesson_02b.half_of_the_parameters.verdict(answer, share=share)


@pytest.fixture
def cards():
    """Give scorecards of three networks on a few images."""
    model = pv.zoo.lenet_300_100("torch")
    few = tuple(part[:50] for part in pv.datasets.mnist().validation)
    small = pv.remove(
        model, pv.prune(model, 0.75, granularity="neuron", scope="layer", example=few[0][:1]), few[0]
    )
    return {
        "dense": pv.scorecard(model, few),
        "small": pv.scorecard(small, few),
        "masked": pv.scorecard(pv.apply(model, pv.prune(model, 0.9)), few),
    }


@pytest.mark.parametrize(
    ("name", "target", "told"),
    [
        ("small", 10, "Right."),
        ("small", 50, "are right, and the target is 50"),
        ("dense", 10, "executes 266,200 multiplications, and the target"),
        ("masked", 10, "that is a mask"),
    ],
)
def test_half_the_time(cards, name, target, told):
    assert told in lesson_02b.half_the_time.verdict(cards[name], macs=88_733, target=target)


@pytest.mark.parametrize(("answer", "told"), [(3, "give a scorecard"), (..., "Not answered yet:")])
def test_what_is_no_scorecard(answer, told):
    assert told in lesson_02b.half_the_time.verdict(answer, macs=88_733, target=10)
