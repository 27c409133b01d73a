"""The checks of lesson 02a accept right answers and name each typical mistake."""

import numpy as np
import pytest

from pruneviz.lessons.checks import lesson_02a


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
    assert told in lesson_02a.greedy_choice.verdict(answer)


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
    assert told in lesson_02a.quiet_specialist.verdict(neuron, activity=ACTIVITY, lost=LOST)


def mean_left(sent, gone, weight, bias):
    return bias + weight[:, gone] @ sent[:, gone].mean(axis=0)


def as_keras(answer):
    return lambda sent, gone, weight, bias: answer(sent, gone, weight.T, bias)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (mean_left, "Right."),
        (lambda _sent, _gone, _weight, bias: bias, "nothing is left behind"),
        (lambda s, g, w, b: mean_left(s, g, w, b) - b, "Return the biases with it"),
        (lambda s, g, w, b: 2 * b - mean_left(s, g, w, b), "added, not taken away"),
        (lambda s, _, w, b: mean_left(s, slice(None), w, b), "what all neurons send"),
        (lambda s, g, w, b: mean_left(s, ~g, w, b), "the neurons that stay"),
        (lambda s, g, w, b: b + w[:, g] @ s[:, g].sum(axis=0), "not their average"),
        (lambda s, g, _, b: b + s[:, g].mean(axis=0).sum(), "without the weights"),
        (
            lambda s, g, w, b: b + w[:, g] @ (s[:, g].sum(axis=0) / np.maximum((s[:, g] > 0).sum(axis=0), 1)),
            "on which a neuron fires",
        ),
        (lambda s, g, w, b: mean_left(s, g, w, b) + 1, "does not receive what it received"),
        (lambda _sent, _gone, weight, _bias: weight, "return 4 biases"),
        (lambda *_: None, "Not answered yet:"),
        (..., "Not answered yet:"),
    ],
)
def test_the_average_left_behind(answer, told):
    assert told in lesson_02a.average_left_behind.verdict(answer, framework="torch")
    if callable(answer):
        assert told in lesson_02a.average_left_behind.verdict(as_keras(answer), framework="keras")


SENT, INTO = np.ones((5, 300)), np.ones((4, 300))


def right(gone):
    """Count as a network does that misses the last hundred neurons only."""
    return 5000 - 20 * sum(neuron >= 200 for neuron in gone)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda *_: range(200), "Right."),
        (lambda *_: np.arange(200), "Right."),
        (lambda *_: range(20, 220), "4,600 stay right, and the target is 4,800"),
        (lambda *_: range(100, 300), "the wrong end"),
        (lambda *_: range(199), "not 199"),
        (lambda *_: [*range(199), 7], "twice"),
        (lambda *_: range(101, 301), "0 to 299"),
        (lambda *_: 3, "a list of neurons"),
        (lambda *_: None, "Not answered yet:"),
    ],
)
def test_200_neurons_without_labels(answer, told):
    verdict = lesson_02a.no_labels.verdict(answer, sent=SENT, into=INTO, right=right, target=4800)
    assert told in verdict
    assert ("wrong end" in verdict) == ("wrong end" in told)
