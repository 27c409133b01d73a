"""Neurons or weights, at equal parameters; and how long a forward pass takes, in milliseconds.

    python benchmarks/removing_neurons.py FOLDER      # about six minutes on one core

LeNet-300-100. Of each hidden layer a share of the neurons is removed, by L1 norm; or single weights are cut,
by magnitude over the whole network, until as many parameters are left that are not zero. Both are counted at
once and after one epoch of fine-tuning, and so is the dense network. Seed 0 is the zoo's network; FOLDER
holds the others, which are trained if missing. Counts are of the 5,000 validation images.

The times are of the zoo's PyTorch and Keras twins, one thread, in processor time, which a busy machine
changes little: lowest, median and highest of nine rounds. Writes ``lessons/results/removing_neurons.json``,
which lesson 02b reads.
"""

from __future__ import annotations

import torch._dynamo  # isort: skip  # before TensorFlow, or LLVM is registered twice

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
import torch
from shared import RESULTS, compact, network, spread
from unit_criteria import trained

import pruneviz as pv

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

RESULT = RESULTS / "removing_neurons.json"
SEEDS, SHARES = (0, 1, 2), (0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TIMED, BATCHES, SECONDS = (0.5, 0.75, 0.99), (1, 64), 0.3


def main() -> None:
    """Measure, and store the table."""
    parser = argparse.ArgumentParser(description="Cut neurons or weights, and take times.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds the seeds; made if missing")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    mnist = pv.datasets.mnist()
    table: dict[str, Any] = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "images": len(mnist.validation[1]),
        "shares": SHARES,
        "ms": {framework: times(framework, mnist.validation[0]) for framework in ("torch", "keras")},
        "seeds": {
            str(seed): equal_parameters(network("lenet_300_100", seed, folder), mnist) for seed in SEEDS
        },
    }
    RESULT.write_text(compact(table), encoding="utf-8")
    print(f"written: {RESULT.name}")


def equal_parameters(model: nn.Module, mnist: pv.datasets.Dataset) -> dict[str, Any]:
    """Cut neurons or weights: parameters left, and [right at once, right after an epoch] at each share."""
    example, weights = mnist.validation[0][:1], sum(layer.weight.size for layer in pv.network(model).layers)
    dense = pv.scorecard(model, mnist.validation)
    tuned = trained(pv.apply(model, pv.Mask({})), mnist.train)
    found: dict[str, Any] = {
        "dense": [dense.correct, pv.scorecard(tuned, mnist.validation).correct],
        "parameters": [],
        "neurons": [],
        "weights": [],
    }
    for share in SHARES:
        neurons = pv.prune(model, share, granularity="neuron", scope="layer", example=example)
        small = pv.remove(model, neurons, example)
        cards = [pv.scorecard(small, mnist.validation)]
        cards.append(pv.scorecard(trained(small, mnist.train), mnist.validation))
        mask = pv.prune(model, (dense.parameters - cards[0].parameters) / weights)
        thin = pv.apply(model, mask)
        single = [pv.scorecard(thin, mnist.validation)]
        with pv.keep_pruned(thin, mask):
            trained(thin, mnist.train)
        single.append(pv.scorecard(thin, mnist.validation))
        if {card.nonzero for card in single} != {cards[0].parameters}:
            raise RuntimeError(f"unequal: {[card.nonzero for card in (*cards, *single)]}")
        found["parameters"].append(cards[0].parameters)
        found["neurons"].append([card.correct for card in cards])
        found["weights"].append([card.correct for card in single])
    print(found, flush=True)
    return found


def times(framework: str, images: np.ndarray) -> dict[str, dict[str, list[float]]]:
    """Time forward passes: name -> batch -> [lowest, median, highest] milliseconds."""
    model = pv.zoo.lenet_300_100(framework)
    models = {"dense": model}
    for share in TIMED:
        mask = pv.prune(model, share, granularity="neuron", scope="layer", example=images[:1])
        models[f"masked {share:.0%}"] = pv.apply(model, mask, images[:1])
        models[f"removed {share:.0%}"] = pv.remove(model, mask, images[:1])
    timed = pv.latency(models, images, BATCHES, clock="processor", seconds=SECONDS * len(models))
    found = {name: {str(size): spread(one) for size, one in row.items()} for name, row in timed.items()}
    print(framework, found, flush=True)
    return found


if __name__ == "__main__":
    main()
