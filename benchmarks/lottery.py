"""Look for winning tickets as Frankle and Carbin did, and put their controls beside them.

    python benchmarks/lottery.py FOLDER        # an hour on one core; goes on where it stopped

LeNet-300-100 is trained from random weights, loses 20% of what is left, is rewound to the random weights it
began with, and trained again: fifteen rounds, down to 3.5% of the weights. In every round the same mask is
also trained from other random weights, and a random mask with as many weights in each layer from the same
ones. Magnitude, global scope, five seeds, right answers on the 10,000 test images. The folder keeps finished
rounds; the table goes to ``lessons/results/lottery.json``. They differ from us in that they prune each layer
by itself, the last one half as fast, and stop early.

J. Frankle and M. Carbin, "The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks",
International Conference on Learning Representations, 2019.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from shared import RESULTS, begun, descend, keep

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

RESULT = RESULTS / "lottery.json"
SEEDS, ROUNDS, LEFT_A_ROUND = (0, 1, 2, 3, 4), 15, 0.8
EPOCHS, BATCH, RATE = 3, 256, 1.2e-3
OTHER = 1000  # added to a seed for the other random weights


def main() -> None:
    """Fill in what the table lacks."""
    parser = argparse.ArgumentParser(description="Measure winning tickets and their controls.")
    parser.add_argument("folder", type=Path, help="where finished rounds are kept")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, default=RESULT)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    table = begun(
        chosen.out,
        made_by=f"benchmarks/{Path(__file__).name}",
        images=len(pv.datasets.mnist().test[1]),
        epochs=EPOCHS,
        batch=BATCH,
        rate=RATE,
        left=[round(LEFT_A_ROUND**number, 4) for number in range(ROUNDS + 1)],
        correct={},
    )
    for seed in chosen.seeds:
        counts = table["correct"].setdefault(str(seed), {})
        for _ in search(seed, chosen.folder / str(seed), counts):
            keep(chosen.out, table, indent=None)


def search(seed: int, folder: Path, counts: dict[str, list[int]]) -> Iterator[pv.Round]:
    """Count the right answers of one seed, round by round: arm -> counts, the unpruned network first."""
    test = pv.datasets.mnist().test
    initial = fresh(seed)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "dense.pruneviz").exists():
        dense = fresh(seed)
        train(dense, None, seed)
        pv.save(dense, folder / "dense.pruneviz")
    dense = pv.load(folder / "dense.pruneviz", initial)
    for arm in ("ticket", "other_weights", "random_mask"):
        counts.setdefault(arm, [pv.scorecard(dense, test).correct])
    schedule = pv.schedules.exponential(0, 1 - LEFT_A_ROUND**ROUNDS, begin=0, end=ROUNDS)
    rounds = pv.iterate(
        dense, schedule, train, test, seed=seed, start=initial, resume=folder / "rounds", progress=False
    )
    for done in rounds:
        if len(counts["random_mask"]) > done.number:
            continue
        random_mask = shuffled(done.mask, seed)
        found = {
            "ticket": done.card.correct,
            "other_weights": trained(fresh(OTHER + seed), done.mask, seed),
            "random_mask": trained(initial, random_mask, seed),
        }
        for arm, correct in found.items():
            counts[arm].append(correct)
        yield done
        print(seed, done, found, flush=True)


def fresh(seed: int) -> nn.Module:
    """Give the network random weights."""
    torch.manual_seed(seed)
    return pv.zoo.lenet_300_100("torch", pretrained=False)


def shuffled(mask: pv.Mask, seed: int) -> pv.Mask:
    """Keep as many weights in each layer, but any."""
    rng = np.random.default_rng([seed, mask.kept])
    return pv.Mask({name: rng.permutation(kept.ravel()).reshape(kept.shape) for name, kept in mask.items()})


def trained(model: nn.Module, mask: pv.Mask, seed: int) -> int:
    """Train a masked copy, and count its right answers."""
    thin = pv.apply(model, mask)
    with pv.keep_pruned(thin, mask):
        train(thin, mask, seed)
    return pv.scorecard(thin, pv.datasets.mnist().test).correct


def train(model: nn.Module, _: pv.Mask | None, seed: int) -> None:
    """Train in place with Adam at a constant rate, as the paper does."""
    torch.manual_seed(seed)
    descend(model, torch.optim.Adam(model.parameters(), RATE, fused=True), EPOCHS, BATCH)


if __name__ == "__main__":
    main()
