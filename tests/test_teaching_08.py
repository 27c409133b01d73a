"""The checks of lesson 08 let right answers pass, and name each mistake by its own sentence."""

import math

import numpy as np
import pytest

from pruneviz import schedules
from pruneviz.lessons.checks import lesson_08

HOW = {"epochs": 5, "rate": 0.001, "seed": 7}


def beside(make, sign=1):
    """Train the pruned arm, and the control that `make` makes; give what lies between them."""

    def price(start, train, right):
        pruned = train(start, share=0.8, **HOW)
        return sign * (right(make(start, train, pruned)) - right(pruned))

    return price


def control(**changes):
    return lambda start, train, _: train(start, share=0, **HOW | changes)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (beside(control()), "Right."),
        (beside(lambda start, train, _: train(start, 5, 0.001, 7)), "Right."),
        (
            lambda start, train, right: (
                right(train(start, 5, 1e-3, 7)) - right(train(start, 5, 1e-3, 7, 0.8))
            ),
            "Right.",
        ),
        (beside(lambda start, _train, _: start), "compares with the start"),
        (beside(lambda start, _train, _: start, sign=-1), "compares with the start"),
        (beside(control(), sign=-1), "turn the sign round"),
        (beside(lambda _start, train, pruned: train(pruned, share=0, **HOW)), "trains another network"),
        (beside(control(epochs=10)), "epochs=10, the pruned one 5"),
        (beside(control(rate=0.00025)), "rate=0.00025, the pruned one 0.001"),
        (beside(control(seed=8)), "seed=8, the pruned one 7"),
        (beside(lambda _start, _train, pruned: pruned), "no dense network was trained"),
        (lambda start, train, right: right(train(start, share=0, **HOW)), "no pruned network"),
        (lambda start, train, right: 1000 + beside(control())(start, train, right), "what lies between them"),
        (lambda start, train, _: train(start, share=0.8, **HOW), "should return one number"),
        (lambda _start, train, _: train(None, share=0.8, **HOW), "train takes a network first"),
        (lambda *_: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_price_of_zeros(answer, told):
    assert told in lesson_08.price_of_zeros.verdict(answer)


def plan(steps_of=lambda epochs, samples, batch: epochs * math.ceil(samples / batch), early=0, every=True):
    """Make an answer that counts the steps in this way."""

    def last(initial, final, begin, end, frequency, epochs, samples, batch):
        steps = min(steps_of(epochs, samples, batch), end)
        if steps < begin:
            return early if early is not None else initial
        cut = steps - (steps - begin) % frequency if every else steps
        return final + (initial - final) * (1 - (cut - begin) / (end - begin)) ** 3

    return last


def way(function):
    def last(initial, final, begin, end, _frequency, epochs, samples, batch):
        done = (epochs * math.ceil(samples / batch) - begin) / (end - begin)
        return function(min(max(done, 0), 1), initial, final)

    return last


def by_pruneviz(initial, final, begin, end, frequency, epochs, samples, batch):
    schedule, sparsity = schedules.polynomial(initial, final, begin, end, frequency=frequency), 0
    for step in range(1, epochs * math.ceil(samples / batch) + 1):
        if schedule.prunes_at(step):
            sparsity = schedule(step)
    return sparsity


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (plan(), "Right."),
        (by_pruneviz, "Right."),
        (lambda *parts: np.float32(plan()(*parts)), "Right."),
        (lambda _initial, final, *_: final, "the end of the plan"),
        (plan(early=None), "nothing is pruned"),
        (
            plan(lambda epochs, samples, batch: epochs * (samples // batch)),
            "round the batches of an epoch up",
        ),
        (way(lambda done, a, b: (b - a) * done**3), "printed formula"),
        (way(lambda done, a, b: a + (b - a) * done), "straight line"),
        (plan(lambda epochs, samples, batch: epochs * math.ceil(samples / batch) - 1), "cuts once more"),
        (plan(every=False), "stays there in between"),
        (plan(lambda epochs, samples, _: epochs * samples), "the end of the plan"),
        (plan(lambda _, samples, batch: math.ceil(samples / batch)), "all epochs count"),
        (lambda *_: 0.123, "is not what the network has after 1,600 steps."),
        (lambda *_: "much", "should return one number"),
        (lambda *_: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_last_sparsity(answer, told):
    assert told in lesson_08.last_sparsity.verdict(answer)


def test_the_articles_plans_end_where_the_lesson_says():
    plans = lesson_08._PLANS
    assert plans["Tram Ho's plan"].after(1_600) == pytest.approx(0.2894, abs=1e-4)
    assert plans["Kezmann's plan"].after(37_500) == 0.8


USELESS = np.arange(1_000) % 2 == 1
ODD, EVEN = np.flatnonzero(USELESS), np.flatnonzero(~USELESS)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (ODD, "Right."),
        (ODD.tolist(), "Right."),
        (set(ODD.tolist()), "name 500 inputs by their numbers"),
        (USELESS, "Right."),
        (np.r_[ODD[:440], EVEN[:60]], "Right."),
        (np.r_[ODD[:439], EVEN[:61]], "439 of your 500 are useless, and 440 are asked for"),
        (EVEN, "Are those the most useful ones?"),
        (np.r_[ODD[:300], EVEN[:200]], "the sizes of the weights 380. How much"),
        (ODD[:450], "500 different inputs; these are 450"),
        (np.r_[ODD[:499], ODD[0]], "499 of them different"),
        (ODD + 1_000, "0 to 999"),
        ("all", "name 500 inputs by their numbers"),
        (None, "Not answered yet"),
        (..., "Not answered yet"),
    ],
)
def test_useless_inputs(named, told):
    assert told in lesson_08.useless_inputs.verdict(named, useless=USELESS, by_size=380)
