"""Filters pruned as Li and others did, in the zoo's ResNet-20: the first convolution of every block.

The paper prunes ResNet-56 by the L1 norm, 60, 30 and 10% in the three stages, trains 40 epochs more at a
thousandth, and finds 93.06% where the dense network had 93.04%. Here ResNet-20 loses the same shares for
real, and trains 10 epochs more at two rates; so do a random choice, and the dense network. The small network
is also trained from random weights, with the dense one beside it.

H. Li, A. Kadav, I. Durdanovic, H. Samet and H. P. Graf, "Pruning Filters for Efficient ConvNets",
International Conference on Learning Representations, 2017.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import pruneviz as pv

from .fitting import DEVICE, Recipe, fit, right, split
from .muheeb_2 import crop_and_flip

if TYPE_CHECKING:
    from pathlib import Path

ARTICLE: dict[str, Any] = {
    "who": "Li, Kadav, Durdanovic, Samet and Graf 2017, Table 1, ResNet-56-pruned-B",
    "test_percent": {"dense": 93.04, "pruned": 93.06, "from scratch": 92.69},
    "macs_saved_percent": 27.6,
}
SETTINGS: dict[str, Any] = {
    "shares": [0.6, 0.3, 0.1],
    "more_epochs": 10,
    "scratch_epochs": 40,
    "scratch_rate": 0.1,
    "batch": 128,
    "rates": [0.01, 0.001],
    "decay": 5e-4,
}
SEEDS = (0, 1, 2)
CASES = ("",)


def run(_: str, seed: int, settings: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Give MACs, and [validation, test] right after the last epoch; the seed decides what is random."""
    cifar = pv.datasets.cifar10()
    train, *counted = (split(part) for part in (cifar.train, cifar.validation, cifar.test))
    model = pv.zoo.resnet_20("torch")
    example = cifar.train[0][:1]
    shares = {f"block{i + 1}.conv1": settings["shares"][i // 3] for i in range(9)}

    def cut(criterion: str) -> nn.Module:
        mask = pv.prune(
            model, granularity="filter", criterion=criterion, scope=shares, example=example, seed=seed
        )
        return pv.remove(model, mask, example)

    starts = {"dense": model, "L1": cut("magnitude"), "random": cut("random")}
    found: dict[str, Any] = {"before": {}, "arms": {}, "macs": {}}
    for name, start in starts.items():
        found["macs"][name] = int(pv.scorecard(start, (example, cifar.train[1][:1])).macs)
        found["before"][name] = right(copy.deepcopy(start).to(DEVICE).eval(), counted)
    recipe = Recipe(
        settings["more_epochs"], settings["batch"], 0.0, seed, "sgd", settings["decay"], bfloat16=True
    )
    for rate in settings["rates"]:
        for name, start in starts.items():
            arm = copy.deepcopy(start).to(DEVICE, memory_format=torch.channels_last)
            fit(arm, train, recipe.at(rate), augment=crop_and_flip)
            found["arms"][f"{name}, {rate:g}"] = [right(arm, counted)]
    rate = settings["scratch_rate"]
    for name in ("dense", "L1"):
        arm = _fresh(starts[name], seed).to(DEVICE, memory_format=torch.channels_last)
        fit(arm, train, recipe.at(rate, settings["scratch_epochs"], cosine=True), augment=crop_and_flip)
        found["arms"][f"{name} from scratch, {rate:g}"] = [right(arm, counted)]
    return found


def _fresh(model: nn.Module, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    twin = copy.deepcopy(model)
    for module in twin.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            module.reset_parameters()
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return twin
