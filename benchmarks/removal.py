"""Does taking units out make a network faster? Dense, masked and removed, each at batch 1 and 64.

python benchmarks/removal.py [NETWORK…]        # lenet_5, mnist_cnn, resnet18; PyTorch and Keras twins

The last column is the share of the MAC ratio that arrives as time; at batch 64 the aim is 0.7. For PyTorch,
the row "peer" is what Torch-Pruning makes of the same units.
"""

from __future__ import annotations

import torch._dynamo  # isort: skip  # before TensorFlow, or LLVM is registered twice

import copy
import sys
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import torch
import torch_pruning
import torchvision

import pruneviz as pv
from pruneviz import frameworks

SPARSITY, BATCHES = 0.5, (1, 64)


def main(names: list[str]) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    print(
        f"{'network':<22}{'what':<9}{'params':>12}{'MACs':>14}{'batch':>6}{'ms':>10}{'speed-up':>9}{'share':>7}"
    )
    for name in names or ["lenet_5", "mnist_cnn", "resnet18"]:
        for framework in ("torch", "keras"):
            measure(name, framework)


def measure(name: str, framework: str) -> None:
    """Print the rows of one network."""
    model, x = network(name, framework)
    start = time.perf_counter()
    mask = pv.prune(model, SPARSITY, granularity="filter", scope="layer", example=x[:1])
    traced = time.perf_counter()
    small = pv.remove(model, mask, x[:1])
    seconds = f"prune {traced - start:.2f} s, remove {time.perf_counter() - traced:.2f} s"
    models = {"dense": model, "masked": pv.apply(model, mask), "removed": small}
    if framework == "torch":
        models["peer"] = peer(model, mask, x)
    macs = {what: macs_of(other, x) for what, other in models.items()}
    times = pv.latency(models, x, BATCHES)
    for batch in BATCHES:
        for what, other in models.items():
            speedup, promised = times["dense"][batch] / times[what][batch], macs["dense"] / macs[what]
            count = sum(array.size for array in frameworks.adapter(other).parameters().values())
            print(
                f"{name + ' ' + framework:<22}{what:<9}{count:>12,}{macs[what]:>14,}{batch:>6}"
                f"{times[what][batch]:>10.3f}{speedup:>9.2f}{speedup / promised:>7.2f}"
            )
    print(f"{name + ' ' + framework:<22}{seconds}", flush=True)


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
        if layer.out_channels == len(kept):  # tied layers go together
            gone = np.flatnonzero(~kept).tolist()
            graph.get_pruning_group(layer, torch_pruning.prune_conv_out_channels, idxs=gone).prune()
    return twin


def macs_of(model: Any, x: Any) -> int:  # noqa: ANN401
    """Count the multiplications of one image."""
    adapter = frameworks.adapter(model)
    uses = adapter.uses(x[:1])
    return sum(uses[layer.name] * layer.weight.size for layer in adapter.layers())


if __name__ == "__main__":
    main(sys.argv[1:])
