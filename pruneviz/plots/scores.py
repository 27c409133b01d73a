"""The score of each unit of a layer, and which of them are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pruneviz.plots import inputs, style
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array, BoolArray

_ORDERS = ("score", "place")


def plot_scores(
    scores: inputs.Weights,
    layer: str | None = None,
    *,
    mask: inputs.Masks | None = None,
    order: str = "score",
    criterion: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the scores of a layer's units as bars: dark blue is kept, pale orange is pruned.

    Parameters
    ----------
    scores
        An Importance of whole units, an array (out,) or a mapping of them.
    layer
        The layer to show; None where there is only one.
    mask
        A Mask of the same units, a bool array (out,) or a mapping of them; None keeps all.
    order
        ``"score"``: the best first; ``"place"``: in the order of the layer.
    criterion
        What the scores are, to be named beside them.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        With one bar a unit.

    Raises
    ------
    ValueError
        If the layer is unknown or not named among several, the scores are not one a unit, the mask does not
        fit them, or the order is another word.
    """
    if order not in _ORDERS:
        raise ValueError(f"order is {order!r}: choose from {', '.join(_ORDERS)}")
    found = inputs.pick(inputs.weights_by_layer(scores, "scores"), layer, "scores")
    if len(found) > 1:
        raise ValueError(f"scores has {len(found)} layers: give layer=, one of {', '.join(found)}")
    [(name, values)] = found.items()
    if values.ndim != 1:
        raise ValueError(
            f"scores of layer {name!r} have shape {values.shape}, not one a unit: "
            "plot_weight_histogram draws those of weights"
        )
    kept = None if mask is None else inputs.fit(mask, {name: values})[name]
    noun = f"{getattr(scores, 'granularity', 'unit')}s"
    ax = canvas(ax)
    _draw_bars(ax, values, kept, order)
    of = f" of {name}" if name else ""
    ax.set_xlabel(f"{noun}{of}, by {order}")
    ax.set_ylabel(f"score by {criterion}" if criterion else "score")
    style.title(ax, _heading(name, kept) if title is None else title)
    describe(ax, _sentence(f"{values.size} {noun}{of}", values, kept, criterion))
    return ax


def _draw_bars(ax: Axes, values: Array, kept: BoolArray | None, order: str) -> None:
    ranked = np.argsort(values, kind="stable")[::-1] if order == "score" else np.arange(values.size)
    parts = [(np.ones(values.size, bool), style.KEPT, "scores")]
    if kept is not None:
        parts = [(kept, style.KEPT, "kept"), (~kept, style.PRUNED, "pruned")]
    for where, colour, label in parts:
        places = np.flatnonzero(where[ranked])
        ax.bar(places, values[ranked][places], width=1, color=colour, label=label)
    if kept is not None:
        ax.legend(frameon=False, fontsize=style.FONT, labelcolor=ax.title.get_color())


def _heading(name: str, kept: BoolArray | None) -> str:
    if kept is None:
        return f"Scores of {name}" if name else "Scores"
    words = f"{style.grouped(int(np.count_nonzero(kept)))} of {style.grouped(kept.size)} kept"
    return f"{words} in {name}" if name else words


def _sentence(what: str, values: Array, kept: BoolArray | None, criterion: str | None) -> str:
    by = f" by {criterion}" if criterion else ""
    text = f"Scores{by} of {what}, from {values.min():.3g} to {values.max():.3g}"
    if kept is None:
        return f"{text}."
    return f"{text}: kept {style.count_of(int(np.count_nonzero(kept)), kept.size)}."
