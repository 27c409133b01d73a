"""Which class was taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from pruneviz.plots import style
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array

_ERRORS = LinearSegmentedColormap.from_list("errors", [style.PAPER, style.PRUNED])
_CELL = 0.42  # inches, for four digits
_AMONG_OTHERS = 7  # points, in a panel that shares a figure with others


def plot_confusion(
    table: Any,  # noqa: ANN401  # whatever NumPy takes for a matrix
    *,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a table of true classes, down, and of answers, across; the more mistakes, the fuller the orange.

    Parameters
    ----------
    table
        (classes, classes): how many images of class i were taken for class j.
    class_names
        The names of the classes; None numbers them.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        With each count that is not 0 in its cell, the right answers in bold.

    Raises
    ------
    ValueError
        If the table is not a square of counts, or has not as many classes as names.
    """
    counts = np.asarray(table)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(f"table has shape {counts.shape}: give (classes, classes), the truth down")
    if not np.issubdtype(counts.dtype, np.integer) or (counts < 0).any():
        raise ValueError("table has entries that are not counts: give how many images, not shares")
    classes = len(counts)
    names = list(map(str, range(classes) if class_names is None else class_names))
    if len(names) != classes:
        raise ValueError(f"class_names has {len(names)} names, but table has {classes} classes")
    size = style.SMALL if ax is None else _AMONG_OTHERS
    longest = 0.1 * max(map(len, names))
    ax = canvas(ax, _CELL * classes + longest + 1, 0.8 * _CELL * classes + longest + 1)
    ax.spines[:].set_visible(True)  # a table is closed
    ax.imshow(np.where(np.eye(classes, dtype=bool), 0, counts), cmap=_ERRORS)
    _write(ax, counts, size)
    ax.set(xlabel="answer", ylabel="truth", xticks=range(classes), yticks=range(classes))
    if class_names is not None:
        ax.set_xticklabels(names, rotation=90)
        ax.set_yticklabels(names)
    ax.set_aspect("auto")
    style.title(ax, "Answers by class" if title is None else title)
    describe(ax, _sentence(counts, names))
    return ax


def _write(ax: Axes, counts: Array, size: float) -> None:
    for truth, answer in np.argwhere(counts > 0):
        ax.text(
            answer,
            truth,
            str(counts[truth, answer]),
            ha="center",
            va="center",
            color=ax.title.get_color(),
            fontsize=size,
            fontweight="bold" if truth == answer else "normal",
        )


def _sentence(counts: Array, names: Sequence[str]) -> str:
    right, total = int(np.trace(counts)), int(counts.sum())
    text = f"Table of answers by class: {style.grouped(right)} of {style.grouped(total)} right"
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    if not wrong.any():
        return f"{text}."
    truth, answer = (int(place) for place in np.unravel_index(wrong.argmax(), wrong.shape))
    times = style.grouped(wrong[truth, answer])
    return f"{text}; the most frequent mistake, {times} times: {names[truth]} taken for {names[answer]}."
