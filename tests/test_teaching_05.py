"""The checks of lesson 05 let right answers pass, and name each mistake by its own sentence."""

import numpy as np
import pytest

from pruneviz import schedules
from pruneviz.lessons.checks import lesson_05


def ramp(shape):
    """Clamp a formula of progress and the two ends to the ramp, as the exercise asks."""

    def sparsity(step, initial, final, begin, end):
        progress = min(max((step - begin) / (end - begin), 0), 1)
        return shape(progress, initial, final)

    return sparsity


def unclamped(step, initial, final, begin, end):
    return final + (initial - final) * (1 - (step - begin) / (end - begin)) ** 3


def late(step, initial, final, begin, end):
    return initial if step < begin else unclamped(step, initial, final, begin, end)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ramp(lambda p, a, b: b + (a - b) * (1 - p) ** 3), "Right."),
        (lambda step, *ends: schedules.polynomial(*ends)(step), "Right."),
        (lambda step, *ends: np.float32(schedules.polynomial(*ends)(step)), "Right."),
        (ramp(lambda p, a, b: (b - a) * p**3), "the article's formula"),
        (ramp(lambda p, a, b: a + (b - a) * p**3), "starts slowly"),
        (ramp(lambda p, a, b: a + (b - a) * p), "straight line"),
        (ramp(lambda p, a, b: a + (b - a) * (1 - p) ** 3), "swapped"),
        (ramp(lambda p, _a, _b: 1 - (1 - p) ** 3), "from 0 to 1"),
        (ramp(lambda p, a, b: (b - a) * (1 - p) ** 3), "still to be pruned"),
        (ramp(lambda p, a, b: b - (b - a) * (1 - p) ** 2), "power should be 3"),
        (ramp(lambda p, a, b: b + (a - b) * (1 - p) ** 4), "where tfmot has"),
        (unclamped, "before it, at step 0, it is 0.5"),
        (late, "it stays at 0.8"),
        (lambda step, a, b, t, e: unclamped(min(step, e), a, b, t, e), "at step 0, it is 0.5"),
        (lambda *_: "half", "should return one number"),
        (lambda step: step, "stops with TypeError"),
        (lambda *_: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_cubic_schedule(answer, told):
    assert told in lesson_05.cubic_schedule.verdict(answer)


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        (200, 1200, "Right."),
        (0, 1400, "Right."),
        (np.int64(100), 1400, "Right."),
        (1000, 5000, "the article's"),
        (1000, 1600, "only 0 steps of training follow"),
        (300, 1500, "only 100 steps"),
        (400, 2400, "By then 70.2% are reached"),  # 0.75 * (1 - 0.4**3) at step 1,600
        (1700, 2000, "By then 0.0%"),
        (250, 700, "for the last time at 650, and gets to 74.9%"),
        (25, 125 + 50, "for the last time at 125, and gets to 72.2%"),  # in epochs, not in steps
        (1200, 200, "needs some way between"),
        (200, 200, "needs some way between"),
        (-100, 1200, "begin_step is a whole number"),
        (200, 1200.0, "end_step is a whole number"),
        (True, 1200, "begin_step is a whole number"),
        (200, "all", "end_step is a whole number"),
        (..., 1200, "Not answered yet"),
    ],
)
def test_repaired_steps(begin, end, told):
    assert told in lesson_05.repaired_steps.verdict(begin, end)


def runs(*counts, **changes):
    note = {"epochs": 2, "sparsity": 0.98}
    return [{**note, "seed": seed, "correct": count, **changes} for seed, count in enumerate(counts)]


CUBIC = runs(3231, 4416, 4162)


@pytest.mark.parametrize(
    ("yours", "told"),
    [
        (runs(4813, 4802, 4700), "Right."),
        (tuple(reversed(runs(4813, 4802, 4417))), "Right."),
        (runs(4813, 4802, 4416), "your worst run has 4,416 digits right, the cubic's best 4,416"),
        (runs(4813, 4802), "take the seeds of the cubic's runs, [0, 1, 2]; yours are [0, 1]"),
        (runs(4813, 4802, 4700, seed=0), "a seed was used twice"),
        (runs(4813, 4802, 4700, epochs=3), "there are 2 and 3 epochs"),
        (runs(4813, 4802, 4700, sparsity=0.9), "prunes 90.0% by the last step; 98% are asked for"),
        (runs(4813, 4802, 4700, sparsity=0.98 - 1e-6), "Right."),
        ([4813, 4802, 4700], "give the list of your runs"),
        ({"seed": 0}, "give the list of your runs"),
        ([], "give the list of your runs"),
        (schedules.one_shot(0.98), "give the list of your runs"),
        (0.98, "give the list of your runs"),
        (..., "Not answered yet"),
    ],
)
def test_beats_the_cubic(yours, told):
    assert told in lesson_05.beats_the_cubic.verdict(yours, cubic=CUBIC)
