"""How scores are put in order.

Of equal scores the lowest index comes first. The bits of a float from 0 up, read as a whole number, grow with
it, and whole numbers are sorted faster.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pruneviz.core.arrays import Array, BoolArray

if TYPE_CHECKING:
    from collections.abc import Iterator


class Pool:
    """Keys that compete with each other: the last one that a cut takes is found without ranking them all."""

    def __init__(self, keys: Array) -> None:
        self.keys = keys
        self._known: dict[int, tuple[float, int]] = {0: (-math.inf, 0)}

    @cached_property
    def _in_order(self) -> Array:
        return np.sort(self.keys)

    def border(self, cut: int) -> tuple[float, int]:
        """Give the last key that goes, and how many stay that are equal to it."""
        if cut not in self._known:
            if len(self._known) > 1:
                last = self._in_order[cut - 1]
                through = int(np.searchsorted(self._in_order, last, "right"))
            else:  # for who wants but one mask, this is sooner done than sorting
                last = np.partition(self.keys, cut - 1)[cut - 1]
                through = int(np.count_nonzero(self.keys <= last))
            self._known[cut] = last, through - cut
        return self._known[cut]


class InOrder(Mapping[str, Array]):
    """Ranks of scores, of all layers or of each: where a share ends is known before the places are."""

    def __init__(self, scores: Mapping[str, Array], *, together: bool) -> None:
        self._scores = scores
        flat = {name: array.ravel() for name, array in scores.items()}
        pools = {"": np.concatenate(list(flat.values()))} if together and flat else flat
        self._pools = {pool: Pool(_keys(array)) for pool, array in pools.items()}
        self._keys = self._by_layer({name: pool.keys for name, pool in self._pools.items()})

    def __getitem__(self, name: str) -> Array:
        return self._places[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def beyond(self, cuts: Mapping[str, int]) -> dict[str, BoolArray]:
        """Find all but as many of each pool as a cut says, by layer; of equal ones the first are left out."""
        kept = dict[str, BoolArray]()
        borders = {name: pool.border(cuts[name]) for name, pool in self._pools.items()}
        for name, keys in reversed(self._keys.items()):
            pool = name if name in self._pools else ""
            border, ties = borders[pool]
            kept[name] = keys > border
            if ties:
                last = np.flatnonzero(keys == border)[-ties:]
                kept[name].ravel()[last] = True
                borders[pool] = border, ties - len(last)
        return {name: kept[name] for name in self}

    @cached_property
    def _places(self) -> dict[str, Array]:
        return self._by_layer({name: places_of(pool.keys) for name, pool in self._pools.items()})

    def _by_layer(self, pools: dict[str, Array]) -> dict[str, Array]:
        ends = np.cumsum([array.size for array in self._scores.values()])
        parts = np.split(pools[""], ends[:-1]) if "" in pools else pools.values()
        return {name: part.reshape(self._scores[name].shape) for name, part in zip(self, parts, strict=True)}


def places_of(scores: Array) -> Array:
    """Rank 1-D scores: uint32, 0 for the smallest; of equal scores the lowest index goes first."""
    keys, numbers = _keys(scores), np.arange(scores.size, dtype=np.uint32)
    if keys.dtype == np.uint32:  # then a key and its index fit into 64 bits, which are sorted faster
        pairs = (keys.astype(np.uint64) << np.uint64(32)) | numbers
        pairs.sort()
        order: Array = pairs.astype(np.uint32)
    else:
        order = np.argsort(keys, kind="stable")
    places = np.empty_like(numbers)
    places[order] = numbers
    return places


def places_in_rows(scores: Array) -> Array:
    """Rank 2-D scores row by row, as `places_of` does."""
    places = np.empty(scores.shape, np.uint32)
    order = np.argsort(scores, axis=1, kind="stable")
    np.put_along_axis(places, order, np.arange(scores.shape[1], dtype=np.uint32)[None], axis=1)
    return places


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
