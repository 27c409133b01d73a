"""Checks of the exercises of lesson 07a."""

from __future__ import annotations

from typing import Any

import numpy as np

from pruneviz import datasets
from pruneviz.core.masks import Mask
from pruneviz.engine.pruning import apply
from pruneviz.measures.scorecards import scorecard
from pruneviz.teaching.corruptions import CORRUPTIONS, corrupt
from pruneviz.teaching.exercises import exercise, first_mistake, number

# Answers come from learners: they can be anything.
Answer = Any
Array = np.ndarray[Any, Any]

_NEAR = 12.0  # grey levels, on average: ways to interpolate differ by three, a turn of ten degrees by more


@exercise(right="Turned to the left, each digit for itself, and the corners are black.")
def turned_to_the_left(rotate: Answer) -> str | None:
    """Judge ``rotate(images, degrees)``: uint8 images of shape (n, 28, 28, 1), turned anticlockwise."""
    images = datasets.mnist().train[0][:12]
    given = images.copy()
    still, answer = (np.asarray(rotate(given, degrees)) for degrees in (0, 30))
    if not np.array_equal(given, images):
        return "the images that it was given have changed. Turn a copy."
    if answer.shape != images.shape:
        return (
            f"{images.shape} went in and {answer.shape} came out: scipy makes room for the corners "
            "unless you say reshape=False."
        )
    if answer.dtype != np.uint8:
        return f"images are uint8, from 0 to 255; yours are {answer.dtype}."
    if not np.array_equal(still, images):
        return "by 0 degrees nothing may change."
    return _how_it_turned(images, answer)


def _how_it_turned(images: Array, answer: Array) -> str | None:
    from scipy import ndimage  # noqa: PLC0415  # the lessons have it, the package alone does not need it

    def turned(degrees: float, axes: tuple[int, int] = (1, 2), cval: float = 0) -> Array:
        turns: Array = ndimage.rotate(images, degrees, axes, reshape=False, order=1, cval=cval)
        return turns

    def far(reference: Array) -> float:
        return float(np.abs(answer.astype(float) - reference).mean())

    if far(turned(30)) < _NEAR and not answer[:, 0, 0].any():
        return None
    mistakes = {
        "it turns to the right. Anticlockwise is a positive angle.": turned(-30),
        "it turns too little: are these radians?": turned(np.deg2rad(30)),
        "one digit is smeared into the next: axis 0 counts images. Turn in the axes (1, 2).": turned(
            30, (1, 0)
        ),
        "the digits lie in a mirror: only turn them.": turned(30)[:, :, ::-1],
        "what comes in from outside is not black.": turned(30, cval=255),
    }
    nearest = min(mistakes, key=lambda sentence: far(mistakes[sentence]))
    return nearest if far(mistakes[nearest]) < _NEAR else "these are not the digits, turned by 30 degrees."


@exercise(right="One number, and not one answer has changed: what is largest stays largest.")
def one_temperature(temperature: Answer) -> str | None:
    """Judge ``temperature(outputs, labels)``: by what to divide outputs, for the least cross-entropy."""
    for truth in (0.25, 1.0, 3.0):
        outputs, labels = _made_up(truth)
        answer = temperature(outputs.copy(), labels.copy())
        given = number(answer, f"return one number; this is {answer!r}.")
        if not given > 0:
            return f"a temperature is above 0; yours is {given:.3g}."
        best = _cross_entropy(outputs / truth, labels)
        if _cross_entropy(outputs / given, labels) > best + 0.01:
            told = f"for outputs that are right when divided by {truth:g}, you find {given:.3g}"
            return f"{told}: {_why_not(outputs, labels, given, truth)}"
    return None


def _made_up(truth: float) -> tuple[Array, Array]:
    """Draw labels from the softmax of some outputs, and stretch the outputs."""
    rng = np.random.default_rng(7)
    outputs = 2 * rng.normal(size=(4000, 10))
    noise = rng.gumbel(size=outputs.shape)
    return truth * outputs, (outputs + noise).argmax(1)


def _cross_entropy(outputs: Array, labels: Array) -> float:
    shifted = outputs - outputs.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return float(-logs[np.arange(len(labels)), labels].mean())


def _why_not(outputs: Array, labels: Array, given: float, truth: float) -> str:
    right = (outputs.argmax(1) == labels).mean()
    mistakes = {
        "divide by it, do not multiply.": abs(given * truth - 1) < 0.1,
        "it does nothing. Accuracy cannot find it, for no temperature changes an answer.": given == 1,
        "that is the share of right answers.": abs(given - right) < 1e-6,
        "the smallest that you tried: there the cross-entropy is largest, or you tried too few.": given
        < truth / 3,
        "the largest that you tried. Is it the cross-entropy of the right labels, with its minus sign?": given
        > 3 * truth,
    }
    return first_mistake(mistakes) or "another one has a smaller cross-entropy."


IMAGES_A_SET = 1000


@exercise(right="And you know now what it costs outside: draw it, for the worst kind is hidden in the sum.")
def weatherproof(mask: Answer, *, model: object, share: float, loss: int) -> str | None:
    """Judge a mask that prunes a share, and loses few answers on fifteen sets of spoiled digits."""
    if not isinstance(mask, Mask):
        return f"give a mask, such as pv.prune returns; this is {mask!r}."
    pruned = apply(model, mask)
    if mask.sparsity < share:
        return f"{mask.sparsity:.1%} are pruned: at least {share:.0%} are asked for."
    before, after = (spoiled_right(network) for network in (model, pruned))
    lost = sum(before) - sum(after)
    if lost > loss:
        worst = int(np.argmax(np.subtract(before, after)))
        kind, strength = [(k, s) for k, strengths in CORRUPTIONS.items() for s in strengths][worst]
        return (
            f"{mask.sparsity:.1%} are pruned, and of {IMAGES_A_SET * len(before):,} answers {lost:,} fewer "
            f"are right; at most {loss:,} may be. Most, {before[worst] - after[worst]:,}, went under {kind} "
            f"{strength:g}."
        )
    return None


def spoiled_right(model: object) -> list[int]:
    """Count the right answers on a thousand validation digits, under each corruption at each strength."""
    images, labels = datasets.mnist().validation
    images, labels = images[:IMAGES_A_SET], labels[:IMAGES_A_SET]
    return [
        scorecard(model, (corrupt(images, kind, strength), labels)).correct
        for kind, strengths in CORRUPTIONS.items()
        for strength in strengths
    ]
