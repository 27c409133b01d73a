"""The one kind of progress bar: in a notebook or a terminal, or nowhere.

What may take longer than two seconds shows a bar, and can be interrupted: Ctrl-C, or JupyterLab's stop
button, leaves nothing half done. The environment variable TQDM_DISABLE turns all bars off.
"""

from __future__ import annotations

import contextlib
import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from tqdm.auto import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Step = TypeVar("_Step")
_PATIENCE = 1.0  # seconds: shorter work shows no bar
_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


def bar(doing: str, unit: str, total: int, *, shown: bool = True, **options: Any) -> tqdm:  # noqa: ANN401
    """Open a bar: a context manager, to be updated after each step; `options` are those of tqdm."""
    # tqdm's bar for notebooks does not ask TQDM_DISABLE itself.
    silent = not shown or _QUIET.get() or bool(os.environ.get("TQDM_DISABLE"))
    return tqdm(total=total, desc=doing, unit=unit, disable=silent, **options)


def steps(doing: str, unit: str, over: Sequence[_Step]) -> Iterator[_Step]:
    """Go through steps under a bar that waits a second before it appears, and leaves when all is done."""
    with bar(doing, unit, len(over), shown=len(over) > 1, delay=_PATIENCE, leave=False) as shown:
        for step in over:
            yield step
            shown.update()


@contextlib.contextmanager
def quiet(*, silent: bool = True) -> Iterator[None]:
    """Show no bar inside: for parts of a work that shows one for the whole, or is to show none."""
    before = _QUIET.set(silent or _QUIET.get())
    try:
        yield
    finally:
        _QUIET.reset(before)
