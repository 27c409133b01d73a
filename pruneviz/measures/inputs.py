"""Whether images reach a model's first layer as numbers that networks compute with, or divided twice."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz import frameworks
    from pruneviz.core.arrays import Array, Images

_MODEST = 10  # what a network computes with is not much larger
_FAINT = 0.1  # less than this between black and white is no image


def divided_twice(adapter: frameworks.Adapter, x: Images) -> bool:
    """Tell whether a model takes images from 0 to 255, scales them itself, and is given them from 0 to 1.

    It is shown four grey images, and what its first layer reads of them is looked at: it scales and shifts
    them, and reads what is modest not of 1 alone, which all do, but of 255. Whatever else it does to them
    first, and without a layer that is seen, the answer is no.
    """
    if not isinstance(x, np.ndarray):
        return False
    if x.dtype != np.uint8 and not (x.dtype.kind == "f" and 0 <= x.min() < x.max() <= 1):
        return False
    white = 255 if x.dtype == np.uint8 else 1  # the adapter makes 1 of both, where it makes anything
    tones = np.array([0, white]).astype(x.dtype), np.array([51, 255], np.float32)
    read = [_read(adapter, np.full((1, *x.shape[1:]), tone)) for tone in (*tones[0], *tones[1])]
    if not all(len(squares) for squares in read):
        return False
    low, one, some, high = read
    # (a·t + b)² at t = 0, 1 and 255 gives a², and with it what is to be read at 51.
    steep = (high - low - 255 * (one - low)) / (255**2 - 255)
    wanted = low + 51**2 * steep + 51 * (one - low - steep)
    scaled = 255**2 * steep.max() > _FAINT**2 and np.allclose(some, wanted, rtol=0.01, atol=1e-6)
    return bool(scaled and max(low.max(), high.max()) <= _MODEST**2)


def _read(adapter: frameworks.Adapter, image: Array) -> Array:
    """Square what the first layer that is called reads of an image; nothing where there is none."""
    seen: list[Array] = []

    def see(_name: str, _times: int, squares: Callable[[], Array]) -> None:
        if not seen:
            seen.append(np.asarray(squares(), np.float64).ravel())

    with contextlib.suppress(ValueError):  # it may take no such image
        adapter.watch(image, see)
    return seen[0] if seen else np.empty(0)
