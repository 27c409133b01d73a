"""The checks of lesson 04b: right answers pass, and each wrong one is told what is wrong."""

import numpy as np
import pytest

from pruneviz.lessons.checks import lesson_04b


def share(parts, kept):
    left = parts[:, kept].sum(axis=1)
    return np.sum((parts.sum(axis=1) - left) ** 2) / np.sum(parts.sum(axis=1) ** 2)


def by_error(parts, kept):
    gone = [i for i in range(parts.shape[1]) if i not in kept]
    whole = parts @ np.ones(parts.shape[1])
    return np.linalg.norm(parts[:, gone].sum(axis=1)) ** 2 / (whole @ whole)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (share, "Right."),
        (by_error, "Right."),
        (lambda p, k: np.sum(p[:, k].sum(1) ** 2) / np.sum(p.sum(1) ** 2), "that is what is left"),
        (lambda p, k: np.sum((p.sum(1) - p[:, k].sum(1)) ** 2), "Divide by that of the whole"),
        (lambda p, k: np.sqrt(share(p, k)), "ratio of the lengths"),
        (
            lambda p, k: np.sum(np.delete(p, k, 1) ** 2) / np.sum(p.sum(1) ** 2),
            "you squared the parts",
        ),
        (lambda p, k: np.delete(p, k, 1).sum() / p.sum(), "without squares"),
        (lambda p, _k: p.sum(1), "not an array of shape (60,)"),
        (lambda _p, _k: 0.5, "not 0.5000"),
        (lambda _p, _k: "half", "not 'half'"),
        (lambda _p, _k: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_lost_share(answer, told):
    assert told in lesson_04b.lost_share.verdict(answer)


def good(scales, price):
    return price * np.abs(scales).sum(), price * np.sign(scales)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (good, "Right."),
        (lambda s, _p: (np.abs(s).sum(), np.sign(s)), "value: you left out the price"),
        (lambda s, p: (p * s.sum(), p * np.sign(s)), "np.abs"),
        (lambda s, p: (p * (s**2).sum(), 2 * p * s), "this is L2"),
        (lambda s, p: (p * np.abs(s).mean(), p * np.sign(s)), "the mean"),
        (lambda s, p: (p * np.abs(s), p * np.sign(s)), "one number"),
        (lambda s, p: (good(s, p)[0], np.sign(s)), "slope: you left out the price"),
        (lambda s, p: (good(s, p)[0], np.full(len(s), p)), "slope is negative"),
        (lambda s, p: (good(s, p)[0], 2 * p * s), "slope of the squares"),
        (lambda s, p: (good(s, p)[0], p * np.abs(s)), "that is the size"),
        (lambda s, p: (good(s, p)[0], p), "each scale has its own"),
        (lambda s, p: (good(s, p)[0], -p * np.sign(s)), "slope: for scales"),
        (lambda s, p: p * np.abs(s).sum(), "return two things"),
        (lambda _s, _p: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_penalty(answer, told):
    verdict = lesson_04b.penalty.verdict(answer)
    assert told in verdict


PLACES = {"pytorch": (2, 3), "tensorflow": (1, 2)}


@pytest.mark.parametrize("track", ["pytorch", "tensorflow"])
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda m, t, p: np.abs(m).max(axis=p) <= t, "Right."),
        (lambda m, t, p: (np.abs(m) <= t).all(axis=p), "Right."),
        (lambda m, t, p: np.abs(m).max(axis=p) > t, "the maps to keep"),
        (lambda m, t, p: np.abs(m).max(axis=p) < t, "≤ instead of <"),
        (lambda m, t, p: m.max(axis=p) <= t, "take sizes first"),
        (lambda m, t, p: np.abs(m).mean(axis=p) <= t, "goes by the mean"),
        (lambda m, t, p: (np.abs(m) <= t).any(axis=p), "not only one"),
        (lambda m, t, p: np.abs(m).max(axis=(0, *p)) <= t, "is a mask"),
        (lambda m, t, _p: np.abs(m).max() <= t, "not ()"),
        (lambda m, t, p: (np.abs(m).max(axis=p) <= t).astype(int), "return True and False"),
        (lambda m, t, p: np.abs(m).sum(axis=p) <= t, "some of the 20"),
        (lambda _m, _t, _p: None, "returns nothing"),
    ],
)
def test_skips(answer, told, track):
    def asked(maps, threshold):
        return answer(maps, threshold, PLACES[track])

    assert told in lesson_04b.skips.verdict(asked, track=track)


@pytest.mark.parametrize(("track", "wrong"), [("pytorch", (1, 2)), ("tensorflow", (2, 3))])
def test_skips_knows_the_layouts(track, wrong):
    told = lesson_04b.skips.verdict(lambda m, t: np.abs(m).max(axis=wrong) <= t, track=track)
    assert "wrong axes" in told
    assert lesson_04b.skips.verdict(..., track=track).startswith("Not answered yet")


RIGHT = {"conv1": 117_600, "conv2": 160_000, "dense": 46_920}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "Right."),
        ({"conv2": 4 * 16 * 25 * 100}, "Right."),
        ({"conv1": 78_400}, "static pruning"),
        ({"conv2": 240_000}, "as it was"),
        ({"conv2": 120_000}, "its own four maps"),
        ({"conv2": 80_000}, "Asked is what is left"),
        ({"dense": 58_920}, "25 places"),
        ({"dense": 36_000}, "fc1 alone"),
        ({"dense": 58_440}, "25 inputs of fc1"),
        ({"dense": 12_000}, "Asked is what is left"),
        ({"dense": 1}, "dense: 1 is not right"),
        ({"conv1": "many"}, "give a number, not 'many'"),
        ({"fc1": 1}, "keys conv1, conv2, dense"),
    ],
)
def test_macs_left(wrong, told):
    assert told in lesson_04b.macs_left.verdict(RIGHT | wrong)


def test_macs_left_wants_a_dict():
    assert "keys conv1, conv2, dense" in lesson_04b.macs_left.verdict(324_520)
    assert sum(RIGHT.values()) == 324_520
