"""Cut networks down to three of ten digits, with every control.

    python benchmarks/fewer_classes.py FOLDER        # ten minutes on one core; goes on where it stopped

First the outputs of the other digits go, then units: those least active on images of the digits that stay,
on images of all ten, or any. Beside them, at each size, the same network from random weights; and the dense
one with as many more epochs. Each arm is trained for one and for six epochs on the images of 0, 1 and 7, at
two learning rates, of which validation images choose one for all seeds. The table goes to
``lessons/results/fewer_classes.json``, which lesson 07b reads. The folder has the networks of other seeds,
as ``lenet_5_1.safetensors``, or gets them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from shared import RESULTS, begun, compact, keep, network
from training.mnist import tensors
from tuning import by_labels, counts, fresh, trained

import pruneviz as pv

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

RESULT = RESULTS / "fewer_classes.json"
CLASSES, EPOCHS, RATES = (0, 1, 7), (1, 6), (4e-3, 1.6e-2)
SEEDS = {"lenet_300_100": (0, 1, 2), "lenet_5": (0,)}
SIZES: dict[str, tuple[dict[str, int], ...]] = {
    "lenet_300_100": tuple(
        dict(zip(("fc1", "fc2"), size, strict=True)) for size in ((75, 25), (30, 10), (15, 5), (9, 3), (6, 2))
    ),
    "lenet_5": tuple(
        dict(zip(("conv1", "conv2", "fc1", "fc2"), size, strict=True))
        for size in ((2, 5, 41, 29), (1, 2, 12, 8))
    ),
}
ARMS = ("scored on the kept", "scored on all", "random", "from scratch")
DIGITS = pv.datasets.mnist()
TRAIN, VALIDATION, TEST = (
    pv.relabel(split, CLASSES) for split in (DIGITS.train, DIGITS.validation, DIGITS.test)
)
X, Y = tensors(TRAIN)


def main() -> None:
    """Fill in what the table lacks."""
    parser = argparse.ArgumentParser(description="Measure networks for three of ten digits.")
    parser.add_argument("folder", type=Path, help="where the networks of other seeds are, or come to be")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    about = {"classes": CLASSES, "images": len(TEST[1]), "seeds": SEEDS, "epochs": EPOCHS, "rates": RATES}
    table = begun(RESULT, made_by=f"benchmarks/{Path(__file__).name}", **about, runs={})
    for name, sizes in SIZES.items():
        for seed in SEEDS[name]:
            runs = table["runs"].setdefault(name, {}).setdefault(str(seed), {})
            if len(runs) < 1 + len(sizes):
                search(network(name, seed, folder), sizes, seed, runs)
                keep(RESULT, table)
    table["outputs"], table["right"] = {}, {}
    for name, sizes in SIZES.items():
        runs = [table["runs"][name][str(seed)] for seed in SEEDS[name]]
        table["outputs"][name] = {when: [run["dense"][when] for run in runs] for when in ("before", "cut")}
        table["right"][name] = {"dense": row([run["dense"] for run in runs])}
        for units in sizes:
            of = [run[called(units)] for run in runs]
            arms = {arm: row([one[arm] for one in of]) for arm in ARMS}
            table["right"][name][called(units)] = {"parameters": of[0]["parameters"], **arms}
    RESULT.write_text(compact(table), encoding="utf-8")


def search(whole: nn.Module, sizes: tuple[dict[str, int], ...], seed: int, runs: dict[str, Any]) -> None:
    """Count the right answers of one network in every arm."""
    three = pv.keep_classes(whole, CLASSES, DIGITS.train[0][:8])
    _, y = DIGITS.test
    answers = pv.scorecard(whole, DIGITS.test).predictions
    before = sum(int(((answers == digit) & (y == digit)).sum()) for digit in CLASSES)
    runs["dense"] = {"before": before, "cut": counts(three, VALIDATION, TEST)[1], **fitted(three, seed)}
    print(seed, runs["dense"], flush=True)
    for units in sizes:
        starts = {
            "scored on the kept": cut(three, units, seed, "activation", TRAIN[0]),
            "scored on all": cut(three, units, seed, "activation", DIGITS.train[0]),
            "random": cut(three, units, seed, "random", TRAIN[0][:8]),
        }
        starts["from scratch"] = fresh(starts["random"], seed)
        parameters = pv.scorecard(starts["random"], VALIDATION).parameters
        runs[called(units)] = {arm: fitted(start, seed) for arm, start in starts.items()}
        runs[called(units)]["parameters"] = parameters
        print(seed, units, runs[called(units)], flush=True)


def cut(model: nn.Module, units: dict[str, int], seed: int, criterion: str, x: np.ndarray) -> nn.Module:
    """Leave so many filters and neurons, those that come first on some images."""
    for granularity, kind in (("filter", "conv"), ("neuron", "fc")):
        layers = pv.network(model)
        scope = {name: 1 - n / len(layers[name].weight) for name, n in units.items() if name.startswith(kind)}
        if scope:
            how = {"data": x} if criterion == "activation" else {"seed": seed, "example": x[:1]}
            mask = pv.prune(model, granularity=granularity, criterion=criterion, scope=scope, **how)
            model = pv.remove(model, mask, x[:8])
    return model


def fitted(start: nn.Module, seed: int) -> dict[str, list[int]]:
    """Count at once, and after training: [right on validation, on test] for each number and rate."""
    found = {"at once": counts(start, VALIDATION, TEST)}
    for epochs in EPOCHS:
        for rate in RATES:
            model = trained(start, by_labels(X, Y), len(X), epochs, rate, seed)
            found[f"{epochs}, {rate:g}"] = counts(model, VALIDATION, TEST)
    return found


def row(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the right answers of all seeds: at once, and after so many epochs at the rate that was chosen."""
    found = {"at once": [run["at once"][1] for run in runs]}
    for epochs in EPOCHS:
        rate = max(RATES, key=lambda rate: sum(run[f"{epochs}, {rate:g}"][0] for run in runs))
        found[str(epochs)] = [run[f"{epochs}, {rate:g}"][1] for run in runs]
        found[f"rate, {epochs}"] = rate
    return found


def called(units: dict[str, int]) -> str:
    """Name a network by its units."""
    return "-".join(map(str, units.values()))


if __name__ == "__main__":
    main()
