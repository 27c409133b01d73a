"""What a Keras model does first with its images: whether it takes bytes, numbers from 0 to 1, or indices."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.frameworks.keras.calls import flat, graph_of
from pruneviz.frameworks.keras.layouts import walk
from pruneviz.frameworks.keras.operations import name_of
from pruneviz.frameworks.keras.probing import run

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array
    from pruneviz.frameworks.keras.calls import Call

_MODEST = 10  # what a network computes with is not much larger
_SCALES = ("add", "subtract", "multiply", "divide")


def way_of(model: Any, place: int) -> str:
    """Tell what one of a model's inputs takes: "indices" for an Embedding, "bytes", or "numbers" from 0 to 1.

    `Rescaling(1/255)`, `x / 127.5 - 1` and an adapted Normalization take bytes: 0 and 255 come out small, or
    0 and 1 do not. `Rescaling(2, -1)` takes numbers from 0 to 1. A model without a graph does not say; it is
    given indices if its first layer is an Embedding, or else numbers.
    """
    if graph_of(model) is None:
        first = next((type(layer).__name__ for _, layer in walk(model)), "")
        return "indices" if first == "Embedding" else "numbers"
    calls = _first(model, place)
    if any(type(call.layer).__name__ == "Embedding" for call, _ in calls):
        return "indices"
    scaled = [found for call, values in calls if (found := _scaled(call, values)) is not None]
    if not scaled:
        return "numbers"
    low, one, high = np.abs(scaled[-1].reshape(3, -1))
    modest = max(low.max(), high.max()) <= _MODEST or min(low.min(), one.min()) >= _MODEST
    return "bytes" if modest else "numbers"


def _first(model: Any, place: int) -> list[tuple[Call, Array]]:
    """List the calls that read an input before anything is learned, and what they read of 0, 1 and 255."""
    seen: list[tuple[Call, Array]] = []
    calls = flat(model)
    after: dict[str, Array] = {calls.inputs[place]: np.array([0.0, 1.0, 255.0])}
    for call in calls.calls:
        if call.inputs and set(call.inputs) <= after.keys():
            values = after[call.inputs[0]]
            seen.append((call, values))
            if (scaled := _scaled(call, values)) is not None:
                after[call.name] = scaled
            elif len(call.inputs) == 1 and not getattr(call.layer, "weights", ()):
                after[call.name] = values
    return seen


def _scaled(call: Call, values: Array) -> Array | None:
    """Scale as a call does, entry by entry; None if it does something else."""
    wide = values.reshape(3, *[1] * (len(call.shape or ()) - values.ndim + 1), *values.shape[1:])
    known = type(call.layer).__name__ in ("Rescaling", "Normalization", "Lambda") or name_of(call) in _SCALES
    if known and len(call.inputs) == 1:
        with contextlib.suppress(Exception):  # a Lambda of the learner's own may raise anything
            scaled = run(call, wide)
            return scaled if scaled.size and scaled.shape[:-1] == wide.shape[:-1] else None
    return None
