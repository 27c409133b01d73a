"""Wanda's rule in the zoo's ResNet-20, beside the same comparison by magnitude; nothing is trained after.

The paper prunes language models, where each weight competes with those that feed the same output; its score
is the weight's size times that of its input. A seed decides which training images the inputs come from.

M. Sun, Z. Liu, A. Bair and J. Z. Kolter, "A Simple and Effective Pruning Approach for Large Language Models",
International Conference on Learning Representations, 2024.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import pruneviz as pv

from .fitting import DEVICE, right, split

if TYPE_CHECKING:
    from pathlib import Path

ARTICLE: dict[str, Any] = {"who": "Sun, Liu, Bair and Kolter 2024"}
SETTINGS: dict[str, Any] = {
    "sparsities": [0.6, 0.7],
    "images": 128,
    "counted": 1000,
    "ways": {
        "size, in its layer": ["magnitude", "layer"],
        "size, in its output": ["magnitude", "output"],
        "size x input, in its output": ["wanda", "output"],
    },
}
SEEDS = (0, 1, 2)
CASES = ("",)


def run(_: str, seed: int, settings: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Give [validation, test] right of the dense network, and one pair a sparsity for each way to choose."""
    cifar = pv.datasets.cifar10()
    first = slice(settings["counted"])
    counted = [split((x[first], y[first])) for x, y in (cifar.validation, cifar.test)]
    some = np.random.default_rng(seed).choice(len(cifar.train[1]), settings["images"], replace=False)
    data = tuple(part[some] for part in cifar.train)
    model = pv.zoo.resnet_20("torch")

    def without(mask: pv.Mask) -> list[int]:
        return right(pv.apply(model, mask).to(DEVICE), counted)

    found: dict[str, Any] = {"dense": without(pv.Mask({})), "ways": {}}
    for name, (criterion, scope) in settings["ways"].items():
        found["ways"][name] = [
            without(pv.prune(model, share, criterion=criterion, scope=scope, data=data, exclude=["fc"]))
            for share in settings["sparsities"]
        ]
    return found
