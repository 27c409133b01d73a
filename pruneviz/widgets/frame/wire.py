"""Arrays on their way to the browser: bytes that say their type and shape, as wire.js reads them.

A trait with ``.tag(sync=True, **ARRAYS)`` holds NumPy arrays in Python, alone or anywhere in dicts and lists,
and in JavaScript, once ``decode`` has seen it, typed arrays at the same places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

TYPES = ("int8", "uint8", "uint16", "int32", "uint32", "float32", "float64")


def encode(value: Any) -> Any:  # noqa: ANN401
    """Write each array as ``{"view": bytes, "dtype": …, "shape": […]}``: little-endian, row after row.

    Raises
    ------
    TypeError
        If an array is of a type that browsers do not have.
    """
    if isinstance(value, dict):
        return {name: encode(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [encode(one) for one in value]
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.name not in TYPES:
        raise TypeError(f"an array of {value.dtype.name}: the browser has {', '.join(TYPES)}")
    view = value.astype(value.dtype.newbyteorder("<")).tobytes()
    return {"view": view, "dtype": value.dtype.name, "shape": list(value.shape)}


ARRAYS = {"to_json": lambda value, _view: encode(value)}
