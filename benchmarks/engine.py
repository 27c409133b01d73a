"""What the engine costs beside the framework's own tools, in one run; each ratio has a limit.

python benchmarks/engine.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import torch
from torch.nn.utils import prune as torch_prune

import pruneviz as pv
from pruneviz import frameworks

if TYPE_CHECKING:
    from collections.abc import Callable

SPARSITY = 0.9


def main() -> int:
    """Print the table; return 1 if a limit is passed."""
    x, _ = pv.datasets.mnist().test
    inputs = torch.from_numpy(x.copy()).permute(0, 3, 1, 2).float() / 255
    passed = True
    print(f"{'network':<15}{'what':<44}{'ours ms':>9}{'peer ms':>9}{'ratio':>7}{'limit':>7}")
    for name in ("lenet_300_100", "lenet_5", "mnist_cnn"):
        model = getattr(pv.zoo, name)("torch")
        ranking = pv.rank(pv.importance(model))
        adapter = frameworks.adapter(model)
        rows = [
            ("prune | torch's global_unstructured", lambda m=model: pv.prune(m, SPARSITY), _peer(model), 1.0),
            ("prune again | global_unstructured", lambda r=ranking: r.mask(SPARSITY), _peer(model), 0.1),
            (
                "predict 10,000 images | bare forward",
                lambda a=adapter: a.predict(x),
                _bare(model, inputs),
                1.3,
            ),
        ]
        for what, ours, peer, limit in rows:
            mine, theirs = _medians(ours, peer)
            passed &= mine <= limit * theirs
            print(f"{name:<15}{what:<44}{mine:>9.1f}{theirs:>9.1f}{mine / theirs:>7.2f}{limit:>7.1f}")
    code = "import time; t = time.perf_counter(); import pruneviz; print(time.perf_counter() - t)"
    seconds = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    print(f"import pruneviz: {1000 * statistics.median(seconds):.1f} ms")
    return 0 if passed else 1


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
