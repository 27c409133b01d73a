"""Live views: a Python class and a plain .js module each, for JupyterLab, Notebook 7, VS Code, Colab and Voilà."""

from __future__ import annotations

from pruneviz.widgets.base import View
from pruneviz.widgets.explore import WeightExplorer, explore

__all__ = ["View", "WeightExplorer", "explore"]
