"""The guesses of a room, collected in a folder that all can write to, and shown beside the truth."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pruneviz.core import arrays
from pruneviz.files.writing import whole
from pruneviz.teaching.guesses import amount, is_number, shown

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes

_ME = uuid.uuid4().hex


def hand_in(guess: float, folder: str | os.PathLike[str], question: str, who: str = _ME) -> None:
    """Hand a guess in; handing in again replaces it.

    Parameters
    ----------
    guess : float
        The number.
    folder : str or PathLike
        A folder that everybody in the room can write to. What is written is whole at any moment.
    question : str
        What is guessed; a folder of this name is made in the folder.
    who : str, optional
        Whose guess it is, for those who hand in for others; by default this kernel's, without a name.

    Raises
    ------
    ValueError
        If the guess is no finite number.
    """
    if not is_number(guess):
        raise ValueError(f"guess must be a number, not {shown(guess)}")
    place = Path(folder) / question
    place.mkdir(parents=True, exist_ok=True)
    with whole(place / f"{who}.json") as file:
        file.write(json.dumps(float(guess)).encode())


def plot_room(
    folder: str | os.PathLike[str], question: str, truth: float, *, bins: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw the guesses of a room as a histogram, and what was measured as a line.

    Parameters
    ----------
    folder, question
        As they were handed in.
    truth : float
        What was measured.
    bins : int, default 10
        How many bars.
    ax : matplotlib Axes, optional
        Where to draw; a figure of its own if not given.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If nobody has handed in a guess, the truth is no finite number, or there is no bar.
    """
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # matplotlib is slow to import

    from pruneviz.plots import style  # noqa: PLC0415
    from pruneviz.plots.alt import describe  # noqa: PLC0415
    from pruneviz.plots.picture import canvas  # noqa: PLC0415

    if not is_number(truth):
        raise ValueError(f"truth must be a number, not {shown(truth)}")
    bins = arrays.whole("bins", bins, 1)
    read = [_read(path) for path in (Path(folder) / question).glob("*.json")]
    guesses = [guess for guess in read if guess is not None]
    if not guesses:
        raise ValueError(f"nobody has handed in a guess for {question!r} in this folder")
    ax = canvas(ax, 7, 2.8)
    low, high = min(*guesses, truth), max(*guesses, truth)
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    ax.hist(guesses, list(edges), color=style.KEPT, rwidth=0.92)
    ax.axvline(truth, color=style.PRUNED_EDGE, linewidth=2)
    ax.set(xlabel=f"{len(guesses)} guesses; the line is what was measured, {amount(truth)}", ylabel="people")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    style.title(ax, question)
    middle = amount(float(np.median(guesses)))
    describe(ax, f"{question}: {len(guesses)} guesses, median {middle}. Measured: {amount(truth)}.")
    return ax


def _read(path: Path) -> float | None:
    """Read a guess; None for whatever else lies there."""
    try:
        guess = json.loads(path.read_bytes())
    except (OSError, RecursionError, ValueError):
        return None
    return float(guess) if is_number(guess) else None
