"""The models that lesson 06b opens with: LeNet-300-100, pruned in two ways and in steps, each with its card.

    python benchmarks/family.py      # half a minute on one core

The zoo's network, in PyTorch. Weights go, and what is left gets one more epoch: Adam at 4e-3 falling to 0 in
batches of 128; so does the dense network, as the control. Neurons go, get that epoch, and are then removed.
Cards are of the 5,000 validation images; times are the processor's, of all models in turns, on one thread.

``lessons/results/family.json`` holds them, for `pruneviz.read_variants`.
"""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from shared import RESULTS, descend

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Iterator

WEIGHTS, NEURONS = (0.8, 0.9, 0.95), (0.5, 0.75)
PER_EPOCH = -(-55_000 // 128)

Made = tuple[str, torch.nn.Module, str | None, str]
"""A name, its model, the name of the one that it was made from, and by what step."""


def main() -> None:
    """Make the models, measure them and store the cards."""
    torch.set_num_threads(1)
    x, y = pv.datasets.mnist().validation
    made = list(models(x[:1]))
    times = pv.latency({name: model for name, model, *_ in made}, x, clock="processor", seconds=0.5)
    variants = [
        pv.Variant(replace(pv.scorecard(model, (x, y), name), latency_ms=times[name]), parent, step)
        for name, model, parent, step in made
    ]
    for one in variants:
        print(one.card)
    pv.write_variants(RESULTS / "family.json", variants)


def models(example: object) -> Iterator[Made]:
    """Make them, each after the one that it comes from."""
    dense = pv.zoo.lenet_300_100("torch")
    yield "dense", dense, None, ""
    yield "dense, trained on", trained(dense), "dense", "one more epoch"
    for share in WEIGHTS:
        mask, name = pv.prune(dense, share), f"weights {share:.0%}"
        masked = pv.apply(dense, mask)
        yield name, masked, "dense", f"prune {share:.0%} of the weights"
        yield f"{name}, tuned", trained(masked, mask), name, "one more epoch"
    for share in NEURONS:
        mask = pv.prune(dense, share, granularity="neuron", scope="layer", example=example)
        masked, name = pv.apply(dense, mask), f"neurons {share:.0%}"
        tuned = trained(masked, mask)
        yield name, masked, "dense", f"prune {share:.0%} of the neurons"
        yield f"{name}, tuned", tuned, name, "one more epoch"
        yield f"{name}, removed", pv.remove(tuned, mask, example), f"{name}, tuned", "remove"


def trained(model: torch.nn.Module, mask: pv.Mask | None = None) -> torch.nn.Module:
    """Give a copy one more epoch; what the mask prunes stays zero."""
    twin = copy.deepcopy(model)
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(twin.parameters(), 4e-3)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=PER_EPOCH)
    with pv.keep_pruned(twin, mask, optimizer) if mask else contextlib.nullcontext():
        descend(twin, optimizer, 1, 128, falling)
    return twin


if __name__ == "__main__":
    main()
