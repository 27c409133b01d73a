"""Lay a layer out flat, so that it can be drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array

LARGEST = 1000
GAP = 1


@dataclass(frozen=True)
class Direction:
    """What the rows or the columns of a sheet stand for.

    Attributes
    ----------
    name
        What is counted, such as "input".
    units
        How many there are.
    pitch
        Pixels from one to the next.
    gap
        Empty pixels between them.
    """

    name: str
    units: int
    pitch: float = 1
    gap: int = 0

    def centre(self, unit: Array) -> Array:
        """Give the pixel coordinate of a unit's middle."""
        return unit * self.pitch + (self.pitch - self.gap - 1) / 2


@dataclass(frozen=True, eq=False)
class Sheet:
    """A layer laid out flat.

    Attributes
    ----------
    image
        (rows, columns), NaN where there is nothing.
    rows, columns
        What lies along each direction.
    block
        Weights averaged in one pixel, 1 if each has its own.
    """

    image: Array
    rows: Direction
    columns: Direction
    block: int = 1


def lay_out(array: Array) -> Sheet:
    r"""Lay one layer's mask or weights out flat.

    Parameters
    ----------
    array
        (out,), (out, in) or (out, in, \*kernel).

    Returns
    -------
    Sheet
        Dense layers have their outputs down, convolutions their filters to the right: each fills a wide
        page best so. Pixels are means of blocks if there are more than a thousand rows or columns.
    """
    values = array.astype(np.float32)
    if values.ndim < 2:
        return Sheet(values.reshape(1, -1), Direction("", 1), Direction("unit", values.size))
    if values.ndim == 2:
        return _matrix(values, "output", "input", 1)
    across, down, *kernel = values.shape
    tiles = values.reshape(across, down, -1, kernel[-1])
    high, wide = tiles.shape[2] + GAP, tiles.shape[3] + GAP
    if max(across * wide, down * high) > LARGEST:
        return _matrix(tiles.mean(axis=(2, 3)).T, "input channel", "filter", math.prod(kernel))
    grid = np.full((down, high, across, wide), np.nan, np.float32)
    grid[:, :-GAP, :, :-GAP] = tiles.transpose(1, 2, 0, 3)
    image = grid.reshape(down * high, across * wide)[:-GAP, :-GAP]
    rows = Direction("input channel", down, high, GAP)
    return Sheet(image, rows, Direction("filter", across, wide, GAP))


def _matrix(values: Array, rows: str, columns: str, block: int) -> Sheet:
    side = math.ceil(max(values.shape) / LARGEST)
    down, across = (
        Direction(name, units, 1 / side) for name, units in zip((rows, columns), values.shape, strict=True)
    )
    return Sheet(_averaged(values, side), down, across, block * side**2)


def _averaged(values: Array, side: int) -> Array:
    """Average square blocks; those at the right and lower edge may be smaller."""
    if side == 1:
        return values
    starts = [np.arange(0, size, side) for size in values.shape]
    sums = np.add.reduceat(np.add.reduceat(values, starts[0], axis=0), starts[1], axis=1)
    rows, columns = (np.diff([*start, size]) for start, size in zip(starts, values.shape, strict=True))
    return np.asarray(sums / np.outer(rows, columns))
