"""What the browser needs of a ranking, in one or two bytes a weight.

The views offer sparsities in steps of 0.01%. A weight is therefore told by the first step at which it is
pruned, its *place*, which fits into two bytes; comparing places with the slider's step prunes exactly as many
weights as `Ranking.mask` does, ties included. The histogram needs no second array: scores grow with rank, so
a value bin holds a run of ranks, and the number of weights in each bin says where the threshold splits it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.core.arrays import Array
    from pruneviz.core.ranking import Ranking

STEPS = 10_000
BINS = 256
LARGEST = 1_000_000  # weights; above, blocks are sent instead of single weights
LEVELS = 51
_SIDE = 64
_COMMON, _RARE = 0.99, 0.05
_FAR, _SPREAD = 4, 10
_DECADES = 1e-7


def cuts(total: int) -> Array:
    """Count what is pruned of a total at each step, rounding half up in whole numbers."""
    steps = np.arange(STEPS + 1, dtype=np.int64)
    return (2 * steps * total + STEPS) // (2 * STEPS)


def places(ranking: Ranking) -> dict[str, Array]:
    """Tell at which step each entry is pruned first.

    Returns
    -------
    dict
        Layer name -> uint16 (entries,), 1 to 10,000; 10,001 for what never goes: what must stay, and the
        best of each layer that keeps at least one.
    """
    steps = {size: cuts(size) for _, size in ranking.pools.values()}
    best: dict[str, list[Array]] = {}
    for name, ranks in ranking.ranks.items() if ranking.keep_at_least else ():
        best.setdefault(ranking.pools[name][0], []).append(np.sort(ranks)[-ranking.keep_at_least :])
    found = {}
    for name, ranks in ranking.ranks.items():
        pool, size = ranking.pools[name]
        first = np.searchsorted(steps[size], ranks.ravel(), "right")
        if ranking.keep_at_least:
            first[np.isin(ranks.ravel(), np.concatenate(best[pool]))] = STEPS + 1
        found[name] = first.astype(np.uint16)
    return found


def histogram(scores: Array) -> dict[str, Any]:
    """Count the scores of one layer in bins, which a browser splits by rank.

    Parameters
    ----------
    scores
        Of the layer.

    Returns
    -------
    dict
        ``counts`` (256), ``low`` and ``high``, the outer edges; ``below`` and ``beyond`` where the outer bins
        take what lies outside them; ``log`` where bins are equal in ratio, not in width. That is the case of
        scores that spread over powers of ten, such as slopes: equal widths would put nearly all of them into
        the first bin. Where only a few lie far out, as the last bin of equal width takes them all.
    """
    lowest, highest = float(scores.min()), float(scores.max())
    middle, common = (float(np.quantile(scores, share)) for share in (0.5, _COMMON))
    positive = scores[scores > 0]
    least = max(float(np.quantile(positive, _RARE)), _DECADES * highest) if positive.size else 0.0
    log = lowest >= 0 and common > _SPREAD * middle and least < highest
    far = highest - lowest > _FAR * (common - lowest) > 0
    low, high = (least, highest) if log else (lowest, common if far else highest)
    if not log and 0 <= low < 0.1 * high:
        low = 0.0
    if low == high:
        high = low + 1.0
    edges = np.geomspace(low, high, BINS + 1) if log else np.linspace(low, high, BINS + 1)
    counts, _ = np.histogram(np.clip(scores, low, high), edges)
    return {
        "low": low,
        "high": high,
        "below": lowest < low,
        "beyond": highest > high,
        "log": log,
        "counts": counts.tolist(),
    }


def pruned_by_step(layer_places: Array) -> Array:
    """Count what is pruned of a layer at each step, uint32 (10,001,)."""
    return np.cumsum(np.bincount(layer_places, minlength=STEPS + 1)).astype(np.uint32)


def blocks(layer_places: Array, shape: tuple[int, ...]) -> Array:
    r"""Summarise a large layer: the share pruned in each block of weights, at 51 sparsities.

    Parameters
    ----------
    layer_places
        (entries,) of `places`.
    shape
        Of the layer, (out, in, \*kernel).

    Returns
    -------
    array
        uint8 (51, rows, columns), 255 for all; at most 64 rows and columns.
    """
    table = layer_places.reshape(shape[0], -1)
    across = [math.ceil(size / _SIDE) for size in table.shape]
    row, column = (np.arange(size) // side for size, side in zip(table.shape, across, strict=True))
    grid = (int(row[-1]) + 1, int(column[-1]) + 1)
    block = (row[:, None] * grid[1] + column[None, :]).ravel()
    level = -(-table.ravel().astype(np.int64) * (LEVELS - 1) // STEPS)
    counts = np.bincount(level * (grid[0] * grid[1]) + block, minlength=LEVELS * grid[0] * grid[1])
    pruned = np.cumsum(counts.reshape(LEVELS, *grid), axis=0)
    shares: Array = np.round(255 * pruned / pruned[-1]).astype(np.uint8)
    return shares


def packed(ranking: Ranking, importance: Mapping[str, Array]) -> dict[str, dict[str, Any]]:
    """Tell a browser about a ranking of weights.

    Returns
    -------
    dict
        By layer, its ``histogram``, and ``place`` of `places`; of large models instead ``shares`` of `blocks`
        and ``counts`` of `pruned_by_step`.
    """
    found = places(ranking)
    large = sum(array.size for array in found.values()) > LARGEST
    return {
        name: {
            "histogram": histogram(importance[name]),
            **(_summary(place, ranking.ranks[name].shape) if large else {"place": place}),
        }
        for name, place in found.items()
    }


def _summary(place: Array, shape: tuple[int, ...]) -> dict[str, Array]:
    return {"shares": blocks(place, shape), "counts": pruned_by_step(place)}
