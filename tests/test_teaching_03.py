"""The checks of lesson 03 let right answers pass, and name each mistake by its own sentence."""

import numpy as np
import pytest

from pruneviz.lessons.checks import lesson_03


def first(weight):
    return np.abs(weight).sum(axis=(1, 2, 3))


def last(weight):
    return np.abs(weight).sum(axis=(0, 1, 2))


@pytest.mark.parametrize(
    ("track", "scores", "told"),
    [
        ("pytorch", first, "Right."),
        ("tensorflow", last, "Right."),
        ("pytorch", lambda w: np.abs(w).sum(axis=(0, 2, 3)), "along the first axis"),
        ("tensorflow", lambda w: np.abs(w).sum(axis=(0, 1, 3)), "along the last axis"),
        ("pytorch", last, "columns of the kernels"),
        ("tensorflow", first, "rows of the kernels"),
        ("pytorch", lambda w: np.abs(w).sum(axis=(0, 1, 3)), "rows of the kernels"),
        ("pytorch", lambda w: w.sum(axis=(1, 2, 3)), "cancel"),
        ("pytorch", lambda w: np.abs(w.sum(axis=(1, 2, 3))), "size of the sum"),
        ("pytorch", lambda w: np.sqrt((w**2).sum(axis=(1, 2, 3))), "this is L2"),
        ("pytorch", lambda w: (w**2).sum(axis=(1, 2, 3)), "sums of squares"),
        ("pytorch", lambda w: np.abs(w).mean(axis=(1, 2, 3)), "these are means"),
        ("pytorch", lambda w: np.abs(w).sum(), "one number for the layer"),
        ("pytorch", lambda w: np.abs(w).sum(axis=(2, 3)), "not an array of shape (4, 4)"),
        ("pytorch", lambda w: np.abs(w).max(axis=(1, 2, 3)), "not the sums"),
        ("pytorch", lambda w: first(w).argsort(), "not the sums"),
        ("pytorch", lambda _w: None, "returns nothing"),
        ("pytorch", ..., "Not answered yet"),
    ],
)
def test_filter_scores(track, scores, told):
    assert told in lesson_03.filter_scores.verdict(scores, track=track)


def right_without(filters):
    """Filters 0 to 2 cost nothing alone, and a lot together; 3 to 8 cost little, and it adds up."""
    cost = {number: 0 if number < 3 else 10 if number < 9 else 500 for number in range(16)}
    together = 900 if {0, 1, 2} <= set(filters) else 400 if len({0, 1, 2} & set(filters)) > 1 else 0
    return 4900 - sum(cost[number] for number in filters) - together


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ([0, 3, 4], "Right."),
        (np.array([5, 1, 4]), "Right."),
        ([0, 1, 2], "costs do not add up"),
        ([9, 10, 15], "Measure: right_without"),
        ([9, 10, 15], "the best 4,880"),
        ([0, 3, 3], "three different"),
        ([0, 3], "three different"),
        ([0, 3, 16], "0 to 15"),
        (7, "such as [0, 1, 2]"),
        (["a", "b", "c"], "such as [0, 1, 2]"),
        (..., "Not answered yet"),
    ],
)
def test_three_filters(chosen, told):
    assert told in lesson_03.three_filters.verdict(chosen, right_without=right_without)


RIGHT = {"conv1": 58_800, "conv2": 120_000, "dense": 58_920}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "Right."),
        ({"conv1": 3 * 25 * 28**2}, "Right."),
        ({"conv1": 117_600}, "all six filters"),
        ({"conv1": 43_200}, "padding keeps its size"),
        ({"conv1": 75}, "conv1's weights"),
        ({"conv1": 61_152}, "no MAC"),
        ({"conv2": 240_000}, "only three maps"),
        ({"conv2": 60_000}, "keeps its sixteen"),
        ({"conv2": 235_200}, "10 × 10"),
        ({"conv2": 1_200}, "conv2's weights"),
        ({"conv2": 121_600}, "no MAC"),
        ({"dense": 34_920}, "as many numbers as before"),
        ({"dense": 59_134}, "no MACs"),
        ({"dense": 48_000}, "fc1 alone"),
        ({"dense": 1}, "dense: 1 is not right"),
        ({"conv1": "many"}, "give a number, not 'many'"),
        ({"fc1": 1}, "keys conv1, conv2, dense"),
    ],
)
def test_macs_after(wrong, told):
    assert told in lesson_03.macs_after.verdict(RIGHT | wrong)


def test_macs_after_wants_a_dict():
    assert "keys conv1, conv2, dense" in lesson_03.macs_after.verdict(237_720)
