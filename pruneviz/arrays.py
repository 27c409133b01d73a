"""The kinds of arrays that pruneviz passes around, and what it asks of them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
BoolArray: TypeAlias = NDArray[np.bool_]
Data: TypeAlias = tuple[Array, Array]


def checked_data(data: Data) -> Data:
    """Refuse what is not (x, y) in the form that every function of pruneviz takes.

    Parameters
    ----------
    data
        (x, y): x (n, …) uint8, or float and finite; images are (n, height, width, channels). y (n,) integers.

    Returns
    -------
    tuple
        The same two arrays.

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
    if x.dtype != np.uint8 and not np.issubdtype(x.dtype, np.floating):
        raise TypeError(f"x is {x.dtype}: pass uint8 images, or floats in [0, 1]")
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise TypeError(
            f"y must be integer classes of shape (n,), not {y.dtype} {y.shape}; for one-hot: y.argmax(1)"
        )
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(f"x has {len(x)} entries and y has {len(y)}: they must be as many, and at least one")
    if x.dtype != np.uint8 and not np.isfinite(x).all():
        raise ValueError("x has entries that are NaN or infinite")
    return x, y
