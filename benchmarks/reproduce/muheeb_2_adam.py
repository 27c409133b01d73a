"""Muheeb's Table 2 with a recipe of many notebooks: Adam at its own rate, without weight decay."""

from __future__ import annotations

from typing import Any

from . import muheeb_2
from .muheeb_2 import ARTICLE, run

__all__ = ["ARTICLE", "CASES", "SEEDS", "SETTINGS", "run"]

SETTINGS: dict[str, Any] = muheeb_2.SETTINGS | {
    "optimizer": "adam",
    "rate": 0.001,
    "decay": 0.0,
    "cosine": False,
}
SEEDS = muheeb_2.SEEDS
CASES = ("resnet18",)
