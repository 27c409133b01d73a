"""What a view is given: images to show, names of layers, and of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import traitlets as t

from pruneviz.core.arrays import Several, checked_pair, names_in, number_to_prune, refuse_unknown
from pruneviz.engine.model import network

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pruneviz.core.arrays import Array, Data


def checked_data(data: Data) -> Data:
    """Do as `checked_pair` does, for what shows images: those of a model with one input."""
    x, y = checked_pair(data)
    if isinstance(x, Several):
        raise TypeError(f"x is {len(x.arrays)} arrays: only what a model with one input does is shown")
    return x, y


def pictures(x: Array) -> Array | None:
    """Give images, (n, height, width, 1 or 3), as uint8 pixels: bytes, or from 0 to 1; None of no picture."""
    if x.ndim != 4 or x.shape[-1] not in (1, 3):
        return None
    return x if x.dtype == np.uint8 else np.round(255 * np.clip(x, 0, 1)).astype(np.uint8)


def left_alone(model: object, exclude: Iterable[str]) -> tuple[str, ...]:
    """Check the names of layers to exclude against those of a model."""
    names, known = names_in(exclude), network(model)
    refuse_unknown("exclude", {*names} - {"auto"}, known)
    return names


class Whole(t.Int):  # type: ignore[type-arg]
    """A whole number; True and False, which Python takes for 1 and 0, are none."""

    def validate(self, obj: t.HasTraits, value: object) -> int:
        """Refuse them."""
        if isinstance(value, bool):
            self.error(obj, value)
        return int(super().validate(obj, value))


def share(trait: str, value: float) -> float:
    """Check a share from 0 to 1, and round it to the steps of a slider; a TraitError names the trait."""
    try:
        number_to_prune(value, 1)
    except (TypeError, ValueError) as error:
        raise t.TraitError(str(error).replace("sparsity", trait, 1)) from None
    return round(float(value), 4)


def shown(parts: Sequence[str], show: Sequence[str] | None) -> list[str]:
    """Name the parts to show, in their order; all if `show` is None.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    if isinstance(show, str) or not set(show or ()) <= set(parts):
        raise ValueError(f"show takes some of {', '.join(parts)}; not {show!r}")
    return [name for name in parts if show is None or name in show]
