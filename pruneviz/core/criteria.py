"""How important is each weight, or each unit? One short pure function a criterion; higher means keep.

Of a unit: what its slice of one layer's weight scores; the slices of all its producers are added up.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pruneviz.core.arrays import Array
    from pruneviz.core.layers import Layer

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


def unit_magnitude(layer: Layer) -> Array:
    """Σ|w| of each output's weights (Li et al. 2017)."""
    return np.asarray(slices(np.abs(layer.weight)).sum(axis=1))


def unit_l2(layer: Layer) -> Array:
    """√Σw² of each output's weights."""
    return np.asarray(np.sqrt(np.square(slices(layer.weight)).sum(axis=1)))


def unit_fpgm(layer: Layer) -> Array:
    """Σ|w - w'| to the layer's other outputs: what is near the median can be replaced (He et al. 2019)."""
    flat = slices(layer.weight)
    return np.array([np.sqrt(np.square(flat - own).sum(axis=1)).sum() for own in flat])


def unit_gradient(layer: Layer, slope: Array) -> Array:
    """Σ|∂L/∂w| of each output's weights."""
    del layer
    return np.asarray(slices(np.abs(slope)).sum(axis=1))


def unit_taylor(layer: Layer, slope: Array) -> Array:
    """Σ w · ∂L/∂w of each output's weights, signed: the absolute value is taken of the unit's sum."""
    return np.asarray((slices(layer.weight) * slices(slope)).sum(axis=1))


def activation(activations: Array) -> Array:
    """Take |a|, whose mean is the criterion."""
    return np.abs(activations)


def apoz(activations: Array) -> Array:
    """1 where an activation is not zero: one minus the average percentage of zeros (Hu et al. 2016)."""
    return np.asarray(activations != 0, dtype=np.float64)


def slices(array: Array) -> Array:
    """Lay an array out as (out, rest), float64 and in one order, so that sums of twins agree bit for bit."""
    return np.ascontiguousarray(array, dtype=np.float64).reshape(len(array), -1)


def scores(
    criterion: Criterion,
    layer: Layer,
    seed: int,
    rules: Mapping[str, Callable[[Layer], Array]],
    names: Iterable[str],
    *shapes: tuple[int, ...],
) -> Array:
    """Score a layer by a rule's name, at random (the control that a rule has to beat), or by a function.

    Random scores are uniform in [0, 1), of the last of the shapes; a function may give any of them. The names
    are those to choose from.
    """
    if not isinstance(criterion, str):
        return own(criterion, layer, *shapes)
    if criterion == "random":
        return np.random.default_rng([seed, zlib.crc32(layer.name.encode())]).random(shapes[-1])
    if criterion not in rules:
        raise ValueError(f"criterion {criterion!r} is not one of {', '.join(names)}, or a function")
    return rules[criterion](layer)


def own(criterion: object, layer: Layer, *shapes: tuple[int, ...]) -> Array:
    """Ask a learner's function for the scores of a layer, in one of the given shapes.

    Raises
    ------
    TypeError, ValueError
        If it is no function, or gives another shape; the message names the layer.
    """
    if not callable(criterion):
        raise TypeError(f"criterion must be a name or a function of a Layer, not {criterion!r}")
    found = np.asarray(criterion(layer))
    if found.shape not in shapes:
        raise ValueError(
            f"criterion gave scores of shape {found.shape} for layer {layer.name!r}, not of "
            f"{' or '.join(map(str, shapes))}"
        )
    return found


# For one weight the L1 and the L2 norm are the same number; they differ for units.
FROM_WEIGHTS = {"magnitude": magnitude, "l2": magnitude}
FROM_GRADIENTS = {"gradient": gradient, "taylor": taylor}
NAMES = (*FROM_WEIGHTS, *FROM_GRADIENTS, "random")

UNITS_FROM_WEIGHTS = {"magnitude": unit_magnitude, "l2": unit_l2, "fpgm": unit_fpgm}
UNITS_FROM_GRADIENTS = {"gradient": unit_gradient, "taylor": unit_taylor}
FROM_ACTIVATIONS = {"activation": activation, "apoz": apoz}
UNIT_NAMES = (*UNITS_FROM_WEIGHTS, *UNITS_FROM_GRADIENTS, *FROM_ACTIVATIONS, "bn_scale", "random")
