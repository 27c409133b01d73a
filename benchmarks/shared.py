"""What several measurements need: tables that grow, networks trained from other seeds, a loop that trains."""

from __future__ import annotations

import importlib
import json
import re
import statistics
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from training.mnist import RECIPES, train

import pruneviz as pv
from pruneviz.files.writing import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

RESULTS = Path(__file__).resolve().parents[1] / "lessons" / "results"


def begun(path: Path, **about: object) -> dict[str, Any]:
    """Go on with a table that a run has begun; without one, begin with what there is to say about it."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else about


def keep(path: Path, table: object, indent: int | None = 1) -> None:
    """Replace a table whole, so that a run may be stopped at any moment."""
    with whole(path) as file:
        file.write((json.dumps(table, indent=indent) + "\n").encode())


def compact(table: object) -> str:
    """Write JSON with one row of numbers a line."""
    rows = r"\[[-.,\d\s]+\]"
    return re.sub(rows, lambda row: f"[{' '.join(row[0][1:-1].split())}]", json.dumps(table, indent=1)) + "\n"


def spread(time: pv.Latency) -> list[float]:
    """Give a time as it is stored: lowest, median, highest."""
    return [round(ms, 4) for ms in (time.low, time.median, time.high)]


def network(name: str, seed: int, folder: Path | None, framework: str = "torch") -> Any:  # noqa: ANN401
    """Load the zoo's network for seed 0, and another from the folder; train what is not there."""
    if seed == 0:
        return getattr(pv.zoo, name)(framework)
    path = folder / f"{name}_{seed}.safetensors" if folder else None
    if path and path.exists():
        arrays = load_file(path)
    else:
        state = train(name, seed, RECIPES[name]).state_dict()
        arrays = {key: tensor.numpy() for key, tensor in state.items()}
    if path and not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        save_file(arrays, path)
    home = importlib.import_module(f"pruneviz.zoo.{framework}")
    return home.build(name, arrays, *([] if framework == "torch" else [framework]))


def descend(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    size: int,
    plan: torch.optim.lr_scheduler.LRScheduler | None = None,
    change: Callable[[torch.Tensor], torch.Tensor] = lambda x: x,
) -> None:
    """Train on the 55,000 digits, in batches of a size whose order PyTorch's generator decides.

    What each batch shows may be changed: moved, say.
    """
    images, labels = pv.datasets.mnist().train
    x, y = torch.tensor(images.transpose(0, 3, 1, 2)).float() / 255, torch.tensor(labels)
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(size):
            loss = torch.nn.functional.cross_entropy(model(change(x[batch])), y[batch])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            if plan:
                plan.step()
    model.eval()


def processor_times(
    calls: Mapping[str, Callable[[], object]], seconds: float = 0.03
) -> dict[str, pv.Latency]:
    """Time calls by the processor's clock, turn by turn; each takes about so many seconds in a round."""
    passes = {name: partial(_ready, call) for name, call in calls.items()}
    nothing = np.zeros((1, 1))
    found = pv.latency(passes, nothing, (1,), clock="processor", seconds=seconds * len(calls))
    return {name: times[1] for name, times in found.items()}


def _ready(call: Callable[[], object], _: object) -> Callable[[], object]:
    return call


def digits(numbers: Sequence[float]) -> list[float]:
    """Give the lowest, the median and the highest, to four digits."""
    three = min(numbers), statistics.median(numbers), max(numbers)
    return [float(f"{number:.4g}") for number in three]
