"""Live views, a Python class and a plain .js module each: JupyterLab, Notebook 7, VS Code, Colab, Voilà."""

from __future__ import annotations

from pruneviz.widgets.base import View
from pruneviz.widgets.channel_explorer import ChannelExplorer
from pruneviz.widgets.filter_explorer import FilterExplorer
from pruneviz.widgets.neuron_explorer import NeuronExplorer
from pruneviz.widgets.opening import explore
from pruneviz.widgets.schedule_explorer import ScheduleExplorer
from pruneviz.widgets.tiny_network import TinyNetwork
from pruneviz.widgets.unit_explorer import UnitExplorer
from pruneviz.widgets.weight_explorer import WeightExplorer

__all__ = [
    "ChannelExplorer",
    "FilterExplorer",
    "NeuronExplorer",
    "ScheduleExplorer",
    "TinyNetwork",
    "UnitExplorer",
    "View",
    "WeightExplorer",
    "explore",
]
