"""Go on training after a prune: with the old state of Adam or a new one, and at which learning rate.

    python benchmarks/after_the_prune.py FOLDER        # some minutes on one core

LeNet-300-100 is trained for one more epoch by Adam at 0.001, so that Adam has a state. Then it loses 90% of
its weights, and is trained for another epoch in batches of 512, with a rate that falls to nothing; three
networks, right answers on the 10,000 test images. First table: what holds the zeros, a mask on the gradient
or one on the weights. Second: the rate at which it begins, beside the dense network with the same epoch;
the lowest is where the network's own training ended. The tables go to
``lessons/results/after_the_prune.json``, which lesson 07b reads. The folder has the networks of other
seeds, or gets them.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from shared import RESULTS, compact, descend, network
from torch.nn import functional
from training.mnist import tensors

import pruneviz as pv

if TYPE_CHECKING:
    from torch import nn

RESULT = RESULTS / "after_the_prune.json"
SEEDS, SPARSITY, BATCH, BEFORE = (0, 1, 2), 0.9, 512, 1e-3
RATES = (3.2e-8, 1e-4, 1e-3, 4e-3, 1.6e-2, 6.4e-2)
HELD = ("nothing", "a mask on the gradient", "a mask on the weights")
DIGITS = pv.datasets.mnist()
X, Y = tensors(DIGITS.train)


def main() -> None:
    """Measure both tables."""
    parser = argparse.ArgumentParser(description="Measure training after a prune.")
    parser.add_argument("folder", type=Path, help="where the networks of other seeds are, or come to be")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    zeros: dict[str, Any] = {f"{held}, {state} state": [] for held in HELD for state in ("old", "new")}
    rates: dict[str, Any] = {
        f"{cut}, {state} state": {f"{rate:g}": [] for rate in RATES}
        for cut in ("pruned", "dense")
        for state in ("old", "new")
    }
    at_once: dict[str, list[int]] = {"dense": [], "pruned": []}
    for seed in SEEDS:
        model, state = interrupted(network("lenet_300_100", seed, folder), seed)
        mask = pv.prune(model, SPARSITY)
        starts = {"dense": (model, pv.Mask({})), "pruned": (pv.apply(model, mask), mask)}
        for name, (start, _) in starts.items():
            at_once[name].append(pv.scorecard(start, DIGITS.test).correct)
        for arm, found in zeros.items():
            held, which = arm.rsplit(", ", 1)
            trained = epoch(*starts["pruned"], state if which == "old state" else None, BEFORE, held, seed)
            found.append([alive(trained, mask), *(right(m) for m in (trained, pv.apply(trained, mask)))])
            print(seed, arm, found[-1], flush=True)
        for arm, found in rates.items():
            cut, which = arm.split(", ")
            for rate in RATES:
                trained = epoch(*starts[cut], state if which == "old state" else None, rate, HELD[2], seed)
                found[f"{rate:g}"].append(right(trained))
            print(seed, arm, found, flush=True)
    table = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "seeds": SEEDS,
        "images": len(DIGITS.test[1]),
        "pruned": mask.pruned,
        "right_at_once": at_once,
        "zeros": {"what": ["weights alive again", "right", "right with the mask again"], **zeros},
        "rates": rates,
    }
    RESULT.write_text(compact(table), encoding="utf-8")


def interrupted(model: nn.Module, seed: int) -> tuple[nn.Module, dict[str, Any]]:
    """Train for one more epoch; give the network and the state of Adam."""
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), BEFORE, fused=True)
    descend(model, optimizer, 1, BATCH)
    return model, optimizer.state_dict()


def epoch(
    start: nn.Module, mask: pv.Mask, state: dict[str, Any] | None, rate: float, held: str, seed: int
) -> nn.Module:
    """Train a copy for an epoch, with the optimizer's state of before or none; give it back."""
    torch.manual_seed(seed)
    model = pv.apply(start, pv.Mask({}))
    optimizer = torch.optim.Adam(model.parameters(), rate, fused=True)
    if state:
        optimizer.load_state_dict(copy.deepcopy(state))
        optimizer.param_groups[0]["lr"] = rate
    batches = torch.randperm(len(X)).split(BATCH)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / len(batches))
    kept = {name: torch.tensor(array) for name, array in mask.items()}
    held_back = (
        pv.keep_pruned(model, mask, optimizer) if held == HELD[2] and mask else contextlib.nullcontext()
    )
    model.train()
    with held_back:
        for batch in batches:
            optimizer.zero_grad()
            torch.autograd.backward(functional.cross_entropy(model(X[batch]), Y[batch]))
            for name, mine in kept.items() if held == HELD[1] else ():
                model.get_submodule(name).weight.grad *= mine
            optimizer.step()
            falling.step()
    return model.eval()


def alive(model: nn.Module, mask: pv.Mask) -> int:
    """Count the pruned weights that are not zero."""
    layers = pv.network(model)
    return sum(int(((layers[name].weight != 0) & ~kept).sum()) for name, kept in mask.items())


def right(model: nn.Module) -> int:
    """Count the right answers on the test images."""
    return pv.scorecard(model, DIGITS.test).correct


if __name__ == "__main__":
    main()
