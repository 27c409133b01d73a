"""How well a filter's norm, and other criteria, agree with an ablation where BatchNorm follows.

    python benchmarks/sisters.py FOLDER      # five minutes on one core, and ten to train what is missing

Three networks lenet_5_bn, of three seeds. Each filter is silenced alone, and what that costs is counted on
the 5,000 validation images. Criteria are compared with it by Spearman's rank correlation; besides those of
the library there is "folded": the L1 norm times what BatchNorm multiplies by, |scale| / deviation.

Seed 0 is the zoo's network. FOLDER holds the others (lenet_5_bn_1.safetensors, …). Prints a table, and
writes ``lessons/results/sisters.json``. Lesson 03 reads it beside ``unit_criteria.json``, which has the same
of LeNet-5 without BatchNorm.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from shared import RESULTS, compact, network
from unit_criteria import CRITERIA, SCORED_ON, SEEDS, ranks

import pruneviz as pv

if TYPE_CHECKING:
    from torch import nn

    from pruneviz.datasets import Dataset

RESULT = RESULTS / "sisters.json"
NORMS = {"conv1": "bn1", "conv2": "bn2"}


def main() -> None:
    """Measure, print and store the table."""
    parser = argparse.ArgumentParser(description="Compare criteria for filters with BatchNorm behind them.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="networks of other seeds")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    mnist = pv.datasets.mnist()
    rows = [measured(network("lenet_5_bn", seed, folder), mnist) for seed in SEEDS]
    table = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "network": "lenet_5_bn",
        "images": len(mnist.validation[1]),
        "split": "validation",
        "seeds": SEEDS,
        "dense": [row["dense"] for row in rows],
        "alone": [row["alone"] for row in rows],
        "agreement": {name: [row["agreement"][name] for row in rows] for name in rows[0]["agreement"]},
    }
    text = compact(table)
    print(text)
    RESULT.write_text(text, encoding="utf-8")


def measured(model: nn.Module, mnist: Dataset) -> dict[str, object]:
    """Measure one network: right answers, what each filter costs alone, how well each criterion agrees."""
    right = pv.scorecard(model, mnist.validation).correct
    example = mnist.validation[0][:1]
    lost = {}
    for layer in NORMS:
        masks = [pv.Mask({layer: row}, "filter") for row in ~np.eye(filters(model, layer), dtype=bool)]
        cards = [pv.scorecard(pv.apply(model, mask, example), mnist.validation) for mask in masks]
        lost[layer] = [right - card.correct for card in cards]
    scores = scored(model, tuple(part[:SCORED_ON] for part in mnist.train))
    agreement = {
        name: {layer: correlation(values[layer], lost[layer]) for layer in NORMS}
        for name, values in scores.items()
    }
    return {"dense": right, "alone": lost, "agreement": agreement}


def filters(model: nn.Module, layer: str) -> int:
    """Count the filters of a layer."""
    return len(pv.network(model)[layer].weight)


def scored(model: nn.Module, data: pv.datasets.Split) -> dict[str, dict[str, np.ndarray]]:
    """Score the filters: criterion -> layer -> scores."""
    found = {
        name: dict(pv.importance(model, granularity="filter", criterion=name, data=data)) for name in CRITERIA
    }
    norms = {layer: model.get_submodule(norm) for layer, norm in NORMS.items()}
    louder = {
        layer: (norm.weight.abs() / (norm.running_var + norm.eps).sqrt()).detach().numpy()
        for layer, norm in norms.items()
    }
    return found | {"folded": {layer: found["magnitude"][layer] * louder[layer] for layer in NORMS}}


def correlation(scores: np.ndarray, lost: list[int]) -> float:
    """Compare two orders by Spearman's rank correlation."""
    return round(float(np.corrcoef(ranks(scores), ranks(np.array(lost)))[0, 1]), 2)


if __name__ == "__main__":
    main()
