"""Walk down from a dense network to a small one of whole numbers, and measure at each step.

    python benchmarks/staircase.py FOLDER        # a minute on one core

LeNet-300-100, cut to 24 and 12 neurons, taught by the dense network or by labels as
``benchmarks/distillation.py`` has chosen, and written with int8 weights; the control is the dense network
written so. What is counted has come back from the file. Three networks. The table goes to
``lessons/results/staircase.json``, which lesson 07b reads. The folder has the networks of other seeds, or
gets them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import distillation
import torch
from shared import RESULTS, compact, network

import pruneviz as pv

if TYPE_CHECKING:
    from torch import nn

    from pruneviz.files.storage import Values

RESULT = RESULTS / "staircase.json"
DIGITS = pv.datasets.mnist()
TAUGHT = {
    "1,000 labels": "1,000 labels",
    "taught, no labels": "no labels, teacher, T = 4",
    "all labels": "all labels",
}


def main() -> None:
    """Measure all steps for all seeds."""
    parser = argparse.ArgumentParser(description="Measure each step from dense to small.")
    parser.add_argument("folder", type=Path, help="where the networks of other seeds are, or come to be")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    chosen = json.loads(distillation.RESULT.read_text(encoding="utf-8"))["right"]
    steps: dict[str, list[dict[str, int]]] = {}
    for seed in distillation.SEEDS:
        whole = network("lenet_300_100", seed, folder)
        with torch.no_grad():
            logits = whole(distillation.X)
        models = {"dense": whole, "cut": distillation.cut(whole)}
        for name, arm in TAUGHT.items():
            rate = float(chosen[arm]["chosen"])
            models[name] = distillation.pupil(models["cut"], arm, logits, rate, seed)
        for name, model in models.items():
            for values in ("exact", "int8"):
                steps.setdefault(f"{name}, {values}", []).append(measured(model, values, folder))
            print(seed, name, [steps[f"{name}, {values}"][-1] for values in ("exact", "int8")], flush=True)
    what = list(steps["dense, exact"][0])
    table = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "seeds": distillation.SEEDS,
        "images": len(DIGITS.test[1]),
        "steps": {name: {one: [run[one] for run in runs] for one in what} for name, runs in steps.items()},
    }
    RESULT.write_text(compact(table), encoding="utf-8")


def measured(model: nn.Module, values: Values, folder: Path) -> dict[str, int]:
    """Write a file, read it, and count."""
    path = folder / "step.pv"
    pv.save(model, path, values=values)
    card = pv.scorecard(pv.load(path, model), DIGITS.test)
    return {
        "right": card.correct,
        "bytes": path.stat().st_size,
        "parameters": card.parameters,
        "macs": card.macs,
    }


if __name__ == "__main__":
    main()
