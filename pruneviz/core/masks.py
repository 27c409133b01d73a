"""Which entries matter, and which stay: arrays by layer name. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from pruneviz.core.arrays import Array, BoolArray
from pruneviz.core.layers import not_covered

if TYPE_CHECKING:
    from pruneviz.core.units import Units

_A = TypeVar("_A", bound=Array)


class _Arrays(Mapping[str, _A], Generic[_A]):
    """Read-only arrays by layer name."""

    def __init__(
        self,
        arrays: Mapping[str, _A],
        granularity: str = "weight",
        units: Units | None = None,
        uncovered: Mapping[str, int] | None = None,
    ) -> None:
        self._arrays = {name: self._validated(name, array) for name, array in arrays.items()}
        self.granularity, self.units = granularity, units
        self.uncovered = dict(uncovered or {})

    def _validated(self, name: str, array: Array) -> _A:
        raise NotImplementedError

    def __getitem__(self, name: str) -> _A:
        if name not in self._arrays:
            raise KeyError(f"no layer {name!r} here: there is {', '.join(self._arrays) or 'none'}")
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __eq__(self, other: object) -> bool:
        """Equal when layers, granularity and every entry are."""
        if not isinstance(other, type(self)):
            return NotImplemented
        return (
            self.granularity == other.granularity
            and self.keys() == other.keys()
            and all(np.array_equal(array, other[name]) for name, array in self.items())
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def total(self) -> int:
        """Number of entries, over all layers; a unit that several layers share counts once."""
        if self.units is None:
            return sum(array.size for array in self.values())
        return len(self._first_entries(self.units))

    def _first_entries(self, tied: Units) -> Array:
        """Find one entry for each unit in all arrays laid end to end."""
        ids = np.concatenate([tied.ids(name) for name in self] or [np.array([-1])])
        units, places = np.unique(ids, return_index=True)
        return np.asarray(places[units >= 0])

    def to_dict(self) -> dict[str, _A]:
        """Give plain, writable copies of the arrays by layer name."""
        return {name: array.copy() for name, array in self.items()}


class Importance(_Arrays[Array]):
    """How much each entry of each layer matters: higher means keep.

    Parameters
    ----------
    arrays
        Layer name -> scores; the shape of the layer's weight for granularity ``"weight"``.
    granularity
        What one entry stands for.
    units
        For structured scores, which entries are tied; those that must stay are not counted.

    Raises
    ------
    ValueError
        If a score is NaN or infinite; the message names the layer.
    """

    def _validated(self, name: str, array: Array) -> Array:
        scores = np.array(array)
        if not np.isfinite(scores).all():
            raise ValueError(f"the importance of layer {name!r} is NaN or infinite in places")
        scores.flags.writeable = False
        return scores

    def __repr__(self) -> str:
        return f"Importance of {self.total:,} {self.granularity}s in {len(self)} layers"


class Mask(_Arrays[BoolArray]):
    """Which entries of each layer are kept: True means kept.

    Parameters
    ----------
    arrays
        Layer name -> bool array; layers that are absent are left alone.
    granularity
        What one entry stands for.
    units
        For structured masks, which are tied; without it every entry counts for itself.
    uncovered
        Layer name -> how many numbers it holds, of layers that no mask covers.

    Raises
    ------
    TypeError
        If an array is not bool; the message names the layer.
    """

    def _validated(self, name: str, array: Array) -> BoolArray:
        fixed = isinstance(array, np.ndarray) and array.base is None and not array.flags.writeable
        kept = array if fixed else np.array(array)  # a copy of many entries takes its time
        if kept.dtype != np.bool_:
            raise TypeError(f"the mask of layer {name!r} is {kept.dtype}, not bool: True means kept")
        kept.flags.writeable = False
        return kept

    @property
    def kept(self) -> int:
        """Number of entries kept."""
        if self.units and len(self):
            return int(np.count_nonzero(np.concatenate(list(self.values()))[self._first_entries(self.units)]))
        return sum(int(np.count_nonzero(array)) for array in self.values())

    @property
    def pruned(self) -> int:
        """Number of entries pruned."""
        return self.total - self.kept

    @property
    def sparsity(self) -> float:
        """Share of the entries that is pruned; 0 for an empty mask."""
        return self.pruned / self.total if self.total else 0.0

    @property
    def left_alone(self) -> list[str]:
        """Layers that are absent because something stands in the way of removing their units."""
        stuck = self.units.all(self.granularity).blocked() if self.units else []
        return [name for name in stuck if name not in self]

    def __and__(self, other: Mask) -> Mask:
        """Keep what both keep; a layer that only one names counts as kept in the other."""
        if not isinstance(other, Mask):
            return NotImplemented
        if self.granularity != other.granularity:
            raise ValueError(f"cannot combine masks of {self.granularity}s and {other.granularity}s")
        both = {**self, **other}
        for name in self.keys() & other.keys():
            if self[name].shape != other[name].shape:
                raise ValueError(f"the masks of layer {name!r} differ in shape")
            both[name] = self[name] & other[name]
        units = self.units or other.units
        if self.units and other.units:
            units = replace(self.units, counted=self.units.counted | other.units.counted)
        return Mask(both, self.granularity, units, {**self.uncovered, **other.uncovered})

    def __repr__(self) -> str:
        lines = [
            f"{name}: kept {np.count_nonzero(kept):,} of {kept.size:,}, {1 - kept.mean():.1%} pruned"
            for name, kept in self.items()
            if kept.size
        ]
        summary = f"kept {self.kept:,} of {self.total:,} {self.granularity}s, {self.sparsity:.1%} pruned"
        alone = [f"left alone: {', '.join(self.left_alone)}"] if self.left_alone else []
        return "\n".join([*lines, summary, *alone, *not_covered(self.uncovered)])
