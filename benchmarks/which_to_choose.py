"""Weights or units, this recipe or that, this runtime or that, float32 or int8: what the lesson 06b quotes.

    python benchmarks/which_to_choose.py FOLDER      # the counts: about five minutes on one core
    python benchmarks/which_to_choose.py             # the times: about a minute

Counts: LeNet-300-100 of three seeds, in PyTorch. Weights or neurons go, and then everybody, the dense network
too, gets the same epoch: Adam at 4e-3 falling to 0 in batches of 128, or, as the control, Adam at 1e-3 in
batches of 256. Right of the 5,000 validation images. Seed 0 is the zoo's network; FOLDER holds the others,
which are trained if missing.

Times: the zoo's LeNet-300-100 and mnist_cnn, dense, with 80% or 90% of their weights zero, and with half or
three quarters of their units removed, in the framework, and exported: to ONNX Runtime from PyTorch, to LiteRT
from Keras, as float32, as int8 calibrated on 256 training images, and as dynamic int8. One thread, processor
time, in turns; how many times faster than the dense network exported as float32, as lowest, median and
highest of nine rounds. "again" is the dense network once more: what differs there from "dense" is noise of
the clock.

``lessons/results/which_to_choose.json`` holds both.
"""

from __future__ import annotations

import torch._dynamo  # isort: skip  # before TensorFlow, or LLVM is registered twice

import argparse
import contextlib
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import tensorflow as tf
import torch
from ai_edge_litert.interpreter import Interpreter
from onnxruntime import quantization
from shared import RESULTS, compact, descend, network

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pruneviz.core.arrays import Array

RESULT = RESULTS / "which_to_choose.json"
SEEDS, BATCHES = (0, 1, 2), (1, 64)
# Batch size, and the learning rate: from, to.
RECIPES = {"4e-3, falling": (128, 4e-3, 0.0), "1e-3": (256, 1e-3, 1.0)}
ARMS: dict[str, dict[str, Any]] = {
    "dense": {"sparsity": 0.0},
    **{f"weights {share:.0%}": {"sparsity": share} for share in (0.5, 0.8, 0.9, 0.95)},
    "weights 50%, each layer": {"sparsity": 0.5, "scope": "layer"},
    "2:4": {"granularity": "2:4"},
    **{
        f"neurons {share:.4g}%": {"sparsity": share / 100, "granularity": "neuron", "scope": "layer"}
        for share in (50, 75, 87.5)
    },
}
UNITS = {"lenet_300_100": "neuron", "mnist_cnn": "filter"}
MASKED, REMOVED = (0.8, 0.9), (0.5, 0.75)


def main() -> None:
    """Measure, and store the table."""
    parser = argparse.ArgumentParser(description="Compare arms after an equal epoch, or runtimes.")
    parser.add_argument(
        "folder", type=Path, nargs="?", help="count; it holds the seeds, and is made if missing"
    )
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    table: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    table["made_by"] = f"benchmarks/{Path(__file__).name}"
    if folder:
        table |= counts(folder)
    else:
        table["times_faster"] = {
            name: {track: times(track, name) for track in ("pytorch", "tensorflow")} for name in UNITS
        }
    RESULT.write_text(compact(table), encoding="utf-8")


def counts(folder: Path) -> dict[str, Any]:
    """Count right answers of every arm: at once, and after an epoch of each recipe, for each seed."""
    at_once: dict[str, list[int]] = {arm: [] for arm in ARMS}
    right: dict[str, dict[str, list[int]]] = {recipe: {arm: [] for arm in ARMS} for recipe in RECIPES}
    for seed in SEEDS:
        model = network("lenet_300_100", seed, folder)
        for arm, how in ARMS.items():
            found = {recipe: after_an_epoch(model, how, *RECIPES[recipe]) for recipe in RECIPES}
            at_once[arm].append(next(iter(found.values()))[0])
            for recipe, (_, after) in found.items():
                right[recipe][arm].append(after)
            print(seed, arm, found, flush=True)
    images = len(pv.datasets.mnist().validation[1])
    return {"images": images, "seeds": SEEDS, "at_once": at_once, "right": right}


def after_an_epoch(
    model: Any,  # noqa: ANN401
    how: dict[str, Any],
    size: int,
    rate: float,
    end: float,
) -> tuple[int, int]:
    """Prune, and train for an epoch with what is pruned kept so: right before it, and after."""
    mnist = pv.datasets.mnist()
    mask = pv.prune(model, example=mnist.validation[0][:1], **how)
    structured = how.get("granularity") == "neuron"
    thin = pv.remove(model, mask, mnist.validation[0][:1]) if structured else pv.apply(model, mask)
    before = pv.scorecard(thin, mnist.validation).correct
    optimizer = torch.optim.Adam(thin.parameters(), rate, fused=True)
    steps = -(-len(mnist.train[1]) // size)
    plan = torch.optim.lr_scheduler.LinearLR(optimizer, 1, end, total_iters=steps)
    torch.manual_seed(0)
    keeps = contextlib.nullcontext() if structured else pv.keep_pruned(thin, mask, optimizer)
    with keeps:
        descend(thin, optimizer, 1, size, plan)
    return before, pv.scorecard(thin, mnist.validation).correct


def times(track: str, name: str) -> dict[str, dict[str, list[float]]]:
    """Say how many times faster than dense, exported: name -> batch -> lowest, median, highest."""
    framework = "torch" if track == "pytorch" else "keras"
    mnist = pv.datasets.mnist()
    images, calibration = mnist.validation[0][: BATCHES[-1]], mnist.train[0][:256] / np.float32(255)
    dense = getattr(pv.zoo, name)(framework)
    models = {
        "dense": dense,
        "again": pv.apply(dense, pv.Mask({})),
        **{f"weights {share:.0%}": pv.apply(dense, pv.prune(dense, share)) for share in MASKED},
    }
    for share in REMOVED:
        units = pv.prune(dense, share, granularity=UNITS[name], scope="layer", example=images[:1])
        models[f"{UNITS[name]}s {share:.0%}"] = pv.remove(dense, units, images[:1])
    with tempfile.TemporaryDirectory() as folder:
        export = to_onnx if track == "pytorch" else to_litert
        files = {
            f"{what}, {kind}": path
            for what, model in models.items()
            if what != "again"
            for kind, path in export(model, Path(folder) / what, calibration)
        }
        passes = models | {what: partial(ready, path) for what, path in files.items()}
        taken = pv.latency(passes, images, BATCHES, clock="processor", seconds=0.03 * len(passes))
    first = taken["dense, float32"]
    found = {
        what: {
            str(batch): [float(f"{ratio:.4g}") for ratio in first[batch].over(one)]
            for batch, one in row.items()
        }
        for what, row in taken.items()
    }
    for what, row in found.items():
        print(f"{name} {track:<12}{what:<32}{row}", flush=True)
    return found


def to_onnx(model: torch.nn.Module, path: Path, calibration: Array) -> Iterator[tuple[str, Path]]:
    """Export to ONNX: as it is, as int8, and as dynamic int8."""
    x = torch.tensor(calibration.transpose(0, 3, 1, 2))
    plain, prepared, static, dynamic = (path.with_name(f"{path.name}_{n}.onnx") for n in range(4))
    batch = {0: torch.export.Dim("n", min=1)}
    torch.onnx.export(
        model,
        (x[:2],),
        plain,
        dynamo=True,
        external_data=False,
        verbose=False,
        input_names=["images"],
        dynamic_shapes=(batch,),
    )
    quantization.quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_static(prepared, static, Images(x.numpy()))
    quantization.quantize_dynamic(prepared, dynamic)
    yield from {"float32": plain, "int8": static, "int8, dynamic": dynamic}.items()


class Images(quantization.CalibrationDataReader):  # type: ignore[misc]
    """Images for the calibration, 32 at a time."""

    def __init__(self, x: Array) -> None:
        self.batches = iter(np.split(x, len(x) // 32))

    def get_next(self) -> Mapping[str, Array] | None:
        """Give the next batch."""
        batch = next(self.batches, None)
        return None if batch is None else {"images": batch}


def to_litert(model: Any, path: Path, calibration: Array) -> Iterator[tuple[str, Path]]:  # noqa: ANN401
    """Export to LiteRT: as it is, as int8, and as dynamic int8."""
    model.export(path, format="tf_saved_model", verbose=False)
    for kind in ("float32", "int8", "int8, dynamic"):
        converter = tf.lite.TFLiteConverter.from_saved_model(str(path))
        converter.optimizations = [] if kind == "float32" else [tf.lite.Optimize.DEFAULT]
        if kind == "int8":
            converter.representative_dataset = lambda: ([image[None]] for image in calibration)
        file = path.with_name(f"{path.name}_{kind}.tflite")
        file.write_bytes(converter.convert())
        yield kind, file


def ready(path: Path, images: Array) -> Callable[[], object]:
    """Load an exported file, and give a pass of images through it, in one thread."""
    x = images / np.float32(255)
    if path.suffix == ".onnx":
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
        x = x.transpose(0, 3, 1, 2).copy()
        return lambda: session.run(None, {"images": x})
    interpreter = Interpreter(str(path), num_threads=1)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, x.shape)
    interpreter.allocate_tensors()
    out = interpreter.get_output_details()[0]["index"]

    def run() -> object:
        interpreter.set_tensor(place, x)
        interpreter.invoke()
        return interpreter.get_tensor(out)

    return run


if __name__ == "__main__":
    main()
