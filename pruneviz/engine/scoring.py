"""How much each weight, or each unit, matters to a model: what a criterion needs is fetched here.

A unit scores what its slices score, added up: those of the layers that produce it or, for a channel, of those
that read it. There a slice is the kernels that meet the channel, ``weight[:, i]``, or, behind a flatten, all
the columns that it fills. He, Zhang and Sun (2017) choose channels there, because what one layer produces is
worth what the next makes of it.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pruneviz.core import criteria
from pruneviz.core.arrays import few
from pruneviz.core.layers import not_covered
from pruneviz.core.masks import Importance, Mask
from pruneviz.engine.how import How
from pruneviz.engine.model import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sized

    from pruneviz.core.arrays import Array, Checked, Given, Images, Pair
    from pruneviz.core.criteria import Criterion
    from pruneviz.core.layers import Layer
    from pruneviz.core.units import Units

    Beside = Mapping[str, tuple[Any, ...]]


def importance(
    model: object,
    *,
    granularity: str = "weight",
    criterion: Criterion = "magnitude",
    data: Pair | Images | None = None,
    example: Given | None = None,
    loss: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Importance:
    """Score every weight, or every unit, of the prunable layers; higher means keep.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model.
    granularity
        ``"weight"``; ``"neuron"``: outputs of dense layers; ``"filter"``: outputs of convolutions, with the
        dense layers that are tied to them; ``"channel"``: all of these units, each scored by the layers that
        read it instead of those that produce it: the sum over their slices of the weights that it meets.
        ``"2:4"``: weights, of which `prune` keeps two of every four that meet consecutive inputs, for each
        output and place of a kernel, as sparse tensor cores want them; ``"1:4"`` and others likewise (Mishra
        et al. 2021).
    criterion
        ``"magnitude"``, ``"l2"``, ``"gradient"``, ``"taylor"``, ``"random"``, or a function of a Layer that
        returns scores in the shape of its weight. For weights also ``"wanda"``: |w| times the root mean
        square of what the weight is multiplied by, over images and places, zeros of the padding included (Sun
        et al. 2023). For units also ``"fpgm"``, ``"activation"``, ``"apoz"`` and ``"bn_scale"``, and
        a function may return one score an output. For channels ``"activation"`` and ``"apoz"``, which look at
        what is produced, are left to the other granularities; ``"bn_scale"`` is the same; a function may
        return one score an input; and ``"reconstruction"`` asks which channels the next layer's output can be
        put together from (He, Zhang & Sun 2017).
    data
        (x, y), needed by ``"gradient"`` and ``"taylor"``, whose mean loss is differentiated: y is classes, or
        whatever numbers your loss takes; or x, for ``"wanda"``, ``"activation"``, ``"apoz"`` and
        ``"reconstruction"``, which look at x alone.
    example
        (n, …) images like those the model takes, to follow units through it; taken from data if None.
    loss
        For gradients, (outputs, labels) -> mean loss in the framework's own tensors; cross-entropy if None.
    seed
        For ``"random"``.

    Returns
    -------
    Importance
        Layer name -> scores.

    Raises
    ------
    TypeError, ValueError
        If an argument is not one of these, or scores come out NaN, infinite or in another shape; the message
        names the layer or the argument.
    """
    how = How(granularity, criterion, data=data, example=example, loss=loss, seed=seed)
    return scored(Seen(model, how.images), how)


def scored(seen: Seen, how: How) -> Importance:
    """Score as `importance` does; units that are left alone need not be such as the criterion can score."""
    if how.granularity == "weight":
        beside = _beside(seen, how)
        return Importance({name: _weights(how, x, beside[name]) for name, x in seen.layers.items()})
    excluded = [name for name in how.exclude if name in (*seen.layers, "auto")]
    units = seen.structure.units.only(how.granularity)
    units = units.without(units.left_alone(excluded))
    if how.needs == "norms":
        scores = _from_norms(seen, how, units)
    elif how.needs == "activations":
        scores = _from_activations(seen, how, units)
    elif how.needs == "method":
        home = criteria.TABLE[cast("str", how.criterion)].home
        scores = import_module(home).score(seen, units, how.x)
    else:
        side = _read if how.granularity == "channel" else _produced
        scores = side(seen, how, units, _beside(seen, how))
    if how.needs == "gradients":
        scores = {name: np.abs(array) for name, array in scores.items()}
    return Importance(scores, how.granularity, units)


def refuse_nothing(seen: Seen, entries: Sized, how: How) -> None:
    """Raise a ValueError that says why, if there are no entries to prune."""
    if entries:
        return
    if how.granularity != "weight":
        raise ValueError(seen.structure.units.nothing(how.granularity))
    if left := [name for name in seen.layers if name not in how.exclude]:
        inputs = few(f"{name} has {seen.layers[name].shape[1]}" for name in left)
        raise ValueError(f"{how.scope} needs layers whose inputs come in groups of that size: {inputs}")
    if seen.layers:
        raise ValueError("exclude leaves the model no weights to prune")
    why = not_covered(seen.layers.uncovered) or ["it has no dense layers or convolutions"]
    raise ValueError(f"the model has no weights to prune: {why[0]}")


def named(mask: Mask, seen: Seen, how: How) -> Mask:
    """Let a mask say what it cannot cover."""
    rest = seen.layers if mask.granularity == "weight" else seen.structure.units.unseen
    sizes = {name: seen.layers[name].weight.size for name in rest if name not in (*mask, *how.exclude)}
    return Mask(mask, mask.granularity, mask.units, {**seen.layers.uncovered, **sizes})


def _beside(seen: Seen, how: How) -> Beside:
    """Fetch what a rule is given of each layer beside the layer itself."""
    if how.needs == "gradients":
        slopes = seen.adapter.gradients(cast("Checked", how.data), how.loss)
        for name in seen.layers:
            if name not in slopes and name not in how.exclude:
                raise ValueError(
                    f"criterion {how.criterion!r} sees no gradient by layer {name!r}, as something between "
                    "it and the loss cuts it off, or the model does not call it: exclude it"
                )
        return {name: (slopes.get(name, np.zeros(x.shape)),) for name, x in seen.layers.items()}
    if how.needs == "inputs":
        return _multiplied(seen, how)
    if how.needs == "chance":
        return {name: (np.random.default_rng([how.seed, zlib.crc32(name.encode())]),) for name in seen.layers}
    return dict.fromkeys(seen.layers, ())


def _multiplied(seen: Seen, how: How) -> Beside:
    """Lay the mean squares of what layers read out like their weights."""
    met: dict[str, list[tuple[Array, int]]] = defaultdict(list)
    seen.adapter.watch(how.x, lambda name, times, squares: met[name].append((squares(), times)))
    beside = {}
    for name, layer in seen.layers.items():
        if name not in met and name not in how.exclude:
            raise ValueError(
                f"criterion {how.criterion!r} sees nothing that layer {name!r} reads, as the model does not "
                "call it: exclude it"
            )
        squares, times = zip(*met.get(name, [(np.zeros(layer.weight[0].size), 1)]), strict=True)
        means = np.average(squares, axis=0, weights=times).reshape(-1, *layer.shape[1:])  # a row a group
        beside[name] = (np.repeat(means, len(layer.weight) // len(means), axis=0),)
    return beside


def _weights(how: How, layer: Layer, beside: tuple[Any, ...]) -> Array:
    return criteria.own(how.score, layer, layer.shape) if how.needs == "own" else how.score(layer, *beside)


def _produced(seen: Seen, how: How, units: Units, beside: Beside) -> dict[str, Array]:
    """Score units by the layers that produce them."""
    parts = {}
    for name in units.names():
        layer = seen.layers[name]
        if how.needs == "own":
            found = criteria.own(how.score, layer, layer.shape, layer.shape[:1])
            parts[name] = criteria.slices(found).sum(axis=1)
        else:
            parts[name] = how.score(layer, *beside[name])
    return _added(units, parts)


def _added(units: Units, parts: Mapping[str, Array]) -> dict[str, Array]:
    """Add up what the members of each unit score; outputs that must stay keep their own."""
    Importance(parts)  # refuses NaN by the layer that has it
    totals = np.zeros(len(units.groups))
    for name, array in parts.items():
        ids = units.of[name]
        np.add.at(totals, ids[ids >= 0], array[ids >= 0])
    return {
        name: np.where(units.of[name] >= 0, totals[units.of[name]], array) for name, array in parts.items()
    }


def _read(seen: Seen, how: How, units: Units, beside: Beside) -> dict[str, Array]:
    """Score units by the layers that read them; outputs that must stay score 0."""
    totals = np.zeros(len(units.groups) + 1)  # the last one is for -1, what must stay
    for name, layer in seen.layers.items():  # twins add in one order
        inputs = units.columns.get(name, np.empty(0, int))
        read = np.unique(inputs[inputs >= 0])
        if len(read):
            found = _reader(how, layer, inputs, beside[name])
            Importance({name: found})  # refuses NaN by the layer that has it
            totals[read] += found
    return {name: totals[units.of[name]] for name in units.names()}


def _reader(how: How, layer: Layer, inputs: Array, beside: tuple[Any, ...]) -> Array:
    """Score the units that one layer reads, in the order of their numbers."""
    if how.needs != "own":
        view = replace(layer, weight=by_unit(layer.weight, inputs), bias=None)
        return how.score(view, *(by_unit(x, inputs) if isinstance(x, np.ndarray) else x for x in beside))
    scores = criteria.own(how.score, layer, layer.shape, inputs.shape)
    if scores.shape != layer.shape:
        scores = scores.reshape(len(inputs) // layer.shape[1], layer.shape[1])
    return np.asarray(by_unit(scores, inputs).sum(axis=1))


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
    _, starts, rows, counts = np.unique(
        inputs[order], return_index=True, return_inverse=True, return_counts=True
    )
    laid = np.zeros((len(starts), counts.max(initial=0), table.shape[1]))
    laid[rows, np.arange(len(order)) - starts[rows]] = table[order]
    return laid.reshape(len(starts), -1)


def _from_norms(seen: Seen, how: How, units: Units) -> dict[str, Array]:
    """Score units by the scales of the BatchNorms that they pass, added up; refuse a layer without one."""
    arrays, names = seen.adapter.arrays(), seen.adapter.norms()
    totals = np.zeros(len(units.groups))
    reached = ~units.counted
    for norm, ids in units.norms.items():
        if "scale" in names.get(norm, {}):
            found = how.score(arrays[names[norm]["scale"]].astype(np.float64))
            np.add.at(totals, ids[ids >= 0], found[ids >= 0])
            reached[ids[ids >= 0]] = True
    for name in units.names():
        ids = units.ids(name)
        if not reached[ids[ids >= 0]].all():
            raise ValueError(
                f'criterion "{how.criterion}" needs a BatchNorm with a scale after layer {name!r}: '
                "exclude the layer"
            )
    return {name: np.append(totals, 0)[units.of[name]] for name in units.names()}


def _from_activations(seen: Seen, how: How, units: Units) -> dict[str, Array]:
    """Average over images and positions what follows each layer."""
    x, n = how.x, len(units.groups)
    reads = {name: units.reads[name] for name in units.names()}
    sums: dict[str, Array] = {}
    for batch in seen.adapter.activations(x, set(reads.values())):
        for node, array in batch.items():
            sums[node] = sums.get(node, 0) + how.score(array).sum(axis=0, dtype=np.float64)
    parts = {name: np.zeros(len(units.of[name])) for name in reads}
    for name, node in reads.items():
        if node in sums:
            ids = units.of[name]
            here = seen.structure.labels[node].ravel()
            total = np.bincount(here[here >= 0], sums[node].ravel()[here >= 0], minlength=n)
            count = np.bincount(here[here >= 0], minlength=n) * len(x)
            means = np.divide(total, count, out=np.zeros(n), where=count > 0)
            # Outputs of one layer that are tied share a mean; each adds its part.
            parts[name] = np.where(ids >= 0, means[ids], 0)
    return _added(units, parts)
