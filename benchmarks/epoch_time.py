"""Measure what pruning costs, or saves, while a network is trained.

    python benchmarks/epoch_time.py [NETWORK…]        # PyTorch and TensorFlow, a minute on one core

Processor time of thirty steps of 512 images with Adam, one thread: lowest, median and highest of nine rounds
in which all take turns, so that a busy machine slows all alike. Of LeNet-300-100 and LeNet-5 there are: the
dense network; 90% of its weights pruned and the zeros kept by `pruneviz.keep_pruned`; the same kept by the
framework's own tool (masks of torch.nn.utils.prune, wrappers of tfmot); weights leaving on a schedule, once
in ten steps, by `pruneviz.prune_while_training`; and the network after half of its neurons or filters were
removed. The result goes to ``lessons/results/epoch_time.json``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch._dynamo  # before TensorFlow, or both abort when an optimizer is made
from shared import RESULTS, keep, spread
from torch.nn.utils import prune

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = RESULTS / "epoch_time.json"
NETWORKS = ("lenet_300_100", "lenet_5")
SPARSITY, UNITS, STEPS, BATCH = 0.9, 0.5, 30, 512
CALLS = 2 + 9  # to get ready, and of the rounds
SCHEDULE = pv.schedules.polynomial(0, SPARSITY, begin=0, end=CALLS * STEPS, frequency=10)


def main(names: list[str]) -> None:
    """Measure, and write the table."""
    torch.set_num_threads(1)
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    table: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    table |= {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "steps": STEPS,
        "batch": BATCH,
        "sparsity": SPARSITY,
        "units_removed": UNITS,
        "seconds": table.get("seconds", {}),
    }
    for framework, trainers in (("torch", in_torch), ("tensorflow", in_tensorflow)):
        for name in names or NETWORKS:
            with contextlib.ExitStack() as stack:
                times = taken(trainers(name, stack))
            table["seconds"].setdefault(framework, {})[name] = times
            print(framework, name, times, flush=True)
    keep(RESULT, table)


def taken(trainers: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Take the times by turns, a call each: lowest, median and highest in seconds."""
    calls = {what: lambda _, train=train: train for what, train in trainers.items()}
    timed = pv.latency(calls, pv.datasets.mnist().validation[0], [BATCH], clock="processor", seconds=0)
    return {what: [round(ms / 1000, 3) for ms in spread(row[BATCH])] for what, row in timed.items()}


def smaller(model: Any, name: str) -> Any:  # noqa: ANN401
    """Remove half of the neurons of each hidden layer, or half of the filters."""
    x = pv.datasets.mnist().validation[0][:8]
    granularity = "filter" if name == "lenet_5" else "neuron"
    mask = pv.prune(model, UNITS, granularity=granularity, scope="layer", example=x)
    return pv.remove(model, mask, x)


def in_torch(name: str, stack: contextlib.ExitStack) -> dict[str, Callable[[], object]]:
    """Give functions that train thirty steps in PyTorch."""
    images, labels = (torch.tensor(a[: STEPS * BATCH]) for a in pv.datasets.mnist().train)
    batches = list(zip((images.permute(0, 3, 1, 2) / 255).split(BATCH), labels.split(BATCH), strict=True))

    def trainer(model: torch.nn.Module, around: Callable[[Any], Any] | None = None) -> Callable[[], object]:
        optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
        if around:
            stack.enter_context(around(optimizer))

        def train() -> None:
            for x, y in batches:
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()

        return train

    dense = getattr(pv.zoo, name)("torch")
    mask = pv.prune(dense, SPARSITY)
    thin, masked, gradual = (
        pv.apply(dense, mask),
        pv.apply(dense, mask),
        pv.apply(dense, pv.prune(dense, 0.0)),
    )
    for layer, kept in mask.items():
        prune.custom_from_mask(masked.get_submodule(layer), "weight", torch.tensor(kept))
    return {
        "dense": trainer(dense),
        "keep_pruned": trainer(thin, lambda optimizer: pv.keep_pruned(thin, mask, optimizer)),
        "tool": trainer(masked),
        "gradual": trainer(gradual, lambda optimizer: pv.prune_while_training(gradual, SCHEDULE, optimizer)),
        "removed": trainer(smaller(dense, name)),
    }


def in_tensorflow(name: str, stack: contextlib.ExitStack) -> dict[str, Callable[[], object]]:
    """Give functions that train thirty steps in Keras 3; tfmot's own in tf_keras, beside a dense one."""
    import tensorflow_model_optimization as tfmot  # noqa: PLC0415  # after PyTorch's turn

    x, y = (a[: STEPS * BATCH] for a in pv.datasets.mnist().train)
    x = x.astype("float32") / 255

    def trainer(home: str, model: Any, callbacks: list[Any]) -> Callable[[], object]:  # noqa: ANN401
        made = importlib.import_module(home)
        model.compile(made.optimizers.Adam(1e-3), made.losses.SparseCategoricalCrossentropy(from_logits=True))
        return lambda: model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=callbacks)

    dense = getattr(pv.zoo, name)("keras")
    mask = pv.prune(dense, SPARSITY)
    thin, gradual = pv.apply(dense, mask), pv.apply(dense, pv.prune(dense, 0.0))
    stack.enter_context(pv.keep_pruned(thin, mask))
    pruning = stack.enter_context(pv.prune_while_training(gradual, SCHEDULE))
    decay = tfmot.sparsity.keras.PolynomialDecay(0, SPARSITY, 0, SCHEDULE.end, frequency=SCHEDULE.frequency)
    wrapped = tfmot.sparsity.keras.prune_low_magnitude(
        getattr(pv.zoo, name)("tf_keras"), pruning_schedule=decay
    )
    return {
        "dense": trainer("keras", dense, []),
        "keep_pruned": trainer("keras", thin, []),
        "gradual": trainer("keras", gradual, [pruning.callback]),
        "removed": trainer("keras", smaller(dense, name), []),
        "dense, tf_keras": trainer("tf_keras", getattr(pv.zoo, name)("tf_keras"), []),
        "tool": trainer("tf_keras", wrapped, [tfmot.sparsity.keras.UpdatePruningStep()]),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
