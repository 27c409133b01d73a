"""Time products that skip zeros beside those that multiply them: from which sparsity on are they faster.

    python benchmarks/zeros_and_time.py

Matrices of Gaussian weights whose smallest are zero, times one vector and 64, on one thread, in processor
time. A speed-up is taken anew in each of nine rounds in which all formats take turns: lowest, median and
highest are stored in ``lessons/results/zeros_and_time.json``, as format -> sparsity -> speed-up over the same
runtime's dense product (for scipy, PyTorch's). Three formats are controls. ``pushed`` is CSR with as many
weights left in each row, all at its left end: as many multiplications, as many indices, but next to each
other. ``dense`` and ``ONNX Runtime zeros`` are dense products with the zeros in them.

Last, conv2 of mnist_cnn for one image, without the feature maps that hold nothing above a threshold: looking
for them included, over the whole convolution, the median image of twenty.
"""

from __future__ import annotations

import torch._dynamo  # isort: skip  # before TensorFlow, or LLVM is registered twice

import contextlib
import io
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import torch
from ai_edge_litert.interpreter import Interpreter
from scipy import sparse
from shared import RESULTS, compact, digits, processor_times

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.core.arrays import Array

SIZES = (300, 784), (1024, 1024), (4096, 4096)
BATCHES = 1, 64
SPARSITIES = 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99
BLOCK = 4, 4
THRESHOLDS = 0, 0.5
FLAT = 1, 4  # the blocks that LiteRT knows
TORCH, *OTHERS = DENSE = "PyTorch", "TensorFlow", "ONNX Runtime", "LiteRT"  # their dense products


def main() -> None:
    """Time every format, print the table, and store it."""
    warnings.filterwarnings("ignore", "Sparse (CSR|BSR) tensor support is in beta")
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    found: dict[str, Any] = {"made_by": f"benchmarks/{Path(__file__).name}", "threads": 1, "speed_up": {}}
    for rows, columns in SIZES:
        for batch in BATCHES:
            found["speed_up"][f"{rows} x {columns}, {batch}"] = measured(rows, columns, batch)
    found["maps"] = {framework: maps(framework) for framework in ("torch", "keras")}
    print(found["maps"])
    (RESULTS / "zeros_and_time.json").write_text(compact(found), encoding="utf-8")


def measured(rows: int, columns: int, batch: int) -> dict[str, dict[str, list[float]]]:
    """Give format -> sparsity -> speed-up; print a line for each sparsity."""
    rng, table = np.random.default_rng(0), {}
    weight = rng.standard_normal((rows, columns)).astype(np.float32)
    x = rng.standard_normal((columns, batch) if batch > 1 else columns).astype(np.float32)
    for share in SPARSITIES:
        passes = products(weight, share, x, rng)
        times = processor_times(passes)
        for name in passes:
            peer = next((other for other in OTHERS if name.startswith(other)), TORCH)
            table.setdefault(name, {})[f"{share:g}"] = digits(times[peer].over(times[name]))
        line = (f"{name} {row[f'{share:g}'][1]:.2f}" for name, row in table.items())
        print(f"{rows} x {columns}, {batch}, {share:.0%}: {', '.join(line)}", flush=True)
    return {name: row for name, row in table.items() if name not in DENSE}


def products(weight: Array, share: float, x: Array, rng: np.random.Generator) -> dict[str, Callable[[], Any]]:
    """Give the product of a pruned matrix in each format, all from the same zeros but for the blocks."""
    pruned = np.where(np.abs(weight) > np.quantile(np.abs(weight), share), weight, 0)
    blocked, flat = (
        np.where(blocks > np.quantile(blocks, share), weight, 0)
        for blocks in (np.kron(rng.random(np.array(weight.shape) // b), np.ones(b)) for b in (BLOCK, FLAT))
    )
    csr, t, v = sparse.csr_matrix(pruned), torch.tensor(x), tf.constant(x)
    columns = v if x.ndim == 2 else v[:, None]
    coo = tf.sparse.reorder(tf.sparse.from_dense(pruned))
    by_torch = {
        TORCH: torch.tensor(weight),
        "dense": torch.tensor(pruned),
        "torch CSR, int64": torch_csr(csr, torch.int64),
        "torch CSR, int32": torch_csr(csr, torch.int32),
        "torch CSR, int32, pushed": torch_csr(sparse.csr_matrix(pushed(pruned)), torch.int32),
        "torch BSR": torch.tensor(blocked).to_sparse_bsr(BLOCK),
    }
    by_scipy = {
        "scipy CSR": csr,
        "scipy CSR, pushed": sparse.csr_matrix(pushed(pruned)),
        "scipy BSR": sparse.bsr_matrix(blocked, blocksize=BLOCK),
    }
    dense = tf.constant(weight)
    return {
        **{name: partial(torch.matmul, matrix, t) for name, matrix in by_torch.items()},
        **{name: partial(matrix.dot, x) for name, matrix in by_scipy.items()},
        "TensorFlow": partial(tf.function(tf.matmul), dense, columns),
        "TensorFlow COO": partial(tf.function(tf.sparse.sparse_dense_matmul), coo, columns),
        "ONNX Runtime": onnx_product(weight, x),
        "ONNX Runtime zeros": onnx_product(pruned, x),
        "LiteRT": litert_product(weight, x),
        "LiteRT blocks": litert_product(flat, x),
    }


def torch_csr(matrix: sparse.csr_matrix, index: torch.dtype) -> torch.Tensor:
    """Give a matrix to PyTorch with indices of a type."""
    parts = [torch.tensor(part).to(index) for part in (matrix.indptr, matrix.indices)]
    return torch.sparse_csr_tensor(*parts, torch.tensor(matrix.data), matrix.shape)


def onnx_product(weight: Array, x: Array) -> Callable[[], Any]:
    """Give ONNX Runtime's product."""
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "xy"]
    matrix = onnx.numpy_helper.from_array(np.ascontiguousarray(weight.T), "w")
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "product", ends[:1], ends[1:], [matrix])
    versions = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return partial(session.run, None, {"x": np.ascontiguousarray(np.atleast_2d(x.T))})


def litert_product(weight: Array, x: Array) -> Callable[[], Any]:
    """Give LiteRT's product, which stores blocks of zeros sparsely and skips them."""
    layer = keras.layers.Dense(len(weight), use_bias=False)
    model = keras.Sequential([keras.Input((weight.shape[1],)), layer])
    layer.set_weights([weight.T])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    with contextlib.redirect_stdout(io.StringIO()):
        interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
    place, rows = interpreter.get_input_details()[0]["index"], np.ascontiguousarray(np.atleast_2d(x.T))
    interpreter.resize_tensor_input(place, rows.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, rows)
    return interpreter.invoke


def pushed(matrix: Array) -> Array:
    """Push what is left in each row to its left end."""
    order = np.argsort(matrix == 0, axis=1, kind="stable")
    return np.take_along_axis(matrix, order, axis=1)


def maps(framework: str) -> dict[str, list[float]]:
    """Give threshold -> speed-up of a convolution that skips maps: lowest, median and highest image."""
    network, images = pv.zoo.mnist_cnn(framework), pv.datasets.mnist().validation[0][:20]
    skipping = skipping_torch if framework == "torch" else skipping_keras
    found = {}
    for threshold in THRESHOLDS:
        ratios = []
        for image in images[:, None] / np.float32(255):
            whole, thin = skipping(network, image, threshold)
            times = processor_times({"whole": whole, "thin": thin}, seconds=0.01)
            ratios.append(times["whole"].over(times["thin"])[1])
        found[f"{threshold:g}"] = digits(ratios)
    return found


def skipping_torch(network: Any, image: Array, threshold: float) -> tuple[Callable[[], Any], ...]:  # noqa: ANN401
    """Give PyTorch's convolution of one image, whole and without empty maps."""
    conv, before = network.conv2, torch.tensor(image.transpose(0, 3, 1, 2))
    for layer in list(network.children())[: list(network.children()).index(conv)]:
        before = layer(before).detach()
    weight, bias = conv.weight.detach(), conv.bias.detach()
    convolve = partial(torch.nn.functional.conv2d, bias=bias, padding=conv.padding)

    def thin() -> torch.Tensor:
        alive = before.amax((0, 2, 3)) > threshold
        return convolve(before[:, alive], weight[:, alive])

    return partial(convolve, before, weight), thin


def skipping_keras(network: Any, image: Array, threshold: float) -> tuple[Callable[[], Any], ...]:  # noqa: ANN401
    """Give TensorFlow's convolution of one image, whole and without empty maps, as compiled graphs."""
    conv = network.get_layer("conv2")
    before = tf.constant(keras.Model(network.inputs[0], conv.input)(image))
    kernel, bias = tf.constant(conv.kernel), tf.constant(conv.bias)

    def whole() -> tf.Tensor:
        return tf.nn.conv2d(before, kernel, 1, conv.padding.upper()) + bias

    def thin() -> tf.Tensor:
        alive = tf.where(tf.reduce_max(before, (0, 1, 2)) > threshold)[:, 0]
        fewer = tf.gather(before, alive, axis=3), tf.gather(kernel, alive, axis=2)
        return tf.nn.conv2d(*fewer, 1, conv.padding.upper()) + bias

    return tuple(tf.function(one).get_concrete_function() for one in (whole, thin))


if __name__ == "__main__":
    main()
