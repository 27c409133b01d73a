"""Ask of Kezmann's PyTorch network whether pruning nine weights in ten makes it better.

The article trains 20 epochs, prunes 90% by global magnitude, and fine-tunes for as long again. Here the dense
network is trained as long again too, and both at two rates: Adam's own, and a quarter of it.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

import pruneviz as pv
from pruneviz.zoo.torch import build

from .fitting import DEVICE, Recipe, as_tensors, fit, right, split

if TYPE_CHECKING:
    from pathlib import Path

ARTICLE: dict[str, Any] = {
    "who": "Kezmann, Optimizing Deep Learning Models with Pruning: A Practical Guide",
    "test_percent": {"dense": 99.0, "one_shot": 98.8, "fine_tuned": 99.26},
    "sparsity": 0.9,
}
SETTINGS: dict[str, Any] = {
    "epochs": 20,
    "more_epochs": 20,
    "batch": 64,
    "rate": 1e-3,
    "rates": [1e-3, 2.5e-4],
    "sparsity": 0.9,
    "bfloat16": True,
}
SEEDS = (0, 1, 2)
CASES = ("",)


def run(_: str, seed: int, settings: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Give [validation, test] right after each epoch, of the dense network and of each arm that follows."""
    mnist = pv.datasets.mnist()
    train, *counted = (split(part, 0.5, 0.5) for part in (mnist.train, mnist.validation, mnist.test))
    torch.manual_seed(seed)
    model = build("mnist_cnn", None).to(DEVICE)
    recipe = Recipe(
        settings["epochs"], settings["batch"], settings["rate"], seed, bfloat16=settings["bfloat16"]
    )
    dense = fit(model, train, recipe, watch=partial(right, model, counted))
    mask = pv.prune(model.cpu(), settings["sparsity"], scope="global")
    pruned = pv.apply(model, mask).to(DEVICE)
    masks = as_tensors(mask)
    arms = {}
    for rate in settings["rates"]:
        more = Recipe(
            settings["more_epochs"], settings["batch"], rate, seed + 1, bfloat16=settings["bfloat16"]
        )
        for name, start, zeros in (("pruned", pruned, masks), ("dense", model, {})):
            arm = copy.deepcopy(start).to(DEVICE)
            arms[f"{name}, {rate:g}"] = fit(arm, train, more, masks=zeros, watch=partial(right, arm, counted))
    return {
        "dense": dense,
        "one_shot": right(pruned, counted),
        "arms": arms,
        "sparsity": {name: round(float(1 - kept.mean()), 4) for name, kept in mask.items()},
    }
