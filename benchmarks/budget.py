"""Solve the budget challenge three times, each time better, and once without pruning.

    python benchmarks/budget.py FOLDER        # half an hour on one core; goes on where it stopped

A file of at most 20,000 bytes, and at most 100,000 multiplications an image. LeNet-5 is cut to 2 and 8
filters and 50 and 30 neurons, and then loses single weights until its file is small enough:

bronze   at once, with an epoch after each of the two cuts
silver   in three steps each, on images shifted by up to a pixel, ten epochs in all
gold     the same, with sixteen epochs in all
control  2-8-20-10, dense, from random weights, sixteen epochs on shifted images

On the first network two learning rates are tried, of which its validation images choose one for all. The
table goes to ``lessons/results/budget.json``, which lesson 07b reads. The folder has
``lenet_5_1.safetensors`` and so on, which are trained if they are missing, and gets the files that were
handed in.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from shared import RESULTS, begun, compact, keep, network
from torch.nn import functional
from training.mnist import shifted, tensors
from tuning import by_labels, fresh, trained

import pruneviz as pv
from pruneviz.teaching.challenge import MAX_BYTES

if TYPE_CHECKING:
    from torch import Tensor, nn

RESULT = RESULTS / "budget.json"
SEEDS, RATES = (0, 1, 2), (4e-3, 1.2e-2)
UNITS = {"conv1": 2, "conv2": 8, "fc1": 50, "fc2": 30}
SMALL = {**UNITS, "fc1": 20, "fc2": 10}
WIDER = ({"conv1": 4, "conv2": 12, "fc1": 85, "fc2": 55}, {"conv1": 3, "conv2": 10, "fc1": 65, "fc2": 40})
ROOM = 0.975  # of the bytes, at the last cut: training adds some
MNIST = pv.datasets.mnist()
X, Y = tensors(MNIST.train)


def main() -> None:
    """Fill in what the table lacks."""
    parser = argparse.ArgumentParser(description="Measure the references of the budget challenge.")
    parser.add_argument(
        "folder", type=Path, help="where other LeNet-5 are, and what is handed in comes to be"
    )
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    table = begun(RESULT, made_by=f"benchmarks/{Path(__file__).name}", seeds=SEEDS, rates=RATES, runs={})
    runs = table["runs"]
    for seed in SEEDS:
        lenet = network("lenet_5", seed, folder)
        for name, solve in WAYS.items():
            for rate in RATES if seed == SEEDS[0] else (chosen(name, runs),):
                run = runs.setdefault(f"{name}, {rate:g}", {})
                if str(seed) not in run:
                    path = folder / f"{name}_{rate:g}_{seed}.pv"
                    run[str(seed)] = handed_in(*solve(lenet, rate, seed), path)
                    print(name, rate, seed, run[str(seed)], flush=True)
                    keep(RESULT, table)
    table["references"] = {name: reference(name, table["runs"]) for name in WAYS}
    RESULT.write_text(compact(table), encoding="utf-8")


def handed_in(model: nn.Module, at_the_cut: int, path: Path) -> dict[str, int]:
    """Write a file, and measure what the challenge measures."""
    pv.save(model, path)
    card = pv.scorecard(model, MNIST.validation)
    return {
        "validation": card.correct,
        "test": pv.scorecard(model, MNIST.test).correct,
        "macs": card.macs,
        "bytes": path.stat().st_size,
        "bytes_at_the_cut": at_the_cut,
    }


def chosen(name: str, runs: dict[str, Any]) -> float:
    """Tell the learning rate that the first network's validation images like; the larger of two that tie."""
    first = str(SEEDS[0])
    return max(RATES, key=lambda rate: (runs[f"{name}, {rate:g}"][first]["validation"], rate))


def reference(name: str, runs: dict[str, Any]) -> dict[str, object]:
    """Collect what all seeds give at that rate."""
    rate = chosen(name, runs)
    tries = [runs[f"{name}, {rate:g}"][str(seed)] for seed in SEEDS]
    return {"rate": rate} | {what: [run[what] for run in tries] for what in tries[0]}


def bronze(lenet: nn.Module, rate: float, seed: int) -> tuple[nn.Module, int]:
    """Cut units at once, and weights at once."""
    tune = partial(trained, loss=by_labels(X, Y), images=len(X), epochs=1, rate=rate, seed=seed)
    model = tune(cut(lenet, UNITS))
    mask, size = fitting(model)
    return tune(pv.apply(model, mask), mask=mask), size


def in_steps(
    lenet: nn.Module, rate: float, seed: int, epochs: tuple[int, ...] = (2, 2, 3, 2, 2, 5)
) -> tuple[nn.Module, int]:
    """Cut units in three steps, then weights in three, with so many epochs after each."""
    tune = partial(trained, loss=on_shifted, images=len(X), rate=rate, seed=seed)
    model = lenet
    for units, more in zip((*WIDER, UNITS), epochs[:3], strict=True):
        model = tune(cut(model, units), epochs=more)
    for sparsity, more in zip((0.25, 0.4), epochs[3:5], strict=True):
        mask = pv.prune(model, sparsity)
        model = tune(pv.apply(model, mask), epochs=more, mask=mask)
    mask, size = fitting(model)
    return tune(pv.apply(model, mask), epochs=epochs[5], mask=mask), size


def control(lenet: nn.Module, rate: float, seed: int) -> tuple[nn.Module, int]:
    """Begin with a network that fits, and random weights."""
    start = fresh(cut(lenet, SMALL), seed)
    model = trained(start, on_shifted, len(X), 16, rate, seed)
    return model, fitting(model)[1]


def on_shifted(model: nn.Module, batch: Tensor) -> Tensor:
    """Ask for the right answers on images moved by up to a pixel."""
    return functional.cross_entropy(model(shifted(X[batch], 1)), Y[batch])


def cut(model: nn.Module, units: dict[str, int]) -> nn.Module:
    """Take the smallest filters and neurons out, until so many are left."""
    example = MNIST.train[0][:1]
    for granularity, layers in (("filter", ("conv1", "conv2")), ("neuron", ("fc1", "fc2"))):
        shapes = {layer: len(pv.network(model)[layer].weight) for layer in layers}
        scope = {layer: 1 - units[layer] / number for layer, number in shapes.items()}
        mask = pv.prune(model, granularity=granularity, scope=scope, example=example)
        model = pv.remove(model, mask, example)
    return model


def fitting(model: nn.Module) -> tuple[pv.Mask, int]:
    """Prune the fewest weights, to a hundredth, with which the file fits."""
    for percent in range(100):
        mask = pv.prune(model, percent / 100)
        if (size := size_of(pv.apply(model, mask))) <= ROOM * MAX_BYTES:
            return mask, size
    raise ValueError("no file of this network fits")


def size_of(model: nn.Module) -> int:
    """Count the bytes of a model's file."""
    x, y = MNIST.validation
    return pv.scorecard(model, (x[:1], y[:1])).compact_bytes


WAYS = {
    "bronze": bronze,
    "silver": partial(in_steps, epochs=(1, 1, 2, 1, 1, 4)),
    "gold": in_steps,
    "control": control,
}

if __name__ == "__main__":
    main()
