"""What a TradeoffExplorer shows of models: quantities for axes, the order of the map, their answers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pruneviz.core.arrays import checked_pair, few
from pruneviz.measures.variants import ancestry
from pruneviz.plots import style
from pruneviz.widgets.frame.given import pictures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pruneviz.core.arrays import Array, Pair
    from pruneviz.measures.timing import Latency
    from pruneviz.measures.variants import Variant

Measured: TypeAlias = "tuple[float, float, float]"
"""A value, and the ends of what is known of it: its interval or range, or the value itself."""

_MOST_BYTES = 1_500_000  # of pictures
_OF_A_KIND = (8, 4, 2, 1)  # pictures of what one model lost against another: as many as there is room for
_FEW_CLASSES = 256


@dataclass(frozen=True)
class Axis:
    """A quantity that models are compared by.

    Attributes
    ----------
    name
        What the traits `x` and `y` call it.
    words
        What it is called on the page.
    unit
        ``"share"``, ``"B"``, ``"ms"`` or ``""``.
    bars
        What the ends of a value are, if there are any.
    """

    name: str
    words: str
    unit: str = ""
    bars: str = ""

    @property
    def rises(self) -> bool:
        """Whether more is better."""
        return self.unit == "share"

    def of(self, variant: Variant) -> Measured | None:
        """Give what was measured of a variant; None if nothing was."""
        card = variant.card
        if self.unit == "share":
            return (card.accuracy, *card.interval)
        if self.unit == "ms":
            time = card.latency_ms.get(int(self.name.removeprefix("latency ")))
            return (time.median, time.low, time.high) if time else None
        value = getattr(card, self.name)
        return value, value, value

    def text(self, value: float) -> str:
        """Write a value with its unit, as the page does."""
        if self.unit == "share":
            return style.percent(value)
        if self.unit == "ms":
            return f"{_short(value)} ms"
        prefix, size = next(((p, s) for p, s in (("M", 1e6), ("k", 1e3)) if value >= s), ("", 1.0))
        whole = size == 1 or (self.unit == "B" and value / size >= 100)
        number = style.grouped(value / size) if whole else _short(value / size)
        return f"{number} {prefix}{self.unit}".strip()


def axes(variants: Iterable[Variant]) -> list[Axis]:
    """List the quantities that some variant has: accuracy, sizes, and milliseconds for each batch timed."""
    times: dict[int, list[Latency]] = {}
    for one in variants:
        for batch, time in one.card.latency_ms.items():
            times.setdefault(batch, []).append(time)
    return [
        Axis("accuracy", "accuracy", "share", "95% intervals"),
        Axis("compact_bytes", "compact file", "B"),
        Axis("macs", "MACs an image"),
        Axis("parameters", "parameters"),
        Axis("nonzero", "nonzero parameters"),
        *(_time_axis(batch, found) for batch, found in sorted(times.items())),
    ]


def _time_axis(batch: int, times: Sequence[Latency]) -> Axis:
    how = few((f"{time.clock} time, {time.runtime}" for time in times), " or ")
    words = f"time of {batch} image{'s' * (batch > 1)}"
    return Axis(
        f"latency {batch}", words, "ms", f"lowest and highest of {len(times[0].rounds)} rounds ({how})"
    )


def rows(variants: Sequence[Variant], known: Sequence[Axis]) -> list[dict[str, Any]]:
    """Describe the variants in the order of the map, each after the one that it was made from.

    Returns
    -------
    list of dict
        ``name``, ``parent``, ``step``, ``depth`` (steps from where it began), ``correct``, ``values``
        (axis -> `Measured` or None) and ``layers`` (layer -> weights that are not 0, and all that there were
        before any were removed).
    """
    named = {one.name: one for one in variants}
    lines = {one.name: ancestry(one, named) for one in variants}
    return [
        {
            "name": one.name,
            "parent": one.parent,
            "step": one.step,
            "depth": len(lines[one.name]) - 1,
            "correct": one.card.correct,
            "values": {axis.name: axis.of(one) for axis in known},
            "layers": _layers(one, [named[name] for name in lines[one.name]]),
        }
        for one in _in_order(variants, None)
    ]


def _layers(variant: Variant, line: Sequence[Variant]) -> dict[str, tuple[int, int]]:
    """Count the weights that are left of each layer, and the most that one of its line had."""
    return {
        layer: (left, max(one.card.weights[layer][1] for one in line if layer in one.card.weights))
        for layer, (left, _) in variant.card.weights.items()
    }


def _in_order(variants: Sequence[Variant], parent: str | None) -> Iterator[Variant]:
    for one in variants:
        if one.parent == parent:
            yield one
            yield from _in_order(variants, one.name)


def answers(
    shown: Sequence[Mapping[str, Any]], variants: Iterable[Variant], data: Pair | None
) -> dict[str, Any]:
    """Collect what the models say to the images, in the order of `shown`, and pictures of some images.

    Parameters
    ----------
    shown
        What `rows` gives.
    variants
        The same models.
    data
        (x, y), what the cards were measured on; None for no pictures.

    Returns
    -------
    dict
        ``labels`` (n,), ``predictions`` (models, n), ``pictures``, or None, and whose they are: ``pictured``.

    Raises
    ------
    ValueError
        If data are not the images of the cards.
    """
    cards = {one.name: one.card for one in variants}
    labels = cards[shown[0]["name"]].labels
    predictions = np.stack([cards[row["name"]].predictions for row in shown])
    found: dict[str, Any] = {"pictures": None, "pictured": np.array([], np.int32)}
    if data is not None:
        x, y = checked_pair(data)
        if not np.array_equal(y, labels):
            raise ValueError("data is not what the cards were measured on: pass pv.scorecard's (x, y)")
        found = _pictured(x, predictions, labels) if isinstance(x, np.ndarray) else found
    both = np.vstack([labels, predictions])
    small = both.astype(np.uint8 if 0 <= both.min() <= both.max() < _FEW_CLASSES else np.int32)
    return {**found, "labels": small[0], "predictions": small[1:]}


def _pictured(x: Array, predictions: Array, labels: Array) -> dict[str, Any]:
    """Take the first images of each kind that tell two models apart, whichever two are compared."""
    kinds = [np.array([], np.int64), *_kinds(predictions, labels)]
    for many in _OF_A_KIND:
        chosen = np.unique(np.concatenate([where[:many] for where in kinds]))
        if x[:1].size * len(chosen) <= _MOST_BYTES:
            break
    return {"pictures": pictures(x[chosen]), "pictured": chosen.astype(np.int32)}


def _kinds(predictions: Array, labels: Array) -> Iterator[Array]:
    """Find for each two models what either alone has right, and what both have wrong in two ways."""
    right = predictions == labels
    for one, other in itertools.combinations(range(len(predictions)), 2):
        differ = predictions[one] != predictions[other]
        for kind in (right[one], right[other], ~right[one] & ~right[other]):
            yield np.flatnonzero(differ & kind)


def front(points: Sequence[tuple[float, float]], rises: tuple[bool, bool]) -> list[int]:
    """Find the points than which no other is better in one way and as good in the other, by their x.

    Parameters
    ----------
    points
        (x, y) of each model.
    rises
        For x and for y, whether more is better.

    Returns
    -------
    list of int
        Places in `points`.
    """
    good = [(x if rises[0] else -x, y if rises[1] else -y) for x, y in points]
    best = [
        place
        for place, (x, y) in enumerate(good)
        if not any(a >= x and b >= y and (a, b) != (x, y) for a, b in good)
    ]
    return sorted(best, key=lambda place: points[place])


def _short(value: float) -> str:
    return f"{float(f'{value:.3g}'):g}"
