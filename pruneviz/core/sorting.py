"""How scores are put in order.

Of equal scores the lowest index comes first. The bits of a float from 0 up, read as a whole number, grow with
it, and whole numbers are sorted faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pruneviz.core.arrays import Array, BoolArray

if TYPE_CHECKING:
    from collections.abc import Iterator


class InOrder(Mapping[str, Array]):
    """Ranks of scores, of all layers or of each: where a share ends is known before the places are."""

    def __init__(self, scores: Mapping[str, Array], *, together: bool) -> None:
        self._scores = scores
        flat = {name: array.ravel() for name, array in scores.items()}
        pools = {"": np.concatenate(list(flat.values()))} if together and flat else flat
        self._pools = {pool: _keys(array) for pool, array in pools.items()}
        self._sorted = {pool: np.sort(keys) for pool, keys in self._pools.items()}
        self._keys = self._by_layer(self._pools)

    def __getitem__(self, name: str) -> Array:
        return self._places[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def beyond(self, cuts: Mapping[str, int]) -> dict[str, BoolArray]:
        """Find all but as many of each pool as a cut says, by layer; of equal ones the first are left out."""
        kept, ties = dict[str, BoolArray](), dict[str, int]()
        for name, keys in reversed(self._keys.items()):
            pool = name if name in self._sorted else ""
            in_order, cut = self._sorted[pool], cuts[pool]
            border = in_order[max(cut, 1) - 1 : cut]
            kept[name] = keys > border if cut else np.ones(keys.shape, bool)
            ties.setdefault(pool, int(np.searchsorted(in_order, border, "right").sum()) - cut)
            if ties[pool]:
                last = np.flatnonzero(keys == border)[-ties[pool] :]
                kept[name].ravel()[last] = True
                ties[pool] -= len(last)
        return {name: kept[name] for name in self}

    @cached_property
    def _places(self) -> dict[str, Array]:
        return self._by_layer({pool: places_of(keys) for pool, keys in self._pools.items()})

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
