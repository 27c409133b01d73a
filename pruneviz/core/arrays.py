"""What pruneviz asks of arrays and other arguments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
BoolArray: TypeAlias = NDArray[np.bool_]
Data: TypeAlias = tuple[Array, Array]


class Several:
    """What a model with several inputs takes: arrays that are cut by images as one is."""

    def __init__(self, arrays: Iterable[Array]) -> None:
        self.arrays = tuple(arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, images: slice | Array) -> Several:
        return Several(array[images] for array in self.arrays)

    def __iter__(self) -> Iterator[Array]:
        return iter(self.arrays)


Images: TypeAlias = Array | Several
Given: TypeAlias = Images | tuple[Array, ...]  # as a learner passes them
Pair: TypeAlias = tuple[Given, Array]
Checked: TypeAlias = tuple[Images, Array]


def each(x: Images) -> tuple[Array, ...]:
    """List the arrays that the inputs of a model take."""
    return x.arrays if isinstance(x, Several) else (x,)


def checked_pair(data: Pair, *, classes: bool = True) -> Checked:
    """Refuse what is not (x, y) in the form that every function of pruneviz takes; give the same two.

    x is (n, …) integers, or floats that are finite; images are (n, height, width, channels). A model with
    several inputs takes a tuple of such arrays. y is (n,) integers; without classes it is (n, …) numbers.

    Raises
    ------
    TypeError, ValueError
        If data is not such a pair, or there is no image, or x and y are not as many.
    """
    if not isinstance(data, tuple) or len(data) != 2 or not isinstance(data[1], np.ndarray):
        raise TypeError("data must be a pair (x, y) of NumPy arrays, such as pv.datasets.mnist().validation")
    x, y = _checked("x", data[0]), data[1]
    if classes and (y.ndim != 1 or y.dtype.kind not in "iu"):
        raise TypeError(f"y must be integer classes of shape (n,), not {y.dtype} {y.shape}; {_as_classes(y)}")
    if not y.ndim or y.dtype.kind not in "biuf":
        raise TypeError(f"y must be numbers of shape (n, …), not {y.dtype} {y.shape}")
    if len(x) == 0 or len(x) != len(y):
        raise ValueError(f"x has {len(x)} entries and y has {len(y)}: they must be as many, and at least one")
    return x, y


def _as_classes(y: Array) -> str:
    """Say what turns y into classes, if anything does."""
    ways = {(): "for numbers: y", (1,): "for a column: y.ravel()"}
    if y.dtype.kind in "biuf" and np.isfinite(y).all() and (y % 1 == 0).all():
        if way := ways.get(y.shape[1:]):
            return way + ".astype(int)" * (y.dtype.kind not in "iu")
        if y.ndim == 2 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all():
            return "for one-hot: y.argmax(1)"
    return (
        "pruneviz counts right answers of classifiers: for other targets pass loss=, with which a criterion "
        "takes them as they are, or take a criterion that needs no labels"
    )


def checked_images(argument: str, x: Given) -> Images:
    """Refuse what is not (n, …) images of finite numbers; `argument` names them in errors."""
    if not isinstance(x, (tuple, Several)) and (np.ndim(x) < 2 or not len(x)):
        raise TypeError(f"{argument} must be an array (n, …) of at least one image, such as x[:8]")
    return _checked(argument, x)


def _checked(argument: str, x: object) -> Images:
    if isinstance(x, Several):
        return x
    if not isinstance(x, tuple):
        return _one(argument, x)
    several = Several(_one(f"{argument}[{place}]", array) for place, array in enumerate(x))
    if len({len(array) for array in several}) != 1:
        raise ValueError(f"{argument} is a tuple of arrays, and must have one (n, …) for each input")
    return several


def _one(argument: str, x: object) -> Array:
    if not isinstance(x, np.ndarray) or not x.ndim:
        raise TypeError(f"{argument} must be a NumPy array (n, …)")
    if x.dtype.kind not in "iuf":
        raise TypeError(f"{argument} is {x.dtype}: pass uint8 images, or floats in [0, 1]")
    if not np.isfinite(x).all():
        raise ValueError(f"{argument} has entries that are NaN or infinite")
    return x


def names_in(exclude: Iterable[str]) -> tuple[str, ...]:
    """Take a list of layer names, or ``"auto"``; refuse one name, which is a list of letters."""
    if isinstance(exclude, str) and exclude != "auto":
        raise TypeError(f'exclude takes a list of layer names: ["{exclude}"]')
    names = (exclude,) if isinstance(exclude, str) or not isinstance(exclude, Iterable) else tuple(exclude)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f'exclude is {exclude!r}, not a list of layer names, such as ["fc1"], or "auto"')
    return names


def few(words: Iterable[str], joint: str = "; ") -> str:
    """Join different words; of more than three, the others are counted."""
    different = list(dict.fromkeys(words))
    more = [f"and {len(different) - 3} more"] if len(different) > 3 else []
    return joint.join([*different[:3], *more])


def refuse_unknown(argument: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise a ValueError if a name is not that of a layer."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(
            f"{argument} names no layer of the model: {', '.join(unknown)}; it has {', '.join(known)}"
        )


def whole(argument: str, value: int, least: int = 0) -> int:
    """Take a whole number of any type; raise a ValueError at others, and below the least."""
    plain = hasattr(value, "__index__") and not isinstance(value, bool) and not np.ndim(value)
    if not plain or value != int(value) or value < least:
        raise ValueError(f"{argument} is {value!r}, not a whole number from {least}")
    return int(value)


def number_to_prune(sparsity: float, total: int) -> int:
    """Turn a share into a count, rounding half up on the decimal as written; refuse what is no share.

    0.15 of 10 is 2, although the float 0.15 lies below fifteen hundredths.
    """
    if isinstance(sparsity, bool | np.bool_) or not isinstance(sparsity, Real | Decimal):
        raise TypeError(f"sparsity {sparsity!r} is not a number from 0 to 1")
    if not 0 <= sparsity <= 1:
        hint = f": did you mean {float(sparsity) / 100:g}?" if 2 <= sparsity <= 100 else ""
        raise ValueError(f"sparsity {sparsity} is not a share from 0 to 1, such as 0.9{hint}")
    exact = Fraction(sparsity) if isinstance(sparsity, Rational) else Fraction(str(sparsity))
    return math.floor(exact * total + Fraction(1, 2))
