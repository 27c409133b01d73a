"""What pruneviz asks of arrays and other arguments."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Rational, Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

Array: TypeAlias = NDArray[Any]
BoolArray: TypeAlias = NDArray[np.bool_]
Data: TypeAlias = tuple[Array, Array]


def checked_data(data: Data) -> Data:
    """Refuse what is not (x, y) in the form that every function of pruneviz takes; give the same two arrays.

    x is (n, …) uint8, or float and finite; images are (n, height, width, channels). y is (n,) integers.

    Raises
    ------
    TypeError
        If data is not such a pair, x is of another dtype, or y is not made of integers.
    ValueError
        If there is no image, the lengths differ, or x is NaN or infinite somewhere.
    """
    if not isinstance(data, tuple) or len(data) != 2 or not all(isinstance(a, np.ndarray) for a in data):
        raise TypeError("data must be a pair (x, y) of NumPy arrays, such as pv.datasets.mnist().validation")
    x, y = data
    _refuse_other_than_pixels("x", x)
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        whole = "" if np.issubdtype(y.dtype, np.integer) else ".astype(int)"
        hint = f"for numbers: y{whole}" if y.ndim == 1 else "for one-hot: y.argmax(1)"
        if y.shape[1:] == (1,):
            hint = f"for a column: y.ravel(){whole}"
        raise TypeError(f"y must be integer classes of shape (n,), not {y.dtype} {y.shape}; {hint}")
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(f"x has {len(x)} entries and y has {len(y)}: they must be as many, and at least one")
    return x, y


def checked_images(argument: str, x: Array) -> Array:
    """Refuse what is not (n, …) images of finite numbers; `argument` names them in errors."""
    if not isinstance(x, np.ndarray) or x.ndim < 2 or not len(x):
        raise TypeError(f"{argument} must be an array (n, …) of at least one image, such as x[:8]")
    _refuse_other_than_pixels(argument, x)
    return x


def _refuse_other_than_pixels(argument: str, x: Array) -> None:
    if x.dtype == np.uint8:
        return
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError(f"{argument} is {x.dtype}: pass uint8 images, or floats in [0, 1]")
    if not np.isfinite(x).all():
        raise ValueError(f"{argument} has entries that are NaN or infinite")


def names_in(exclude: Iterable[str]) -> tuple[str, ...]:
    """Take a list of layer names; refuse one name, which would be taken for a list of letters."""
    if isinstance(exclude, str):
        raise TypeError(f'exclude takes a list of layer names: ["{exclude}"]')
    return tuple(exclude)


def refuse_unknown(argument: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise a ValueError if a name is not that of a layer."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(
            f"{argument} names no layer of the model: {', '.join(unknown)}; it has {', '.join(known)}"
        )


def whole(argument: str, value: int, least: int = 0) -> int:
    """Take a whole number of any type; raise a ValueError at others, and below the least."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ValueError(f"{argument} is {value!r}, not a whole number from {least}")
    return int(value)


def number_to_prune(sparsity: float, total: int) -> int:
    """Turn a share into a count, rounding half up on the decimal as written.

    0.15 of 10 is 2, although the float 0.15 lies below fifteen hundredths.

    Raises
    ------
    TypeError, ValueError
        If the sparsity is not a real number, or lies outside 0 to 1.
    """
    if isinstance(sparsity, bool | np.bool_) or not isinstance(sparsity, Real):
        raise TypeError(f"sparsity {sparsity!r} is not a number from 0 to 1")
    if not 0 <= sparsity <= 1:
        hint = f": did you mean {float(sparsity) / 100:g}?" if 1 < sparsity <= 100 else ""
        raise ValueError(f"sparsity {sparsity} is not a share from 0 to 1, such as 0.9{hint}")
    exact = Fraction(sparsity) if isinstance(sparsity, Rational) else Fraction(str(sparsity))
    return math.floor(exact * total + Fraction(1, 2))
