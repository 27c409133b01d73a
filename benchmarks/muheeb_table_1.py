"""Measure Table 1 of Muheeb, "Evaluation of Gradient-Based Magnitude Pruning Technique", again.

    python benchmarks/muheeb_table_1.py                    # about an hour on one core
    python benchmarks/muheeb_table_1.py --seeds FOLDER     # reads FOLDER/lenet_5_1.safetensors, …

Two networks, ten sparsities, one shot without retraining, the output layer left alone, counted on the
10,000 test images. Seed 0 is the zoo's network; the others are trained by ``training/mnist.py``, and kept
in the folder if one is given. Beyond the article's table: global scope, three seeds, and four other ways of
training. The result goes to ``lessons/results/muheeb_table_1.json``, which lesson 01a reads.
"""

from __future__ import annotations

import argparse
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from shared import RESULTS, compact, descend, network
from torch import nn

import pruneviz as pv
from pruneviz.zoo.torch import build

RESULT = RESULTS / "muheeb_table_1.json"
SPARSITIES = (0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99)
SCOPES = ("layer", "global")
SEEDS = (0, 1, 2)
OUTPUT_LAYER = "fc3"
# Test accuracy in per cent, per layer, as printed in the article.
ARTICLE = {
    "lenet_300_100": (97.91, 97.93, 97.90, 97.95, 97.40, 96.44, 81.25, 37.84, 14.83, 9.75),
    "lenet_5": (97.94, 97.96, 97.26, 95.76, 93.69, 90.00, 51.22, 22.62, 9.59, 10.28),
}
# The article trains for 20 epochs, and does not say how.
EPOCHS = 20
ADAM = (torch.optim.Adam, {"lr": 0.001})
SGD = (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9})
WAYS = {
    "Adam, pixels in [0, 1]": (False, *ADAM),
    "Adam, pixels standardised": (True, *ADAM),
    "SGD, pixels in [0, 1]": (False, *SGD),
    "SGD, pixels standardised": (True, *SGD),
}
MEAN, DEVIATION = 0.1307, 0.3081  # of MNIST's training pixels, as tutorials standardise them


class Standardise(nn.Module):
    """Shift and scale pixels to mean 0 and standard deviation 1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Standardise a batch."""
        return (x - MEAN) / DEVIATION


def main() -> None:
    """Measure, and store the table."""
    parser = argparse.ArgumentParser(description="Measure Table 1 of Muheeb's article again.")
    parser.add_argument("--seeds", type=Path, metavar="FOLDER", help="trained seeds; made if missing")
    folder = parser.parse_args().seeds
    torch.set_num_threads(1)
    test = pv.datasets.mnist().test
    table = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "images": len(test[1]),
        "left_alone": OUTPUT_LAYER,
        "sparsities": SPARSITIES,
        "seeds": SEEDS,
        "article_percent": ARTICLE,
        "other_training": {name: other_training(name, test) for name in ARTICLE},
        "correct": {name: three_seeds(name, test, folder) for name in ARTICLE},
        "by_digit": by_digit("lenet_300_100", test, folder),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(compact(table), encoding="utf-8")
    print(f"written: {RESULT.name}")


def three_seeds(name: str, test: pv.datasets.Split, folder: Path | None) -> dict[str, list[list[int]]]:
    """Count right answers: scope -> one row for each seed."""
    models = [network(name, seed, folder) for seed in SEEDS]
    return {scope: [counts(f"{name}, {scope}", model, test, scope) for model in models] for scope in SCOPES}


def by_digit(name: str, test: pv.datasets.Split, folder: Path | None) -> dict[str, object]:
    """Count right answers for each digit, one row for each seed: who is hurt at 80%, all layers pruned."""
    _, y = test
    rows = []
    for seed in SEEDS:
        model = network(name, seed, folder)
        card = pv.scorecard(pv.apply(model, pv.prune(model, 0.8, scope="global")), test)
        rows.append(np.bincount(y[card.predictions == y], minlength=10).tolist())
    images = np.bincount(y).tolist()
    return {"network": name, "scope": "global", "sparsity": 0.8, "images": images, "correct": rows}


def other_training(name: str, test: pv.datasets.Split) -> dict[str, list[list[int]]]:
    """Count right answers of networks trained otherwise, pruned per layer: way -> one row for each seed."""
    return {
        way: [
            counts(f"{name}, {way}", plainly_trained(name, seed, standardise, *optimizer), test, "layer")
            for seed in SEEDS
        ]
        for way, (standardise, *optimizer) in WAYS.items()
    }


def plainly_trained(
    name: str,
    seed: int,
    standardise: bool,
    optimizer_class: type[torch.optim.Optimizer],
    options: dict[str, float],
) -> nn.Module:
    """Train for the article's 20 epochs, in batches of 64, at a constant learning rate."""
    torch.manual_seed(seed)
    model = build(name, None)
    if standardise:
        model = nn.Sequential(OrderedDict([("standardise", Standardise()), *model.named_children()]))
    descend(model, optimizer_class(model.parameters(), fused=True, **options), EPOCHS, 64)
    return model


def counts(title: str, model: nn.Module, test: pv.datasets.Split, scope: str) -> list[int]:
    """Count the right answers at each sparsity."""
    cards = pv.sweep(model, test, SPARSITIES, scope=scope, exclude=[OUTPUT_LAYER], progress=False)
    row = [card.correct for card in cards]
    print(title, row, flush=True)
    return row


if __name__ == "__main__":
    main()
