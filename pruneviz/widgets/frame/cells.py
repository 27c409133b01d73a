"""Which cell shows which view: what a cell showed before is let go of when it has run again.

ipywidgets keeps every widget and IPython every output for as long as the kernel lives. Each further run of a
cell would leave one more view behind that nobody sees, with its thread of work and its copy of the model.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from functools import cache
from typing import Any, Protocol

from IPython.core.getipython import get_ipython


class Shown(Protocol):
    """What a cell shows, and may be told to let go of."""

    def let_go(self) -> None:
        """Leave the page and stop the work."""


def show(view: Shown) -> None:
    """Note that the cell which runs now shows a view; outside IPython there are no cells."""
    shell = get_ipython()
    if shell is not None:
        _cells(shell).shows(view)


class Cells:
    """What each cell of a kernel shows.

    Parameters
    ----------
    shell
        IPython's shell, whose events say when a cell has run.
    """

    def __init__(self, shell: Any) -> None:  # noqa: ANN401
        self._shell = shell
        self._shown: dict[str, weakref.WeakSet[Shown]] = {}
        self._now: weakref.WeakSet[Shown] = weakref.WeakSet()
        shell.events.register("pre_run_cell", self._begins)
        shell.events.register("post_run_cell", self._ran)

    def shows(self, view: Shown) -> None:
        """Note that the cell which runs now shows this view."""
        self._now.add(view)

    def _begins(self, _info: object) -> None:
        self._now = weakref.WeakSet()

    def _ran(self, result: Any) -> None:  # noqa: ANN401
        # Not when it begins: it may show again what it showed before, and other cells may too.
        cell = _name_of(result.info)
        if cell is None:
            return
        before, self._shown[cell] = self._shown.get(cell, ()), self._now
        seen = {view for views in self._shown.values() for view in views}
        replaced = [view for view in before if view not in seen]
        for view in replaced:
            view.let_go()
            _forget(self._shell, view)
        if replaced:
            del before, seen, view
            replaced.clear()
            _collect_soon()


@cache
def _cells(shell: object) -> Cells:
    return Cells(shell)


def _name_of(info: Any) -> str | None:  # noqa: ANN401
    """Name the cell: by the id that JupyterLab, Notebook and VS Code send along, or by its text.

    A text stands for a cell only if it calls something, and so makes what it shows: of two cells that
    merely say ``view``, neither replaces the other.
    """
    text: str = info.raw_cell
    return getattr(info, "cell_id", None) or (text if "(" in text else None)


def _forget(shell: Any, view: Shown) -> None:  # noqa: ANN401
    """Take a view out of what IPython remembers of outputs, in four places."""
    remembered = (shell.user_ns.get("_oh", {}), shell.user_ns, shell.user_ns_hidden, vars(shell.displayhook))
    for names in remembered:
        for name in [name for name, output in names.items() if output is view]:
            if name in ("_", "__", "___"):
                names[name] = ""  # as at the start: IPython expects them to be there
            elif isinstance(name, int) or name[1:].isdigit():
                del names[name]


def _collect_soon() -> None:
    """Free what was let go of: widgets are circles of references, and the task has yet to hear of its end."""
    try:
        asyncio.get_running_loop().call_soon(gc.collect)
    except RuntimeError:
        gc.collect()
