"""Live views, a Python class and a plain .js module each: JupyterLab, Notebook 7, VS Code, Colab, Voilà."""

from __future__ import annotations

from pruneviz.widgets.explorer.channels import ChannelExplorer
from pruneviz.widgets.explorer.filters import FilterExplorer
from pruneviz.widgets.explorer.neurons import NeuronExplorer
from pruneviz.widgets.explorer.opening import explore
from pruneviz.widgets.explorer.units import UnitExplorer
from pruneviz.widgets.explorer.weights import WeightExplorer
from pruneviz.widgets.frame.view import View
from pruneviz.widgets.schedule.view import ScheduleExplorer
from pruneviz.widgets.tiny.view import TinyNetwork
from pruneviz.widgets.tradeoff.view import TradeoffExplorer

__all__ = [
    "ChannelExplorer",
    "FilterExplorer",
    "NeuronExplorer",
    "ScheduleExplorer",
    "TinyNetwork",
    "TradeoffExplorer",
    "UnitExplorer",
    "View",
    "WeightExplorer",
    "explore",
]
