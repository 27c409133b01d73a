"""Checks of the exercises of lesson 06b."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.exercises import exercise, first_mistake, members, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.core.arrays import Array

# Answers come from learners: they can be anything.
Answer = Any
Costs = dict[str, tuple[float, float]]

_RIVALS: tuple[Costs, ...] = (
    {"dense": (80, 900), "thin": (90, 200), "small": (85, 430), "bad": (95, 500)},
    {"a": (10, 5), "b": (10, 7), "c": (20, 5), "d": (9, 8)},
    {"one": (10, 5), "twin": (10, 5), "worse": (11, 6)},
    {"only": (3, 3)},
)


@exercise(right="What is left are the choices: whoever wants fewer bytes than one of them pays in errors.")
def nobody_better(front: Answer) -> str | None:
    """Judge ``front(costs)``: costs is name -> (errors, bytes), and the names that nobody beats come back."""
    for costs in _RIVALS:
        answer = front(dict(costs))
        given = set(members(answer, f"return the names in a list; this is {answer!r}."))
        right = _front(costs, lambda a, b: a[0] <= b[0] and a[1] <= b[1] and a != b)
        if given != right:
            return _why_not(costs, given, right)
    return None


def _front(costs: Costs, beats: Callable[[tuple[float, float], tuple[float, float]], bool]) -> set[str]:
    return {name for name, own in costs.items() if not any(beats(one, own) for one in costs.values())}


def _why_not(costs: Costs, given: set[object], right: set[str]) -> str:
    def winners(pick: Callable[..., float]) -> set[str]:
        best = [pick(cost[axis] for cost in costs.values()) for axis in (0, 1)]
        return {name for name, cost in costs.items() if any(cost[axis] == best[axis] for axis in (0, 1))}

    strict = _front(costs, lambda a, b: a[0] < b[0] and a[1] < b[1])
    alike = _front(costs, lambda a, b: a[0] < b[0] or a[1] < b[1])
    turned = _front(costs, lambda a, b: a[0] >= b[0] and a[1] >= b[1] and a != b)
    itself: set[str] = set()
    mistakes = {
        f"{sorted(map(str, given - set(costs)))} are no names of {list(costs)}.": bool(given - set(costs)),
        f"of {costs} nobody is left: does each beat itself? A rival has to be better in something.": given
        == itself,
        f"of {costs} you keep one that is no better in anything, and worse in something.": given == strict,
        f"of {costs} you keep only who beats all others in both.": given == alike,
        f"of {costs} you keep the worst: fewer errors and fewer bytes are better.": given == turned,
        f"of {costs} you keep who is best in one currency. Those between are choices too.": given
        == winners(min),
    }
    missing, extra = sorted(right - given), sorted(map(str, given - right))
    told = f"nobody beats {missing[0]!r}" if missing else f"somebody beats {extra[0]!r}"
    return first_mistake(mistakes) or f"of {costs}, {told}."


class World:
    """A machine with a clock of its own: a first call warms up, half way it slows down, some calls hang."""

    def __init__(self, number: int, rounds: int) -> None:
        rng = np.random.default_rng(number)
        self.time, self.calls, self.rounds = 0.0, 0, rounds
        self.costs = {"one": 1.0, "other": float(rng.uniform(0.2, 5))}
        self.slow, self.rng, self.cold = float(rng.choice([0.5, 2.0])), rng, {"one", "other"}

    @property
    def truth(self) -> float:
        """How many times faster the other is."""
        return self.costs["one"] / self.costs["other"]

    def clock(self) -> float:
        """Tell the time."""
        return self.time

    def call(self, name: str) -> None:
        """Let the time pass that a call takes."""
        spent = (
            self.costs[name] * (self.slow if self.calls >= self.rounds else 1) * self.rng.uniform(0.99, 1.01)
        )
        if name in self.cold:
            spent *= 100
            self.cold.remove(name)
        if self.rng.random() < 0.05:
            spent *= 40
        self.time, self.calls = self.time + spent, self.calls + 1


_ROUNDS, _WORLDS = 40, 10


@exercise(right="Within five per cent in all ten worlds: warm up, take turns, and trust no single round.")
def fair_timing(times_faster: Answer) -> str | None:
    """Judge ``times_faster(one, other, clock, rounds)`` in ten made-up worlds whose truth is known."""
    for turn in range(_WORLDS):
        world = World(turn, _ROUNDS)
        answer = times_faster(
            lambda w=world: w.call("one"), lambda w=world: w.call("other"), world.clock, _ROUNDS
        )
        given = number(answer, f"return one number, how many times faster the other is; this is {answer!r}.")
        if not world.calls:
            return "it calls neither of the two: time one() and other() by the clock() that you are given."
        if abs(given / world.truth - 1) > 0.05:
            return _why_unfair(turn, given, world.truth)
    return None


def _why_unfair(number: int, given: float, truth: float) -> str:
    """Try what people do in the same world, and tell whose number it is."""
    known = {
        "turn it round: the time of one, over the time of the other.": 1 / truth,
        "one call in twenty hangs, and a mean believes it. Take the median, or the lowest.": _tried(
            number, _means
        ),
        "half way the machine changed its pace, and a median of each falls between the two. Compare them in "
        "each round, and take the median of that.": _tried(number, _two_medians),
        "the machine changed its pace while you timed one after the other. Let them take turns.": _tried(
            number, _in_a_row
        ),
        "the first call of each warms up: call both once before you look at the clock.": _tried(
            number, _once
        ),
    }
    told = f"in a world where the truth is {truth:.2f} you say {given:.2f}"
    why = next((sentence for sentence, value in known.items() if abs(given / value - 1) < 0.02), None)
    return (
        f"{told}: {why}" if why else f"{told}. Is there a warm-up, do they take turns, does one round rule?"
    )


def _tried(number: int, way: Callable[..., float]) -> float:
    world = World(number, _ROUNDS)

    def spent(name: str) -> float:
        start = world.clock()
        world.call(name)
        return world.clock() - start

    return way(spent)


def _means(spent: Callable[[str], float]) -> float:
    spent("one"), spent("other")
    rounds = [(spent("one"), spent("other")) for _ in range(_ROUNDS)]
    return sum(a for a, _ in rounds) / sum(b for _, b in rounds)


def _two_medians(spent: Callable[[str], float]) -> float:
    spent("one"), spent("other")
    rounds = [(spent("one"), spent("other")) for _ in range(_ROUNDS)]
    return float(np.divide(*np.median(rounds, axis=0)))


def _in_a_row(spent: Callable[[str], float]) -> float:
    spent("one"), spent("other")
    one = [spent("one") for _ in range(_ROUNDS)]
    return float(np.median(one) / np.median([spent("other") for _ in range(_ROUNDS)]))


def _once(spent: Callable[[str], float]) -> float:
    return spent("one") / spent("other")


@exercise(right="The file alone does it, and it is small enough.")
def sixty_kilobytes(path: Answer, answers: Answer, *, fits: tuple[Array, Array], target: int) -> str | None:
    """Judge a file of at most 60,000 bytes, and ``answers(path, images)``, which reads it."""
    if not isinstance(path, str | Path) or not Path(path).is_file():
        return f"the path of a file comes first; this is {path!r}."
    size, (images, labels) = Path(path).stat().st_size, fits
    if size > 60_000:
        return f"{size:,} bytes are more than 60,000."
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(path, Path(folder) / f"copy{Path(path).suffix}")
        given = np.asarray(answers(copy, images))
    if given.shape != labels.shape:
        return (
            f"give a digit for each of the {len(labels):,} images, and not an array of shape {given.shape}."
        )
    right = int((given == labels).sum())
    if right < target:
        return f"{size:,} bytes, and {right:,} of {len(labels):,} right: {target:,} are asked for."
    return None
