"""Does taking units out make a network faster? Dense, masked and removed, each at batch 1 and 64.

    python benchmarks/removal.py [NETWORK…] [--out FILE]

PyTorch and Keras twins of lenet_300_100, lenet_5, mnist_cnn and resnet18, one thread, in milliseconds of
processor time, which a busy machine changes little. Half of the neurons or filters of each layer go. A
speed-up is taken anew in each of nine rounds, in which all networks take turns: median, lowest and highest.
The row "again" is a copy of the dense network: what differs from 1 there is noise of the clock.
The last column is the share of the MAC ratio that arrives as time; at batch 64 the aim is 0.7. For PyTorch,
the row "peer" is what Torch-Pruning makes of the same units. ``--out`` writes the figures as JSON:
``lessons/results/removal.json`` is made so, and lesson 03 reads it.
"""

from __future__ import annotations

import torch._dynamo  # isort: skip  # before TensorFlow, or LLVM is registered twice

import argparse
import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
import torch
import torch_pruning
import torchvision
from rows import Row
from shared import compact, spread

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Iterator

SPARSITY, BATCHES, SECONDS = 0.5, (1, 64), 0.05
PEERS = 1.15  # of equal networks, noise included
GRANULARITIES = {"lenet_300_100": "neuron", "lenet_5": "filter", "mnist_cnn": "filter", "resnet18": "filter"}


def main() -> None:
    """Print the table, and write it if asked."""
    parser = argparse.ArgumentParser(description="Time dense, masked and removed networks.")
    parser.add_argument("names", nargs="*", metavar="NETWORK", default=list(GRANULARITIES))
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the figures as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    print(
        f"{'network':<22}{'what':<9}{'params':>12}{'MACs':>14}{'bytes':>12}{'batch':>6}"
        f"{'ms':>10}{'speed-up':>20}{'share':>7}"
    )
    found: dict[str, dict[str, Any]] = {
        framework: {name: measure(name, framework) for name in options.names}
        for framework in ("torch", "keras")
    }
    if options.out:
        about = {"made_by": f"benchmarks/{Path(__file__).name}", "threads": 1, "sparsity": SPARSITY}
        options.out.write_text(compact(about | found), encoding="utf-8")


def rows() -> Iterator[Row]:
    """Time what is left of PyTorch's networks beside the dense one and beside the peer's."""
    for name in ("lenet_300_100", "lenet_5", "mnist_cnn"):
        models, x = variants(name, "torch")
        del models["again"], models["masked"]
        timed = pv.latency(models, x, BATCHES, clock="processor", seconds=SECONDS * len(models))
        for size in BATCHES:
            what, removed = f"{name}, half removed, batch {size}", timed["removed"][size]
            yield Row(what, removed, "ms", "the dense network", timed["dense"][size], 1.0)
            yield Row(what, removed, "ms", "Torch-Pruning's", timed["peer"][size], PEERS)


def variants(name: str, framework: str) -> tuple[dict[str, Any], Any]:
    """Make what is left of one network in each way, and images for it."""
    model, x = network(name, framework)
    mask = pv.prune(model, SPARSITY, granularity=GRANULARITIES[name], scope="layer", example=x[:1])
    again = pv.apply(model, pv.Mask({}, GRANULARITIES[name]), x[:1])
    small = pv.remove(model, mask, x[:1])
    models = {"dense": model, "again": again, "masked": pv.apply(model, mask), "removed": small}
    if framework == "torch":
        models["peer"] = peer(model, mask, x)
    return models, x


def measure(name: str, framework: str) -> dict[str, Any]:
    """Measure one network, and print its rows."""
    models, x = variants(name, framework)
    cards = {what: pv.scorecard(other, (x[:8], np.zeros(8, int))) for what, other in models.items()}
    times = pv.latency(models, x, BATCHES, clock="processor", seconds=SECONDS * len(models))
    gains = {
        what: {
            size: [round(ratio, 2) for ratio in times["dense"][size].over(one)] for size, one in row.items()
        }
        for what, row in times.items()
    }
    for batch in BATCHES:
        for what, card in cards.items():
            (low, middle, high), promised = gains[what][batch], cards["dense"].macs / card.macs
            print(
                f"{name + ' ' + framework:<22}{what:<9}{card.parameters:>12,}{card.macs:>14,}"
                f"{card.raw_bytes:>12,}{batch:>6}{float(times[what][batch]):>10.3f}"
                f"{f'{middle:.2f} ({low:.2f}-{high:.2f})':>20}{middle / promised:>7.2f}",
                flush=True,
            )
    return {
        "granularity": GRANULARITIES[name],
        "parameters": {what: card.parameters for what, card in cards.items()},
        "macs": {what: card.macs for what, card in cards.items()},
        "bytes": {what: card.raw_bytes for what, card in cards.items()},
        "ms": {what: {size: spread(one) for size, one in row.items()} for what, row in times.items()},
        "gain": gains,
    }


def network(name: str, framework: str) -> tuple[Any, Any]:
    """Build a network and images for it."""
    rng = np.random.default_rng(0)
    if name != "resnet18":
        return getattr(pv.zoo, name)(framework), rng.random((64, 28, 28, 1), np.float32)
    x = rng.random((64, 64, 64, 3), np.float32)
    return (torchvision.models.resnet18(num_classes=10).eval() if framework == "torch" else resnet_18()), x


def resnet_18() -> Any:  # noqa: ANN401
    """Build the Keras twin of torchvision's ResNet-18, for images of 64 pixels."""
    layers = keras.layers

    def conv(x: Any, width: int, kernel: int, stride: int) -> Any:  # noqa: ANN401
        x = layers.ZeroPadding2D(kernel // 2)(x) if kernel > 1 else x
        x = layers.Conv2D(width, kernel, stride, use_bias=False)(x)
        return layers.BatchNormalization(epsilon=1e-5)(x)

    inputs = layers.Input((64, 64, 3))
    x = layers.ReLU()(conv(inputs, 64, 7, 2))
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for width, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        y = conv(layers.ReLU()(conv(x, width, 3, stride)), width, 3, 1)
        x = conv(x, width, 1, stride) if stride > 1 else x
        x = layers.ReLU()(layers.Add()([x, y]))
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def peer(model: torch.nn.Module, mask: pv.Mask, x: Any) -> torch.nn.Module:  # noqa: ANN401
    """Take the same units out with Torch-Pruning."""
    twin = copy.deepcopy(model)
    image = torch.from_numpy(x[:1]).permute(0, 3, 1, 2)
    graph = torch_pruning.DependencyGraph().build_dependency(twin, image)
    for name, kept in mask.items():
        layer = twin.get_submodule(name)
        if len(layer.weight) == len(kept):  # tied layers go together
            is_dense = isinstance(layer, torch.nn.Linear)
            prune = (
                torch_pruning.prune_linear_out_channels if is_dense else torch_pruning.prune_conv_out_channels
            )
            graph.get_pruning_group(layer, prune, idxs=np.flatnonzero(~kept).tolist()).prune()
    return twin


if __name__ == "__main__":
    main()
