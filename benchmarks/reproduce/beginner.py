"""The beginner's guide's scheme as one grid: score, scope, schedule, and what is trained on.

LeNet-300-100 loses 95% of its weights. Score: magnitude, Taylor or random. Scope: each layer by itself, or
one threshold. At once, or in five rounds. After each cut the network goes on from its weights, is rewound to
its weights after the first epoch, or begins at other random ones. Every arm trains as many epochs; so does
the dense network. The guide prints no figures.
"""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import torch

import pruneviz as pv
from pruneviz.zoo.torch import build

from .fitting import DEVICE, Recipe, as_tensors, fit, right, split

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

ARTICLE: dict[str, Any] = {
    "who": "Analytics India Magazine, A Beginner's Guide to Neural Network Pruning",
    "scheme": ["scoring", "structure", "schedule", "fine-tuning"],
}
SETTINGS: dict[str, Any] = {
    "sparsity": 0.95,
    "epochs": 10,
    "rounds": 5,
    "epochs_a_round": 3,
    "batch": 256,
    "rate": 1e-3,
    "scored_on": 1000,
    "scores": ["magnitude", "taylor", "random"],
    "scopes": ["layer", "global"],
    "schedules": ["one-shot", "iterative"],
    "starts": ["continue", "rewind", "re-initialise"],
}
SEEDS = (0, 1, 2)
CASES = ("",)
OTHER = 1000  # added to a seed for other random weights


def run(_: str, seed: int, settings: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Give [validation, test] right of the dense network, with as many epochs more, and of each arm."""
    mnist = pv.datasets.mnist()
    train, *counted = (split(part) for part in (mnist.train, mnist.validation, mnist.test))
    few = tuple(part[: settings["scored_on"]] for part in mnist.train)
    recipe = Recipe(1, settings["batch"], settings["rate"], seed)
    model = _fresh(seed)
    fit(model, train, recipe)
    early = copy.deepcopy(model)
    fit(model, train, recipe.at(epochs=settings["epochs"] - 1, seed=seed + 1))
    more = settings["rounds"] * settings["epochs_a_round"]
    dense = copy.deepcopy(model)
    fit(dense, train, recipe.at(epochs=more, seed=seed + 2))
    starts = {"continue": None, "rewind": early, "re-initialise": _fresh(OTHER + seed)}
    found: dict[str, Any] = {
        "dense": right(model, counted),
        "dense, more": right(dense, counted),
        "arms": {},
    }
    grid = itertools.product(*(settings[key] for key in ("scores", "scopes", "schedules", "starts")))
    for score, scope, schedule, start in grid:
        arm, rounds = copy.deepcopy(model), 1 if schedule == "one-shot" else settings["rounds"]
        for number in range(1, rounds + 1):
            share = 1 - (1 - settings["sparsity"]) ** (number / rounds)
            mask = pv.prune(arm.cpu(), share, criterion=score, scope=scope, data=few, seed=seed + number)
            arm = pv.apply((starts[start] or arm).cpu(), mask).to(DEVICE)
            fit(arm, train, recipe.at(epochs=more // rounds, seed=seed + 2 + number), masks=as_tensors(mask))
        found["arms"][f"{score}, {scope}, {schedule}, {start}"] = right(arm, counted)
    return found


def _fresh(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return build("lenet_300_100", None).to(DEVICE)
