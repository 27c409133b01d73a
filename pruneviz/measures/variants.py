"""Models that came from one another: what each was made from, by what step, and its scorecard."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.files import writing
from pruneviz.measures.scorecards import Scorecard
from pruneviz.measures.timing import Latency

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from pruneviz.core.arrays import Array

_FORMAT = "pruneviz variants 1"
_DAMAGES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, zlib.error)


@dataclass(frozen=True)
class Variant:
    """One of several models that came from one another.

    Attributes
    ----------
    card
        What it costs and how well it does; its name is the variant's.
    parent
        Name of the variant that it was made from; None for one to begin with.
    step
        What was done to the parent, such as ``"prune 90%"``, ``"fine-tune"`` or ``"remove"``.
    """

    card: Scorecard
    parent: str | None = None
    step: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.card, Scorecard):
            raise TypeError(f"card is a {type(self.card).__name__}, not a Scorecard: pv.scorecard makes one")
        if not isinstance(self.parent, str | None):
            raise TypeError(f"parent is a {type(self.parent).__name__}: give the name of another variant")

    @property
    def name(self) -> str:
        """What it is called."""
        return self.card.name


def family(variants: Iterable[Variant | Scorecard]) -> tuple[Variant, ...]:
    """Check variants against each other; a Scorecard alone is a variant to begin with.

    Raises
    ------
    TypeError
        If one is neither.
    ValueError
        If there is none, two have one name or other images, a parent is unknown, or one comes from itself.
    """
    found: dict[str, Variant] = {}
    for one in variants:
        if not isinstance(one, Variant | Scorecard):
            raise TypeError(f"variants has a {type(one).__name__}: give pv.Variant(card, parent, step)")
        variant = one if isinstance(one, Variant) else Variant(one)
        if variant.name in found:
            raise ValueError(f"two variants are called {variant.name!r}: pv.scorecard(…, name=…) names them")
        found[variant.name] = variant
    if not found:
        raise ValueError("variants is empty: give at least one Scorecard")
    for variant in found.values():
        if variant.parent is not None and variant.parent not in found:
            known = ", ".join(found)
            raise ValueError(f"{variant.name!r} has an unknown parent {variant.parent!r}: there is {known}")
    first, *others = found.values()
    for variant in others:
        variant.card.versus(first.card)  # refuses other images
    for variant in found.values():
        ancestry(variant, found)
    return tuple(found.values())


def ancestry(variant: Variant, named: Mapping[str, Variant]) -> list[str]:
    """List the names from a variant back to the one that it began with.

    Raises
    ------
    ValueError
        If it comes from itself.
    """
    names = [variant.name]
    while (parent := named[names[-1]].parent) is not None:
        if parent in names:
            raise ValueError(f"{parent!r} comes from itself: {' from '.join([*names, parent])}")
        names.append(parent)
    return names


def write_variants(path: str | os.PathLike[str], variants: Iterable[Variant | Scorecard]) -> None:
    """Write variants to a JSON file, whole or not at all: the models are not needed any more.

    Parameters
    ----------
    path
        Where to; an existing file is replaced.
    variants
        As `TradeoffExplorer` takes them.

    Raises
    ------
    TypeError, ValueError
        If they do not make a family.
    """
    found = family(variants)
    rows = [{"parent": one.parent, "step": one.step, "card": _plain(one.card)} for one in found]
    text = json.dumps({"format": _FORMAT, "labels": _packed(found[0].card.labels), "variants": rows})
    with writing.whole(Path(path)) as file:
        file.write(text.encode())


def read_variants(path: str | os.PathLike[str]) -> list[Variant]:
    """Read the variants that `write_variants` wrote.

    Raises
    ------
    ValueError
        If it is no such file, or a damaged one.
    """
    try:
        told = json.loads(Path(path).read_bytes())
        if told["format"] != _FORMAT:
            raise ValueError(told["format"])
        labels = _unpacked(told["labels"])
        found = [Variant(_card(row["card"], labels), row["parent"], row["step"]) for row in told["variants"]]
        return list(family(found))
    except _DAMAGES as error:
        raise ValueError(f"{path} is no file of pv.write_variants, or a damaged one") from error


def _plain(card: Scorecard) -> dict[str, Any]:
    values = {field.name: getattr(card, field.name) for field in fields(card) if field.name != "labels"}
    times = {batch: asdict(one) for batch, one in card.latency_ms.items()}
    return {**values, "latency_ms": times, "predictions": _packed(card.predictions)}


def _card(values: dict[str, Any], labels: Array) -> Scorecard:
    """Make a card of what JSON has left of one: no tuples, and no numbers as keys."""
    return Scorecard(
        **{
            **values,
            "interval": tuple(values["interval"]),
            "uncounted": tuple(values["uncounted"]),
            "weights": {layer: tuple(counts) for layer, counts in values["weights"].items()},
            "latency_ms": {int(batch): _latency(**told) for batch, told in values["latency_ms"].items()},
            "predictions": _unpacked(values["predictions"]),
            "labels": labels,
        }
    )


def _latency(rounds: list[float], **told: str) -> Latency:
    return Latency(tuple(rounds), **told)


def _packed(classes: Array) -> dict[str, str]:
    small = classes.astype(np.min_scalar_type(int(classes.max())) if classes.min() >= 0 else "<i8")
    data = zlib.compress(small.astype(small.dtype.newbyteorder("<")).tobytes(), 9)
    return {"dtype": small.dtype.name, "zlib": base64.b64encode(data).decode()}


def _unpacked(packed: dict[str, str]) -> Array:
    dtype = np.dtype(packed["dtype"]).newbyteorder("<")
    return np.frombuffer(zlib.decompress(base64.b64decode(packed["zlib"])), dtype).astype(np.int64)
