"""The checks of lesson 02 accept right answers and name each typical mistake."""

import numpy as np
import pytest

from pruneviz.lessons.checks import lesson_02


def right_torch(weight, bias, following, neuron):
    return np.delete(weight, neuron, 0), np.delete(bias, neuron), np.delete(following, neuron, 1)


def right_keras(weight, bias, following, neuron):
    return np.delete(weight, neuron, 1), np.delete(bias, neuron), np.delete(following, neuron, 0)


def zeroed(weight, bias, following, neuron):
    weight[neuron], bias[neuron] = 0, 0
    return weight, bias, following


@pytest.mark.parametrize(("take_out", "framework"), [(right_torch, "torch"), (right_keras, "keras")])
def test_a_neuron_is_removed_in_each_layout(take_out, framework):
    assert lesson_02.neuron_removed.verdict(take_out, 885, framework=framework).startswith("Right.")
    other = "keras" if framework == "torch" else "torch"
    assert "turn the axis" in lesson_02.neuron_removed.verdict(take_out, 885, framework=other)


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
    assert told in lesson_02.neuron_removed.verdict(take_out, 885, framework="torch")


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
        (..., "Not answered yet:"),
    ],
)
def test_wrong_counts_are_recognised(fewer, told):
    assert told in lesson_02.neuron_removed.verdict(right_torch, fewer, framework="torch")


def greedy(harm, neurons, count):
    removed, left = [], list(neurons)
    for _ in range(count):
        best = min(left, key=lambda neuron: harm([*removed, neuron]))
        removed.append(best)
        left.remove(best)
    return removed


def ranked(harm, neurons, count):
    return sorted(neurons, key=lambda neuron: harm([neuron]))[:count]


def twice(harm, neurons, count):
    return [min(neurons, key=lambda neuron: harm([neuron]))] * count


def largest_first(harm, neurons, count):
    return greedy(lambda removed: -harm(removed), neurons, count)


def destructive(harm, neurons, count):
    chosen = greedy(harm, neurons, count)
    for neuron in chosen:
        neurons.remove(neuron)
    return chosen


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (greedy, "Right."),
        (lambda *a: np.array(greedy(*a)), "Right."),
        (ranked, "one ranking"),
        (twice, "removed twice"),
        (largest_first, "most harmful"),
        (destructive, "has changed"),
        (lambda *a: greedy(*a)[::-1], "another order"),
        (lambda *a: greedy(*a)[:2], "it returns 2"),
        (lambda _harm, neurons, _count: neurons[:3], "the least harmful are"),
        (lambda *_: 3, "a list of neurons"),
        (lambda *_: None, "Not answered yet:"),
    ],
)
def test_greedy_choice(answer, told):
    assert told in lesson_02.greedy_choice.verdict(answer)


ACTIVITY = np.array([0.1, 0.2, 0.3, 1.0, 1.1, 1.2, 0.15, 1.3])
LOST = np.zeros((8, 10), int)
LOST[0, 4], LOST[0, 2] = 6, 2
LOST[2, 1] = LOST[2, 3] = 4
LOST[3, 5] = 9
LOST[6, 7] = 2


@pytest.mark.parametrize(
    ("neuron", "told"),
    [
        (0, "Right."),
        (np.int64(0), "Right."),
        (1, "no answer is lost"),
        (2, "the worst digit bears 4"),
        (3, "not quiet"),
        (6, "Ask for five"),
        (8, "from 0 to 7"),
        (-1, "from 0 to 7"),
        (0.5, "the number of one neuron"),
        ([0], "the number of one neuron"),
        (True, "the number of one neuron"),
        ("0", "the number of one neuron"),
        (..., "Not answered yet:"),
    ],
)
def test_quiet_specialist(neuron, told):
    assert told in lesson_02.quiet_specialist.verdict(neuron, activity=ACTIVITY, lost=LOST)
