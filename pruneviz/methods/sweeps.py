"""One model at many sparsities."""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import as_completed
from typing import TYPE_CHECKING

from pruneviz.core.arrays import checked_pair
from pruneviz.core.ranking import Ranking, check_share, rank
from pruneviz.engine.how import How
from pruneviz.engine.model import Seen
from pruneviz.engine.pruning import apply
from pruneviz.engine.scoring import refuse_nothing, scored
from pruneviz.measures.scorecards import Scorecard, scorecard
from pruneviz.progress import bar, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor
    from types import ModuleType

    from tqdm.auto import tqdm

    from pruneviz.core.arrays import Pair
    from pruneviz.core.criteria import Criterion


def sweep(
    model: object,
    data: Pair,
    sparsities: Iterable[float],
    *,
    granularity: str = "weight",
    criterion: Criterion = "magnitude",
    scope: str = "global",
    exclude: Iterable[str] = (),
    keep_at_least: int = 0,
    scored_on: Pair | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> list[Scorecard]:
    """Prune at each sparsity, one shot from the same model each time, and measure.

    Parameters
    ----------
    model, granularity, criterion
        As for `importance`.
    data
        (x, y): the images to measure accuracy on.
    sparsities
        Shares from 0 to 1.
    scope
        ``"global"`` or ``"layer"``.
    exclude, keep_at_least
        As for `rank`.
    scored_on
        (x, y) for the criteria that need data.
    executor
        Any concurrent.futures.Executor whose workers can import pruneviz: threads, spawned processes,
        joblib's loky, or ``dask.distributed.Client().get_executor()``. Model and images travel once a
        worker. None measures here, one after the other.
    progress
        Whether to show a bar.

    Returns
    -------
    list of Scorecard
        In the order of the sparsities, each named after its own, such as ``"90%"``.

    Raises
    ------
    ValueError
        If the executor forks its processes, which hangs once a framework has computed in this one, or as
        `prune` and `scorecard` do.
    ImportError
        If there is an executor, but not cloudpickle: ``pip install "pruneviz[parallel]"``.
    """
    if not isinstance(sparsities, Iterable) or isinstance(sparsities, str):
        raise TypeError(f"sparsities is {sparsities!r}, not a list of shares, such as [0.5, 0.9]")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor is {executor!r}, not an Executor such as ThreadPoolExecutor(4)")
    shares, (x, _) = list(sparsities), checked_pair(data)
    how = How(granularity, criterion, scope, scored_on, x[:1], exclude, keep_at_least)
    for share in shares:
        check_share(share, how.scope)
    with quiet(silent=not progress):
        seen = Seen(model, how.images)
        ranking = rank(scored(seen, how), how.scope, how.exclude, how.keep_at_least)
    if any(shares):
        refuse_nothing(seen, ranking.ranks, how)
    for share in shares:
        ranking.mask(share)  # what would empty a layer is refused before any work
    with bar("measuring", "model", len(shares), shown=progress) as done:
        if executor is not None:
            return _spread(executor, _cloudpickle().dumps((model, data, ranking)), shares, done)
        cards = []
        for share in shares:
            cards.append(_measure(model, data, ranking, share))
            done.update()
        return cards


def _measure(model: object, data: Pair, ranking: Ranking, sparsity: float) -> Scorecard:
    with quiet():
        return scorecard(apply(model, ranking.mask(sparsity)), data, name=f"{100 * float(sparsity):g}%")


def _cloudpickle() -> ModuleType:
    try:
        return importlib.import_module("cloudpickle")
    except ImportError as error:
        raise ImportError('executor needs cloudpickle: pip install "pruneviz[parallel]"') from error


def _measure_all(pickled: bytes, sparsities: Sequence[float]) -> list[Scorecard]:
    model, data, ranking = _cloudpickle().loads(pickled)
    return [_measure(model, data, ranking, sparsity) for sparsity in sparsities]


def _spread(executor: Executor, pickled: bytes, shares: list[float], done: tqdm) -> list[Scorecard]:
    context = getattr(executor, "_mp_context", None)
    if context is not None and context.get_start_method() == "fork":
        raise ValueError(
            "executor forks its processes, and a forked process hangs once PyTorch or TensorFlow has "
            'computed here: pass ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"))'
        )
    workers = min(len(shares), getattr(executor, "_max_workers", None) or multiprocessing.cpu_count())
    places = {
        executor.submit(_measure_all, pickled, shares[first::workers]): range(first, len(shares), workers)
        for first in range(workers)
    }
    cards: dict[int, Scorecard] = {}
    try:
        for future in as_completed(places):
            cards.update(zip(places[future], future.result(), strict=True))
            done.update(len(places[future]))
    finally:
        for future in places:
            future.cancel()
    return [cards[place] for place in range(len(shares))]
