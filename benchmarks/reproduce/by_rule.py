"""The two TensorFlow examples on MNIST, by tfmot's rule rebuilt in PyTorch: minutes on a GPU.

`kezmann_tf` and `dont_cry` run the tool itself. Here the networks, their first weights, Adam, the batches and
the schedules are the same, and the numbers of epochs are the articles' own; the tool's arithmetic is rebuilt.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import pruneviz as pv

from .fitting import DEVICE, Recipe, fit, right, split
from .rule import Rule

if TYPE_CHECKING:
    from pathlib import Path


ARTICLE: dict[str, Any] = {
    "who": {
        "kezmann_tf": "Kezmann, Optimizing Deep Learning Models with Pruning: A Practical Guide",
        "dont_cry": "How to do pruning so you don't cry later",
    },
    "test_percent": {"kezmann_tf": {"dense": 98.2, "pruned": 97.0}},
}
SETTINGS: dict[str, Any] = {
    "batch": 32,
    "rate": 1e-3,
    "rates": [1e-3, 2.5e-4],
    "frequency": 100,
    "epochs": {"kezmann_tf": [20, 20], "dont_cry": [5, 3]},
    # Sparsity at first and at last, and between which steps.
    "schedules": {
        "kezmann_tf": {"pruned": [0.5, 0.8, 2000, 4000]},
        "dont_cry": {"bare call": [0.5, 0.5, 0, 1], "sparser": [0.9, 0.9, 0, 1]},
    },
}
SEEDS = (0, 1, 2)
CASES = ("kezmann_tf", "dont_cry")


def run(case: str, seed: int, settings: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Give [validation, test] right after each epoch: of the first training, and of each arm."""
    mnist = pv.datasets.mnist()
    train, *counted = (split(part) for part in (mnist.train, mnist.validation, mnist.test))
    torch.manual_seed(seed)
    model = network(case).to(DEVICE)
    epochs, more_epochs = settings["epochs"][case]
    first = Recipe(epochs, settings["batch"], settings["rate"], seed)
    found: dict[str, Any] = {"dense": fit(model, train, first, watch=partial(right, model, counted))}
    plans = {**settings["schedules"][case], "dense": None}
    for name, plan in plans.items():
        for rate in settings["rates"]:
            arm = copy.deepcopy(model)
            rule = Rule(arm, *(plan or (0, 0, 0, 1)), settings["frequency"])
            watch = partial(right, arm, counted)
            more = first.at(rate, more_epochs, seed=seed + 1)
            counts = fit(arm, train, more, masks=rule.masks, before_step=rule.step, watch=watch)
            found.setdefault("arms", {})[f"{name}, {rate:g}"] = counts
            found.setdefault("zeros", {})[f"{name}, {rate:g}"] = rule.zeros()
    return found


def network(case: str) -> nn.Sequential:
    """Build an article's network, with Keras' first weights."""
    if case == "kezmann_tf":
        layers = [nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2028, 10)]
    else:
        layers = [
            nn.Flatten(),
            nn.Linear(784, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        ]
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)
