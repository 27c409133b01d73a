"""How long one forward pass takes on this machine, and how far that is noise."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pruneviz import frameworks
from pruneviz.core.arrays import checked_images, whole
from pruneviz.files.storage import is_model
from pruneviz.progress import steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.core.arrays import Given, Images

_ROUNDS = 9
_CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
_CALLED = {"torch": "PyTorch", "keras": "Keras", "tf_keras": "tf_keras"}


@dataclass(frozen=True)
class Latency:
    """How long a pass takes, in milliseconds: a figure, which is the median of some rounds, and its noise.

    ``float(it)`` is the median. A format is that of its three numbers: ``f"{it:.2f}"`` gives
    ``0.51 (0.50-0.66)``, the median between the lowest and the highest.

    Attributes
    ----------
    rounds
        What each round found, in the order in which they were run.
    clock
        ``"wall"``, or ``"processor"``: its time is summed over all threads.
    runtime
        Who computed, and by how many threads, such as ``"PyTorch, 1 thread"``.
    """

    rounds: tuple[float, ...]
    clock: str
    runtime: str

    @property
    def low(self) -> float:
        """The lowest of the rounds."""
        return min(self.rounds)

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.rounds)

    @property
    def high(self) -> float:
        """The highest of the rounds."""
        return max(self.rounds)

    def over(self, other: Latency) -> tuple[float, float, float]:
        """Say how many times as long as another this takes: lowest, median and highest, round by round.

        The two have to be from one call of `latency`, which gives each a turn in every round: what slows the
        machine then slows both.
        """
        ratios = [ours / theirs for ours, theirs in zip(self.rounds, other.rounds, strict=True)]
        return min(ratios), statistics.median(ratios), max(ratios)

    def __float__(self) -> float:
        return float(self.median)

    def __format__(self, form: str) -> str:
        form = form or ".3g"
        return f"{self.median:{form}} ({self.low:{form}}-{self.high:{form}})"

    def __str__(self) -> str:
        return f"{self:.3g} ms of {self.clock} time ({self.runtime})"


def latency(
    models: Mapping[str, object],
    x: Given,
    batches: Iterable[int] = (1, 64),
    *,
    clock: Literal["wall", "processor"] = "wall",
    seconds: float = 0.2,
) -> dict[str, dict[int, Latency]]:
    """Time the forward pass of some models, turn by turn, so that a busy machine is fair to each.

    The pass alone is timed: images are converted before, and Keras models run as a compiled graph. A figure
    is about this machine, its number of threads and this framework; another may rank the models otherwise.

    Parameters
    ----------
    models
        Name -> model; or, for what is none, such as a session of ONNX Runtime or a product of matrices, a
        function that takes the (n, …) images of a batch, makes all ready, and gives the pass to time, a
        function without arguments.
    x
        (n, …) images; repeated where a batch needs more.
    batches
        Numbers of images in a pass.
    clock
        ``"wall"`` is what a user waits, other programs' turns included. ``"processor"`` is what this process
        computes, summed over its threads: a busy machine changes it little, and waiting is not in it.
    seconds
        About how long each round of all models may take for each batch size; there are nine.

    Returns
    -------
    dict
        Name -> number of images -> Latency: milliseconds of a pass, with lowest and highest.

    Raises
    ------
    TypeError, ValueError
        If models have no names, batches are no whole numbers from 1, x is no array of images, or a model is
        of another type.
    """
    if not isinstance(models, Mapping):
        raise TypeError(f'models is a {type(models).__name__}: give name -> model, such as {{"mine": model}}')
    if clock not in _CLOCKS:
        raise ValueError(f"clock {clock!r} is not one of {', '.join(_CLOCKS)}")
    x = checked_images("x", x)
    sizes = checked_batches("batches", batches)
    found: dict[str, dict[int, Latency]] = {name: {} for name in models}
    runtimes = {name: _runtime(model) for name, model in models.items()}
    for size in sizes:
        images = x[np.arange(size) % len(x)]
        passes = {name: _pass(name, model, images) for name, model in models.items()}
        for name, rounds in _rounds(passes, _CLOCKS[clock], seconds).items():
            found[name][size] = Latency(rounds, clock, runtimes[name])
    return found


def checked_batches(argument: str, sizes: Iterable[int]) -> list[int]:
    """Refuse what is no list of numbers of images; `argument` names them in errors."""
    if isinstance(sizes, str) or not isinstance(sizes, Iterable):
        raise TypeError(f"{argument} is {sizes!r}, not a list of numbers of images, such as (1, 64)")
    return [whole("a batch", size, 1) for size in sizes]


def _runtime(model: object) -> str:
    if not is_model(model):
        return "a function"
    adapter = frameworks.adapter(model)
    threads = (
        f"{adapter.threads} thread{'s' * (adapter.threads > 1)}" if adapter.threads else "a thread a core"
    )
    return f"{_CALLED[adapter.name]}, {threads}"


def _pass(name: str, model: object, images: Images) -> Callable[[], object]:
    if is_model(model) or not callable(model):
        return frameworks.adapter(model).forward(images)
    one = model(images)
    if not callable(one):
        raise TypeError(
            f"{name!r} is a function that gives a {type(one).__name__}: it is to take the images and give a "
            "function without arguments, which is timed: lambda images: lambda: …"
        )
    return one  # type: ignore[no-any-return]


def _rounds(
    passes: Mapping[str, Callable[[], object]], clock: Callable[[], float], seconds: float
) -> dict[str, tuple[float, ...]]:
    repeats = {}
    for name, one in passes.items():
        _timed(one, 1, clock)  # the first pass also compiles
        repeats[name] = max(1, int(seconds / len(passes) / max(_timed(one, 1, time.perf_counter), 1e-9)))
    found: dict[str, list[float]] = {name: [] for name in passes}
    order = list(passes)
    for _ in steps("timing", "round", range(_ROUNDS)):
        for name in order:
            found[name].append(1000 * _timed(passes[name], repeats[name], clock))
        order = [*order[1:], *order[:1]]  # who goes first, goes last the next time
    return {name: tuple(times) for name, times in found.items()}


def _timed(one: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(repeats):
        one()
    return (clock() - start) / repeats
