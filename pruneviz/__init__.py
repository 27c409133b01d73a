"""See, touch and measure neural-network pruning.

The public names are imported when they are first used, so that ``import pruneviz`` loads neither
PyTorch nor TensorFlow nor matplotlib.
"""

from __future__ import annotations

import importlib

__version__ = "0.2.0"

_HOME_OF = {
    name: module
    for module, names in {
        "measures.intervals": ("wilson",),
        "core.layers": ("Layer", "Network"),
        "core.masks": ("Importance", "Mask"),
        "core.ranking": ("Ranking", "rank"),
        "engine.model": ("network",),
        "engine.pruning": ("apply", "prune"),
        "methods.removing": ("check_removed", "remove"),
        "measures.scorecards": ("Scorecard", "scorecard"),
        "engine.scoring": ("importance",),
        "files.storage": ("save",),
        "measures.timing": ("Latency", "latency"),
        "measures.variants": ("Variant", "read_variants", "write_variants"),
        "methods.classes": ("keep_classes", "relabel"),
        "methods.gates": ("Gated", "gate", "gate_threshold"),
        "methods.gradual": ("prune_while_training",),
        "methods.iteration": ("Round", "iterate"),
        "methods.keeping": ("keep_pruned",),
        "files.loading": ("load",),
        "methods.recalibration": ("recalibrate",),
        "methods.reconstruction": ("reconstruct",),
        "methods.sweeps": ("sweep",),
        "widgets.corruption.view": ("CorruptionView",),  # alone in taking what only lessons need
        "widgets": (
            "ChannelExplorer",
            "FilterExplorer",
            "NeuronExplorer",
            "ScheduleExplorer",
            "TinyNetwork",
            "TradeoffExplorer",
            "WeightExplorer",
            "explore",
        ),
        "plots": (
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
        ),
    }.items()
    for name in names
}
_MODULES = ("datasets", "plots", "schedules", "teaching", "widgets", "zoo")

__all__ = [*_HOME_OF, *_MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
