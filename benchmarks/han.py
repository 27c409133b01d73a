"""Prune LeNet-300-100 and LeNet-5 twelve times over, and put the errors beside those of Han and others.

    python benchmarks/han.py            # a quarter of an hour on one core; goes on where it stopped

`pruneviz.iterate` takes the same share of what is left in each of five rounds, until one weight in twelve
remains: magnitude, global scope. Each round trains four epochs with Adam, whose rate falls from its maximum
to zero by a cosine. The control trains the same rounds and prunes nothing. Three networks, trained from
different seeds; right answers on the 10,000 test images go to ``lessons/results/han.json``. Our LeNet-5 has
61,706 parameters, theirs 431,000; they choose a threshold for each layer, and train longer.

S. Han, J. Pool, J. Tran and W. J. Dally, "Learning both Weights and Connections for Efficient Neural
Networks", Advances in Neural Information Processing Systems 28, 2015.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from iterative import SEEDS, fit
from shared import RESULTS, begun, keep, network

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = RESULTS / "han.json"
NETWORKS = ("lenet_300_100", "lenet_5")
TIMES, ROUNDS, EPOCHS, RATE = 12, 5, 4, 4e-3
WAYS: dict[str, Callable[[int], float]] = {
    "pruned": pv.schedules.exponential(0, 1 - 1 / TIMES, begin=0, end=ROUNDS),
    "control": pv.schedules.constant(0, end=ROUNDS),
}
THEIRS = {  # error in per cent, before and after
    "lenet_300_100": {"before": 1.64, "after": 1.59, "times": 12},
    "lenet_5": {"before": 0.80, "after": 0.77, "times": 12},
}


def main() -> None:
    """Fill in what the table lacks."""
    parser = argparse.ArgumentParser(description="Prune twelve times over, as Han and others did.")
    parser.add_argument("--seeds-in", type=Path, default=Path("seeds"), help="trained seeds; made if missing")
    parser.add_argument("--out", type=Path, default=RESULT)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    table = begun(
        chosen.out,
        made_by=f"benchmarks/{Path(__file__).name}",
        images=len(pv.datasets.mnist().test[1]),
        times=TIMES,
        rounds=ROUNDS,
        epochs_a_round=EPOCHS,
        largest_rate=RATE,
        seeds=SEEDS,
        theirs=THEIRS,
        correct={},
    )
    for name in NETWORKS:
        counts = table["correct"].setdefault(name, {"before": [], **{way: [] for way in WAYS}})
        for seed in SEEDS[len(counts["control"]) :]:
            found = measured(network(name, seed, chosen.seeds_in), seed)
            for what, correct in found.items():
                counts[what].append(correct)
            print(name, seed, found, flush=True)
            keep(chosen.out, table)


def measured(model: torch.nn.Module, seed: int) -> dict[str, int]:
    """Count right answers before, after all rounds of pruning, and after as many rounds without."""
    test = pv.datasets.mnist().test
    few_images = tuple(array[:100] for array in pv.datasets.mnist().validation)
    found = {"before": pv.scorecard(model, test).correct}
    for way, schedule in WAYS.items():
        *_, last = pv.iterate(model, schedule, tuned, few_images, rounds=ROUNDS, seed=seed, progress=False)
        found[way] = pv.scorecard(last.model, test).correct
    return found


def tuned(thin: torch.nn.Module, _: pv.Mask, seed: int) -> None:
    """Train a round."""
    fit(thin, EPOCHS, seed, rate=RATE)


if __name__ == "__main__":
    main()
