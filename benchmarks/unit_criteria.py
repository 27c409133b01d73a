"""Which neurons or filters can go? Eight criteria, over the whole range of sparsities, three seeds.

    python benchmarks/unit_criteria.py FOLDER      # about an hour on one core; stopped, it can go on

Neurons of LeNet-300-100 and filters of LeNet-5; no layer is emptied. Everything is counted on the 5,000
validation images, except for one row that says "test". For each scope: accuracy at once. For scope "layer"
also after the units are removed and what is left is trained for one epoch. And of each unit: what it costs to
silence it alone, and how well each criterion's order agrees with that (Spearman's rank correlation).

Seed 0 is the zoo's network. FOLDER holds the others (lenet_5_1.safetensors, …), which are trained if missing,
and what has been measured so far. Prints a table, and writes ``lessons/results/unit_criteria.json``, which
lessons 02a and 03 read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from shared import RESULTS, compact, keep, network
from torch import nn

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.datasets import Dataset

RESULT = RESULTS / "unit_criteria.json"
NETWORKS = {"lenet_300_100": "neuron", "lenet_5": "filter"}
SCOPES = ("layer", "global")
CRITERIA = ("magnitude", "l2", "fpgm", "taylor", "gradient", "activation", "apoz", "random")
SPARSITIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SEEDS = (0, 1, 2)
SCORED_ON = 10_000  # the first training images, for the criteria that need some
RATE, BATCH = 2e-3, 512


def main() -> None:
    """Measure what is missing, print and store the table."""
    parser = argparse.ArgumentParser(description="Compare criteria for neurons and filters.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="seeds and progress; made if missing")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    mnist = pv.datasets.mnist()
    table = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "images": len(mnist.validation[1]),
        "split": "validation",
        "sparsities": SPARSITIES,
        "seeds": SEEDS,
        "fine_tuning": f"one epoch, Adam, learning rate falling from {RATE:g} to 0, batches of {BATCH}",
        "networks": {name: Study(name, mnist, folder).table() for name in NETWORKS},
    }
    report(table)
    RESULT.write_text(compact(table), encoding="utf-8")
    print(f"written: {RESULT.name}")


class Study:
    """The measurements of one network; those done are kept in a file."""

    def __init__(self, name: str, mnist: Dataset, folder: Path) -> None:
        self.name, self.mnist = name, mnist
        self.models = [network(name, seed, folder) for seed in SEEDS]
        self.path = folder / f"unit_criteria_{name}.json"
        self.known = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}

    def table(self) -> dict[str, object]:
        """Measure all: scope -> criterion -> one row of counts for each seed."""
        result: dict[str, object] = {
            "granularity": NETWORKS[self.name],
            "dense": [self.correct(model) for model in self.models],
            "dense_test": [pv.scorecard(model, self.mnist.test).correct for model in self.models],
            "dense_fine_tuned": [self.fine_tuned(seed, pv.Mask({}, NETWORKS[self.name])) for seed in SEEDS],
            "one_shot": {scope: self.curves(scope, self.one_shot) for scope in SCOPES},
            "alone": [self.alone(seed) for seed in SEEDS],
            "agreement": {
                criterion: [self.agreement(seed, criterion) for seed in SEEDS] for criterion in CRITERIA
            },
            "left": self.left(),
        }
        return result | {"fine_tuned": {"layer": self.curves("layer", self.fine_tuned)}}

    def curves(self, scope: str, measure: Callable[[int, pv.Mask], int]) -> dict[str, list[list[int]]]:
        """Count right answers: criterion -> one row for each seed."""
        table = {}
        for criterion in CRITERIA:
            table[criterion] = [
                [measure(seed, mask) for mask in self.masks(seed, scope, criterion)] for seed in SEEDS
            ]
            print(self.name, scope, measure.__name__, criterion, table[criterion], flush=True)
        return table

    def scores(self, seed: int, criterion: str) -> pv.Importance:
        """Score the units; the random criterion draws anew for each seed."""
        x, y = self.mnist.train
        data = x[:SCORED_ON], y[:SCORED_ON]
        options = {"granularity": NETWORKS[self.name], "criterion": criterion, "data": data, "seed": seed}
        return pv.importance(self.models[seed], **options)

    def masks(self, seed: int, scope: str, criterion: str) -> list[pv.Mask]:
        """Choose units at each sparsity."""
        ranking = pv.rank(self.scores(seed, criterion), scope, keep_at_least=1)
        return [ranking.mask(sparsity) for sparsity in SPARSITIES]

    def correct(self, model: nn.Module) -> int:
        """Count right answers on the validation images."""
        return pv.scorecard(model, self.mnist.validation).correct

    def one_shot(self, seed: int, mask: pv.Mask) -> int:
        """Count right answers of the masked network."""
        return self.once(f"{seed} one shot", mask, lambda: self.correct(self.masked(seed, mask)))

    def fine_tuned(self, seed: int, mask: pv.Mask) -> int:
        """Count right answers of what is left, after an epoch."""

        def measure() -> int:
            small = pv.remove(self.models[seed], mask, self.mnist.validation[0][:8])
            return self.correct(trained(small, self.mnist.train))

        return self.once(f"{seed} fine-tuned", mask, measure)

    def once(self, what: str, mask: pv.Mask, measure: Callable[[], int]) -> int:
        """Look a count up, or measure and keep it; the file is replaced whole."""
        bits = b"".join(np.packbits(kept).tobytes() for kept in mask.values())
        key = f"{what} {hashlib.sha256(bits).hexdigest()[:16]}"
        if key not in self.known:
            self.known[key] = measure()
            keep(self.path, self.known, indent=None)
        return self.known[key]

    def masked(self, seed: int, mask: pv.Mask) -> nn.Module:
        """Zero what a mask prunes."""
        return pv.apply(self.models[seed], mask, self.mnist.validation[0][:1])

    def alone(self, seed: int) -> dict[str, list[int]]:
        """Count the right answers that are lost when one unit is silenced: layer -> one for each unit."""
        dense, lost = self.correct(self.models[seed]), {}
        for layer, scores in self.scores(seed, "magnitude").items():
            if layer == "fc3":
                continue  # its outputs are the answers
            masks = [pv.Mask({layer: row}, NETWORKS[self.name]) for row in ~np.eye(len(scores), dtype=bool)]
            lost[layer] = [
                dense - self.once(f"{seed} {layer}", mask, lambda m=mask: self.correct(self.masked(seed, m)))
                for mask in masks
            ]
        return lost

    def agreement(self, seed: int, criterion: str) -> dict[str, float]:
        """Compare a criterion's order with that of `alone`: layer -> Spearman's rank correlation."""
        scores = self.scores(seed, criterion)
        return {
            layer: round(float(np.corrcoef(ranks(scores[layer]), ranks(np.array(lost)))[0, 1]), 2)
            for layer, lost in self.alone(seed).items()
        }

    def left(self) -> dict[str, list[int]]:
        """Count what scope "layer" leaves of the network; it is the same for all criteria."""
        few = tuple(part[:8] for part in self.mnist.validation)
        masks = self.masks(0, "layer", "magnitude")
        cards = [pv.scorecard(pv.remove(self.models[0], mask, few[0]), few) for mask in masks]
        return {"parameters": [card.parameters for card in cards], "macs": [card.macs for card in cards]}


def trained(model: nn.Module, data: pv.datasets.Split) -> nn.Module:
    """Train for one epoch."""
    torch.manual_seed(0)
    images, labels = data
    x, y = torch.tensor(images.transpose(0, 3, 1, 2)), torch.tensor(labels)
    batches = torch.split(torch.randperm(len(x)), BATCH)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=len(batches))
    model.train()
    for batch in batches:
        loss = nn.functional.cross_entropy(model(x[batch] / 255), y[batch])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        falling.step()
    return model.eval()


def ranks(values: np.ndarray) -> np.ndarray:
    """Rank numbers, equal ones by the mean of their places."""
    return (values[:, None] > values).sum(axis=1) + (values[:, None] == values).sum(axis=1) / 2


def report(table: dict[str, object]) -> None:
    """Print medians, and the range over the seeds."""
    for name, result in table["networks"].items():
        curves = {f"{scope}, at once": rows for scope, rows in result["one_shot"].items()}
        curves |= {f"{scope}, after an epoch": rows for scope, rows in result["fine_tuned"].items()}
        for title, criteria in curves.items():
            print(f"\n{name}, {title}: per cent right, median (worst to best of {len(SEEDS)})")
            print(f"{'':11}" + "".join(f"{share:>19.0%}" for share in SPARSITIES))
            for criterion, rows in criteria.items():
                shares = 100 * np.sort(np.array(rows), axis=0) / table["images"]
                cells = [f"{m:.1f} ({low:.1f}–{high:.1f})" for low, m, high in shares.T]
                print(f"{criterion:11}" + "".join(f"{cell:>19}" for cell in cells))


if __name__ == "__main__":
    main()
