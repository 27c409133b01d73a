"""Checks of the exercises of lesson 02a."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.exercises import close, exercise, first_mistake, known_mistake, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pruneviz.core.arrays import Array

# Answers come from learners: they can be anything.
Answer = Any

_NEURONS = "it must return a list of neurons, in the order in which they went."


@exercise(right="It is quieter than most, and one digit would miss it more than all others together.")
def quiet_specialist(neuron: Answer, *, activity: Array, lost: Array) -> str | None:
    """Judge a neuron's number: activity (neurons,) below the median, and one digit bears most of its loss.

    ``lost`` is (neurons, digits): right answers lost when each neuron alone is silent.
    """
    given = np.asarray(neuron)
    if given.ndim or not np.issubdtype(given.dtype, np.integer) or not 0 <= given < len(activity):
        return f"give the number of one neuron, from 0 to {len(activity) - 1}."
    total, most = int(lost[neuron].sum()), int(lost[neuron].max())
    mistakes = {
        "this one is not quiet: its activity is not below the median.": activity[neuron]
        >= np.median(activity),
        "without this one no answer is lost, so no digit depends on it. Quiet it is; a specialist "
        "not.": not total,
        f"without it {total} answers are lost, and the worst digit bears {most}: not most of them.": 2 * most
        <= total,
        f"only {total} answers are lost without it: too few to call it a specialist. Ask for five.": total
        < 5,
    }
    return first_mistake(mistakes)


@exercise(right="The next layer receives on average what it received before, and the neurons may go.")
def average_left_behind(new_bias: Answer, *, framework: str) -> str | None:
    """Judge ``new_bias(sent, gone, next_weight, next_bias)``.

    Weights have the framework's layout: (out, in) in PyTorch, (in, out) in Keras.
    """
    rng = np.random.default_rng(3)
    sent, weight, bias = np.maximum(rng.normal(size=(9, 6)), 0), rng.normal(size=(4, 6)), rng.normal(size=4)
    for gone in (np.arange(6) % 3 == 0, np.arange(6) > 3):
        given = new_bias(sent.copy(), gone.copy(), weight.T if framework == "keras" else weight, bias.copy())
        parts = weight[:, gone] * sent[:, gone].mean(axis=0)
        mistakes = {
            "these are the old biases: nothing is left behind.": bias,
            "this is what to add. Return the biases with it, not it alone.": parts.sum(axis=1),
            "it goes the wrong way: what the next layer no longer receives is added, not taken away.": bias
            - parts.sum(axis=1),
            "it adds what all neurons send. Those that stay still send it themselves: take the columns "
            "of `gone`.": bias + weight @ sent.mean(axis=0),
            "it adds what the neurons that stay send. The others go.": bias
            + weight[:, ~gone] @ sent[:, ~gone].mean(axis=0),
            "it adds the sum over the images, not their average.": bias + len(sent) * parts.sum(axis=1),
            "it adds the averages of the neurons without the weights that multiply them.": bias
            + sent[:, gone].mean(axis=0).sum(),
            "the average is taken over the images on which a neuron fires. It is silent on the others, "
            "and that counts.": bias
            + weight[:, gone] @ (sent[:, gone].sum(axis=0) / np.maximum((sent[:, gone] > 0).sum(axis=0), 1)),
        }
        if close(given, bias + parts.sum(axis=1)):
            continue
        if np.shape(given) != bias.shape:
            return f"return 4 biases, one for each neuron of the next layer, not shape {np.shape(given)}."
        return known_mistake(given, mistakes) or (
            "the next layer does not receive what it received on average. Each neuron that goes used to "
            "send its mean activity, times one weight for each neuron of the next layer."
        )
    return None


@exercise(right="Each neuron is the least harmful at its step, given those that are gone already.")
def greedy_choice(greedy: Answer) -> str | None:
    """Judge ``greedy(harm, neurons, count)``: a list, re-scored after each removal."""
    for seed in range(4):
        harm, neurons = _harm_with_stand_ins(seed), list(range(7))
        right, single = _re_scored(harm, neurons, 3), sorted(neurons, key=lambda i: harm([i]))
        given = whole_numbers(greedy(harm, neurons, 3), _NEURONS)
        if neurons != list(range(7)):
            return "the list of neurons that it was given has changed. Work on a copy: list(neurons)."
        mistakes = {
            f"asked for 3 neurons, it returns {len(given)}.": len(given) != 3,
            "one neuron is removed twice. What is gone is no candidate any more.": len(set(given))
            < len(given),
            "these are the three lowest of one ranking. Score again after each removal: harm(removed + "
            "[neuron]), with those that are gone already.": given == single[:3],
            "it begins with the most harmful one. Take the smallest harm, not the largest.": given[:1]
            == single[-1:],
            f"the right three in another order. Return them as they went: {right}.": sorted(given)
            == sorted(right),
            f"its choice is {given}, but at each step the least harmful are {right}.": True,
        }
        if given != right:
            return first_mistake(mistakes)
    return None


def _harm_with_stand_ins(seed: int) -> Callable[[Sequence[int]], float]:
    """Invent seven neurons that stand in for each other: each costs little while the other is there."""
    rng = np.random.default_rng(seed)
    alone = np.sort(rng.uniform(1, 2, 7))
    pairs = np.zeros((7, 7))
    pairs[0, 1] = pairs[1, 2] = pairs[0, 2] = 9
    names = rng.permutation(7)

    def harm(removed: Sequence[int]) -> float:
        gone = np.isin(names, np.asarray(removed, int)).astype(float)
        return float(alone @ gone + gone @ pairs @ gone)

    return harm


def _re_scored(harm: Callable[[Sequence[int]], float], neurons: Sequence[int], count: int) -> list[int]:
    removed: list[int] = []
    for _ in range(count):
        rest = [neuron for neuron in neurons if neuron not in removed]
        removed.append(min(rest, key=lambda neuron: harm([*removed, neuron])))
    return removed


@exercise(right="Without a label: what a neuron sends and how it is heard were enough.")
def no_labels(
    choose: Answer, *, sent: Array, into: Array, right: Callable[[list[int]], int], target: int
) -> str | None:
    """Judge ``choose(sent, into)``: 200 neurons without which ``right`` counts at least ``target``."""
    given = whole_numbers(choose(sent.copy(), into.copy()), _NEURONS)
    count = into.shape[1]
    mistakes = {
        f"return 200 neurons, not {len(given)}.": len(given) != 200,
        "one neuron is in it twice.": len(set(given)) < len(given),
        f"the neurons have the numbers 0 to {count - 1}.": not set(given) <= set(range(count)),
    }
    wrong = first_mistake(mistakes)
    if wrong or (kept := right(given)) >= target:
        return wrong
    rest = [neuron for neuron in range(count) if neuron not in given]
    wrong_end = " The other 100 would be missed less: is it the wrong end?" if kept < right(rest) else ""
    return (
        f"without these 200, {kept:,} stay right, and the target is {target:,}.{wrong_end} Activity alone "
        "says what a neuron sends, its weights into fc2 alone how it is heard."
    )
