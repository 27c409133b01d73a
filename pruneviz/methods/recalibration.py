"""BatchNorms whose statistics are those of the model as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pruneviz import frameworks
from pruneviz.core.arrays import checked_images

if TYPE_CHECKING:
    from pruneviz.core.arrays import Given

_Model = TypeVar("_Model")


def recalibrate(model: _Model, x: Given) -> _Model:
    """Estimate the statistics of every BatchNorm anew, as averages over the given images.

    Parameters
    ----------
    model
        The model; it stays as it is.
    x
        (n, …) images; a few hundred do.

    Returns
    -------
    model
        A copy with other running means and variances, and the same weights.
    """
    return frameworks.adapter(model).recalibrated(checked_images("x", x))  # type: ignore[return-value]
