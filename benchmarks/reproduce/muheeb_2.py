"""Muheeb's Table 2: two residual networks on CIFAR-10, pruned layer by layer without fine-tuning.

The networks are torchvision's, with the stem for ImageNet, as in the paper that the article names; each layer
but the output loses its smallest weights. Beside the article's row stand the suspects, each differing from it
in one thing: calls that compound, BatchNorm's statistics estimated anew, one threshold for all layers, the
output pruned too, and some layers spared while the others lose more, so that the number of zeros stays.
"""

from __future__ import annotations

import copy
import functools
import re
from typing import TYPE_CHECKING, Any

import torch
import torchvision

import pruneviz as pv

from .fitting import DEVICE, Pair, Recipe, fit, right, split

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

LEVELS = [0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99]
ARTICLE: dict[str, Any] = {
    "who": "Muheeb, Evaluation of Gradient-Based Magnitude Pruning Technique, Table 2",
    "sparsities": [0, *LEVELS],
    "test_percent": {
        "resnet18": [89.36, 88.59, 17.39, 9.02, 10.00, 10.00, 10.00, 10.00, 10.00, 10.00],
        "resnet50": [89.90, 89.31, 19.42, 10.00, 10.00, 10.00, 10.00, 10.00, 10.00, 10.00],
    },
    "epochs": 200,
}
SETTINGS: dict[str, Any] = {
    "epochs": 20,
    "batch": 128,
    "optimizer": "sgd",
    "rate": 0.1,
    "decay": 5e-4,
    "cosine": True,
    "sparsities": LEVELS,
    "calls": [0.25, 0.5, 0.6],
    "unlabelled": 2000,
    "spared": {"stem": "^conv1", "shortcuts": "downsample", "first stage": "^(conv1|layer1)"},
}
SEEDS = (0, 1, 2)
CASES = ("resnet18", "resnet50")
OUTPUT = "fc"
PADDING = 4


def run(case: str, seed: int, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Give [validation, test] right of the dense network, and way by way of what is left of it."""
    cifar = pv.datasets.cifar10()
    train, *counted = (split(part, 0.5, 0.25) for part in (cifar.train, cifar.validation, cifar.test))
    torch.manual_seed(seed)
    model = getattr(torchvision.models, case)(num_classes=10).to(DEVICE, memory_format=torch.channels_last)
    recipe = Recipe(
        settings["epochs"],
        settings["batch"],
        settings["rate"],
        seed,
        optimizer=settings["optimizer"],
        decay=settings["decay"],
        cosine=settings["cosine"],
        bfloat16=True,
    )
    watch = functools.partial(right, model, counted)
    epochs = fit(model, train, recipe, augment=crop_and_flip, watch=watch, checkpoint=folder / "state.pt")
    return {"dense": epochs[-1], "epochs": epochs, "ways": _Pruned(model, train, counted, settings).ways()}


def crop_and_flip(x: Tensor, draw: torch.Generator) -> Tensor:
    """Shift each image by up to four pixels, with its background around, and turn every second one round."""
    n, _, size, _ = x.shape
    top, left = torch.randint(2 * PADDING + 1, (2, n, 1), generator=draw)
    rows, columns = top + torch.arange(size), left + torch.arange(size)
    flipped = torch.randint(2, (n, 1), generator=draw, dtype=torch.bool)
    columns = torch.where(flipped, columns.flip(1), columns)
    padded = torch.nn.functional.pad(x, [PADDING] * 4, mode="replicate")
    each = torch.arange(n, device=x.device)[:, None, None]
    # An index between slices moves to the front: (n, rows, columns, channels).
    return padded[each, :, rows.to(x.device)[:, :, None], columns.to(x.device)[:, None]].permute(0, 3, 1, 2)


class _Pruned:
    """A trained network, pruned in one way after the other."""

    def __init__(self, model: nn.Module, train: Pair, counted: list[Pair], settings: dict[str, Any]) -> None:
        self.model, self.counted, self.settings = model.cpu(), counted, settings
        self.unlabelled = train[0][: settings["unlabelled"]]
        sizes = {layer.name: layer.weight.size for layer in pv.network(self.model).layers}
        self.sizes = {name: size for name, size in sizes.items() if name != OUTPUT}

    def ways(self) -> dict[str, Any]:
        """Count, way by way, one pair a sparsity."""
        levels = self.settings["sparsities"]
        evenly = [dict.fromkeys(self.sizes, share) for share in levels]
        return {
            "layer by layer": [self.right(shares) for shares in evenly],
            "statistics anew": [self.right(shares, again=True) for shares in evenly],
            "output too": [
                self.right(shares | {OUTPUT: share}) for shares, share in zip(evenly, levels, strict=True)
            ],
            "one threshold": [self.right("global", share) for share in levels],
            "compounding": self.compounding(),
            "spared": {what: self.sparing(like) for what, like in self.settings["spared"].items()},
        }

    def compounding(self) -> dict[str, Any]:
        """Take each share from what is left, as a loop does that never goes back to the whole network."""
        left, reached = 1.0, []
        for share in self.settings["calls"]:
            left *= 1 - share
            reached.append(round(1 - left, 4))
        return {
            "reached": reached,
            "right": [self.right(dict.fromkeys(self.sizes, share)) for share in reached],
        }

    def sparing(self, like: str) -> list[list[int]]:
        """Spare layers whose names are like this; the others lose as many weights more."""
        spared = [name for name in self.sizes if re.search(like, name)]
        rest = 1 - sum(self.sizes[name] for name in spared) / sum(self.sizes.values())
        return [
            self.right(dict.fromkeys(self.sizes, share / rest) | dict.fromkeys(spared, 0))
            for share in self.settings["sparsities"]
            if share / rest < 1
        ]

    def right(
        self, scope: str | dict[str, float], share: float | None = None, *, again: bool = False
    ) -> list[int]:
        """Count the right answers after a cut; estimate BatchNorm's statistics anew if asked."""
        left_alone = [OUTPUT] if scope == "global" else []
        mask = pv.prune(self.model, share, scope=scope, exclude=left_alone)
        thin = pv.apply(self.model, mask).to(DEVICE)
        return right(estimated(thin, self.unlabelled) if again else thin, self.counted)


def estimated(model: nn.Module, x: Tensor) -> nn.Module:
    """Give BatchNorm the mean statistics of batches of images without labels."""
    twin = copy.deepcopy(model)
    for module in twin.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    twin.train()
    with torch.no_grad():
        for batch in x.split(500):
            twin(batch)
    return twin.eval()
