"""The static twin of FilterExplorer's picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruneviz.plots import plot_filters
from pruneviz.plots.gallery import MOST
from pruneviz.widgets.snapshot import UNIT_PANELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.widgets.filter_explorer import FilterExplorer


def _draw_filters(ax: Axes, view: FilterExplorer) -> None:
    """Draw the kernels of the layer on view; of more than are legible, their scores."""
    weight = view.network[view.layer].weight
    if weight.ndim < 3 or len(weight) > MOST:
        UNIT_PANELS["scores"](ax, view)
        return
    kept = {view.layer: view.result()[view.layer]}
    scores = view.scores()[view.layer]
    plot_filters({view.layer: weight}, view.layer, mask=kept, scores=scores, sort=view.sort == "score", ax=ax)


FILTER_PANELS = {
    "filters": _draw_filters,
    **{part: panel for part, panel in UNIT_PANELS.items() if part != "scores"},
}
