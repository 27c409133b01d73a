"""Checks of the exercises of lesson 08."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pruneviz.teaching.exercises import Wrong, exercise, first_mistake, number

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array

# Answers come from learners: they can be anything.
Answer = Any


class Network(NamedTuple):
    """A made-up network: whose copy it is, how it was trained, and how many answers it gets right."""

    start: object
    how: dict[str, float]
    right: int


class Bench:
    """A made-up place to train: what an arm gains depends on its epochs, rate, seed and zeros."""

    def __init__(self, number: int) -> None:
        self.rng = np.random.default_rng(number)
        self.start = Network(None, {}, int(self.rng.integers(9_700, 9_790)))
        self.gain, self.cost = int(self.rng.integers(20, 60)), int(self.rng.integers(5, 80))
        self.made: list[Network] = []

    def train(self, network: object, epochs: float, rate: float, seed: float, share: float = 0) -> Network:
        """Train a copy of a network."""
        if not isinstance(network, Network):
            raise Wrong("train takes a network first: start.")
        luck = int(np.random.default_rng([int(seed), 3]).integers(-12, 12))
        gained = round(self.gain * epochs / 5 * (0.001 / rate) ** 0.3) + luck
        how = {"epochs": epochs, "rate": rate, "seed": seed, "share": share}
        self.made.append(Network(network, how, network.right + gained - round(self.cost * share / 0.8)))
        return self.made[-1]

    @property
    def dense(self) -> list[Network]:
        """The networks trained without zeros."""
        return [network for network in self.made if not network.how["share"]]


_HOW: dict[str, float] = {"epochs": 5, "rate": 0.001, "seed": 7}


@exercise(right="The control has everything but the zeros, so what is left between the two is theirs.")
def price_of_zeros(price: Answer) -> str | None:
    """Judge ``price(start, train, right)`` at five made-up benches whose truth is known."""
    for seed in range(5):
        bench = Bench(seed)
        given = _number(price(bench.start, bench.train, lambda network: network.right), "price")
        made = bench.made
        truth = bench.train(bench.start, **_HOW).right - bench.train(bench.start, share=0.8, **_HOW).right
        del made[-2:]
        if given != truth:
            return _why_not_the_price(bench, given, truth)
    return None


def _why_not_the_price(bench: Bench, given: float, truth: float) -> str:
    pruned = next((network for network in bench.made if network.how["share"]), None)
    if pruned is None:
        return "no pruned network was trained: leave its line as it stands."
    moving = bench.start.right - pruned.right
    mistakes = {
        "it compares with the start, which stood still while the pruned one trained for five epochs.": given
        in (moving, -moving),
        "turn the sign round: a price is above zero where the zeros cost right answers.": given == -truth,
        "no dense network was trained: the control is one, with share=0.": not bench.dense,
    }
    if told := first_mistake(mistakes):
        return told
    control = bench.dense[-1]
    if control.start is not bench.start:
        return "the control trains another network: let it begin where the pruned one began, at start."
    for name, value in _HOW.items():
        if control.how[name] != value:
            told = f"the control has {name}={control.how[name]:g}, the pruned one {value:g}"
            return f"{told}: share alone may differ."
    return f"both arms are right; then {truth} is what lies between them, and not {given:g}."


class Plan(NamedTuple):
    """What decides how sparse a network ends."""

    initial: float
    final: float
    begin: int
    end: int
    frequency: int
    epochs: int
    samples: int
    batch: int

    @property
    def steps(self) -> int:
        """The steps that are made."""
        return self.epochs * math.ceil(self.samples / self.batch)

    def curve(self, step: float) -> float:
        """Give the formula's sparsity, were it cut at every step."""
        return (
            self.final
            + (self.initial - self.final) * (1 - (step - self.begin) / (self.end - self.begin)) ** 3
        )

    def after(self, steps: int) -> float:
        """Give the sparsity after so many steps."""
        steps = min(steps, self.end)
        return self.curve(steps - (steps - self.begin) % self.frequency) if steps >= self.begin else 0


_PLANS = {
    "Tram Ho's plan": Plan(0.0, 0.75, 1_000, 5_000, 100, 200, 8_000, 1_024),
    "Kezmann's plan": Plan(0.5, 0.8, 2_000, 4_000, 100, 20, 60_000, 32),
    "a repaired plan": Plan(0.0, 0.75, 200, 1_200, 100, 200, 8_000, 1_024),
    "two epochs of Kezmann's": Plan(0.5, 0.8, 2_000, 4_000, 100, 2, 50_000, 32),
    "one epoch of Kezmann's": Plan(0.5, 0.8, 2_000, 4_000, 100, 1, 50_000, 32),
}


@exercise(right="28.9% for Tram Ho, and 80% for Kezmann, whose ramp ends in the third epoch of twenty.")
def last_sparsity(function: Answer) -> str | None:
    """Judge the sparsity at the last step: of the articles' plans, of a repaired one, and of short ones."""
    for name, plan in _PLANS.items():
        given = _number(function(*plan), "last_sparsity")
        if abs(given - plan.after(plan.steps)) > 5e-4:
            return f"{name}: {_why_not_so_sparse(plan, given)}"
    return None


def _why_not_so_sparse(plan: Plan, given: float) -> str:
    way = min(max((plan.steps - plan.begin) / (plan.end - plan.begin), 0), 1)
    known = {
        "all epochs count, not one.": plan.after(plan.steps // plan.epochs),
        "that is the end of the plan. How many steps are made?": plan.final,
        "the ramp begins there, but its first cut never comes: nothing is pruned.": plan.initial,
        "the last, smaller batch is a step too: round the batches of an epoch up.": plan.after(
            plan.epochs * (plan.samples // plan.batch)
        ),
        "that is the article's printed formula; the tool's is in lesson 05.": (plan.final - plan.initial)
        * way**3,
        "a straight line would be there. The formula has a third power.": plan.initial
        + (plan.final - plan.initial) * way,
        "it cuts every so many steps, and stays there in between.": plan.curve(min(plan.steps, plan.end)),
        "after the end of the ramp the sparsity stays where it is.": plan.curve(plan.steps),
        "the tool counts steps from 1: at the last one it cuts once more.": plan.after(plan.steps - 1),
        "divide the samples by the batch: an epoch has fewer steps.": plan.after(plan.epochs * plan.samples),
    }
    told = f"{given:.4f} is not what the network has after {plan.steps:,} steps"
    why = next((sentence for sentence, value in known.items() if abs(given - value) < 5e-4), None)
    return f"{told}: {why}" if why else f"{told}."


@exercise(right="The network knows which inputs it does not use. Ask its outputs.")
def useless_inputs(named: Answer, *, useless: Array, by_size: int, target: int = 440) -> str | None:
    """Judge 500 inputs that a learner believes useless: their numbers, or one True or False an input."""
    try:
        given = np.asarray(named)
        given = np.flatnonzero(given) if given.dtype == bool and given.shape == useless.shape else given
        numbers = set(given.astype(int).ravel().tolist())
    except (TypeError, ValueError):
        return f"name 500 inputs by their numbers; this is {named!r}."
    wanted = int(useless.sum())
    if given.size != wanted or len(numbers) != wanted:
        return f"name {wanted} different inputs; these are {given.size}, {len(numbers)} of them different."
    if not numbers <= set(range(len(useless))):
        return f"the inputs have the numbers 0 to {len(useless) - 1}."
    hits = int(useless[sorted(numbers)].sum())
    if hits >= target:
        return None
    return (
        f"{hits} of your {wanted} are useless, and {target} are asked for. Chance gets about {wanted // 2}, "
        f"the sizes of the weights {by_size}. {'Are those the most useful ones? ' * (hits < wanted // 3)}"
        "How much does the output move with each input?"
    )


def _number(answer: Answer, name: str) -> float:
    return number(answer, f"{name} should return one number; this is {answer!r}.")
