"""Live views, a Python class and a plain .js module each: JupyterLab, Notebook 7, VS Code, Colab, Voilà."""

from __future__ import annotations

from pruneviz.widgets.base import View
from pruneviz.widgets.explore import WeightExplorer, explore
from pruneviz.widgets.tiny_network import TinyNetwork

__all__ = ["TinyNetwork", "View", "WeightExplorer", "explore"]
