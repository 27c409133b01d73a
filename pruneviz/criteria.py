"""How important is each weight? One short pure function a criterion; higher means keep."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.arrays import Array
    from pruneviz.layers import Layer

Criterion: TypeAlias = "str | Callable[[Layer], Array]"


def magnitude(layer: Layer) -> Array:
    """|w|: cheap, needs no data, and changes when a layer is rescaled (Han et al. 2015)."""
    return np.abs(layer.weight)


def gradient(layer: Layer, slope: Array) -> Array:
    """|∂L/∂w|: how steeply the mean loss changes at w; not what removing w costs."""
    del layer
    return np.abs(slope)


def taylor(layer: Layer, slope: Array) -> Array:
    """|w · ∂L/∂w|: first-order estimate of the change of loss if w becomes 0 (Molchanov et al. 2017)."""
    return np.abs(layer.weight.astype(np.float64) * slope)


def random(layer: Layer, seed: int) -> Array:
    """Uniform in [0, 1): the control that a criterion has to beat."""
    generator = np.random.default_rng([seed, zlib.crc32(layer.name.encode())])
    return generator.random(layer.shape)


# For one weight the L1 and the L2 norm are the same number; they differ for units.
FROM_WEIGHTS = {"magnitude": magnitude, "l2": magnitude}
FROM_GRADIENTS = {"gradient": gradient, "taylor": taylor}
NAMES = (*FROM_WEIGHTS, *FROM_GRADIENTS, "random")
