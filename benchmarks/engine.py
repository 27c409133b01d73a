"""What the engine costs beside the framework's own tools, in one run; each ratio has a limit.

python benchmarks/engine.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.utils import prune as torch_prune

import pruneviz as pv
from pruneviz import frameworks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SPARSITY = 0.9


def main() -> int:
    """Print the table; return 1 if a limit is passed."""
    print(f"{'network':<15}{'what | beside what':<44}{'ours ms':>9}{'peer ms':>9}{'ratio':>8}{'limit':>8}")
    passed = all([*_of_the_zoo(), *_of_many_weights()])
    code = "import time; t = time.perf_counter(); import pruneviz; print(time.perf_counter() - t)"
    seconds = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    print(f"import pruneviz: {1000 * statistics.median(seconds):.1f} ms")
    return 0 if passed else 1


def _of_the_zoo() -> Iterator[bool]:
    x, _ = pv.datasets.mnist().test
    inputs = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).float() / 255  # laid out as loaders do
    for name in ("lenet_300_100", "lenet_5", "mnist_cnn"):
        model = getattr(pv.zoo, name)("torch")
        ranking, adapter, peer = pv.rank(pv.importance(model)), frameworks.adapter(model), _peer(model)
        forward = _bare(model, inputs)
        yield _row(name, "prune | global_unstructured", partial(pv.prune, model, SPARSITY), peer, 1.0)
        yield _row(name, "prune again | global_unstructured", partial(ranking.mask, SPARSITY), peer, 0.1)
        yield _row(name, "predict 10,000 images | forward", partial(adapter.predict, x), forward, 1.3)


def _of_many_weights() -> Iterator[bool]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2000, 2000), torch.nn.ReLU(), torch.nn.Linear(2000, 1500))
    scores, peer = pv.importance(model), _peer(model)
    ranking, flat = pv.rank(scores), np.concatenate([array.ravel() for array in scores.values()])
    again, copy = partial(ranking.mask, SPARSITY), partial(np.array, flat)
    name = "7 M weights"
    yield _row(name, "prune | global_unstructured", partial(pv.prune, model, SPARSITY), peer, 0.1)
    yield _row(name, "rank | by a key and its index", partial(pv.rank, scores), partial(_ranked, flat), 0.5)
    yield _row(name, "prune again | global_unstructured", again, peer, 0.002)
    yield _row(name, "prune again | copy the scores", again, copy, 1.0)


def _row(name: str, what: str, ours: Callable[[], object], peer: Callable[[], object], limit: float) -> bool:
    mine, theirs = _medians(ours, peer)
    print(f"{name:<15}{what:<44}{mine:>9.1f}{theirs:>9.1f}{mine / theirs:>8.4f}{limit:>8g}")
    return mine <= limit * theirs


def _ranked(scores: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Rank as pruneviz did at first: sort each score with its index, and send each rank to that index."""
    keys = (scores + np.float32(0)).view(np.uint32).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(scores.size, dtype=np.uint64)
    keys.sort()
    places = np.empty(scores.size, np.uint32)
    places[keys.astype(np.uint32)] = np.arange(scores.size, dtype=np.uint32)
    return places


def _peer(model: torch.nn.Module) -> Callable[[], object]:
    # A masked module cannot be copied or restored quickly, so the peer gets fresh modules.
    weights = [layer.weight.copy() for layer in pv.network(model).layers]

    def prune() -> None:
        layers = [torch.nn.Module() for _ in weights]
        for layer, weight in zip(layers, weights, strict=True):
            layer.register_parameter("weight", torch.nn.Parameter(torch.from_numpy(weight)))
        torch_prune.global_unstructured(
            [(layer, "weight") for layer in layers], torch_prune.L1Unstructured, amount=SPARSITY
        )

    return prune


def _bare(model: torch.nn.Module, inputs: torch.Tensor) -> Callable[[], object]:
    def forward() -> torch.Tensor:
        with torch.no_grad():
            return torch.cat([model(batch) for batch in inputs.split(frameworks.BATCH)])

    return forward


def _medians(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 7) -> tuple[float, float]:
    """Time both alternately, so that a busy machine slows both; milliseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, seconds in zip((ours, peer), times, strict=True):
            start = time.perf_counter()
            call()
            seconds.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[0]), statistics.median(times[1])


if __name__ == "__main__":
    sys.exit(main())
