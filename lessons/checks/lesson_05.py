"""Checks of the exercises of lesson 05."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import schedules
from pruneviz.teaching.exercises import Wrong, close, exercise, known_mistake, members, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Answers come from learners: they can be anything.
Answer = Any

# Tram Ho's training: 8,000 of 10,000 samples, batches of 1,024, 200 epochs; tfmot prunes at every 100th step.
STEPS = 8 * 200
TARGET, FREQUENCY, STEPS_AFTER = 0.75, 100, 160


@exercise(right="It starts at S_0, ends at S_e, never falls, and equals what tfmot computes.")
def cubic_schedule(sparsity: Answer) -> str | None:
    """Judge ``sparsity(step, initial, final, begin, end)``, the cubic schedule of Zhu and Gupta."""
    for initial, final, begin, end in ((0.5, 0.8, 2000, 4000), (0.0, 0.75, 0, 100), (0.2, 0.9, 10, 17)):
        right = schedules.polynomial(initial, final, begin, end)
        inside = np.linspace(begin, end, 8)
        answers = [sparsity(step, initial, final, begin, end) for step in inside]
        hint = "it should return one number, the sparsity, not"
        given = np.array([number(one, f"{hint} {one!r}.") for one in answers])
        asked = f"from {initial:g} to {final:g}"
        if close(given, [right(step) for step in inside]):
            before, after = max(begin - (end - begin), 0), end + (end - begin)
            if begin and not close(sparsity(before, initial, final, begin, end), initial):
                return f"inside the ramp it is right. But before it, at step {before}, it is {initial}."
            if not close(sparsity(after, initial, final, begin, end), final):
                return f"inside the ramp it is right. But after it, at step {after}, it stays at {final}."
            continue
        progress, span = (inside - begin) / (end - begin), final - initial
        mistakes = {
            f"asked for a ramp {asked}, it ends at {span:.2g}: this is the article's formula, which runs "
            "from 0 to S_e - S_0.": span * progress**3,
            "the ends are right, but it starts slowly and ends fast. The power belongs to what is left of "
            "the way, 1 - progress.": initial + span * progress**3,
            "this is a straight line. What is missing is the power of 3.": initial + span * progress,
            f"asked for a ramp {asked}, it goes from {final:g} to {initial:g}: the ends are swapped.": initial
            + span * (1 - progress) ** 3,
            f"asked for a ramp {asked}, it goes from 0 to 1. Stretch it to the two ends.": 1
            - (1 - progress) ** 3,
            f"asked for a ramp {asked}, it starts at {span:.2g} and ends at 0: that is what is still to be "
            "pruned. Take it from S_e.": span * (1 - progress) ** 3,
            "the power should be 3.": final - span * (1 - progress) ** 2,
        }
        if sentence := known_mistake(given, mistakes):
            return sentence
        return (
            f"for a ramp {asked} from step {begin} to step {end}, it says {given[4]:.3f} at step "
            f"{inside[4]:g}, where tfmot has {right(inside[4]):.3f}."
        )
    return None


@exercise(right="All 75% are reached within the 1,600 steps, and training is left to mend the last cut.")
def repaired_steps(begin: Answer, end: Answer) -> str | None:
    """Judge begin_step and end_step of a ramp to 75% in a training of 1,600 steps."""
    first, last = (_step(value, name) for value, name in ((begin, "begin_step"), (end, "end_step")))
    if (first, last) == (1000, 5000):
        return "these are the article's. How many steps does its training have?"
    if first >= last:
        return f"the ramp begins at step {first:,} and ends at {last:,}: it needs some way between."
    ramp = schedules.polynomial(0, TARGET, first, last, frequency=FREQUENCY)
    cuts = [step for step in range(STEPS + 1) if ramp.prunes_at(step)]
    reached = ramp(cuts[-1]) if cuts else 0.0
    if last > STEPS:
        return (
            f"the training ends at step {STEPS:,}, the ramp at {last:,}. By then {100 * reached:.1f}% are "
            "reached."
        )
    if reached < TARGET - 0.0005:
        return (
            f"it prunes at step {first:,} and at every {FREQUENCY}th after it, so for the last time at "
            f"{cuts[-1]:,}, and gets to {100 * reached:.1f}%. Let end - begin be a multiple of {FREQUENCY}."
        )
    if STEPS - last < STEPS_AFTER:
        return (
            f"the target is reached, but only {STEPS - last} steps of training follow. Leave at least a "
            f"tenth of the {STEPS:,}."
        )
    return None


@exercise(right="The worst of your runs is ahead of the best of the cubic's, at equal training.")
def beats_the_cubic(yours: Answer, *, cubic: Sequence[Mapping[str, Any]]) -> str | None:
    """Judge runs, each a dict of its seed, epochs, sparsity (in the end) and correct, beside the cubic's."""
    runs = _runs(yours)
    seeds, theirs = ([run["seed"] for run in part] for part in (runs, cubic))
    if len(set(seeds)) < len(seeds):
        return "a seed was used twice; each run needs its own."
    if set(seeds) != set(theirs):
        return f"take the seeds of the cubic's runs, {sorted(theirs)}; yours are {sorted(seeds)}."
    epochs = {run["epochs"] for run in (*runs, *cubic)}
    if len(epochs) > 1:
        return f"the runs do not train equally long: there are {_listed(sorted(epochs))} epochs."
    target = min(run["sparsity"] for run in cubic)
    least = min(run["sparsity"] for run in runs)
    if least < target - 0.0005:
        return f"your schedule prunes {100 * least:.1f}% by the last step; {100 * target:.0f}% are asked for."
    worst, best = min(run["correct"] for run in runs), max(run["correct"] for run in cubic)
    if worst <= best:
        return (
            f"your worst run has {worst:,} digits right, the cubic's best {best:,}. Try how often it cuts, "
            "how early it takes most, and how much training it leaves for the end."
        )
    return None


def _runs(runs: Answer) -> list[Mapping[str, Any]]:
    names = {"seed", "epochs", "sparsity", "correct"}
    hint = "give the list of your runs: [race(your_schedule, seed) for seed in range(3)]."
    given = members(runs, hint)
    if not given or not all(hasattr(run, "keys") and names <= set(run) for run in given):
        raise Wrong(hint)
    return given


def _listed(values: Sequence[object]) -> str:
    return " and ".join(map(str, values))


def _step(value: Answer, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
        raise Wrong(f"{name} is a whole number of steps from 0, not {value!r}.")
    return int(value)
