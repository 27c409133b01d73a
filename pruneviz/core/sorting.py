"""How scores are put in order: all of them, or only the least from the rest.

Of equal scores the lowest index comes first. The bits of a float from 0 up, read as a whole number, grow with
it, and whole numbers are sorted faster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.core.arrays import Array, BoolArray


def places_of(scores: Array) -> Array:
    """Rank 1-D scores: uint32, 0 for the smallest; of equal scores the lowest index goes first."""
    numbers = np.arange(scores.size, dtype=np.uint32)
    if scores.dtype != np.float32:
        places = np.empty_like(numbers)
        places[np.argsort(scores, kind="stable")] = numbers
        return places
    # A score and its index fit into 64 bits: sorted, they are in the order of the scores; with the place
    # there in the score's stead, and sorted by index, they are back where they came from.
    pairs = np.empty((scores.size, 2), np.uint32)
    low, high = (0, 1) if np.little_endian else (1, 0)
    pairs[:, low], pairs[:, high] = numbers, _keys(scores)
    whole = pairs.reshape(-1).view(np.uint64)
    whole.sort()
    pairs[:, high] = pairs[:, low]
    pairs[:, low] = numbers
    whole.sort()
    return pairs[:, low].copy()


def places_in_rows(scores: Array) -> Array:
    """Rank 2-D scores row by row, as `places_of` does."""
    places = np.empty(scores.shape, np.uint32)
    order = np.argsort(scores, axis=1, kind="stable")
    np.put_along_axis(places, order, np.arange(scores.shape[1], dtype=np.uint32)[None], axis=1)
    return places


def least(scores: Array, count: int) -> BoolArray:
    """Find the `count` smallest of 1-D scores, without sorting: True there; of equal ones the first."""
    if not 0 < count < scores.size:
        return np.full(scores.size, count > 0)
    keys = _keys(scores)
    border = np.partition(keys, count - 1)[count - 1]
    found: BoolArray = keys < border
    ties = np.flatnonzero(keys == border)
    found[ties[: count - np.count_nonzero(found)]] = True
    return found


def parted(pool: Array, like: Mapping[str, Array]) -> dict[str, Array]:
    """Part what was laid end to end, by layer; there is at least one."""
    ends = np.cumsum([array.size for array in like.values()])
    return dict(zip(like, np.split(pool, ends[:-1]), strict=True))


def _keys(scores: Array) -> Array:
    """Give whole numbers that are ordered as float scores are; other scores as they are."""
    if scores.dtype not in (np.float32, np.float64):
        return scores
    bits = 8 * scores.itemsize
    keys: Array = (scores + scores.dtype.type(0)).view(f"u{scores.itemsize}")  # -0 + 0 is 0
    if scores.size and scores.min() < 0:
        sign = keys.dtype.type(1 << (bits - 1))
        keys = np.where(keys & sign, ~keys, keys | sign)
    return keys
