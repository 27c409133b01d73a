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


# price -> right before the cut and after it, as the lesson finds them
TRADE = {0.05: (4929, 4411), 0.1: (4872, 4734), 0.2: (4497, 4500), 0.15: (4600, 4600)}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"price": 0.1}, "Right."),
        ({"price": 0.1, "epochs": 4, "rate": 0.05}, "Right."),
        ({"price": 0.15}, "Right."),
        ({"price": 0.05}, "4,929 digits are right before the cut and 4,411 after it, of 4,600. The cut goes"),
        ({"price": 0.2}, "4,500 after it, of 4,600. The price was paid before the cut"),
        ({"price": 0.1, "epochs": 5}, "at most 4 epochs"),
        ({"price": -0.1}, "none below 0"),
        ({"price": "0.1"}, "are numbers"),
        ({"epochs": 2}, "a dict with a price"),
        ({"price": 0.1, "seed": 1}, "a dict with a price"),
        (0.1, "a dict with a price"),
        (..., "Not answered yet"),
    ],
)
def test_worth_its_price(answer, told):
    context = {
        "at_least": 4_600,
        "fine_tuned": lambda price, epochs=2, rate=0.1: TRADE[price],  # noqa: ARG005
        "right": lambda network: network[0],
        "halved": lambda network: network[1],
    }
    assert told in lesson_04b.worth_its_price.verdict(answer, **context)
