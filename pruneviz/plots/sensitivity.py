"""How much accuracy each layer costs when it alone is pruned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.plots import style
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas
from pruneviz.plots.series import accuracy_axis, draw, end_of, explain_bands, in_words, name_ends, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_sensitivity(
    curves: Mapping[str, Sequence[Any]],
    sparsities: Sequence[float] | None = None,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw accuracy against the sparsity of one layer at a time, one line a layer.

    Parameters
    ----------
    curves
        Layer name -> Scorecards, one for each of `sparsities`; or layer name -> (sparsity, accuracy) or
        (sparsity, Scorecard) pairs.
    sparsities
        The layer's own sparsity at each point, from 0 to 1. A Scorecard cannot tell it: it counts zeros in
        the whole network.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        The band around a line is its 95% interval.

    Raises
    ------
    TypeError
        If there are Scorecards or accuracies, but no `sparsities`.
    ValueError
        If there is nothing to draw, or the numbers of Scorecards and sparsities differ.
    """
    if not isinstance(curves, Mapping) or not curves:
        raise ValueError("curves is empty, or names no layers: give layer name -> list of Scorecards")
    lines = [series(name, _points(name, values, sparsities), "curves") for name, values in curves.items()]
    ax = canvas(ax)
    for order, line in enumerate(lines):
        draw(ax, line, order)
    accuracy_axis(ax)
    ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
    ax.set_xlabel("sparsity of the layer (the others are kept whole)")
    ax.set_ylabel("accuracy")
    name_ends(ax, [end_of(line, order) for order, line in enumerate(lines)])
    explain_bands(ax, lines)
    style.title(ax, "Pruning one layer at a time" if title is None else title, above_legend=True)
    sentences = " ".join(f"{in_words(line, style.percent)}." for line in lines)
    describe(ax, f"Accuracy against the sparsity of one layer at a time. {sentences}")
    return ax


def _points(name: str, values: Sequence[Any], sparsities: Sequence[float] | None) -> list[tuple[float, Any]]:
    if sparsities is not None:
        if len(values) != len(sparsities):
            raise ValueError(
                f"curves has {len(values)} points for layer {name!r}, but sparsities has {len(sparsities)}"
            )
        return list(zip(sparsities, values, strict=True))
    if not all(isinstance(value, Sequence | np.ndarray) and len(value) == 2 for value in values):
        raise TypeError(
            "sparsities is missing: a Scorecard counts zeros in the whole network, an accuracy none, so say "
            "how sparse the layer was, as in sparsities=[0, 0.5, 0.9]"
        )
    return [(sparsity, point) for sparsity, point in values]
