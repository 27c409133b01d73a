"""Train copies of small networks on, by any loss; and choose among learning rates by validation images."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    Loss = Callable[[nn.Module, Tensor], Tensor]  # of a network, on the images that these numbers name

Counts = list[int]  # right on validation images, right on test images


def trained(
    model: nn.Module,
    loss: Loss,
    images: int,
    epochs: int,
    rate: float,
    seed: int,
    size: int = 512,
    mask: pv.Mask | None = None,
) -> nn.Module:
    """Train a copy by Adam and one cycle of the learning rate; what the mask prunes stays zero."""
    torch.manual_seed(seed)
    copy = pv.apply(model, mask or pv.Mask({}))
    optimizer = torch.optim.Adam(copy.parameters(), rate, fused=True)
    steps = -(-images // size)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs=epochs, steps_per_epoch=steps)
    copy.train()
    with pv.keep_pruned(copy, mask, optimizer) if mask else contextlib.nullcontext():
        for _ in range(epochs):
            for batch in torch.randperm(images).split(size):
                optimizer.zero_grad()
                torch.autograd.backward(loss(copy, batch))
                optimizer.step()
                cycle.step()
    return copy.eval()


def by_labels(x: Tensor, y: Tensor) -> Loss:
    """Ask for the right answers."""
    return lambda model, batch: functional.cross_entropy(model(x[batch]), y[batch])


def softer(given: Tensor, wanted: Tensor, temperature: float) -> Tensor:
    """Ask for a teacher's logits: the divergence of both softmaxes at a temperature, times its square."""
    mine, teachers = (functional.log_softmax(one / temperature, 1) for one in (given, wanted))
    return temperature**2 * functional.kl_div(mine, teachers, reduction="batchmean", log_target=True)


def fresh(model: nn.Module, seed: int) -> nn.Module:
    """Give a copy of a network random weights, as PyTorch begins with."""
    torch.manual_seed(1000 + seed)
    copy = pv.apply(model, pv.Mask({}))
    for layer in copy.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return copy


def counts(model: nn.Module, validation: pv.datasets.Split, test: pv.datasets.Split) -> Counts:
    """Count the right answers on both."""
    return [pv.scorecard(model, split).correct for split in (validation, test)]


def best(runs: Sequence[Mapping[str, Counts]]) -> dict[str, object]:
    """Choose what most validation images like, over all seeds; runs are choice -> counts, one a seed."""
    chosen = max(runs[0], key=lambda choice: sum(run[choice][0] for run in runs))
    return {"chosen": chosen, "right": [run[chosen][1] for run in runs]}
