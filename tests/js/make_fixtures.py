"""Write fixtures.json: what NumPy and pruneviz say about the functions of pure.js."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from pruneviz.core.arrays import number_to_prune
from pruneviz.core.masks import Importance
from pruneviz.core.ranking import rank
from pruneviz.measures.intervals import wilson
from pruneviz.widgets.explorer import payload
from pruneviz.widgets.frame import code, wire

HOSTILE = 'x"]); print("{cut}"); ("é\\'  # a name that is code
FIXTURES = Path(__file__).with_name("fixtures.json")
SHAPES = {"conv": (4, 3, 2, 2), "fc": (7, 11), "out": (3, 5)}
STEPS = (0, 1, 77, 1234, 5000, 5005, 9000, 9999, 10_000)


def fixtures() -> dict:
    """Compute them."""
    draw = np.random.default_rng(0)
    scores = Importance({name: np.round(draw.random(shape), 1) for name, shape in SHAPES.items()})
    rankings = {scope: rank(scores, scope) for scope in ("global", "layer")}
    return {
        "cuts": [
            [step, total, number_to_prune(step / payload.STEPS, total)]
            for step in STEPS
            for total in (0, 1, 7, 266_200)
        ],
        "shapes": SHAPES,
        "rankings": {scope: _ranking(ranking, scores) for scope, ranking in rankings.items()},
        "wilson": [[c, n, *wilson(c, n)] for c, n in ((0, 5), (5, 5), (3950, 5000), (4928, 5000))],
        "curve": _curve(),
        "blocks": _blocks(rankings["global"]),
        "code": _code(),
        "wire": _wire(),
    }


def _ranking(ranking, scores) -> dict:
    places = payload.places(ranking)
    masks = {step: ranking.mask(step / payload.STEPS) for step in STEPS}
    return {
        "places": {name: array.tolist() for name, array in places.items()},
        "masks": {
            str(step): {n: m.ravel().astype(int).tolist() for n, m in mask.items()}
            for step, mask in masks.items()
        },
        "histograms": {name: payload.histogram(scores[name]) for name in places},
        "pruned_bins": {
            str(step): {name: _pruned_bins(scores[name], mask[name]) for name in mask}
            for step, mask in masks.items()
        },
    }


def _pruned_bins(scores, kept) -> list[int]:
    view = payload.histogram(scores)
    return np.histogram(np.minimum(scores[~kept], view["high"]), payload.BINS, (view["low"], view["high"]))[
        0
    ].tolist()


def _curve() -> dict:
    points = [[0.0, 98], [0.25, 97], [0.5, 90], [1.0, 10]]
    asked = [0.0, 0.1, 0.3, 0.75, 1.0]
    found = np.interp(asked, [p[0] for p in points], [p[1] for p in points])
    return {"points": points, "asked": asked, "found": found.tolist()}


def _blocks(ranking) -> dict:
    shares = payload.blocks(payload.places(ranking)["fc"], SHAPES["fc"])
    row = shares[30].ravel().tolist()
    return {"shape": shares.shape, "shares": shares.ravel().tolist(), "level": 30, "row": row}


def _wire() -> dict:
    draw = np.random.default_rng(0)
    arrays = [draw.integers(0, 100, (2, 3)).astype(dtype) for dtype in wire.TYPES]
    arrays += [-arrays[0], arrays[-1].T, arrays[3].astype(">i4"), np.zeros((0, 4), np.uint16), np.array(3.5)]
    places = [np.array([1, 2], np.uint16), np.array([], np.uint16)]
    nested = {
        "layers": [{"name": name, "place": place} for name, place in zip("ab", places, strict=True)],
        "words": ("global", 0.5, True),
        "none": None,
    }
    sent = [{"sent": wire.encode(a), "values": a.ravel().tolist(), "shape": a.shape} for a in arrays]
    return _plain({"arrays": sent, "nested": wire.encode(nested)})


def _plain(value: object) -> dict:
    def written(view: bytes) -> dict:
        return {"base64": base64.b64encode(view).decode()}

    return json.loads(json.dumps(value, default=written))


def _code() -> dict:
    template = "a {cut} b {cuts} c {share} d {sparsity} {names}{by_hand}\n{removed}e {cut}\nf"
    arguments = (
        {"": 8, "fc1": 3, "fc2": 2, HOSTILE: 3},
        0.905,
        {"fc1": {"cut": [1, 2], "kept": [7]}, "fc2": {"cut": [], "kept": []}, HOSTILE: {"cut": [0]}},
    )
    texts = [code.smaller(code.finished(template, *arguments), removed=removed) for removed in (False, True)]
    return {"template": template, "arguments": arguments, "texts": texts}


if __name__ == "__main__":
    FIXTURES.write_text(json.dumps(fixtures(), separators=(",", ":")) + "\n", encoding="utf-8")
