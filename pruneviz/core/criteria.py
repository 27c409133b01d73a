"""How important is each weight, or each unit? One short pure function a criterion; higher means keep.

Of a unit: what its slice of one layer's weight scores; the slices of all its layers are added up. A new
criterion is one entry of `TABLE`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.core.arrays import Array
    from pruneviz.core.layers import Layer

Criterion: TypeAlias = "str | Callable[[Layer], Array]"


@dataclass(frozen=True)
class Rule:
    """What a criterion looks at, and how it scores.

    Attributes
    ----------
    needs
        What the functions are given:

        ==============  ==============================================================================
        "weights"       (layer)
        "chance"        (layer, generator), a random generator that only this layer has
        "gradients"     (layer, slope), the derivative of the mean loss by the weight, float64
        "activations"   (array), what follows a layer, for some images: units by what produces them
        "norms"         (scale), what a BatchNorm multiplies its channels by
        "inputs"        (layer, squares), the mean square of what each weight is multiplied by
        "method"        nothing: the module `home` has a ``score(seen, units, x)`` for channels
        ==============  ==============================================================================
    weight
        Gives scores of the weight's shape; None if the criterion does not tell weights apart.
    unit
        Gives one score an output, (out,), of a layer whose weight holds a unit's slice in each row, and of
        activations and scales one in each place; None if the criterion does not tell units apart.
    home
        Of a method, which lies above the table and so is named here, not imported.
    """

    needs: str
    weight: Callable[..., Array] | None = None
    unit: Callable[..., Array] | None = None
    home: str = ""

    @property
    def asks_for_data(self) -> bool:
        """Whether images are needed."""
        return self.needs in ("gradients", "activations", "inputs", "method")

    def scores(self, granularity: str) -> bool:
        """Tell whether it scores what a granularity counts; channels are scored by what reads them."""
        if granularity == "weight":
            return self.weight is not None
        if self.needs == "method":
            return granularity == "channel"
        return self.unit is not None and (granularity, self.needs) != ("channel", "activations")


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


def wanda(layer: Layer, squares: Array) -> Array:
    """|w| · √mean(x²) over all x that w is multiplied by: Wanda (Sun et al. 2023)."""
    return np.abs(layer.weight) * np.sqrt(squares)


def random(layer: Layer, generator: np.random.Generator) -> Array:
    """Uniform in [0, 1): the control that a rule has to beat."""
    return generator.random(layer.shape)


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


def unit_random(layer: Layer, generator: np.random.Generator) -> Array:
    """Uniform in [0, 1), one an output."""
    return generator.random(len(layer.weight))


def activation(activations: Array) -> Array:
    """Take |a|, whose mean is the criterion."""
    return np.abs(activations)


def apoz(activations: Array) -> Array:
    """1 where an activation is not zero: one minus the average percentage of zeros (Hu et al. 2016)."""
    return np.asarray(activations != 0, dtype=np.float64)


def bn_scale(scale: Array) -> Array:
    r"""|γ| of a BatchNorm, which ends with γ · x + β: network slimming (Liu et al. 2017).

    After ordinary training this says little. The paper trains with

    .. math:: L + \lambda \sum_c |\gamma_c|,

    so that only channels that earn their price keep a large scale. The penalty belongs to training, and the
    framework has the means: add ``lam * sum(bn.weight.abs().sum() for bn in norms)`` to a loss in PyTorch, or
    build ``BatchNormalization(gamma_regularizer=keras.regularizers.L1(lam))`` in Keras.
    """
    return np.abs(scale)


def slices(array: Array) -> Array:
    """Lay an array out as (out, rest), float64 and in one order, so that sums of twins agree bit for bit."""
    return np.ascontiguousarray(array, dtype=np.float64).reshape(len(array), -1)


def own(criterion: Callable[[Layer], Array], layer: Layer, *shapes: tuple[int, ...]) -> Array:
    """Ask a learner's function for the scores of a layer; refuse other shapes than these, by the layer."""
    found = np.asarray(criterion(layer))
    if found.shape not in shapes:
        raise ValueError(
            f"criterion gave scores of shape {found.shape} for layer {layer.name!r}, not of "
            f"{' or '.join(map(str, shapes))}"
        )
    return found


TABLE = {
    "magnitude": Rule("weights", magnitude, unit_magnitude),
    # For one weight the L1 and the L2 norm are the same number; they differ for units.
    "l2": Rule("weights", magnitude, unit_l2),
    "fpgm": Rule("weights", unit=unit_fpgm),
    "gradient": Rule("gradients", gradient, unit_gradient),
    "taylor": Rule("gradients", taylor, unit_taylor),
    "activation": Rule("activations", unit=activation),
    "apoz": Rule("activations", unit=apoz),
    "bn_scale": Rule("norms", unit=bn_scale),
    "wanda": Rule("inputs", wanda),
    "random": Rule("chance", random, unit_random),
    "reconstruction": Rule("method", home="pruneviz.methods.lasso"),
}


def names(granularity: str) -> tuple[str, ...]:
    """List the criteria that score what a granularity counts."""
    return tuple(name for name, rule in TABLE.items() if rule.scores(granularity))
