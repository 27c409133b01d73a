"""The parts of an explorer: a panel is one entry here, and its drawing in JavaScript under the same name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pruneviz.widgets.explorer import still

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Part:
    """One panel.

    Attributes
    ----------
    name
        What `show` and the drawing are called.
    place
        ``"controls"``, ``"grid"``, ``"stack"`` (the narrow column) or ``"end"``.
    still
        Draws the panel's static twin: ``still(ax, view)``.
    measured
        Whether it shows what the kernel measures.
    wide
        Whether its static twin takes a row.
    """

    name: str
    place: str
    still: Callable[[Axes, Any], None] | None = None
    measured: bool = False
    wide: bool = False


SLIDER, SELECTORS = Part("slider", "controls"), Part("selectors", "controls")
ACCURACY = Part("accuracy", "grid", still.draw_curve, measured=True)
LAYERS = Part("layers", "stack")
HISTORY = Part("history", "end", measured=True)


def shown(parts: Sequence[Part], show: Sequence[str] | None) -> list[str]:
    """Name the parts to show, in their order; all if `show` is None.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    names = [part.name for part in parts]
    if isinstance(show, str) or not set(show or ()) <= set(names):
        raise ValueError(f"show takes some of {', '.join(names)}; not {show!r}")
    return [name for name in names if show is None or name in show]
