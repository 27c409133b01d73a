"""Write corruption_fixtures.json: what pruneviz says about the functions of corruption/state.js."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pruneviz as pv
from pruneviz.widgets.corruption.view import way

FIXTURES = Path(__file__).with_name("corruption_fixtures.json")
COUNTS = {"0.8": list(range(150, 134, -1)), "0": list(range(200, 184, -1))}


def spoiled() -> pv.CorruptionView:
    """Show digits as lesson 07a does, with invented counts."""
    images, labels = pv.datasets.mnist().validation
    return pv.CorruptionView(pv.zoo.lenet_5("torch"), (images[:200], labels[:200]), COUNTS)


def fixtures(view: pv.CorruptionView) -> dict:
    """Compute them."""
    states = []
    for kind, strength, sparsity in itertools.product(view.kinds, range(4), (0.0, 0.8)):
        view.kind, view.strength, view.sparsity = kind, strength, sparsity
        states.append(
            {
                **view.state(),
                "way": way(kind, strength),
                "right": view.right(sparsity),
                "strengths": view.strengths(),
                "sentence": view.sentence(),
            }
        )
    return {**{name: getattr(view, name) for name in ("kinds", "counts", "total")}, "states": states}


if __name__ == "__main__":
    FIXTURES.write_text(json.dumps(fixtures(spoiled()), separators=(",", ":")) + "\n", encoding="utf-8")
