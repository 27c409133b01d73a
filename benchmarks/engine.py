"""What the engine costs beside the framework's own tools; each ratio has a limit."""

from __future__ import annotations

import statistics
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from rows import Row
from torch.nn.utils import prune as torch_prune

import pruneviz as pv
from pruneviz import frameworks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SPARSITY, TOOL = 0.9, "global_unstructured"
NO_IMAGE = np.zeros((1, 1))


def rows() -> Iterator[Row]:
    """Measure what is done to the zoo's networks, to seven million weights, and at the start."""
    yield from _of_the_zoo()
    yield from _of_many_weights()
    code = "import time; t = time.perf_counter(); import pruneviz; print(time.perf_counter() - t)"
    seconds = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    yield Row("import pruneviz", 1000 * statistics.median(seconds), "ms")


def _of_the_zoo() -> Iterator[Row]:
    x, _ = pv.datasets.mnist().test
    inputs = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).float() / 255  # laid out as loaders do
    for name, n in (("lenet_300_100", 10_000), ("lenet_5", 10_000), ("mnist_cnn", 1000)):
        model = getattr(pv.zoo, name)("torch")
        ranking, adapter, peer = pv.rank(pv.importance(model)), frameworks.adapter(model), _peer(model)
        predict, forward = partial(adapter.predict, x[:n]), _bare(model, inputs[:n])
        yield _row(f"{name}, prune", partial(pv.prune, model, SPARSITY), TOOL, peer, 1.0)
        yield _row(f"{name}, prune again", partial(ranking.mask, SPARSITY), TOOL, peer, 0.1)
        yield _row(f"{name}, predict {n:,} images", predict, "forward", forward, 1.3)


def _of_many_weights() -> Iterator[Row]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2000, 2000), torch.nn.ReLU(), torch.nn.Linear(2000, 1500))
    scores, peer = pv.importance(model), _peer(model)
    ranking, flat = pv.rank(scores), np.concatenate([array.ravel() for array in scores.values()])
    rng, name = np.random.default_rng(0), "7 M weights"
    masks, slow = partial(_two_masks, scores), partial(_ranked, flat)
    yield _row(f"{name}, prune", partial(pv.prune, model, SPARSITY), TOOL, peer, 0.1)
    yield _row(f"{name}, rank", partial(pv.rank, scores), "sort by a key and its index", slow, 0.5)
    yield _row(f"{name}, rank, and two masks", masks, "sort by a key and its index", slow)

    def again() -> pv.Mask:
        return ranking.mask(rng.uniform(0.5, 0.99))  # no two alike, for a border is remembered

    again(), again()  # the second sorts all
    yield _row(f"{name}, prune again at another sparsity", again, TOOL, peer, 0.002)
    copy = partial(np.array, flat)
    yield _row(f"{name}, prune again at another sparsity", again, "copy the scores", copy, 1.0)


def _row(
    what: str, ours: Callable[[], object], name: str, peer: Callable[[], object], limit: float | None = None
) -> Row:
    calls = {"ours": lambda _: ours, "peer": lambda _: peer}
    timed = pv.latency(calls, NO_IMAGE, [1], clock="processor", seconds=0.02)
    return Row(what, timed["ours"][1], "ms", name, timed["peer"][1], limit)


def _two_masks(scores: pv.Importance) -> list[pv.Mask]:
    ranking = pv.rank(scores)
    return [ranking.mask(sparsity) for sparsity in (0.5, SPARSITY)]


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
            return torch.cat([model(batch) for batch in inputs.split(frameworks.QUICK)])

    return forward
