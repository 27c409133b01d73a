"""A view that trains: runs of `pruneviz.iterate` that can be paused, resumed, cancelled and compared."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import traitlets as t

from pruneviz.measures.scorecards import scorecard
from pruneviz.progress import bar, quiet
from pruneviz.widgets.frame.given import Whole
from pruneviz.widgets.frame.view import View
from pruneviz.widgets.schedule import runs as schedule_runs
from pruneviz.widgets.schedule.runs import TrainingRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pruneviz.core.arrays import Data
    from pruneviz.methods.iteration import Round

_LONGEST_NAME = 40


class Training(View):
    """What `ScheduleExplorer` trains, whatever the schedule; see there.

    A subclass sets `_model` and `_data` and says in `_open_rounds` what to train, and in `_usual_name` what
    to call it.
    """

    budget = Whole(6).tag(sync=True, echo_update=False)
    name = t.Unicode().tag(sync=True, echo_update=False)
    paused = t.Bool(default_value=False).tag(sync=True, echo_update=False)
    training = t.Int(0, read_only=True).tag(sync=True)
    runs: t.List[dict[str, Any]] = t.List(t.Dict()).tag(sync=True, echo_update=False)
    n = t.Int(0, read_only=True).tag(sync=True)
    dense = t.Int(-1, read_only=True).tag(sync=True)

    _model: object
    _data: Data
    _current: TrainingRun | None = None

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401
        self._runs: list[TrainingRun] = []
        self._error: BaseException | None = None
        self._publishing = False
        self._lock = threading.RLock()  # the page may be heard in another thread than the one that trains
        super().__init__(**traits)
        self.observe(self._obey, ["running", "paused"])
        self.observe(self._take_runs, "runs")

    def _open_rounds(self) -> Iterator[Round]:
        """Give the rounds of the present schedule; they are trained when they are asked for."""
        raise NotImplementedError

    def _usual_name(self) -> str:
        """Name a run of the present schedule."""
        raise NotImplementedError

    @property
    def rounds(self) -> list[Round]:
        """The finished rounds of the latest run."""
        return list(self._runs[-1].rounds) if self._runs else []

    def rounds_of(self, name: str) -> list[Round]:
        """Give the finished rounds of a run.

        Raises
        ------
        ValueError
            If no run has this name.
        """
        for run in self._runs:
            if run.name == name:
                return list(run.rounds)
        known = ", ".join(run.name for run in self._runs) or "none yet"
        raise ValueError(f"name {name!r} is no run; there is {known}")

    def run(self) -> list[Round]:
        """Train all rounds at once, without an event loop.

        Returns
        -------
        list of Round
            The finished ones; an interrupt or an error leaves them in `rounds`.
        """
        run = self._open()
        with bar("training", "round", self.budget) as shown:

            def move(_: object) -> None:
                shown.update(len(run.rounds) - shown.n)

            self.observe(move, "runs")
            try:
                schedule_runs.at_once(self._steps(run))
            except BaseException:
                self._end(run, "cancelled")
                raise
            finally:
                self.unobserve(move, "runs")
        return self._outcome()

    def start(self) -> None:
        """Begin to train in the background; `finished` waits for it.

        Raises
        ------
        RuntimeError
            If a run is on, or there is no event loop.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("no event loop runs here: call run() instead") from None
        self._task = loop.create_task(schedule_runs.in_background(self._steps(self._open())))

    async def finished(self) -> list[Round]:
        """Wait until the run is done or cancelled; at once if none is on.

        Returns
        -------
        list of Round
            Its finished rounds.

        Raises
        ------
        RuntimeError
            If it is paused.
        Exception
            What `fine_tune` raised.
        """
        if self._current and self.paused:
            raise RuntimeError("the run is paused: call resume() first")
        while self._current:  # noqa: ASYNC110  # an event belongs to one loop, and the run may be on another
            await asyncio.sleep(schedule_runs.MOMENT)
        return self._outcome()

    def pause(self) -> None:
        """Rest after the round under way."""
        self.paused = True

    def resume(self) -> None:
        """Go on."""
        self.paused = False

    def cancel(self) -> None:
        """End the run; its finished rounds stay, the round under way is thrown away when it is done."""
        if self._current:
            self._end(self._current, "cancelled")

    def measure(self) -> None:
        """Do as `run`."""
        self.run()

    async def measured(self) -> None:
        """Start a run if none is on, and wait for it."""
        if not self._current:
            self.start()
        await self.finished()

    def close(self) -> None:
        """End the run and close the view."""
        self.cancel()
        super().close()

    def _open(self) -> TrainingRun:
        if self._current:
            raise RuntimeError("a run is on: wait with finished(), or end it with cancel()")
        number = max((run.number for run in self._runs), default=0) + 1
        name = self._free_name(self.name or self._usual_name())
        run = TrainingRun(number, name, self.state(), self._open_rounds())
        self._error, self._current = None, run
        self._runs.append(run)
        with self.hold_sync():
            self._tell(problem="", progress=0.0, training=1)
            self.name, self.paused, self.running = "", False, True
            self._publish()
        return run

    def _steps(self, run: TrainingRun) -> schedule_runs.Steps:
        """Train round after round; what takes long is handed out, to be called wherever it blocks nothing."""
        try:
            if self.dense < 0:
                self._tell(dense=(yield self._right_as_given))
            while run is self._current:
                if self.paused:
                    yield None
                    continue
                done = yield run.next
                if run is self._current:
                    self._add(run, done)
        except Exception as error:  # noqa: BLE001  # told in the view, and raised by run() and finished()
            if run is self._current:
                self._error = error
                where = f"round {len(run.rounds) + 1} failed: {type(error).__name__}"
                self._end(run, "failed", f"{run.name}, {where}: {error}")

    def _right_as_given(self) -> int:
        with quiet():
            return scorecard(self._model, self._data).correct

    def _add(self, run: TrainingRun, done: Round) -> None:
        run.rounds.append(done)
        budget = run.state["budget"]
        with self.hold_sync():
            if len(run.rounds) == budget:
                self._end(run, "finished")
                return
            training = 0 if self.paused else len(run.rounds) + 1
            self._tell(progress=len(run.rounds) / budget, training=training)
            self._publish()

    def _end(self, run: TrainingRun, status: str, problem: str = "") -> None:
        if run is not self._current:
            return
        run.status, self._current = status, None
        with self.hold_sync():
            self._tell(problem=problem, progress=0.0, training=0)
            self.running, self.paused = False, False
            self._publish()

    def _outcome(self) -> list[Round]:
        if self._error:
            raise self._error
        return self.rounds

    def _obey(self, change: dict[str, Any]) -> None:
        """Do what running and paused are set to."""
        if change["name"] == "running":
            if self.running and not self._current:
                try:
                    self.start()
                except Exception as error:
                    self._tell(problem=str(error))
                    self.running = False
                    raise
            elif not self.running:
                self.cancel()
        elif self._current is None:
            self.paused = False
        elif not self.paused:
            self._tell(training=len(self._current.rounds) + 1)

    def _free_name(self, wanted: str) -> str:
        taken = {run.name for run in self._runs}
        names = (wanted if i == 1 else f"{wanted} ({i})" for i in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    @t.validate("name")
    def _check_name(self, proposal: dict[str, Any]) -> str:
        return str(proposal["value"]).strip()[:_LONGEST_NAME]

    def _publish(self) -> None:
        with self._lock:
            self._publishing = True
            try:
                self.runs = [run.plain() for run in self._runs]
            finally:
                self._publishing = False

    def _take_runs(self, change: dict[str, Any]) -> None:
        """Remove the runs that are left out, and rename others; what was measured stays."""
        with self._lock:
            if self._publishing:
                return
            names = {entry.get("id"): str(entry.get("name", "")).strip() for entry in change["new"]}
            self._runs = [run for run in self._runs if run.number in names or run is self._current]
            for run in self._runs:
                wanted, run.name = names.get(run.number) or run.name, ""
                run.name = self._free_name(wanted[:_LONGEST_NAME])
            self._publish()
