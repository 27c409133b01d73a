"""Static figures: what is pruned, and what that costs."""

from pruneviz.plots.alt import alt_text
from pruneviz.plots.chain import plot_chain
from pruneviz.plots.confusion import plot_confusion
from pruneviz.plots.feature_maps import plot_feature_maps
from pruneviz.plots.filters import plot_filters
from pruneviz.plots.mask import plot_mask
from pruneviz.plots.network import plot_network
from pruneviz.plots.neuron_activity import plot_neuron_activity
from pruneviz.plots.schedule import plot_schedule
from pruneviz.plots.scorecards import plot_scorecards
from pruneviz.plots.scores import plot_scores
from pruneviz.plots.sensitivity import plot_sensitivity
from pruneviz.plots.tradeoff import plot_tradeoff
from pruneviz.plots.weight_histogram import plot_weight_histogram

__all__ = [
    "alt_text",
    "plot_chain",
    "plot_confusion",
    "plot_feature_maps",
    "plot_filters",
    "plot_mask",
    "plot_network",
    "plot_neuron_activity",
    "plot_schedule",
    "plot_scorecards",
    "plot_scores",
    "plot_sensitivity",
    "plot_tradeoff",
    "plot_weight_histogram",
]
