"""The importance of channels: what the slices of the layers that read them score, added up.

A channel is a unit seen from the other side. Its slice of a convolution is the kernels that meet it,
``weight[:, i]``; behind a flatten it is all the columns that the channel's places fill. He, Zhang and Sun
(2017) choose channels there, because what one layer produces is worth what the next makes of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import frameworks
from pruneviz.core import criteria
from pruneviz.core.arrays import data_for
from pruneviz.core.masks import Importance
from pruneviz.engine import lasso
from pruneviz.engine.unitscores import from_norms

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruneviz.core.arrays import Array, Data
    from pruneviz.core.criteria import Criterion
    from pruneviz.core.graph import Graph
    from pruneviz.core.layers import Layer, Network
    from pruneviz.core.units import Units

NAMES = (
    *criteria.UNITS_FROM_WEIGHTS,
    *criteria.UNITS_FROM_GRADIENTS,
    "bn_scale",
    "random",
    "reconstruction",
)


def score(
    model: object,
    layers: Network,
    graph: Graph,
    units: Units,
    criterion: Criterion,
    data: Data | None,
    loss: Callable[..., Any] | None,
    seed: int,
) -> dict[str, Array]:
    """Score the units of a model by the layers that read them.

    As `unitscores.score`, with the graph instead of the labels; outputs that must stay score 0.
    """
    if criterion == "bn_scale":
        return from_norms(model, units)
    if isinstance(criterion, str) and criterion not in NAMES:
        raise ValueError(
            f"criterion {criterion!r} does not score channels: choose one of {', '.join(NAMES)}, or a "
            "function"
        )
    slopes: dict[str, Array] = {}
    if criterion in (*criteria.UNITS_FROM_GRADIENTS, "reconstruction"):
        data = data_for(criterion, data)
        if criterion == "reconstruction":
            return lasso.score(model, layers, graph, units, data[0])
        slopes = frameworks.adapter(model).gradients(data, loss)
    totals = np.zeros(len(units.groups) + 1)  # the last one is for -1, what must stay
    for name in (name for name in layers if name in units.columns):  # twins add in one order
        inputs = units.columns[name]
        read = np.unique(inputs[inputs >= 0])
        if len(read):
            totals[read] += _scores(layers[name], inputs, criterion, slopes.get(name), seed)
    totals = np.abs(totals) if slopes else totals
    return {name: totals[units.of[name]] for name in units.names()}


def _scores(layer: Layer, inputs: Array, criterion: Criterion, slope: Array | None, seed: int) -> Array:
    """Score the units that one layer reads, in the order of their numbers."""
    view = replace(layer, weight=by_unit(layer.weight, inputs), bias=None)
    if slope is not None:
        found = criteria.UNITS_FROM_GRADIENTS[str(criterion)](view, by_unit(slope, inputs))
    elif isinstance(criterion, str):
        found = criteria.scores(criterion, view, seed, criteria.UNITS_FROM_WEIGHTS, NAMES, view.shape[:1])
    else:
        found = by_unit(_called(criterion, layer, len(inputs)), inputs).sum(axis=1)
    Importance({layer.name: found})  # refuses NaN by the layer that has it
    return found


def by_unit(array: Array, inputs: Array) -> Array:
    """Lay an array like a weight out by the units that its inputs stand for.

    Parameters
    ----------
    array
        (out, in / groups, …).
    inputs
        (in,) number of the unit at each input; -1 for what must stay.

    Returns
    -------
    array
        (units read, entries that meet each), float64, in the order of the units' numbers. A unit with fewer
        inputs than another is filled up with zeros.
    """
    groups = len(inputs) // array.shape[1]
    grouped = np.moveaxis(array.reshape(groups, -1, *array.shape[1:]), 2, 1)
    table = criteria.slices(grouped.reshape(len(inputs), -1, *array.shape[2:]))
    order = np.argsort(inputs, kind="stable")
    order = order[inputs[order] >= 0]
    _, starts, places, counts = np.unique(
        inputs[order], return_index=True, return_inverse=True, return_counts=True
    )
    laid = np.zeros((len(starts), counts.max(initial=0), table.shape[1]))
    laid[places, np.arange(len(order)) - starts[places]] = table[order]
    return laid.reshape(len(starts), -1)


def _called(criterion: Criterion, layer: Layer, inputs: int) -> Array:
    """Ask a learner's function for scores, as an array like the weight."""
    scores = criteria.own(criterion, layer, layer.shape, (inputs,))
    return scores if scores.shape == layer.shape else scores.reshape(inputs // layer.shape[1], layer.shape[1])
