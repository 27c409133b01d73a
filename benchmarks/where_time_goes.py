"""Where the time of a network goes: what each layer of LeNet-5 and mnist_cnn adds, beside its MACs.

    python benchmarks/where_time_goes.py

PyTorch and Keras twins, one thread, processor time, which a busy machine changes little. A network that does
nothing is timed (``call``), the first layer, the first two, and so on, Keras as compiled graphs; all take
turns in each of nine rounds. What a layer adds is the difference.

Three layers are then timed alone, each as it is, with twice the images, and with half of its outputs: twice
the images are twice the arithmetic and one reading of the weights, half of the outputs are half of both, and
a call is a call. Then a control: mnist_cnn in PyTorch with its numbers in another order in memory, with half
of its filters removed, and with both. Last, PyTorch's networks with half of their filters masked, as they are
and with mean pooling in place of max pooling: which part of them gains from maps of zeros?

``lessons/results/where_time_goes.json`` holds milliseconds and ratios, each as lowest, median and highest of
the rounds.
"""

from __future__ import annotations

import torch._dynamo  # isort: skip  # before TensorFlow, or LLVM is registered twice

import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
import torch
from shared import RESULTS, compact, digits, processor_times

import pruneviz as pv
from pruneviz import frameworks

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array

BATCHES = 1, 64
ALONE = {
    "fc3 of LeNet-5": (84, 10, 1),
    "fc1 of mnist_cnn": (3136, 1024, 1),
    "1024 × 1024": (1024, 1024, 256),
}


def main() -> None:
    """Time every layer, print the tables, and store them."""
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    found: dict[str, Any] = {"made_by": f"benchmarks/{Path(__file__).name}", "threads": 1}
    for framework in ("torch", "keras"):
        found[framework] = {name: layers_of(framework, name) for name in ("lenet_5", "mnist_cnn")}
        found[framework]["alone"] = {name: alone(framework, *sizes) for name, sizes in ALONE.items()}
        print(framework, found[framework]["alone"])
    found["layout"] = layout()
    found["pooling"] = {name: pooling(name) for name in ("lenet_5", "mnist_cnn")}
    print(found["layout"], found["pooling"])
    (RESULTS / "where_time_goes.json").write_text(compact(found), encoding="utf-8")


def layers_of(framework: str, name: str) -> dict[str, Any]:
    """Give layer -> its multiplications, and for each batch the milliseconds that it adds; print them."""
    model = getattr(pv.zoo, name)(framework)
    images = pv.datasets.mnist().validation[0][: BATCHES[-1]]
    grown = list(first_layers(framework, model))
    names = [layer for layer, _ in grown]
    macs = [multiplied(part, images[:1]) for _, part in grown]
    added: dict[str, Any] = {n: {"macs": m, "ms": {}} for n, m in zip(names, macs, strict=True)}
    times = pv.latency(dict(grown), images, BATCHES, clock="processor", seconds=0.5)
    for batch in BATCHES:
        before = (0.0,) * len(times[names[0]][batch].rounds)
        for layer in names:
            rounds = times[layer][batch].rounds
            adds = [now - then for now, then in zip(rounds, before, strict=True)]
            added[layer]["ms"][str(batch)] = digits(adds)
            before = rounds
    for layer, row in added.items():
        print(f"{framework} {name} {layer:<10}{row['macs']:>10,}", *row["ms"].values(), flush=True)
    return added


def multiplied(part: Any, image: Array) -> int:  # noqa: ANN401  # of either framework
    """Count the multiplications of the last layer of a part for one image."""
    last = part[-1] if isinstance(part, torch.nn.Module) else part.layers[-1]
    ends = isinstance(last, torch.nn.Conv2d | torch.nn.Linear | keras.layers.Conv2D | keras.layers.Dense)
    return (
        pv.network(part).layers[-1].weight[0].size * frameworks.adapter(part).predict(image).size
        if ends
        else 0
    )


def first_layers(framework: str, model: Any) -> Any:  # noqa: ANN401  # of either framework
    """Give each layer's name, and the network up to it."""
    if framework == "torch":
        children = [("call", torch.nn.Identity()), *model.named_children()]
        for count, (name, _) in enumerate(children, 1):
            yield name, torch.nn.Sequential(*(layer for _, layer in children[:count])).eval()
    else:
        nothing = keras.layers.Activation("linear", name="call")(model.inputs[0])
        yield "call", keras.Model(model.inputs[0], nothing)
        for layer in model.layers:
            yield layer.name, keras.Model(model.inputs[0], layer.output)


def alone(framework: str, inputs: int, outputs: int, batch: int) -> dict[str, list[float]]:
    """Time a dense layer, and say how many times as long it takes with twice the images, and so on."""
    x = np.random.default_rng(0).standard_normal((2 * batch, inputs)).astype(np.float32)
    passes = {
        "itself": dense(framework, inputs, outputs, x[:batch]),
        "twice the images": dense(framework, inputs, outputs, x),
        "half the outputs": dense(framework, inputs, outputs // 2, x[:batch]),
        "nothing": dense(framework, 1, 1, x[:batch, :1]),
    }
    times = processor_times(passes)
    return {name: digits(times[name].over(times["itself"])) for name in list(passes)[1:]}


def layout() -> dict[str, list[float]]:
    """Say how many times as fast PyTorch is on 64 images: channels last, half of the filters, and both."""
    network, images = pv.zoo.mnist_cnn("torch"), pv.datasets.mnist().validation[0][:64]
    mask = pv.prune(network, 0.5, granularity="filter", scope="layer", example=images[:1])
    small, x = pv.remove(network, mask, images[:1]), torch.tensor(images.transpose(0, 3, 1, 2)) / 255
    last = torch.channels_last
    passes = {
        "dense": partial(network, x),
        "channels last": partial(copy.deepcopy(network).to(memory_format=last), x.to(memory_format=last)),
        "half of the filters": partial(small, x),
        "both": partial(copy.deepcopy(small).to(memory_format=last), x.to(memory_format=last)),
    }
    with torch.no_grad():
        times = processor_times(passes)
    return {name: digits(times["dense"].over(times[name])) for name in list(passes)[1:]}


def pooling(name: str) -> dict[str, dict[str, list[float]]]:
    """Say how many times as fast half of the filters masked are as none: pooling -> batch -> ratio."""
    network, images = getattr(pv.zoo, name)("torch"), pv.datasets.mnist().validation[0][:64]
    mask = pv.prune(network, 0.5, granularity="filter", scope="layer", example=images[:1])
    models = {("max", "dense"): network, ("max", "masked"): pv.apply(network, mask)}
    for what in ("dense", "masked"):
        models["mean", what] = copy.deepcopy(models["max", what])
        for layer, module in network.named_children():
            if isinstance(module, torch.nn.MaxPool2d):
                setattr(models["mean", what], layer, torch.nn.AvgPool2d(module.kernel_size))
    times = pv.latency(models, images, BATCHES, clock="processor", seconds=0.8)
    return {
        kind: {str(b): digits(times[kind, "dense"][b].over(times[kind, "masked"][b])) for b in BATCHES}
        for kind in ("max", "mean")
    }


def dense(framework: str, inputs: int, outputs: int, x: Array) -> Any:  # noqa: ANN401  # a call
    """Give a dense layer's product of x, as a call without arguments."""
    weight = np.random.default_rng(1).standard_normal((outputs, inputs)).astype(np.float32)
    if framework == "torch":
        return partial(torch.nn.functional.linear, torch.tensor(x), torch.tensor(weight))
    left, right = tf.constant(x), tf.constant(weight)
    return tf.function(lambda: tf.matmul(left, right, transpose_b=True)).get_concrete_function()


if __name__ == "__main__":
    main()
