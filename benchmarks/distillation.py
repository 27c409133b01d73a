"""Fine-tune a pruned network by labels, by the answers of the network that it was, or by both.

    python benchmarks/distillation.py FOLDER        # five minutes on one core; goes on where it stopped

LeNet-300-100 is cut to 24 and 12 neurons. The teacher is the network before the cut, which was trained on
all 55,000 labels; the pupil has all labels, the first 1,000, or none. The teacher's share of the loss is
0.7 where there are labels, and the whole of it where there are none. Every arm is trained at two learning
rates, of which the 5,000 validation images choose one for all seeds. All arms take 1,080 steps: of 512
images, or of 64 where there are 1,000. The table goes to ``lessons/results/distillation.json``, which
lesson 07b reads. The folder has the networks of other seeds, or gets them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from shared import RESULTS, begun, compact, keep, network
from torch.nn import functional
from training.mnist import tensors
from tuning import best, counts, fresh, softer, trained

import pruneviz as pv

if TYPE_CHECKING:
    from torch import Tensor, nn
    from tuning import Loss

RESULT = RESULTS / "distillation.json"
SEEDS, RATES, SHARE, FEW = (0, 1, 2), (4e-3, 1.6e-2), 0.7, 1_000
UNITS = {"fc1": 24, "fc2": 12}
DIGITS = pv.datasets.mnist()
X, Y = tensors(DIGITS.train)
# Arm -> images, temperature (None: no teacher), whether there are labels, and what it begins with.
ARMS: dict[str, tuple[int, float | None, bool, str]] = {
    "1,000 labels": (FEW, None, True, "cut"),
    "1,000 labels, teacher, T = 1": (FEW, 1, True, "cut"),
    "1,000 labels, teacher, T = 4": (FEW, 4, True, "cut"),
    "no labels, teacher, T = 1": (len(X), 1, False, "cut"),
    "no labels, teacher, T = 4": (len(X), 4, False, "cut"),
    "all labels": (len(X), None, True, "cut"),
    "all labels, teacher, T = 1": (len(X), 1, True, "cut"),
    "all labels, teacher, T = 4": (len(X), 4, True, "cut"),
    "from scratch, all labels": (len(X), None, True, "random"),
    "from scratch, all labels, teacher, T = 4": (len(X), 4, True, "random"),
    "dense, all labels": (len(X), None, True, "dense"),
}


def main() -> None:
    """Fill in what the table lacks."""
    parser = argparse.ArgumentParser(description="Measure what a teacher is worth.")
    parser.add_argument("folder", type=Path, help="where the networks of other seeds are, or come to be")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    about = {"seeds": SEEDS, "images": len(DIGITS.test[1]), "rates": RATES, "share": SHARE}
    table = begun(RESULT, made_by=f"benchmarks/{Path(__file__).name}", **about, runs={})
    for seed in SEEDS:
        whole = network("lenet_300_100", seed, folder)
        small = cut(whole)
        at_once = {"teacher": counts(whole, DIGITS.validation, DIGITS.test)}
        at_once["cut"] = counts(small, DIGITS.validation, DIGITS.test)
        table.setdefault("at_once", {})[str(seed)] = at_once
        with torch.no_grad():
            logits = whole(X)
        starts = {"cut": small, "random": fresh(small, seed), "dense": whole}
        for arm in ARMS:
            runs = table["runs"].setdefault(arm, {}).setdefault(str(seed), {})
            for rate in RATES:
                if f"{rate:g}" not in runs:
                    model = pupil(starts[ARMS[arm][3]], arm, logits, rate, seed)
                    runs[f"{rate:g}"] = counts(model, DIGITS.validation, DIGITS.test)
            keep(RESULT, table)
            print(seed, arm, runs, flush=True)
    table["right"] = {arm: best(list(runs.values())) for arm, runs in table["runs"].items()}
    RESULT.write_text(compact(table), encoding="utf-8")


def pupil(start: nn.Module, arm: str, logits: Tensor, rate: float, seed: int) -> nn.Module:
    """Train a copy of a network in one arm."""
    images, temperature, labelled, _ = ARMS[arm]
    share = 0 if temperature is None else SHARE if labelled else 1
    size = 64 if images == FEW else 512
    epochs = round(10 * -(-len(X) // 512) / -(-images // size))
    return trained(start, by_both(logits, share, temperature), images, epochs, rate, seed, size)


def by_both(logits: Tensor, share: float, temperature: float | None) -> Loss:
    """Ask for the right answers, and for a teacher's logits."""

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        given = model(X[batch])
        labels = functional.cross_entropy(given, Y[batch]) if share < 1 else 0
        teachers = softer(given, logits[batch], temperature) if temperature else 0
        return share * teachers + (1 - share) * labels

    return loss


def cut(model: nn.Module) -> nn.Module:
    """Leave the neurons with the largest weights."""
    layers, example = pv.network(model), DIGITS.train[0][:8]
    scope = {name: 1 - number / len(layers[name].weight) for name, number in UNITS.items()}
    return pv.remove(model, pv.prune(model, granularity="neuron", scope=scope, example=example), example)


if __name__ == "__main__":
    main()
