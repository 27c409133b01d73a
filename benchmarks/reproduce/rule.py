"""The rule of tensorflow-model-optimization, rebuilt in PyTorch so that a GPU may run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


class Rule:
    """Every so many steps each layer loses its smallest weights, up to the schedule's share of that step.

    M. Zhu and S. Gupta, "To Prune, or Not to Prune", 2017. The tool's callback prunes once more when training
    has ended: call `step` with the number of all steps.
    """

    def __init__(
        self, model: nn.Module, initial: float, final: float, begin: int, end: int, every: int
    ) -> None:
        self.initial, self.final, self.begin, self.end, self.every = initial, final, begin, end, every
        self.weights = {name: p for name, p in model.named_parameters() if name.endswith("weight")}
        self.masks: dict[str, Tensor] = {name: torch.ones_like(p) for name, p in self.weights.items()}

    def step(self, number: int) -> None:
        """Prune further, if it is time to."""
        if not self.begin <= number <= self.end or (number - self.begin) % self.every:
            return
        left = 1 - (number - self.begin) / (self.end - self.begin)
        share = self.final + (self.initial - self.final) * left**3
        for name, weight in self.weights.items():
            kept = max(1, round((1 - share) * weight.numel()))
            lowest = weight.detach().abs().flatten().argsort()[: weight.numel() - kept]
            self.masks[name].fill_(1).view(-1)[lowest] = 0
            weight.data.mul_(self.masks[name])

    @property
    def sparsity(self) -> float:
        """The share that is pruned."""
        kept = sum(int(mask.sum()) for mask in self.masks.values())
        return 1 - kept / sum(mask.numel() for mask in self.masks.values())
