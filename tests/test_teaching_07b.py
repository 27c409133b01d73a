"""The checks of lesson 07b let right answers pass, and name each mistake by its own sentence."""

import copy

import numpy as np
import pytest
from torch import nn

import pruneviz as pv
from pruneviz.lessons.checks import lesson_07b
from pruneviz.teaching import challenge

LENET = pv.zoo.lenet_300_100("torch")
TEST = tuple(array[:600] for array in pv.datasets.mnist().test)


def head(rows=lambda w, c: w[c], biases=lambda b, c: b[c], *, spoil=None):
    """Copy a model, and give its last layer some of its weights and biases."""

    def by_hand(model, classes):
        small = copy.deepcopy(model)
        small.fc3.weight = nn.Parameter(rows(small.fc3.weight.detach(), classes))
        small.fc3.bias = nn.Parameter(biases(small.fc3.bias.detach(), classes))
        if spoil:
            spoil(small)
        return small

    return by_hand


def in_place(model, classes):
    model.fc3.bias.data[3] += 1
    return head()(model, classes)


def shuffled(small):
    small.fc2.weight.data = small.fc2.weight.data.flip(0)


def numbered(labels, classes):
    return [classes.index(label) for label in labels]


@pytest.mark.parametrize(
    ("by_hand", "labels", "told"),
    [
        (head(), numbered, "Right."),
        (lambda model, classes: pv.keep_classes(model, classes, TEST[0][:8]), numbered, "Right."),
        (head(), lambda labels, _: labels, "the labels are still [0, 1, 7]"),
        (head(), lambda labels, classes: np.searchsorted(sorted(classes), labels), "numbered by size"),
        (
            head(),
            lambda labels, classes: 2 - np.array(numbered(labels, classes)),
            "By_hand is right. But for",
        ),
        (head(biases=lambda b, c: b[: len(c)]), numbered, "the biases are those of other digits"),
        (head(lambda w, c: w[sorted(c)], lambda b, c: b[sorted(c)]), numbered, "in another order"),
        (head(lambda w, c: w[: len(c)]), numbered, "is not rows [0, 1, 7]"),
        (head(spoil=shuffled), numbered, "do the hidden layers still fit"),
        (lambda model, _: copy.deepcopy(model), numbered, "it has 10 outputs, and [0, 1, 7] are 3"),
        (in_place, numbered, "the model itself has changed"),
        (lambda _model, _classes: 3, numbered, "gives no model"),
        (lambda _model, _classes: None, numbered, "returns nothing"),
        (..., numbered, "Not answered yet"),
        (head(), lambda _labels, _classes: None, "returns nothing"),
    ],
)
def test_three_digits(by_hand, labels, told):
    model = copy.deepcopy(LENET)
    verdict = lesson_07b.three_digits.verdict(by_hand, labels, model=model, test=TEST)
    assert told.lower() in verdict.lower()


def divergence(p, q, *, mean=True):
    p, q = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) for logits in (p, q))
    each = np.sum(p * np.log(p / q), axis=1)
    return each.mean() if mean else each.sum()


def softened(p, q, t):
    return [np.exp(one / t) / np.exp(one / t).sum(axis=1, keepdims=True) for one in (p, q)]


@pytest.mark.parametrize(
    ("softer", "told"),
    [
        (lambda q, p, t: t**2 * divergence(p / t, q / t), "Right."),
        (lambda q, p, t: divergence(p / t, q / t), "T² is missing"),
        (lambda q, p, t: t * divergence(p / t, q / t), "by T, not by T²"),
        (lambda q, p, t: t**2 * divergence(p / t, q / t, mean=False), "sums over the images"),
        (lambda q, p, t: t**2 * divergence(p / t, q / t) / p.shape[1], "mean over the classes"),
        (lambda q, p, t: t**2 * divergence(p, q / t), "the teacher's logits are not softened"),
        (lambda q, p, t: t**2 * divergence(p / t, q), "the pupil's logits are not softened"),
        (lambda q, p, t: t**2 * divergence(p * t, q * t), "multiplied by T"),
        (lambda q, p, t: t**2 * divergence(q / t, p / t), "turned round"),
        (lambda q, p, t: -(t**2) * divergence(p / t, q / t), "the sign is turned"),
        (
            lambda q, p, t: t**2 * np.mean(-np.sum(softened(p, q, t)[0] * np.log(softened(p, q, t)[1]), 1)),
            "the cross-entropy",
        ),
        (lambda q, p, t: t**2 * (softened(p, q, t)[0] - softened(p, q, t)[1]).sum(axis=1), "give one number"),
        (lambda _q, _p, _t: 0.5, "soften both, take"),
        (lambda _q, _p, _t: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_teachers_loss(softer, told):
    assert told in lesson_07b.teachers_loss.verdict(softer)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, "Right."),
        ({"validation": 4_849}, "19,000 bytes, 91,000 MACs, and 4,849 of 5,000 right: 4,850 are asked for"),
    ],
)
def test_within_the_budget(found, told, monkeypatch):
    made = {"size": 19_000, "macs": 91_000, "validation": 4_850, **found}
    submission = challenge.Submission("you", "lenet_5", "torch", **made)
    monkeypatch.setattr(challenge, "measured", lambda *_: submission)
    assert told in lesson_07b.within_the_budget.verdict("m.pv", framework="torch", target=4_850)


def test_what_is_over_the_budget_is_told_with_what_to_do(tmp_path):
    lenet, path = pv.zoo.lenet_5("torch"), tmp_path / "m.pv"
    thin = pv.apply(lenet, pv.prune(lenet, 0.95))
    pv.save(thin, path)
    verdict = lesson_07b.within_the_budget.verdict
    assert "only filters and neurons that are removed save some" in verdict(path, framework="torch", target=1)
    assert "leave more room" not in verdict(path, framework="torch", target=1)
    pv.save(lenet, path)
    assert "leave more room" in verdict(path, framework="torch", target=1)
    assert "save the model first" in verdict(tmp_path / "no.pv", framework="torch", target=1)
    assert "Not answered yet" in verdict(..., framework="torch", target=1)
    assert "Not yet" in verdict(3, framework="torch", target=1)
