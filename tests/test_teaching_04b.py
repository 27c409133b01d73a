"""The checks of lesson 04b: right answers pass, and each wrong one is told what is wrong."""

import numpy as np
import pytest

from pruneviz.core.masks import Mask
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


def units(kept, granularity="channel"):
    return Mask({"fc1": np.arange(226) < kept}, granularity)


@pytest.mark.parametrize(
    ("answer", "right", "told"),
    [
        (units(67), 4900, "Right."),
        (units(20), 4999, "Right."),
        (units(67), 4899, "4,899 digits are right, and 4,900 are asked for"),
        (units(68), 4999, "68 of 226 units stay, and at most 67 may"),
        (units(67, "neuron"), 4999, "this is a mask of neurons"),
        ({"fc1": np.ones(3, bool)}, 4999, "give a mask"),
        (0.7, 4999, "give a mask"),
        (..., 4999, "Not answered yet"),
    ],
)
def test_few_and_right(answer, right, told):
    assert told in lesson_04b.few_and_right.verdict(answer, refitted=lambda _: right)
