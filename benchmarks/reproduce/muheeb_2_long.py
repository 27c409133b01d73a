"""Muheeb's Table 2 with a network trained longer; the article's had 200 epochs."""

from __future__ import annotations

from typing import Any

from . import muheeb_2
from .muheeb_2 import ARTICLE, run

__all__ = ["ARTICLE", "CASES", "SEEDS", "SETTINGS", "run"]

SETTINGS: dict[str, Any] = muheeb_2.SETTINGS | {"epochs": 50}
SEEDS = (0,)
CASES = ("resnet18",)
