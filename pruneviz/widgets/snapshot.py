"""The static twin of WeightExplorer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from pruneviz.plots import plot_mask, plot_weight_histogram

if TYPE_CHECKING:
    from pruneviz.widgets.explore import WeightExplorer


def draw(view: WeightExplorer) -> Figure:
    """Draw mask and histogram of the layer on view, and the accuracy measured so far.

    Parameters
    ----------
    view
        The explorer.

    Returns
    -------
    Figure
        Not known to pyplot.
    """
    curve = "accuracy" in view.show and len(view.curve) > 1
    figure = Figure(figsize=(9.5, 6.2 if curve else 3.6), layout="constrained", facecolor="white")
    axes = figure.subplots(2 if curve else 1, 2, squeeze=False)
    mask, scores = view.result(), view.scores()
    threshold = (view.exact.get("threshold") or {}).get(view.layer)
    plot_mask(mask, view.layer, ax=axes[0, 0])
    plot_weight_histogram(scores, view.layer, mask=mask, threshold=threshold, ax=axes[0, 1])
    return figure
