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


def note(way, seed, correct, **changes):
    return {
        "way": way,
        "seed": seed,
        "epochs": 2,
        "sparsity": 0.95,
        "cuts": 1 if way == "one_shot" else 5,
        "correct": correct,
    } | changes


RUNS = [note("one_shot", seed, 4000 + seed) for seed in range(3)]
RUNS += [note("gradual", seed, 4500 - seed) for seed in range(3)]
RESULTS = {"one_shot": [4000, 4001, 4002], "gradual": [4500, 4499, 4498]}


def changed(place, **changes):
    return [{**run, **changes} if number == place else run for number, run in enumerate(RUNS)]


@pytest.mark.parametrize(
    ("results", "runs", "told"),
    [
        (RESULTS, RUNS, "Right."),
        (RESULTS | {"gradual": np.array([4498, 4499, 4500])}, RUNS[::-1], "Right."),
        ({"one_shot": [4000]}, RUNS, "give a dict"),
        ([4000, 4500], RUNS, "give a dict"),
        (RESULTS | {"one_shot": [4000, 4001]}, [*RUNS[:2], *RUNS[3:]], "one_shot: three seeds at least"),
        (RESULTS, [*RUNS, note("gradual", 3, 3900)], "4 runs were made and 3 are reported"),
        (RESULTS | {"gradual": [4500, 4499, 4600]}, RUNS, "not those of the runs"),
        (RESULTS | {"gradual": ["a", "b", "c"]}, RUNS, "gradual: give a list of counts"),
        (RESULTS | {"gradual": 4500}, RUNS, "gradual: give a list of counts"),
        (RESULTS, changed(0, seed=1), "a seed was used twice"),
        (RESULTS, changed(5, seed=7), "different seeds, [0, 1, 2] and [0, 1, 7]"),
        (RESULTS, changed(3, epochs=3), "not train equally long"),
        (RESULTS, [run | {"epochs": 1 + (run["seed"] == 2)} for run in RUNS], "not train equally long"),
        (RESULTS, changed(4, sparsity=0.9), "between 90.0% and 95.0%"),
        (RESULTS, changed(1, cuts=2), "a one-shot run prunes once"),
        (RESULTS, changed(3, cuts=1), "prunes more than once"),
        (..., RUNS, "Not answered yet"),
    ],
)
def test_fair_comparison(results, runs, told):
    assert told in lesson_05.fair_comparison.verdict(results, runs=runs)
