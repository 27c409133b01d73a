"""Time products that skip zeros beside those that multiply them: from which sparsity on are they faster.

    python benchmarks/zeros_and_time.py

Matrices of Gaussian weights whose smallest are zero, times one vector and 64, on one thread, in processor
time. A speed-up is taken anew in each of nine rounds in which all formats take turns: lowest, median and
highest are stored in ``lessons/results/zeros_and_time.json``, as format -> sparsity -> speed-up over the same
framework's dense product (for scipy, PyTorch's). Two formats are controls. ``pushed`` is CSR with as many
weights left in each row, all at its left end: as many multiplications, as many indices, but next to each
other. ``dense`` is PyTorch's dense product with the zeros in it.

Last, conv2 of mnist_cnn for one image, without the feature maps that hold nothing above a threshold: looking
for them included, over the whole convolution, the median image of twenty.
"""

from __future__ import annotations

import torch._dynamo  # isort: skip  # before TensorFlow, or LLVM is registered twice

import statistics
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
import torch
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
TORCH, TENSORFLOW = "PyTorch", "TensorFlow"  # their dense products


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
            peer = TENSORFLOW if name.startswith(TENSORFLOW) else TORCH
            table.setdefault(name, {})[f"{share:g}"] = digits(times[peer].over(times[name]))
        line = (f"{name} {row[f'{share:g}'][1]:.2f}" for name, row in table.items())
        print(f"{rows} x {columns}, {batch}, {share:.0%}: {', '.join(line)}", flush=True)
    return {name: row for name, row in table.items() if name not in (TORCH, TENSORFLOW)}


def products(weight: Array, share: float, x: Array, rng: np.random.Generator) -> dict[str, Callable[[], Any]]:
    """Give the product of a pruned matrix in each format, all from the same zeros but for the blocks."""
    pruned = np.where(np.abs(weight) > np.quantile(np.abs(weight), share), weight, 0)
    blocks = np.kron(rng.random([n // b for n, b in zip(weight.shape, BLOCK, strict=True)]), np.ones(BLOCK))
    blocked = np.where(blocks > np.quantile(blocks, share), weight, 0)
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
        TENSORFLOW: partial(tf.function(tf.matmul), dense, columns),
        f"{TENSORFLOW} COO": partial(tf.function(tf.sparse.sparse_dense_matmul), coo, columns),
    }


def torch_csr(matrix: sparse.csr_matrix, index: torch.dtype) -> torch.Tensor:
    """Give a matrix to PyTorch with indices of a type."""
    parts = [torch.tensor(part).to(index) for part in (matrix.indptr, matrix.indices)]
    return torch.sparse_csr_tensor(*parts, torch.tensor(matrix.data), matrix.shape)


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
        found[f"{threshold:g}"] = digits((min(ratios), statistics.median(ratios), max(ratios)))
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
