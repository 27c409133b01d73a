"""Checks of the exercises of lesson 02b."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import Scorecard
from pruneviz.teaching.exercises import Wrong, close, exercise, first_mistake, known_mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruneviz.core.arrays import Array

# Answers come from learners: they can be anything.
Answer = Any

_LINE = {"torch": "row", "keras": "column"}


@exercise(right="The smaller arrays compute what the masked ones do, and you know what went with the neuron.")
def neuron_removed(take_out: Answer, *, fewer: Answer, framework: str) -> str | None:
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
    return first_mistake(mistakes)


def _wrong_count(fewer: Answer) -> str | None:
    known = {
        784: "the bias and the next layer's weights are missing: count what goes from all three arrays.",
        785: "the next layer's weights are missing: each of its 100 neurons read this one.",
        884: "the bias is missing.",
        786: "the next layer loses one weight in each of its 100 neurons, not one in all.",
        1085: "fc2 has 100 neurons, and each loses one weight. 300 is how many inputs each of them had.",
    }
    if fewer is ...:
        return "take_out is right. Now put a number in place of the dots after fewer."
    if close(fewer, 885):
        return None
    for mistake, sentence in known.items():
        if close(fewer, mistake):
            return f"take_out is right. But fewer is not {mistake:,}: {sentence}"
    return (
        "take_out is right. But fewer is another number: count the neuron's weights in fc1, its bias, and "
        "the weights in fc2 that read it."
    )


@exercise(
    right="A neuron costs the next layer an input, so half of them is more than half of the parameters."
)
def half_of_the_parameters(parameters: Answer, *, share: Answer) -> str | None:
    """Judge ``parameters(widths)`` of a dense network, and the share of neurons that halves LeNet-300-100."""
    for widths in ([4, 3, 2], [784, 300, 100, 10], [784, 150, 50, 10], [9, 1]):
        given, right, pairs = parameters(list(widths)), _parameters(widths), list(pairwise(widths))
        mistakes = {
            "the biases are missing: one for each neuron.": sum(a * b for a, b in pairs),
            "the inputs got biases too, and they are no neurons.": right + widths[0],
            "a bias belongs to the layer that adds it, not to the one that reads.": sum(
                a * (b + 1) for a, b in pairs
            ),
            "the last layer is missing.": _parameters(widths[:-1]),
        }
        if not close(given, right):
            return f"parameters({widths}) is {right:,}, not {given}: " + (
                known_mistake(given, mistakes)
                or "a layer has a weight for each pair of a neuron and an input, and a bias for each neuron."
            )
    return _wrong_share(share)


def _parameters(widths: Sequence[int]) -> int:
    return sum((before + 1) * after for before, after in pairwise(widths))


def _wrong_share(share: Answer) -> str | None:
    known = {
        "write 48% as 0.48.": 48,
        "half of the neurons leaves 125,810 of 266,610 parameters. Fewer neurons do.": 0.5,
        "this is the share that stays. Give the share that goes.": 0.52,
        "it leaves 133,835, and half of 266,610 is 133,305. Nearly.": 0.47,
    }
    if share is ...:
        return "parameters is right. Now put a number in place of the dots after share."
    if close(share, 0.48):
        return None
    return f"parameters is right. But share is not {share}: " + (
        known_mistake(share, known) or "try steps of 0.01, with 300 and 100 less that share of each."
    )


@exercise(right="Ordinary arrays, and a third of the multiplications. Take its milliseconds now.")
def half_the_time(card: Answer, *, macs: int, target: int) -> str | None:
    """Judge the scorecard of a smaller network: multiplications executed, and right answers."""
    if not isinstance(card, Scorecard):
        return "give a scorecard: card = pv.scorecard(mine, validation)."
    masked = card.nonzero_macs < card.macs
    mistakes = {
        f"it still executes {card.macs:,} multiplications, many of them by zero: that is a mask. Take the "
        "neurons out (pv.remove).": card.macs > macs and masked,
        f"it executes {card.macs:,} multiplications, and the target is {macs:,} or fewer.": card.macs > macs,
        f"small enough. But {card.correct:,} are right, and the target is {target:,}: choose other neurons, "
        "other shares, or fine-tune longer.": card.correct < target,
    }
    return first_mistake(mistakes)
