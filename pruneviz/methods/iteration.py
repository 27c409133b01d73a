"""Prune, fine-tune, measure, repeat; and go on where a run was cut off."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pruneviz.core.arrays import checked_pair, number_to_prune, whole
from pruneviz.core.masks import Mask
from pruneviz.engine.model import Seen
from pruneviz.engine.pruning import apply
from pruneviz.files import storage
from pruneviz.files.storage import is_model
from pruneviz.measures.scorecards import Scorecard, classes, scorecard
from pruneviz.methods.gradual import Words, how_by, prune_further, prunes_at
from pruneviz.methods.keeping import keep_pruned
from pruneviz.methods.runfolders import RunFolder, fingerprint
from pruneviz.progress import bar, quiet

if TYPE_CHECKING:
    import os
    from typing import Any, Unpack

    from pruneviz.core.arrays import Array, Pair
    from pruneviz.engine.how import How

FineTune: TypeAlias = "Callable[[Any, Mask, int], object]"


@dataclass(frozen=True, eq=False, repr=False)
class Round:
    """What one round of `iterate` leaves.

    Attributes
    ----------
    number
        1 for the first.
    mask
        What is kept.
    model
        The masked and fine-tuned model; later rounds do not change it.
    card
        The model, measured.
    """

    number: int
    mask: Mask
    model: Any
    card: Scorecard

    def __repr__(self) -> str:
        right = f"{self.card.correct:,} of {self.card.n:,} right ({self.card.accuracy:.2%})"
        return f"round {self.number}: {self.mask.sparsity:.1%} of {self.mask.granularity}s pruned, {right}"


Stop: TypeAlias = Mapping[str, float] | Callable[[Round], bool]
_BUDGETS = ("nonzero", "nonzero_macs", "gzip_bytes", "compact_bytes")


def iterate(
    model: object,
    schedule: Callable[[int], float],
    fine_tune: FineTune,
    data: Pair,
    *,
    rounds: int | None = None,
    seed: int = 0,
    start: object = "continue",
    stop: Stop | None = None,
    resume: str | os.PathLike[str] | None = None,
    progress: bool = True,
    **words: Unpack[Words],
) -> Generator[Round]:
    """Prune, fine-tune, measure, and again.

    A round is a pure function of the weights and the mask before it, its number and the seed. What is pruned
    stays pruned. Interrupt it as you like: the rounds it gave are whole, and later ones do not touch them.

    Parameters
    ----------
    model
        A trained torch.nn.Module, keras.Model or tf_keras.Model; it stays as it is.
    schedule
        One of `pruneviz.schedules`, whose step is the number of the round, or any function of that number
        that returns a share from 0 to 1. Where a schedule does not prune, the round only trains.
    fine_tune
        fine_tune(model, mask, seed) trains the masked model in place, with an optimizer of its own; the zeros
        are kept. Before it is called, the generators of Python, NumPy and the framework are seeded.
    data
        (x, y): the images to measure on. Use validation images if you choose a round by them.
    rounds
        How many; None: as many as the schedule's end says.
    seed
        Decides the seed of each round, and criterion ``"random"``.
    start
        What each round trains from: ``"continue"``, the weights that the round before left; a model, to
        rewind to its weights; or a function of the round's seed that returns a newly initialised model.
    stop
        When to stop early: a function of a Round, or a dict with any of ``"sparsity"`` (reached),
        ``"accuracy"`` (fallen below), and the budgets ``"nonzero"``, ``"nonzero_macs"``, ``"gzip_bytes"`` and
        ``"compact_bytes"`` (met). The round that decides is still given.
    resume
        A folder. Finished rounds are stored there, and given again rather than trained again when the same
        run is started anew. It cannot notice that `fine_tune`, or another function of the same name, was
        changed: then choose another.
    progress
        Whether to show a bar.
    **words
        granularity, criterion, scope (``"global"`` or ``"layer"``), scored_on (images and labels for the
        criteria that need them), exclude, keep_at_least and loss, as for `prune`.

    Yields
    ------
    Round
        One after the other.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these, or the folder holds another run; as `prune` and `scorecard` do.

    Examples
    --------
    >>> def fine_tune(model, mask, seed):
    ...     train(model, torch.optim.Adam(model.parameters()), epochs=1)
    >>> schedule = pv.schedules.exponential(0, 0.9, begin=0, end=5)
    >>> for r in pv.iterate(model, schedule, fine_tune, mnist.validation, stop={"accuracy": 0.97}):
    ...     print(r)
    """
    x, y = checked_pair(data)
    if not callable(fine_tune):
        raise TypeError(f"fine_tune is {fine_tune!r}, not a function of a model, its mask and a seed")
    if not callable(schedule):
        raise TypeError(f"schedule is {schedule!r}, not one of pv.schedules or a function of the round")
    number, seed, stops = _rounds(rounds, schedule), whole("seed", seed), _stopping(stop)
    how = how_by(words, seed, x[:1])
    for step in range(1, number + 1):
        if prunes_at(schedule, step):
            number_to_prune(schedule(step), 0)  # what is no share is refused before work begins
    with quiet(silent=not progress):
        run = Run(model, schedule, fine_tune, start, how)
        ends = np.array([y.argmin(), y.argmax()])
        classes(run.adapter, (x[ends], y[ends]), run.adapter.predict(x[ends]))  # and so are images and labels
    folder = None if resume is None else RunFolder(resume, fingerprint(model, start, how), schedule)
    return _given(run, data, number, stops, folder, progress)


class Run:
    """The rounds of `iterate`, each computed from the one before.

    Attributes
    ----------
    adapter
        Of the model.
    arrays, mask
        What the first round begins with: the model's own arrays, nothing pruned.
    """

    def __init__(
        self,
        model: object,
        schedule: Callable[[int], float],
        fine_tune: FineTune,
        start: object,
        how: How,
    ) -> None:
        seen = Seen(model, how.images)
        self.adapter, self._schedule, self._fine_tune, self._how = seen.adapter, schedule, fine_tune, how
        self.arrays = storage.arrays_of(model)
        self.mask = prune_further(seen, 0, None, how)  # wrong words are refused before work begins
        self._begin = self._beginning(start)

    def next(self, number: int, arrays: Mapping[str, Array], mask: Mask) -> tuple[object, Mask]:
        """Compute a round from the arrays and the mask that the one before left."""
        seed = int(np.random.SeedSequence([self._how.seed, number]).generate_state(1)[0])
        self.adapter.seed(seed)
        if prunes_at(self._schedule, number):
            before = Seen(self.model(arrays), self._how.images)
            mask = prune_further(before, self._schedule(number), mask, self._how)
        example = self._how.images
        thin = apply(self.model(self._begin(arrays, seed)), mask, example)
        with keep_pruned(thin, mask, example=example):
            self._fine_tune(thin, mask, seed)
        return thin, mask

    def model(self, arrays: Mapping[str, Array]) -> object:
        """Copy the given model with other arrays, so that nothing but these passes from round to round."""
        return self.adapter.copy_with(arrays)

    def _beginning(self, start: object) -> Callable[[Mapping[str, Array], int], Mapping[str, Array]]:
        """Turn start into a function of the arrays of the round before and the seed."""
        if isinstance(start, str) and start == "continue":
            return lambda arrays, _: arrays
        if is_model(start):
            earlier = self._fitting(start)
            return lambda _, __: earlier
        if callable(start):
            return lambda _, seed: self._fitting(start(seed))
        raise ValueError(f'start is {start!r}, not "continue", a model, or a function of a seed')

    def _fitting(self, start: object) -> Mapping[str, Array]:
        arrays = storage.arrays_of(start)
        for name in sorted(self.arrays.keys() | arrays.keys()):
            theirs, ours = (f"{a[name].shape}" if name in a else "nothing" for a in (arrays, self.arrays))
            if theirs != ours:
                raise ValueError(f"start has {theirs} for {name!r}, where the model has {ours}")
        return arrays


def _given(
    run: Run,
    data: Pair,
    rounds: int,
    stops: Callable[[Round], bool],
    folder: RunFolder | None,
    progress: bool,
) -> Generator[Round]:
    """Give the rounds, stored ones first."""
    arrays: Mapping[str, Array] = run.arrays
    mask = run.mask
    with bar("pruning", "round", rounds, shown=progress) as shown:
        for number in range(1, rounds + 1):
            stored = folder.read(number) if folder else None
            with quiet():
                if stored:
                    arrays, mask = stored[0], Mask(stored[1], mask.granularity, mask.units, mask.uncovered)
                    model = run.model(arrays)
                else:
                    model, mask = run.next(number, arrays, mask)
                    arrays = storage.arrays_of(model)
                done = Round(number, mask, model, scorecard(model, data, name=f"round {number}"))
            if folder and not stored:
                folder.write(number, arrays, mask)
            shown.update()
            shown.set_postfix_str(f"{mask.sparsity:.1%} pruned, {done.card.accuracy:.2%} right")
            yield done
            if stops(done):
                return


def _rounds(rounds: int | None, schedule: Callable[[int], float]) -> int:
    if rounds is None:
        end = getattr(schedule, "end", -1)
        if end < 1:
            raise ValueError("rounds is missing: the schedule does not say how many there are")
        return int(end)
    return whole("rounds", rounds)


def _stopping(stop: Stop | None) -> Callable[[Round], bool]:
    """Turn the dict of limits into a function of a round."""
    if stop is None:
        return lambda _: False
    if callable(stop):
        return stop
    if not isinstance(stop, Mapping):
        raise TypeError(f"stop is {stop!r}, not a function of a Round or a dict of limits")
    known = ("sparsity", "accuracy", *_BUDGETS)
    if unknown := sorted(set(stop) - set(known)):
        raise ValueError(f"stop names {', '.join(unknown)}; there is {', '.join(known)}")
    limits = dict(stop)
    for name, limit in limits.items():
        is_number = isinstance(limit, Real) and not isinstance(limit, bool)
        if name not in _BUDGETS and not (is_number and 0 <= limit <= 1):
            raise ValueError(f"stop has {name} {limit!r}, not a share from 0 to 1, such as 0.9")
        if not is_number:
            raise TypeError(f"stop has {name} {limit!r}, not a number, such as 10_000")

    def stops(done: Round) -> bool:
        mask, card = done.mask, done.card
        return (
            ("sparsity" in limits and mask.pruned >= number_to_prune(limits["sparsity"], mask.total))
            or card.accuracy < limits.get("accuracy", 0)
            or any(getattr(card, name) <= limits[name] for name in _BUDGETS if name in limits)
        )

    return stops
