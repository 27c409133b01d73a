"""Measuring a model under many masks, one batch of images at a time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import frameworks
from pruneviz.engine.model import Seen
from pruneviz.engine.pruning import zeros
from pruneviz.frameworks import BATCH, QUICK
from pruneviz.measures.scorecards import carded, classes, uses
from pruneviz.widgets.explorer.history import comparison
from pruneviz.widgets.frame.given import checked_data

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from pruneviz.core.arrays import Array, Data
    from pruneviz.core.masks import Mask
    from pruneviz.measures.scorecards import Scorecard

_AT_ONCE = 12_000_000  # numbers, 48 MB: images and layer outputs of one batch
_ABOUT = 1e-2  # how far probabilities may be from adding up to 1


class Meter:
    """A private copy of a model, and the images to measure it on.

    Parameters
    ----------
    model
        The model; it stays as it is.
    data
        (x, y).
    """

    def __init__(self, model: object, data: Data) -> None:
        self.x, self.labels = checked_data(data)
        original = frameworks.adapter(model)
        arrays = original.arrays()
        self._whole = {name: array.copy() for name, array in arrays.items()}
        self._zeroed: set[str] = set()
        self._written: Mask | None = None
        self.model = original.copy_with({})
        self._adapter = frameworks.adapter(self.model)
        self._uses = uses(self._adapter, self.x)
        one = self._adapter.predict(self.x[:1])
        everyone = one.repeat(len(self.x), axis=0)
        classes(self._adapter, (self.x, self.labels), everyone)  # refused now, not while a view is open
        self._batch = self._size_of_batches()

    def predict(self, mask: Mask) -> Generator[float, None, Array]:
        """Apply a mask to the copy and predict; yields the share of the images that is done.

        Returns
        -------
        array
            (n,) predicted classes.
        """
        found = []
        for start in range(0, len(self.x), self._batch):
            self._write(mask)  # others may have measured between two batches
            x, y = (part[start : start + self._batch] for part in (self.x, self.labels))
            found.append(classes(self._adapter, (x, y), self._adapter.predict(x, self._batch)))
            yield min(1.0, (start + self._batch) / len(self.x))
        return np.concatenate(found)

    def shares(self, mask: Mask, image: int) -> Array:
        """Give the outputs for one image under a mask, as shares of 1: the model's, or their softmax."""
        self._write(mask)
        outputs: Array = self._adapter.predict(self.x[image : image + 1], 1)[0].astype(np.float64)
        if outputs.min() >= 0 and abs(outputs.sum() - 1) < _ABOUT:
            return outputs
        raised: Array = np.exp(outputs - outputs.max())
        shares: Array = raised / raised.sum()
        return shares

    def card(self, mask: Mask, predictions: Array) -> Scorecard:
        """Measure what the masked copy costs; its predictions are known."""
        self._write(mask)
        return carded(self._adapter, (self.x, self.labels), predictions, f"{mask.sparsity:.2%} pruned")

    def compared(self, before: Array, after: Array) -> dict[str, Any]:
        """Tell what the later predictions lost and won; see `history.comparison`."""
        return comparison(before, after, self.labels, self.x)

    def uses(self) -> Mapping[str, int]:
        """Count how often each weight of a layer is multiplied for one image."""
        return self._uses

    def parameters(self) -> int:
        """Count the trainable numbers."""
        return sum(array.size for array in self._adapter.parameters().values())

    def _size_of_batches(self) -> int:
        """Give small networks few batches where calls are slow; elsewhere small ones are quicker."""
        if not self._adapter.slow_to_call:
            return QUICK
        outputs = (self._uses[layer.name] * len(layer.weight) for layer in self._adapter.layers())
        return max(BATCH, _AT_ONCE // int(self.x[0].size + sum(outputs)))

    def _write(self, mask: Mask) -> None:
        """Set to zero what the mask prunes, and back what an earlier one did."""
        if mask is self._written:
            return
        gone = zeros(Seen(self.model), mask)
        arrays = {name: self._whole[name] for name in self._zeroed - gone.keys()}
        arrays |= {name: np.where(where, 0, self._whole[name]) for name, where in gone.items()}
        self._adapter.write(arrays)
        self._zeroed, self._written = set(gone), mask


def grid(points: int = 21) -> Iterator[float]:
    """Give equally spaced sparsities, the coarse ones first, so that a curve has its shape early."""
    steps = [round(place / (points - 1), 4) for place in range(points)]
    seen: set[int] = set()
    stride = points - 1
    while stride:
        for place in range(0, points, stride):
            if place not in seen:
                seen.add(place)
                yield steps[place]
        stride //= 2


def crossing(curve: dict[float, int], wanted: float) -> tuple[float, float] | None:
    """Find between which measured sparsities the number of right answers first falls below what is wanted."""
    points = sorted(curve)
    for before, after in itertools.pairwise(points):
        if curve[before] >= wanted > curve[after]:
            return before, after
    return None


def scaled(work: Generator[float, None, Array], start: float, end: float) -> Generator[float, None, Array]:
    """Let a part of the work report its share of the whole."""
    while True:
        try:
            yield start + (end - start) * next(work)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


def finished(work: Generator[float, None, Array]) -> Array:
    """Do all the work at once."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
