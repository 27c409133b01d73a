"""Write tiny_fixtures.json: what NumPy and pruneviz say about the functions of tiny/models.js."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import pruneviz as pv

FIXTURES = Path(__file__).with_name("tiny_fixtures.json")
NAMES = ["area", "floor", "rooms", "balcony", "garden"]
FLATS = [[50, 3, 2, 1, 0], [80, 1, 3, 0, 1], [100, 4, 3, 0, 0], [150, 2, 5, 1, 1]]
WEIGHTS = [0.02, 0.05, 0.1, -0.3, 0.5]
PRICES = [1.05, 2.45, 2.5, 3.8]
GRID = 9


def flats(**options) -> pv.TinyNetwork:
    """Lesson 00's linear model."""
    return pv.TinyNetwork.linear(WEIGHTS, NAMES, FLATS, PRICES, output="price", noun="flat", **options)


def plants(number: int = 40, hidden: int = 3, **options) -> pv.TinyNetwork:
    """A network like that of lesson 00."""
    draw = np.random.default_rng(0)
    x = draw.uniform(-2, 2, (number, 2))
    y = (np.abs(x[:, 0]) < 1.1) & (x[:, 1] > -0.6)
    first, last = 5 * draw.normal(size=(hidden, 2)), 5 * draw.normal(size=hidden)
    biases = draw.normal(size=hidden), draw.normal()
    return pv.TinyNetwork.two_layers(
        first,
        biases[0],
        last,
        biases[1],
        x,
        y,
        names=["sun", "water"],
        output="thrives",
        noun="plant",
        **options,
    )


def fixtures() -> dict:
    """Compute them."""
    return {"flats": _case(flats()), "plants": _case(plants()), "one": _case(plants(12, 1))}


def _case(view: pv.TinyNetwork) -> dict:
    wires, found = [wire["name"] for wire in view.spec["wires"]], []
    neurons = [[neuron] for neuron in view.spec["neurons"]]
    for cut in ([], *([name] for name in wires), *neurons, wires[::2], wires):
        view.cut = cut
        found.append({"cut": list(view.cut), **_present(view, wires), "sentence": view.sentence()})
    view.cut = []
    traits = {name: getattr(view, name) for name in ("spec", "x", "y", "title", "noun", "code")}
    return {**traits, "states": found}


def _present(view: pv.TinyNetwork, wires: list[str]) -> dict:
    kept, model = view._flags(), view._model
    rise = [
        view.loss_without(set(view.cut) ^ {name}) - view.loss  # cut if it is kept, put back if it is cut
        for name in wires
    ]
    shown = {"loss": view.loss, "right": view.right, "changes": rise, "snippet": view.snippet}
    if view.spec["kind"] == "network":
        across, down = (np.linspace(*ends, GRID) for ends in view.spec["extent"])
        grid = np.stack(np.meshgrid(across, down[::-1]), axis=-1).reshape(-1, 2)
        shown["plane"] = model.predict(kept, grid).tolist()
        yes, says = model.y == 1, model.predict(kept, model.x) > 0
        pairs = {"yesYes": yes & says, "yesNo": yes & ~says, "noYes": ~yes & says, "noNo": ~yes & ~says}
        shown["answers"] = {name: int(np.count_nonzero(pair)) for name, pair in pairs.items()}
    return {**shown, "outputs": model.predict(kept, model.x).tolist()}


if __name__ == "__main__":
    FIXTURES.write_text(json.dumps(fixtures(), separators=(",", ":")) + "\n", encoding="utf-8")
