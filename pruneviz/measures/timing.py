"""How long one forward pass takes on this machine."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from pruneviz import frameworks
from pruneviz.core.arrays import checked_images, whole
from pruneviz.progress import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pruneviz.core.arrays import Given

_ROUNDS = 9


def latency(
    models: Mapping[str, object], x: Given, batches: Iterable[int] = (1, 64), *, seconds: float = 0.2
) -> dict[str, dict[int, float]]:
    """Time the forward pass of some models, turn by turn, so that a busy machine is fair to each.

    The pass alone is timed: images are converted before, and Keras models run as a compiled graph. A figure
    is about this machine, its number of threads and this framework; another may rank the models otherwise.

    Parameters
    ----------
    models
        Name -> model.
    x
        (n, …) images; repeated where a batch needs more.
    batches
        Numbers of images in a pass.
    seconds
        About how long each round of all models may take for each batch size; there are nine.

    Returns
    -------
    dict
        Name -> number of images -> median time of a pass in milliseconds.

    Raises
    ------
    TypeError, ValueError
        If a batch is no whole number from 1, x is no array of images, or a model is of another type.
    """
    x = checked_images("x", x)
    sizes = [whole("a batch", size, 1) for size in batches]
    adapters = {name: frameworks.adapter(model) for name, model in models.items()}
    found: dict[str, dict[int, float]] = {name: {} for name in models}
    for size in sizes:
        images = x[np.arange(size) % len(x)]
        passes = {name: adapter.forward(images) for name, adapter in adapters.items()}
        for name, median in _medians(passes, seconds).items():
            found[name][size] = 1000 * median
    return found


def _medians(passes: Mapping[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    repeats = {}
    for name, one in passes.items():
        _timed(one, 1)  # the first pass also compiles
        repeats[name] = max(1, int(seconds / len(passes) / _timed(one, 1)))
    rounds = [
        {name: _timed(one, repeats[name]) for name, one in passes.items()}
        for _ in steps("timing", "round", range(_ROUNDS))
    ]
    return {name: statistics.median(times[name] for times in rounds) for name in passes}


def _timed(one: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        one()
    return (time.perf_counter() - start) / repeats
