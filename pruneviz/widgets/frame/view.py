"""The foundation of every live view.

A view is a Python class that holds the state as traits, and a .js module that shows and changes it::

    class Counter(View):
        _esm = assets.script("counter.js")  # its render() begins with: const frame = new Frame(model, el)
        _css = assets.read("frame/style.css")
        state_names = ("count",)  # the traits that Undo, Reset and Keep go back to
        count = traitlets.Int(0).tag(sync=True, echo_update=False)  # so that the page may change it

        def sentence(self) -> str:  # what a screen reader hears, and GitHub shows beside the PNG
            return f"The count is {self.count}."

        def snapshot(self) -> Figure:  # the static twin, drawn with matplotlib's Figure()
            ...

State travels as traits only, never as custom messages, so that all of it can be driven and tested from
Python. A view that computes in the kernel overrides `_work`, a generator that yields its progress from 0 to
1; it runs in the event loop between two messages, so that Cancel arrives, and from the start when the
state changes. In JavaScript, ``view.js`` says what `Frame` offers.
"""

from __future__ import annotations

import asyncio
import base64
import textwrap
import time
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets as t

from pruneviz import lessons
from pruneviz.plots.picture import png
from pruneviz.widgets.frame import cells, export

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from matplotlib.figure import Figure

_BETWEEN_REPORTS = (
    0.3  # seconds: shorter work needs no progress bar, and a bar that moves more often shows no more
)
_DPI = 72
_COLUMNS = 96
_NOT_DRAWN = frozenset({"comm", "keys", "moving", "running", "progress", "problem"})


def in_lines(sentence: str) -> str:
    """Break a sentence between words where it is too long for a notebook's page."""
    return textwrap.fill(sentence, _COLUMNS, break_long_words=False, break_on_hyphens=False)


class View(anywidget.AnyWidget):
    """A live view: traits, background work, static twins.

    Attributes
    ----------
    title
        Its heading.
    moving
        True while the learner drags; work starts on release.
    more
        Whether what a view folds away at first is on view.
    running, progress
        Whether work goes on in the kernel, and its share that is done; setting `running` to False cancels it.
    code
        What Show code shows; ``{name}`` in it is replaced by what the browser computes.
    kept
        The states that were kept, newest last.
    compare
        Place in `kept` of the state to compare with, or -1.
    glossary
        What the words on its cards mean.
    problem
        What went wrong in the kernel, in words.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    _task: asyncio.Task[None] | None = None
    _live = False
    _refusal = ""  # what `problem` says of what a page has sent last

    title = t.Unicode().tag(sync=True)
    states = t.List(t.Unicode(), read_only=True).tag(sync=True)
    moving = t.Bool(default_value=False).tag(sync=True, echo_update=False)
    more = t.Bool(default_value=False).tag(sync=True, echo_update=False)
    running = t.Bool(default_value=False).tag(sync=True, echo_update=False)
    progress = t.Float(0.0, read_only=True).tag(sync=True)
    code = t.Unicode(read_only=True).tag(sync=True)
    kept = t.List(t.Dict()).tag(sync=True, echo_update=False)
    compare = t.Int(-1).tag(sync=True, echo_update=False)
    glossary = t.Dict(read_only=True).tag(sync=True)
    problem = t.Unicode(read_only=True).tag(sync=True)

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401
        traits |= {"states": list(self.state_names), "glossary": lessons.glossary()}
        for name in [name for name, trait in self.traits().items() if trait.read_only and name in traits]:
            self.set_trait(name, traits.pop(name))  # before there is a page to tell
        super().__init__(**traits)
        self._ours: set[str] = set()  # what Python has changed of the state, and the page not since
        self._echoed: set[str] = set()
        self._listening = False
        self._still: bytes | None = None  # the picture, until something that it shows changes
        self.observe(self._note_own, list(self.state_names))
        self.observe(self._outdate)

    def state(self) -> dict[str, Any]:
        """Give the state that Undo, Reset and Keep go back to."""
        return {name: getattr(self, name) for name in self.state_names}

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page has changed; what it is only told, it cannot change.

        Python may have changed the same while this was on its way: the page then shows Python's value, and
        holds it to be the last. An echo sets it right, which the page ignores where its hand has moved on.
        What is refused, since Python has changed what it depends on, is told in `problem`.
        """
        sync_data = {name: value for name, value in sync_data.items() if self._is_theirs(name)}
        crossed = {name: value for name, value in sync_data.items() if name in self._ours}
        if crossed:
            self._send({"method": "echo_update", "state": crossed, "buffer_paths": []})
        self._listening = True
        try:
            super().set_state(sync_data)
        except t.TraitError as error:
            self._refuse(sync_data, str(error))
        else:
            if self._refusal and self.problem == self._refusal:
                self._tell(problem="")
            self._refusal = ""
        finally:
            self._listening = False
        self._echoed |= crossed.keys()
        if not self.moving:  # from now on the page knows
            self._ours -= self._echoed
            self._echoed.clear()

    def _refuse(self, sync_data: dict[str, Any], why: str) -> None:
        """Say why nothing is taken of what a page has sent, and let it show again what is there."""
        if isinstance(sync_data.get("moving"), bool):  # the hand has let go all the same
            self.moving = sync_data["moving"]
        self._refusal = why
        self._tell(problem=why)
        self.send_state(list(sync_data))

    def _tell(self, **traits: Any) -> None:  # noqa: ANN401
        """Set what nobody else can: what a page is told, and a script may read."""
        with self.hold_sync():
            for name, value in traits.items():
                self.set_trait(name, value)

    def _is_theirs(self, name: str) -> bool:
        """Whether the page may change a trait; it knows then what it has sent."""
        return self.trait_metadata(name, "echo_update") is False

    @t.validate("kept")
    def _check_kept(self, proposal: dict[str, Any]) -> list[dict[str, Any]]:
        for entry in proposal["value"]:
            if missing := [name for name in self.state_names if name not in entry]:
                raise t.TraitError(f"a kept state lacks {', '.join(missing)}: put it there by keep()")
            self._check_state(entry)
        return list(proposal["value"])

    def _check_state(self, state: dict[str, Any]) -> None:
        """Raise a TraitError for a state that this view could not take."""
        for name in self.state_names:
            trait = self.traits()[name]
            trait._cross_validate(self, trait.validate(self, state[name]))  # noqa: SLF001  # without taking it

    def _note_own(self, change: dict[str, Any]) -> None:
        if not self._listening:
            self._ours.add(change["name"])

    def _outdate(self, change: dict[str, Any]) -> None:
        if change["name"] not in _NOT_DRAWN:
            self._still = None

    def sentence(self) -> str:
        """Say in one sentence what the view shows."""
        raise NotImplementedError

    def snapshot(self) -> Figure:
        """Draw the present state with matplotlib."""
        raise NotImplementedError

    def export_html(self, path: str | os.PathLike[str]) -> None:
        """Write a stand-alone page in which all that the browser computes works without kernel or network.

        Parameters
        ----------
        path
            Where to; an existing file is replaced.
        """
        export.write_page(path, self, self.title, self.sentence(), self._png())

    def keep(self) -> None:
        """Put the present state on the strip of kept states."""
        self.kept = [*self.kept, self.state()]

    def measure(self) -> None:
        """Do all kernel work at once, without an event loop."""
        self._stop()
        for _ in self._work():
            pass

    async def measured(self) -> None:
        """Wait until the kernel's work is done, or cancelled.

        Raises
        ------
        Exception
            What the work raised.
        """
        if self._task is None or self._task.done():
            self._restart()
        while (task := self._task) is not None:
            await asyncio.wait([task])
            if task is self._task:
                return task.result()
        return None

    def close(self) -> None:
        """Stop the work and close the view."""
        self._stop()
        super().close()

    def let_go(self) -> None:
        """Leave the page and stop the work, for the cell that showed the view has run again.

        Only who holds the view in a variable keeps it alive. It still answers, and is live again once it is
        shown again.
        """
        self._live = False
        for widget in (self, self.layout):
            if widget.comm is None:
                continue
            widget.close()
            del widget._repr_mimebundle_  # None, by which ipywidgets keeps what is closed from being shown

    def _work(self) -> Iterator[float]:
        """Compute in the kernel; yield the share that is done, at least every few hundredths of a second."""
        return iter(())

    def _recode(self) -> None:
        """Write Show code anew: by the time that it is shown, the notebook may have a name for the view."""

    def _eager(self) -> bool:
        """Whether there is something to compute as soon as the view is displayed."""
        return False

    def _changed(self) -> None:
        """Say that the state has changed: a displayed view starts its work anew."""
        if self._live:
            self._restart()

    def _restart(self) -> None:
        """Start the work anew once this message is dealt with; what went on before is superseded."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a script: measure() does the work
            return
        self._stop()
        self._task = loop.create_task(self._run())

    def _stop(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._task = None

    async def _run(self) -> None:
        work, reported = self._work(), time.monotonic()
        self._tell(problem="")
        try:
            for done in work:
                if time.monotonic() - reported > _BETWEEN_REPORTS:
                    cancelled = self.progress > 0 and not self.running
                    if cancelled:
                        break
                    with self.hold_sync():
                        self._tell(progress=max(done, 1e-3))
                        self.running = True
                    reported = time.monotonic()
                await asyncio.sleep(0)
        except Exception as error:
            self._tell(problem=str(error))
            raise
        finally:
            work.close()  # type: ignore[attr-defined]
            with self.hold_sync():
                self._tell(progress=0.0)
                self.running = False

    def _repr_mimebundle_(self, **options: Any) -> Any:  # noqa: ANN401
        """Give the widget, a picture for where widgets do not run, and a sentence."""
        if self.comm is None:  # it was let go of
            self.layout.open()
            self.open()
        cells.show(self)
        self._recode()
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return None
        data, metadata = bundle
        if not self._live and self._eager():
            self._live = True
            self._restart()
        sentence = self.sentence()
        data = {**data, "text/plain": sentence, "image/png": base64.b64encode(self._png()).decode()}
        return data, {**metadata, "image/png": {"alt": sentence}}

    def _png(self) -> bytes:
        if self._still is None:
            self._still = png(self.snapshot(), _DPI)
        return self._still
