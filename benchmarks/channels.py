"""Channels: chosen by LASSO or by magnitude, refitted or not; feature maps skipped for each image or for all.

    python benchmarks/channels.py FOLDER      # a quarter of an hour on one core; stopped, it can go on

Channels of LeNet-5, three seeds, 30, 50 and 70% of every layer: chosen by magnitude, by the LASSO of He,
Zhang and Sun (2017) or at random; then masked, or masked and the layers behind refitted by least squares;
counted at once, and after what is left has been trained for one epoch. The same at once for ResNet-20 on
CIFAR-10, where masked networks are also given new BatchNorm statistics from the images used to refit.

Then gates: the zoo's MNIST CNN skips feature maps image by image, with thresholds that leave given shares
of the multiplications on training images. Static filter pruning gets the same shares: filters go, the least
important first, until no more is left. Neither is trained afterwards.

Everything is counted on 5,000 validation images. Seed 0 is the zoo's network. FOLDER holds the others, which
are trained if missing, and what has been measured so far. Writes ``lessons/results/channels.json``, which
lesson 04b reads.
"""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from shared import compact, keep, network
from unit_criteria import BATCH, RATE, trained

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.measures.scorecards import uses

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from torch import nn

RESULT = Path(__file__).resolve().parents[1] / "lessons" / "results" / "channels.json"
SHARES = (0.3, 0.5, 0.7)
SEEDS = (0, 1, 2)
CRITERIA = {
    "lenet_5": ("magnitude", "reconstruction", "random"),
    "resnet_20": ("magnitude", "reconstruction"),
}
WAYS = {
    "lenet_5": ("masked", "refitted", "masked, then an epoch", "refitted, then an epoch"),
    "resnet_20": ("masked", "recalibrated", "refitted"),
}
SEEN = {"lenet_5": 2_000, "resnet_20": 100}  # training images, without labels, for LASSO and least squares
LEFT = (0.9, 0.75, 0.6)
FOR_THRESHOLDS = 200  # training images


def main() -> None:
    """Measure what is missing, print and store the table."""
    parser = argparse.ArgumentParser(description="Compare ways to choose channels.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="seeds and progress; made if missing")
    parser.add_argument("--without-resnet", action="store_true", help="leave ResNet-20 out")
    given = parser.parse_args()
    folder = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    ledger = Ledger(folder / "channels.json")
    mnist = pv.datasets.mnist()
    seeds = [network("lenet_5", seed, folder) for seed in SEEDS]
    table = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "images": len(mnist.validation[1]),
        "split": "validation",
        "shares": SHARES,
        "seeds": SEEDS,
        "images_for_lasso_and_least_squares": SEEN,
        "fine_tuning": f"one epoch, Adam, learning rate falling from {RATE:g} to 0, batches of {BATCH}",
        "lenet_5": choosing("lenet_5", seeds, mnist, ledger),
        "gates": gates(pv.zoo.mnist_cnn("torch"), mnist, ledger),
    }
    if not given.without_resnet:
        resnet = [pv.zoo.resnet_20("torch")]
        table["resnet_20"] = choosing("resnet_20", resnet, pv.datasets.cifar10(), ledger)
    RESULT.write_text(compact(table), encoding="utf-8")
    print(f"written: {RESULT.name}")


class Ledger:
    """What has been measured; the file is replaced whole after each number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def once(self, key: str, measure: Callable[[], Any]) -> Any:  # noqa: ANN401  (whatever JSON holds)
        """Look a result up, or measure and keep it."""
        if key not in self.known:
            self.known[key] = measure()
            keep(self.path, self.known, indent=None)
            print(key, self.known[key], flush=True)
        return self.known[key]


def choosing(
    name: str, models: list[nn.Module], data: pv.datasets.Dataset, ledger: Ledger
) -> dict[str, object]:
    """Count right answers: way -> criterion -> one row for each network, one count for each share."""
    x = data.train[0][: SEEN[name]]

    @functools.cache
    def ranking(seed: int, criterion: str) -> pv.Ranking:
        options = {"granularity": "channel", "criterion": criterion, "seed": seed}
        return pv.rank(pv.importance(models[seed], data=(x, data.train[1][: len(x)]), **options), "layer")

    def count(seed: int, criterion: str, share: float, way: str) -> int:
        model, mask = models[seed], ranking(seed, criterion).mask(share)
        thin = pv.reconstruct(model, mask, x) if "refitted" in way else pv.apply(model, mask, x)
        if "epoch" in way:
            thin = trained(pv.remove(thin, mask, x[:8]), data.train)
        return correct(pv.recalibrate(thin, x) if way == "recalibrated" else thin, data)

    counts = {
        way: {
            criterion: [
                [
                    ledger.once(
                        f"{name} {seed} {criterion} {share} {way}",
                        lambda a=(seed, criterion, share, way): count(*a),
                    )
                    for share in SHARES
                ]
                for seed in range(len(models))
            ]
            for criterion in CRITERIA[name]
        }
        for way in WAYS[name]
    }
    dense = [ledger.once(f"{name} {i} dense", lambda m=m: correct(m, data)) for i, m in enumerate(models)]
    return {"dense": dense, **counts}


def gates(model: nn.Module, mnist: pv.datasets.Dataset, ledger: Ledger) -> dict[str, object]:
    """Measure gates, [threshold, MACs left, right], and filters pruned to as many, [MACs left, right]."""
    x = mnist.train[0]
    dense = pv.scorecard(model, mnist.validation)

    def gated(measure: str, share: float) -> list[float]:
        threshold = (
            0.0 if share == 1 else pv.gate_threshold(model, x[:FOR_THRESHOLDS], share, measure=measure)
        )
        found = pv.gate(model, mnist.validation, threshold, measure=measure)
        return [round(threshold, 4), round(1 - found.saved, 4), found.correct]

    def pruned(left: float) -> list[float]:
        ranking = pv.rank(pv.importance(model, granularity="filter", example=x[:1]), keep_at_least=1)
        small = at_most(model, ranking, round(left * dense.macs), x[:8])
        card = pv.scorecard(small, mnist.validation)
        return [round(card.macs / dense.macs, 4), card.correct]

    table: dict[str, object] = {"dense": dense.correct, "macs": dense.macs, "shares": LEFT}
    for measure in ("max", "mean"):
        table[measure] = [
            ledger.once(f"gates {measure} {left}", lambda a=(measure, left): gated(*a)) for left in (1, *LEFT)
        ]
    table["magnitude"] = [
        ledger.once(f"static magnitude {left}", lambda left=left: pruned(left)) for left in LEFT
    ]
    return table


def at_most(model: nn.Module, ranking: pv.Ranking, macs: int, example: np.ndarray) -> nn.Module:
    """Take out as few filters, in the order of a ranking, as leave no more than so many multiplications."""
    total = ranking.mask(0).total

    def cut(number: int) -> nn.Module:
        return pv.remove(model, ranking.mask(number / total), example)

    def cost(small: nn.Module) -> int:
        adapter = frameworks.adapter(small)
        times = uses(adapter, example)
        return sum(times[layer.name] * layer.weight.size for layer in adapter.layers())

    few, many = 0, total
    while few < many:
        middle = (few + many) // 2
        if cost(cut(middle)) <= macs:
            many = middle
        else:
            few = middle + 1
    return cut(few)


def correct(model: nn.Module, data: pv.datasets.Dataset) -> int:
    """Count right answers on the validation images."""
    return pv.scorecard(model, data.validation).correct


if __name__ == "__main__":
    main()
