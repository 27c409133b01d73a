"""Write tradeoff_fixtures.json: what pruneviz says about the functions of tradeoff/compare.js."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np

from pruneviz.widgets.explorer import history
from pruneviz.widgets.tradeoff import models

FIXTURES = Path(__file__).with_name("tradeoff_fixtures.json")
VALUES = [0, 7, 999, 1000, 4321, 99_949, 123_456, 999_999, 1_000_000, 98_765_432]
TIMES = [0.00012345, 0.0213, 1.5, 22.96, 412.7]
SHARES = [0.0, 0.1, 0.97, 0.9846, 0.99999, 1.0]


def fixtures() -> dict:
    """Compute them."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 12, 400)
    wrong = [
        np.where(draw.random(400) < share, draw.integers(0, 12, 400), labels) for share in (0.05, 0.3, 0.9)
    ]
    images = np.zeros((400, 1, 1, 1))
    comparisons = [
        {"before": one.tolist(), "after": other.tolist(), "found": _found(one, other, labels, images)}
        for one, other in itertools.permutations([labels, *wrong], 2)
    ]
    points = draw.integers(0, 9, (30, 2)).astype(float).tolist()
    fronts = [
        {"rises": rises, "front": models.front(list(map(tuple, points)), rises)}
        for rises in itertools.product([True, False], repeat=2)
    ]
    units = {"B": VALUES, "": VALUES, "ms": TIMES, "share": SHARES}
    texts = [
        [unit, value, models.Axis("", "", unit).text(value)] for unit, all_ in units.items() for value in all_
    ]
    return {
        "labels": labels.tolist(),
        "comparisons": comparisons,
        "points": points,
        "fronts": fronts,
        "texts": texts,
    }


def _found(*given: np.ndarray) -> dict:
    found = history.comparison(*given)
    return {name: value for name, value in found.items() if name != "pictures"}


if __name__ == "__main__":
    FIXTURES.write_text(json.dumps(fixtures(), separators=(",", ":")) + "\n", encoding="utf-8")
