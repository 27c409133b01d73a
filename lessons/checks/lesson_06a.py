"""Checks of the exercises of lesson 06a."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.exercises import close, exercise, known_mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.core.arrays import Array

# Answers come from learners: they can be anything.
Answer = Any


@exercise(right="And with values of one byte the index is the larger part: it pays late.")
def csr_bytes(size: Answer, *, from_share: Answer) -> str | None:
    """Judge ``csr_bytes(rows, nonzero, value_bytes, index_bytes)``, and the break-even of int8 with int32."""
    for rows, nonzero, value, index in ((300, 117_600, 4, 8), (10, 3, 4, 4), (7, 0, 1, 2), (64, 640, 2, 4)):
        given = size(rows, nonzero, value, index)
        both = nonzero * (value + index)
        mistakes = {
            "where the rows begin is missing: one index for each row, and one for the end.": both,
            "it also stores where the last row ends: one index more than rows.": both + rows * index,
            "the column of each value is missing.": nonzero * value + (rows + 1) * index,
            "a row's beginning is an index, not a value.": both + (rows + 1) * value,
            "in CSR a value has a column, not a row and a column. That would be COO.": nonzero
            * (value + 2 * index),
        }
        if not close(given, both + (rows + 1) * index):
            why = known_mistake(given, mistakes) or "count values, columns and beginnings of rows."
            asked = f"csr_bytes({rows}, {nonzero}, {value}, {index})"
            return f"{asked} is {both + (rows + 1) * index}, not {given}: {why}"
    return _break_even(from_share)


def _break_even(share: Answer) -> str | None:
    known = {
        "this is the share of weights that may be left. Give the share of zeros.": 0.2,
        "that is for values of four bytes. Here they have one.": 0.5,
        "write 80% as 0.8.": 80,
        "that is for indices of 64 bits. Here they have 32.": 8 / 9,
        "that is for indices of 16 bits. Here they have 32.": 2 / 3,
    }
    if share is ...:
        return "csr_bytes is right. Now put a number in place of the dots after from_share."
    if close(share, 0.8, 1e-3):
        return None
    return f"csr_bytes is right. But from_share is not {share}: " + (
        known_mistake(share, known)
        or "a weight left costs 1 + 4 bytes, and every weight of the plain file 1. Ignore the rows."
    )


# Twice the images, half the outputs, and what that says.
_LAYERS = (
    (1.0, 0.98, "call"),
    (1.02, 0.47, "weights"),
    (1.98, 0.51, "arithmetic"),
    (0.96, 1.04, "call"),
    (1.1, 0.33, "weights"),
    (1.85, 0.56, "arithmetic"),
    (1.05, 0.62, "weights"),
)


@exercise(right="Two experiments, three answers. Now you know which layers repay pruning.")
def limit(limit_of: Answer) -> str | None:
    """Judge ``limit(twice_the_images, half_the_outputs)``."""
    for twice, half, right in _LAYERS:
        given = limit_of(twice, half)
        if given not in ("call", "weights", "arithmetic"):
            return f'for {twice} and {half} it returns {given!r}: return "call", "weights" or "arithmetic".'
        if given != right:
            return f"for {twice} and {half} it says {given!r}, and it is {right!r}: {_WHY[right]}"
    return None


_WHY = {
    "call": "it takes about as long with half of its outputs, so neither weights nor arithmetic matter.",
    "weights": "more images take no longer, and fewer weights do less: they are read once for all images.",
    "arithmetic": "twice the images take nearly twice as long. Allow for noise: 2 is not exactly 2.",
}


@exercise(right="Every bit came back, from a file that you have designed.")
def packed(pack: Answer, unpack: Answer, *, arrays: Mapping[str, Array], target: int) -> str | None:
    """Judge ``pack(arrays)`` and ``unpack(bytes)``: no bit lost, and at most the target."""
    data = pack({name: array.copy() for name, array in arrays.items()})
    if not isinstance(data, bytes):
        return f"pack must return bytes, not {type(data).__name__}."
    back = unpack(data)
    if not hasattr(back, "items") or set(back) != set(arrays):
        return f"unpack must return a dict with the keys {', '.join(arrays)}."
    for name, array in arrays.items():
        if wrong := _changed(name, np.asarray(back[name]), array):
            return wrong
    hints = {
        "the zeros still take room of their own: write a bit for each weight, and the weights left.": 1.3,
        "the first bytes of all values resemble each other: put them side by side before you compress.": 1,
    }
    hint = next((hint for hint, times in hints.items() if len(data) > times * target), None)
    return hint and f"every bit comes back, from {len(data):,} bytes. The target is {target:,}: {hint}"


def _changed(name: str, given: Array, array: Array) -> str | None:
    """Say how an array differs from what was packed."""
    if given.shape != array.shape or given.dtype != array.dtype:
        return f"{name} comes back as {given.dtype} {given.shape}, not {array.dtype} {array.shape}."
    if given.tobytes() == array.tobytes():
        return None
    return f"{np.count_nonzero(given != array):,} numbers of {name} come back changed: keep every bit."
