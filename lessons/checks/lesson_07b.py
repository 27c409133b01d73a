"""Checks of the exercises of lesson 07b."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import frameworks, network, scorecard
from pruneviz.teaching import challenge
from pruneviz.teaching.exercises import Wrong, close, exercise, first_mistake, known_mistake

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array
    from pruneviz.zoo import Framework

# Answers come from learners: they can be anything.
Answer = Any


@exercise(right="The same answers as from pv.keep_classes, and the model is as it was.")
def three_digits(by_hand: Answer, numbered: Answer, *, model: Any, test: tuple[Array, Array]) -> str | None:  # noqa: ANN401
    """Judge ``by_hand(model, classes)``, a model with these outputs, and ``numbered(labels, classes)``."""
    before = {layer.name: (layer.weight.copy(), _bias(layer)) for layer in network(model).layers}
    for classes in ([0, 1, 7], [7, 0], [4, 2, 9]):
        small = by_hand(model, list(classes))
        if wrong := _wrong_head(small, model, before, classes):
            return wrong
        y = np.array(classes * 3)[np.random.default_rng(0).permutation(3 * len(classes))]
        if wrong := _wrong_labels(np.asarray(numbered(y.copy(), list(classes))), y, classes):
            return wrong
        x, asked = test[0], np.isin(test[1], classes)
        given = scorecard(small, (x[asked], np.asarray(numbered(test[1][asked], list(classes))))).correct
        logits = frameworks.adapter(model).outputs(x[asked])[0][:, classes]
        right = int((np.asarray(classes)[logits.argmax(axis=1)] == test[1][asked]).sum())
        if abs(given - right) > 2:
            return (
                f"for {classes}, {given:,} are right and should be {right:,}: do the hidden layers still fit?"
            )
    return None


def _bias(layer: Any) -> Array:  # noqa: ANN401
    return layer.bias.copy()  # type: ignore[no-any-return]


def _wrong_head(small: Answer, model: object, before: dict[str, Any], classes: list[int]) -> str | None:
    """Compare a model's last layer, (out, in) as both frameworks are read here, with what it should be."""
    after = {layer.name: (layer.weight, _bias(layer)) for layer in network(model).layers}
    if any(not all(map(np.array_equal, after[name], before[name])) for name in before):
        return "the model itself has changed: work on a copy."
    try:
        head = network(small).layers[-1]
    except (TypeError, ValueError) as error:
        raise Wrong(f"by_hand gives no model: {error}") from error
    (weight, bias), given, ordered = before["fc3"], (head.weight, _bias(head)), sorted(classes)
    mistakes = {
        f"it has {len(given[0])} outputs, and {classes} are {len(classes)}.": len(given[0]) != len(classes),
        "the last layer lost inputs: an output is a row of weights in PyTorch, and a column in Keras.": given[
            0
        ].shape[1]
        != weight.shape[1],
        "the outputs are right, but in another order: the first class asked for comes first.": classes
        != ordered
        and close(given[0], weight[ordered]),
        "the weights are right, and the biases are those of other digits. They go with their outputs.": close(
            given[0], weight[classes]
        )
        and not close(given[1], bias[classes]),
        f"the last layer is not rows {classes} of what it was.": not close(given[0], weight[classes]),
    }
    return first_mistake(mistakes)


def _wrong_labels(given: Array, y: Array, classes: list[int]) -> str | None:
    right = np.array([classes.index(label) for label in y])
    mistakes = {
        f"the labels are still {classes}: the outputs are numbered from 0.": y,
        "the labels are numbered by size. They go in the order in which classes are given.": np.searchsorted(
            sorted(classes), y
        ),
    }
    if close(given, right):
        return None
    told = known_mistake(given, mistakes) or f"for labels {y[:4]} and classes {classes} give {right[:4]}."
    return f"by_hand is right. But {told}"


_LOGITS = (
    (np.array([[2.0, 0.0, -1.0], [0.5, 0.0, 3.0]]), np.array([[1.0, 1.0, -2.0], [0.0, 4.0, 1.0]]), 4.0),
    (np.array([[2.0, 0.0, -1.0]]), np.array([[2.0, 0.0, -1.0]]), 2.0),
    (np.array([[1.0, -3.0], [0.0, 2.0], [5.0, 5.5]]), np.array([[2.0, 1.0], [0.0, -2.0], [1.0, 0.0]]), 1.0),
)


@exercise(right="It is 0 for a pupil that answers like the teacher, and it asks for the small answers too.")
def teachers_loss(softer: Answer) -> str | None:
    """Judge ``softer(pupil, teacher, temperature)`` of logits, (images, classes)."""
    for pupil, teacher, temperature in _LOGITS:
        given = softer(pupil.copy(), teacher.copy(), temperature)
        each = _divergence(teacher / temperature, pupil / temperature)
        right = temperature**2 * each.mean()
        if close(given, right):
            continue
        if np.shape(given):
            return f"give one number, the mean over the images, and not {np.shape(given)}."
        p, q = _soft(teacher / temperature), _soft(pupil / temperature)
        crossed = -(p * np.log(q)).sum(axis=1)
        mistakes = {
            "T² is missing. Without it the teacher grows quiet when the temperature rises.": each.mean(),
            "it is multiplied by T, not by T².": temperature * each.mean(),
            "it sums over the images: take the mean.": temperature**2 * each.sum(),
            "it takes the mean over the classes too: sum over those.": right / pupil.shape[1],
            "the teacher's logits are not softened: divide both by T.": temperature**2
            * _divergence(teacher, pupil / temperature).mean(),
            "the pupil's logits are not softened: divide both by T.": temperature**2
            * _divergence(teacher / temperature, pupil).mean(),
            "the logits are multiplied by T: that makes answers harder.": temperature**2
            * _divergence(teacher * temperature, pupil * temperature).mean(),
            "it is turned round: p, which weighs the logarithms, is the teacher's.": temperature**2
            * _divergence(pupil / temperature, teacher / temperature).mean(),
            "that is the cross-entropy. Its slope is the same, but where both agree it is not 0: subtract "
            "the teacher's own, p log p.": temperature**2 * crossed.mean(),
            "the sign is turned: a divergence is never below 0.": -right,
        }
        told = known_mistake(given, mistakes) or "soften both, take the divergence, its mean, times T²."
        return f"for logits {pupil.tolist()}, teacher {teacher.tolist()}, T = {temperature:g}: {told}"
    return None


def _soft(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def _divergence(teacher: Array, pupil: Array) -> Array:
    p, q = _soft(teacher), _soft(pupil)
    return (p * np.log(p / q)).sum(axis=1)  # type: ignore[no-any-return]


@exercise(right="It keeps the budget. Hand it in, and look who is ahead.")
def within_the_budget(path: Answer, *, framework: Framework, target: int) -> str | None:
    """Judge a file of `pruneviz.save`, a LeNet-5 within the budget of the challenge."""
    try:
        made = challenge.measured(path, "you", "lenet_5", framework)
    except (OSError, TypeError, ValueError) as error:
        return f"{error}. {_what_to_do(str(error))}".rstrip()
    if made.validation < target:
        return (
            f"{made.size:,} bytes, {made.macs:,} MACs, and {made.validation:,} of 5,000 right: {target:,} "
            "are asked for. Was it trained after each cut?"
        )
    return None


def _what_to_do(error: str) -> str:
    hints = {
        "MACs": "Zeros count as MACs: only filters and neurons that are removed save some, and filters most.",
        "bytes": "Cut more weights, or leave more room before the last training, and hold the zeros in it.",
    }
    return " ".join(hint for what, hint in hints.items() if f" {what}: " in error)
