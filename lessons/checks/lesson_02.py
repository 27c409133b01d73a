"""Checks of the exercises of lesson 02."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.exercises import Wrong, close, exercise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pruneviz.core.arrays import Array

# Answers come from learners: they can be anything.
Answer = Any

_LINE = {"torch": "row", "keras": "column"}


@exercise(right="The smaller arrays compute what the masked ones do, and you know what went with the neuron.")
def neuron_removed(take_out: Answer, fewer: Answer, *, framework: str) -> str | None:
    """Judge ``take_out(weight, bias, next_weight, neuron)``, and the parameters that fc1 and fc2 lose.

    Arrays have the framework's layout: (out, in) in PyTorch, (in, out) in Keras.
    """
    rng = np.random.default_rng(5)
    weight, bias, following = rng.normal(size=(6, 4)), rng.normal(size=6), rng.normal(size=(3, 6))
    turn = np.transpose if framework == "keras" else np.asarray
    for neuron in (2, 0, 5):
        answer = take_out(turn(weight).copy(), bias.copy(), turn(following).copy(), neuron)
        given = _three_arrays(answer, framework)
        wrong = _wrong_shapes(given, (weight, bias, following), framework)
        if wrong:
            return wrong
        kept = np.arange(6) != neuron
        if not all(map(close, given, (weight[kept], bias[kept], following[:, kept]))):
            return (
                f"asked for neuron {neuron}, it leaves arrays of the right shapes with other values: the "
                "same neuron must go from all three, and the others keep their order."
            )
    return _wrong_count(fewer)


def _three_arrays(answer: Answer, framework: str) -> list[Array]:
    """Read three arrays, and lay them out as (out, in)."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        raise Wrong("return three arrays: the layer's weights, its biases, the next layer's weights.")
    arrays = [np.asarray(array) for array in answer]
    return [array.T if framework == "keras" else array for array in arrays]


def _wrong_shapes(given: Sequence[Array], whole: Sequence[Array], framework: str) -> str | None:
    line, other = _LINE[framework], _LINE["keras" if framework == "torch" else "torch"]
    weight, bias, following = shapes = tuple(array.shape for array in given)
    mistakes = {
        "nothing is smaller. Zeros are a mask; here the entries have to go (np.delete).": shapes
        == tuple(array.shape for array in whole),
        f"the layer lost an input, not a neuron. A neuron is a {line} of its weights: turn the axis.": weight
        == (6, 3),
        f"the layer's weights have the shape of {weight}, as (out, in). Take out one {line} of 6.": weight
        != (5, 4),
        "the neuron's bias is still there. It has to go too.": bias == (6,),
        f"the next layer still reads 6 neurons. The {other} of its weights that reads this one goes "
        "too.": following == (3, 6),
        f"the next layer has lost a neuron of its own. What goes there is a {other}: one input.": following
        == (2, 6),
        f"the shapes do not fit: 5 biases and 5 inputs of the next layer, not {bias} and {following}.": (
            bias,
            following,
        )
        != ((5,), (3, 5)),
    }
    return _first(mistakes)


def _wrong_count(fewer: Answer) -> str | None:
    known = {
        784: "the bias and the next layer's weights are missing: count what goes from all three arrays.",
        785: "the next layer's weights are missing: each of its 100 neurons read this one.",
        884: "the bias is missing.",
        786: "the next layer loses one weight in each of its 100 neurons, not one in all.",
        1085: "fc2 has 100 neurons, and each loses one weight. 300 is how many inputs each of them had.",
    }
    if close(fewer, 885):
        return None
    for mistake, sentence in known.items():
        if close(fewer, mistake):
            return f"take_out is right. But fewer is not {mistake:,}: {sentence}"
    return (
        "take_out is right. But fewer is another number: count the neuron's weights in fc1, its bias, and "
        "the weights in fc2 that read it."
    )


@exercise(right="Each neuron is the least harmful at its step, given those that are gone already.")
def greedy_choice(greedy: Answer) -> str | None:
    """Judge ``greedy(harm, neurons, count)``: a list, re-scored after each removal."""
    for seed in range(4):
        harm, neurons = _harm_with_stand_ins(seed), list(range(7))
        right, single = _re_scored(harm, neurons, 3), sorted(neurons, key=lambda i: harm([i]))
        given = _whole_numbers(greedy(harm, neurons, 3))
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
            return _first(mistakes)
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


def _whole_numbers(answer: Answer) -> list[int]:
    try:
        return [int(number) for number in answer]
    except (TypeError, ValueError):
        raise Wrong("it must return a list of neurons, in the order in which they went.") from None


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
    return _first(mistakes)


def _first(mistakes: Mapping[str, object]) -> str | None:
    """Give the first sentence whose mistake was made."""
    return next((sentence for sentence, made in mistakes.items() if made), None)
