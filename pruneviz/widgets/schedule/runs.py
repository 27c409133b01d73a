"""The runs of ScheduleExplorer: what each has trained so far, and how one is driven round by round."""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from pruneviz.methods.iteration import Round

# What is to be called next, away from the event loop; None: wait a moment. Sent back is what it returned.
Steps: TypeAlias = "Generator[Callable[[], Any] | None, Any, None]"

Outcome: TypeAlias = "tuple[Any, Exception | None]"

MOMENT = 0.02  # seconds
# One round at a time, for all views: they draw from the same generators of random numbers.
_WORKER = ThreadPoolExecutor(1, thread_name_prefix="pruneviz")


class TrainingRun:
    """One run of `pruneviz.iterate`.

    Parameters
    ----------
    number
        Tells it from others, even after these are removed.
    name
        What it is called.
    state
        The schedule, as the sliders had it.
    source
        Gives the rounds, and trains meanwhile.

    Attributes
    ----------
    rounds
        The finished ones.
    status
        ``"running"``, ``"finished"``, ``"cancelled"`` or ``"failed"``.
    """

    def __init__(self, number: int, name: str, state: dict[str, Any], source: Iterator[Round]) -> None:
        self.number, self.name, self.state = number, name, state
        self.rounds: list[Round] = []
        self.status = "running"
        self._source = source

    def next(self) -> Round:
        """Train the next round."""
        return next(self._source)

    def plain(self) -> dict[str, Any]:
        """Describe it with nothing but numbers and words."""
        rows = [
            {
                "round": done.number,
                "sparsity": done.mask.sparsity,
                "left": done.mask.kept,
                "correct": done.card.correct,
                "n": done.card.n,
                "low": done.card.interval[0],
                "high": done.card.interval[1],
                "compact_bytes": done.card.compact_bytes,
            }
            for done in self.rounds
        ]
        about = {"id": self.number, "name": self.name, "status": self.status}
        return {**about, "schedule": self.state, "rounds": rows}


def at_once(steps: Steps) -> None:
    """Take the steps in this thread."""
    _WORKER.submit(int).result()  # a round whose run was cancelled may still be training
    outcome: Outcome = (None, None)
    with contextlib.suppress(StopIteration):
        while True:
            work = _answered(steps, outcome)
            outcome = _outcome(work or _moment)


async def in_background(steps: Steps) -> None:
    """Take the steps in another thread, so that the event loop can hear Pause and Cancel."""
    loop = asyncio.get_running_loop()
    outcome: Outcome = (None, None)
    with contextlib.suppress(StopIteration):
        while True:
            work = _answered(steps, outcome)
            if work:
                outcome = await loop.run_in_executor(_WORKER, _outcome, work)
            else:
                await asyncio.sleep(MOMENT)
                outcome = (None, None)


def _answered(steps: Steps, outcome: Outcome) -> Callable[[], Any] | None:
    """Tell the steps what their last work returned or raised; gives the next."""
    result, error = outcome
    return steps.throw(error) if error else steps.send(result)


def _outcome(work: Callable[[], Any]) -> Outcome:
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001  # whatever fine_tune raises is for the steps to tell
        return None, error


def _moment() -> None:
    time.sleep(MOMENT)
