"""Measure how sure pruned networks are: of digits, of clothes, and which digit is hurt first.

    python benchmarks/confidence.py FOLDER     # a minute on one core

Reads the networks that ``benchmarks/corruption.py`` keeps in the folder, and goes on with the test digits it
counts. A confidence is the largest of the ten probabilities. The calibration error (ECE) sorts the answers
into 15 bins of equal width and averages how far confidence and the share of right answers are apart. One
temperature, by which the outputs are divided, is fitted to the cross-entropy of the validation digits. The
result goes to ``lessons/results/confidence.json``.

C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks", International
Conference on Machine Learning, 2017.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from corruption import SEEDS, chosen_network, logits, part, pruned
from scipy import optimize, special
from shared import RESULTS, compact, network

import pruneviz as pv

if TYPE_CHECKING:
    from torch import nn

RESULT, BINS, SURE = RESULTS / "confidence.json", 15, 0.9
WEIGHTS, FILTERS, DENSE = ("weights", 0.8), ("filters", 0.5), ("weights", 0.0)


def main() -> None:
    """Measure every arm, and store the table."""
    parser = argparse.ArgumentParser(description="Measure how sure networks are.")
    parser.add_argument("folder", type=Path, help="where benchmarks/corruption.py keeps its networks")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    table: dict[str, object] = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "seeds": SEEDS,
        "images": len(part("test")[1]),
        "clothes": len(pv.datasets.clothes()[1]),
        "sure": SURE,
        "lenet_5": {},
        "lenet_300_100": {},
    }
    for name in ("dense", "weights 70%", "weights 80%", "filters 50%"):
        kind, _, share = name.partition(" ")
        cut = (kind, float(share[:-1]) / 100) if share else DENSE
        nets = [pruned(cut, seed, folder)[0] for seed in SEEDS]
        table["lenet_5"][f"{name}, not trained" if share else "dense, as it came"] = arm(nets)
    for recipe in ("plain", "augmented"):
        for name, cut in (("dense", DENSE), ("weights 80%", WEIGHTS), ("filters 50%", FILTERS)):
            nets = [chosen_network(cut, recipe, seed, folder) for seed in SEEDS]
            table["lenet_5"][f"{name}, {recipe}"] = arm(nets)
    for share in (0, 0.7, 0.8, 0.9):
        nets = [network("lenet_300_100", seed, folder) for seed in SEEDS]
        table["lenet_300_100"][f"weights {share:.0%}, not trained" if share else "dense, as it came"] = arm(
            [pv.apply(net, pv.prune(net, share)) for net in nets]
        )
    RESULT.write_text(compact(table), encoding="utf-8")


def arm(nets: list[nn.Module]) -> dict[str, list[object]]:
    """Measure one arm's networks: what -> a number, or a list of them, for each seed."""
    found = [measured(net) for net in nets]
    return {what: [one[what] for one in found] for what in found[0]}


def measured(net: nn.Module) -> dict[str, object]:
    """Measure one network on the test digits and on clothes."""
    (images, labels), (seen, truth) = part("test"), part("validation")
    outputs, foreign = logits(net, images), logits(net, pv.datasets.clothes()[0])
    hits = outputs.argmax(1) == labels
    heat = temperature(logits(net, seen), truth)
    sure, mended, of_clothes = (
        special.softmax(values, axis=1).max(1) for values in (outputs, outputs / heat, foreign)
    )
    return {
        "right": int(hits.sum()),
        "right_of_each_digit": [int(hits[labels == digit].sum()) for digit in range(10)],
        "confidence": round(float(sure.mean()), 4),
        "error": round(calibration_error(sure, hits), 4),
        "temperature": round(heat, 3),
        "confidence_mended": round(float(mended.mean()), 4),
        "error_mended": round(calibration_error(mended, hits), 4),
        "confidence_of_clothes": round(float(of_clothes.mean()), 4),
        "sure_of_clothes": int((of_clothes > SURE).sum()),
        "sure_of_clothes_mended": int((special.softmax(foreign / heat, axis=1).max(1) > SURE).sum()),
        "sure_of_digits": int((sure > SURE).sum()),
        "sure_of_digits_mended": int((mended > SURE).sum()),
    }


def temperature(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Find by what to divide the outputs, so that the cross-entropy is least."""

    def loss(exponent: float) -> float:
        return -float(
            special.log_softmax(outputs / np.exp(exponent), axis=1)[range(len(labels)), labels].mean()
        )

    return float(np.exp(optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def calibration_error(sure: np.ndarray, hits: np.ndarray) -> float:
    """Average over the bins how far confidence and the share of right answers are apart."""
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    apart = [abs(np.sum(sure[places == place] - hits[places == place])) for place in range(BINS)]
    return float(sum(apart) / len(hits))


if __name__ == "__main__":
    main()
