"""Prune a model that is pruned already; prune a model while it trains."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from pruneviz import frameworks
from pruneviz.core.ranking import Ranking, rank
from pruneviz.engine.how import How
from pruneviz.engine.model import Seen
from pruneviz.engine.pruning import zeros
from pruneviz.engine.scoring import named, refuse_nothing, scored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Unpack

    from pruneviz.core.arrays import Array, Given, Pair
    from pruneviz.core.criteria import Criterion
    from pruneviz.core.masks import Mask

_STAYS = np.iinfo(np.uint32).max  # the rank of what is never pruned


class Words(TypedDict, total=False):
    """The words of `prune` that say how to choose, where a schedule says how much; scored_on is its data."""

    granularity: str
    criterion: Criterion
    scope: str
    scored_on: Pair | None
    example: Given | None
    exclude: Iterable[str]
    keep_at_least: int
    loss: Callable[..., Any] | None


def how_by(words: Words, seed: int, example: Given | None = None) -> How:
    """Check words, among them a scope that would contradict a schedule; the example is a default."""
    unknown = sorted(words.keys() - Words.__annotations__.keys())
    if unknown:
        raise TypeError(f"unknown argument {', '.join(unknown)}; there is {', '.join(Words.__annotations__)}")
    if words.get("scope", "global") not in ("global", "layer"):
        raise ValueError('scope must be "global" or "layer": it is the schedule that says how much to prune')
    given: dict[str, Any] = {"example": example, **words, "seed": seed}
    how = How(data=given.pop("scored_on", None), **given)
    if how.scope not in ("global", "layer"):
        raise ValueError(f'granularity "{how.scope}" leaves a schedule nothing to say: use pv.prune')
    return how


def prune_further(seen: Seen, sparsity: float, before: Mask | None, how: How) -> Mask:
    """Choose what to prune of a masked model, so that what is pruned stays pruned.

    The sparsity is the share of all entries to prune in all: if that is less than `before` prunes, nothing
    changes. With None before, everything was kept.
    """
    ranking = rank(scored(seen, how), how.scope, how.exclude, how.keep_at_least)
    refuse_nothing(seen, ranking.ranks, how)
    if before is None:
        return named(ranking.mask(sparsity), seen, how)
    return named(_pruned_first(ranking, before).mask(sparsity) & before, seen, how)


def _pruned_first(ranking: Ranking, before: Mask) -> Ranking:
    """Move what a mask prunes to the front of each pool; all else keeps its order."""
    ranks: dict[str, Array] = {}
    for pool, size in set(ranking.pools.values()):
        names = [name for name in ranking.ranks if ranking.pools[name][0] == pool]
        kept = np.ones(size, bool)
        for name in names:
            counted = ranking.ranks[name] < size
            kept[ranking.ranks[name][counted]] = before[name][counted]
        moved = np.empty(size + 1, np.uint32)
        moved[np.argsort(kept, kind="stable")] = np.arange(size, dtype=np.uint32)
        moved[size] = _STAYS
        ranks |= {name: moved[np.minimum(ranking.ranks[name], size)] for name in names}
    order = {name: ranks[name] for name in ranking.ranks}
    return Ranking(
        order, ranking.scope, ranking.granularity, ranking.keep_at_least, ranking.pools, ranking.units
    )


class Pruning:
    """A model that is being pruned while it trains; `prune_while_training` makes it.

    Attributes
    ----------
    mask
        What is kept now.
    step
        Number of steps done.
    callback
        What Keras's fit needs; None for PyTorch.
    """

    def __init__(self, model: object, schedule: Callable[[int], float], how: How) -> None:
        self.step = 0
        self.callback: object = None
        self._model, self._schedule, self._how = model, schedule, how
        # Nothing is pruned yet, but a wrong word is refused before anything changes.
        self.mask = prune_further(Seen(model, how.images), 0, None, how)
        self.restore_zeros: Callable[[], None] = lambda: None

    def after_step(self) -> None:
        """Restore the zeros, and prune for the next step; training loops without hooks call it themselves."""
        self.restore_zeros()
        self.step += 1
        self.prune()

    def prune(self) -> None:
        """Prune now if the schedule prunes at the next step."""
        if prunes_at(self._schedule, self.step + 1):
            seen = Seen(self._model, self._how.images)
            self.mask = prune_further(seen, self._schedule(self.step + 1), self.mask, self._how)
            self.restore_zeros = seen.adapter.zeroing(zeros(seen, self.mask))
            self.restore_zeros()

    def __repr__(self) -> str:
        done = f"after {self.step:,} steps of {self._schedule!r}"
        return f"{self.mask.sparsity:.1%} of {self.mask.total:,} {self.mask.granularity}s pruned {done}"


@contextlib.contextmanager
def prune_while_training(
    model: object,
    schedule: Callable[[int], float],
    optimizer: object = None,
    *,
    seed: int = 0,
    **words: Unpack[Words],
) -> Iterator[Pruning]:
    """Train a model, in any training loop, and prune it on a schedule meanwhile.

    Step s of the schedule is the s-th optimizer step in the context, the first is 1, as for tfmot. Where the
    schedule prunes at s, the least important entries are set to zero just before that step's batch, once
    step s - 1 is done: a training that ends before its schedule ends with a cut that no batch has seen. What
    is pruned is set to zero again after every step, and stays pruned. On exit, or on an exception, everything
    put into the model or the optimizer is taken out again; the zeros stay.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model; it is changed in place.
    schedule
        One of `pruneviz.schedules`, or any function of the step that returns a share from 0 to 1; a mere
        function prunes at every step.
    optimizer
        PyTorch: the optimizer to watch; None watches all that train this model. Keras: None.
    seed
        For criterion ``"random"``.
    **words
        granularity, criterion, scope (``"global"`` or ``"layer"``), scored_on (images and labels for the
        criteria that need them), example, exclude, keep_at_least and loss, as for `prune`.

    Yields
    ------
    Pruning
        Its `mask` is up to date at any moment; give its `callback` to Keras's fit.

    Raises
    ------
    TypeError, ValueError
        As for `prune`.
    RuntimeError
        If the context ends without a step: the optimizer was another, or fit did not get the callback.

    Examples
    --------
    >>> schedule = pv.schedules.polynomial(0, 0.9, begin=0, end=1000, frequency=100)
    >>> with pv.prune_while_training(model, schedule, optimizer) as pruning:  # PyTorch
    ...     train(model, optimizer)
    >>> with pv.prune_while_training(model, schedule) as pruning:  # Keras
    ...     model.fit(x, y, callbacks=[pruning.callback])
    >>> pruning.mask
    """
    if not callable(schedule):
        raise TypeError(f"schedule is {schedule!r}, not one of pv.schedules or a function of the step")
    pruning = Pruning(model, schedule, how_by(words, seed))
    with frameworks.adapter(model).after_steps(pruning.after_step, optimizer) as pruning.callback:
        try:
            pruning.prune()
            yield pruning
        finally:
            pruning.restore_zeros()
    if not pruning.step:
        how = "callbacks=[pruning.callback]" if pruning.callback else "the optimizer that trains this model"
        raise RuntimeError(f"no training step was seen, so nothing was pruned on schedule: pass {how}")


def prunes_at(schedule: Callable[[int], float], step: int) -> bool:
    """Ask a schedule whether it prunes at a step; a mere function always does."""
    asked: Callable[[int], bool] = getattr(schedule, "prunes_at", lambda _: True)
    return asked(step)
