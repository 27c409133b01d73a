"""The importance of units: what their producers' slices score, added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import frameworks
from pruneviz.core import criteria
from pruneviz.core.arrays import data_for
from pruneviz.core.masks import Importance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pruneviz.core.arrays import Array, Data
    from pruneviz.core.criteria import Criterion
    from pruneviz.core.layers import Layer, Network
    from pruneviz.core.units import Units


def score(
    model: object,
    layers: Network,
    units: Units,
    labels: Mapping[str, Array],
    criterion: Criterion,
    data: Data | None,
    loss: Callable[..., Any] | None,
    seed: int,
) -> dict[str, Array]:
    """Score the units of a model.

    Parameters
    ----------
    model, criterion, data, loss, seed
        As for `pruneviz.importance`.
    layers
        The prunable layers.
    units, labels
        As `structure` gives them.

    Returns
    -------
    dict
        Name of a layer that produces units -> (out,) float64; outputs of one unit have its score.

    Raises
    ------
    TypeError, ValueError
        As `pruneviz.importance` does.
    """
    if criterion == "bn_scale":
        return from_norms(model, units)
    if isinstance(criterion, str) and criterion in (
        *criteria.UNITS_FROM_GRADIENTS,
        *criteria.FROM_ACTIVATIONS,
    ):
        data = data_for(criterion, data)
        if criterion in criteria.FROM_ACTIVATIONS:
            return _from_activations(model, units, labels, criteria.FROM_ACTIVATIONS[criterion], data[0])
        slopes = frameworks.adapter(model).gradients(data, loss)
        rule = criteria.UNITS_FROM_GRADIENTS[criterion]
        parts = {name: rule(layers[name], slopes[name]) for name in units.names()}
        return {name: np.abs(array) for name, array in _added(units, parts).items()}
    return _added(units, {name: _slices(layers[name], criterion, seed) for name in units.names()})


def _slices(layer: Layer, criterion: Criterion, seed: int) -> Array:
    rules, names = criteria.UNITS_FROM_WEIGHTS, criteria.UNIT_NAMES
    found = criteria.scores(criterion, layer, seed, rules, names, layer.shape, layer.shape[:1])
    return np.asarray(criteria.slices(found).sum(axis=1))


def _added(units: Units, parts: Mapping[str, Array]) -> dict[str, Array]:
    """Add up what the members of each unit score."""
    Importance(parts)  # refuses NaN by the layer that has it
    totals = np.zeros(len(units.groups))
    for name, array in parts.items():
        ids = units.of[name]
        np.add.at(totals, ids[ids >= 0], array[ids >= 0])
    return {
        name: np.where(units.of[name] >= 0, totals[units.of[name]], array) for name, array in parts.items()
    }


def from_norms(model: object, units: Units) -> dict[str, Array]:
    r"""Score units by the scales of the BatchNorms that they pass: network slimming (Liu et al. 2017).

    BatchNorm ends with :math:`z_c = \gamma_c \hat x_c + \beta_c`. A unit scores :math:`|\gamma_c|`, added
    up if it passes several. After ordinary training this says little. The paper trains with

    .. math:: L + \lambda \sum_c |\gamma_c|,

    so that only channels that earn their price keep a large scale. The penalty belongs to training, and the
    framework has the means: add ``lam * sum(bn.weight.abs().sum() for bn in norms)`` to a loss in PyTorch, or
    build ``BatchNormalization(gamma_regularizer=keras.regularizers.L1(lam))`` in Keras.

    Raises
    ------
    ValueError
        If there is no such BatchNorm after a layer; the message names the layer.
    """
    adapter = frameworks.adapter(model)
    arrays, names = {**adapter.parameters(), **adapter.buffers()}, adapter.norms()
    totals = np.zeros(len(units.groups))
    found = ~units.counted
    for norm, ids in units.norms.items():
        if "scale" in names[norm]:
            scale = np.abs(arrays[names[norm]["scale"]].astype(np.float64))
            np.add.at(totals, ids[ids >= 0], scale[ids >= 0])
            found[ids[ids >= 0]] = True
    for name in units.names():
        ids = units.ids(name)
        if not found[ids[ids >= 0]].all():
            raise ValueError(
                f'criterion "bn_scale" needs a BatchNorm with a scale after layer {name!r}: exclude the layer'
            )
    return {name: np.append(totals, 0)[units.of[name]] for name in units.names()}


def _from_activations(
    model: object, units: Units, labels: Mapping[str, Array], rule: Callable[[Array], Array], x: Array
) -> dict[str, Array]:
    """Average over images and places what follows each layer."""
    places = {name: units.reads[name] for name in units.names()}
    sums: dict[str, Array] = {}
    for batch in frameworks.adapter(model).activations(x, set(places.values())):
        for place, array in batch.items():
            sums[place] = sums.get(place, 0) + rule(array).sum(axis=0, dtype=np.float64)
    parts = {}
    for name, place in places.items():
        ids = units.of[name]
        if place in sums:
            here, n = labels[place].ravel(), len(units.groups)
            total = np.bincount(here[here >= 0], sums[place].ravel()[here >= 0], minlength=n)
            count = np.bincount(here[here >= 0], minlength=n) * len(x)
            means = np.divide(total, count, out=np.zeros(n), where=count > 0)
            # Outputs of one layer that are tied share a mean; each adds its part.
            parts[name] = np.where(ids >= 0, means[ids], 0)
        else:
            parts[name] = np.zeros(len(ids))
    return _added(units, parts)
