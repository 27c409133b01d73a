"""The LeNet-5 of Han and others, twelve times smaller: with their thresholds, with one threshold, and dense.

431,080 parameters, of which the paper keeps 66, 12, 8 and 19% in its four layers, at 0.77% error where the
dense network has 0.80%. Here the network is trained, and pruned in rounds with as many epochs each: once down
to the paper's shares, once to as many weights in all by one threshold. The control trains the same rounds and
prunes nothing. Each at two rates.

S. Han, J. Pool, J. Tran and W. J. Dally, "Learning both Weights and Connections for Efficient Neural
Networks", Advances in Neural Information Processing Systems 28, 2015, Tables 1 and 4.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import pruneviz as pv

from .fitting import DEVICE, Recipe, as_tensors, fit, right, split

if TYPE_CHECKING:
    from pathlib import Path

LEFT = {"conv1": 0.66, "conv2": 0.12, "fc1": 0.08, "fc2": 0.19}
ARTICLE: dict[str, Any] = {
    "who": "Han, Pool, Tran and Dally 2015, Tables 1 and 4",
    "error_percent": {"dense": 0.80, "pruned": 0.77},
    "parameters": 431_000,
    "left": LEFT,
}
SETTINGS: dict[str, Any] = {
    "epochs": 30,
    "rounds": 5,
    "epochs_a_round": 10,
    "batch": 128,
    "rate": 1e-3,
    "rates": [1e-3, 2.5e-4],
    "left": LEFT,
}
SEEDS = (0, 1, 2)
CASES = ("",)


def network() -> nn.Sequential:
    """Build the paper's network: 20 and 50 filters of 5x5, 500 units."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 20, 5),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(20, 50, 5),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(800, 500),
            relu=nn.ReLU(),
            fc2=nn.Linear(500, 10),
        )
    )


def run(_: str, seed: int, settings: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Give [validation, test] right of the dense network, and after each round of each arm."""
    mnist = pv.datasets.mnist()
    train, *counted = (split(part) for part in (mnist.train, mnist.validation, mnist.test))
    torch.manual_seed(seed)
    model = network().to(DEVICE)
    fit(model, train, Recipe(settings["epochs"], settings["batch"], settings["rate"], seed))
    found: dict[str, Any] = {"dense": right(model, counted), "arms": {}}
    for rate in settings["rates"]:
        for name in ("per layer", "one threshold", "dense"):
            arm, rounds = copy.deepcopy(model), []
            for number in range(1, settings["rounds"] + 1):
                shares = _shares(arm, name, settings["left"], number / settings["rounds"])
                mask = pv.prune(arm.cpu(), **shares)
                arm = pv.apply(arm, mask).to(DEVICE)
                recipe = Recipe(settings["epochs_a_round"], settings["batch"], rate, seed + number)
                fit(arm, train, recipe, masks=as_tensors(mask))
                rounds.append(right(arm, counted))
            found["arms"][f"{name}, {rate:g}"] = rounds
            found.setdefault("sparsity", {})[name] = round(float(mask.sparsity), 4)
    return found


def _shares(model: nn.Module, name: str, left: dict[str, float], done: float) -> dict[str, Any]:
    """Say how much to prune when a part of the rounds is done: the same share of what is left in each."""
    if name == "dense":
        return {"sparsity": 0.0, "scope": "global"}
    if name == "per layer":
        return {"scope": {layer: 1 - share**done for layer, share in left.items()}}
    sizes = {layer.name: layer.weight.size for layer in pv.network(model).layers}
    kept = sum(left[layer] * size for layer, size in sizes.items()) / sum(sizes.values())
    return {"sparsity": 1 - kept**done, "scope": "global"}
