"""Cut a trained network to a quarter and train it on, against training the small one from the start.

    python benchmarks/prune_or_start_small.py          # about ten minutes on one core

"Pruning model with Tensorflow API" says that cutting is the more effective way and gives no figure. Every
arm sees the training images for 24 epochs in all, but for the control that gets the multiplications instead
of the epochs of the arm that begins large. Each arm is trained at four learning rates; the 5,000 validation
images choose one for all seeds, and the 10,000 test images are counted once. The result goes to
``lessons/results/prune_or_start_small.json``, which lesson 02b reads. 300-100 and 75-25 are the sizes of the
hidden layers.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from shared import RESULTS, compact, descend
from torch import nn

import pruneviz as pv
from pruneviz.zoo.torch import build

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = RESULTS / "prune_or_start_small.json"
SEEDS = (0, 1, 2)
RATES = (4e-3, 8e-3, 1.6e-2, 3.2e-2)  # at 6.4e-2 the small network is worse again
LARGE_RATE, BATCH = 8e-3, 512
SHARES = {"fc1": 0.75, "fc2": 0.75}
EPOCHS_LARGE = EPOCHS_AFTER = 12
MACS_LARGE, MACS_SMALL = 784 * 300 + 300 * 100 + 100 * 10, 784 * 75 + 75 * 25 + 25 * 10
# As many small epochs as cost the multiplications of the large ones, and the epochs after the cut.
EPOCHS_AS_DEAR = round(EPOCHS_LARGE * MACS_LARGE / MACS_SMALL) + EPOCHS_AFTER


def main() -> None:
    """Train all arms, and store the table."""
    torch.set_num_threads(1)
    mnist = pv.datasets.mnist()
    runs = {seed: arms(seed, mnist) for seed in SEEDS}
    table: dict[str, object] = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "seeds": SEEDS,
        "images": len(mnist.test[1]),
        "rates": RATES,
        "epochs": EPOCHS_LARGE + EPOCHS_AFTER,
        "epochs_after_the_cut": EPOCHS_AFTER,
        "multiplications": {"300-100": MACS_LARGE, "75-25": MACS_SMALL},
        "before_the_cut": [runs[seed]["large"][0][1] for seed in SEEDS],
        "right_after_the_cut": [runs[seed]["cut"][0][1] for seed in SEEDS],
        "arms": {},
    }
    for arm in [name for name in runs[SEEDS[0]] if name not in ("large", "cut")]:
        chosen = int(np.argmax(np.sum([[v for v, _ in runs[seed][arm]] for seed in SEEDS], axis=0)))
        table["arms"][arm] = {
            "rate": RATES[chosen],
            "correct": [runs[seed][arm][chosen][1] for seed in SEEDS],
            "validation_at_each_rate": [[v for v, _ in runs[seed][arm]] for seed in SEEDS],
        }
    RESULT.write_text(compact(table), encoding="utf-8")
    print(f"written: {RESULT.name}")


def arms(seed: int, mnist: pv.datasets.Dataset) -> dict[str, list[tuple[int, int]]]:
    """Train every arm from one seed: name -> (right on validation, right on test) at each rate."""
    large = trained(lambda: build("lenet_300_100", None), seed, EPOCHS_LARGE, LARGE_RATE, mnist)
    cuts = {name: cut(large, name, seed, mnist) for name in ("magnitude", "random")}
    plans: dict[str, tuple[Callable[[], nn.Module], int]] = {
        "cut by L1 norm, fine-tuned": (lambda: cuts["magnitude"], EPOCHS_AFTER),
        "cut at random, fine-tuned": (lambda: cuts["random"], EPOCHS_AFTER),
        "small, as many epochs": (small, EPOCHS_LARGE + EPOCHS_AFTER),
        "small, as many multiplications": (small, EPOCHS_AS_DEAR),
    }
    results = {"large": [counts(large, mnist)], "cut": [counts(cuts["magnitude"], mnist)]}
    for name, (start, epochs) in plans.items():
        results[name] = [counts(trained(start, seed, epochs, rate, mnist), mnist) for rate in RATES]
        print(f"seed {seed}, {name}, {epochs} epochs: {results[name]}", flush=True)
    return results


def cut(model: nn.Module, criterion: str, seed: int, mnist: pv.datasets.Dataset) -> nn.Module:
    """Take three quarters of the neurons of both hidden layers out."""
    example = mnist.train[0][:1]
    mask = pv.prune(
        model, granularity="neuron", criterion=criterion, scope=SHARES, example=example, seed=seed
    )
    return pv.remove(model, mask, example)


def small() -> nn.Module:
    """Make a 75-25 network with random weights."""
    sizes = (784, 75, 25, 10)
    layers = [nn.Linear(before, after) for before, after in pairwise(sizes)]
    return nn.Sequential(nn.Flatten(), layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])


def trained(
    start: Callable[[], nn.Module], seed: int, epochs: int, rate: float, mnist: pv.datasets.Dataset
) -> nn.Module:
    """Train a copy of what `start` makes by the zoo's recipe: Adam, one cycle of the learning rate."""
    torch.manual_seed(seed)
    model = pv.apply(start(), pv.Mask({}))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    steps = -(-len(mnist.train[1]) // BATCH)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs=epochs, steps_per_epoch=steps)
    descend(model, optimizer, epochs, BATCH, cycle)
    return model


def counts(model: nn.Module, mnist: pv.datasets.Dataset) -> tuple[int, int]:
    """Count the right answers on validation and test images."""
    return pv.scorecard(model, mnist.validation).correct, pv.scorecard(model, mnist.test).correct


if __name__ == "__main__":
    main()
