"""Networks for fewer classes: outputs taken out, and with them the units that nothing else reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pruneviz import frameworks
from pruneviz.core.arrays import Several, checked_images, checked_pair, few, whole
from pruneviz.core.graph import KERNELS
from pruneviz.core.plan import plan
from pruneviz.engine.model import Seen
from pruneviz.methods.removing import TOLERANCE, noise, refuse_chance, relative

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array, BoolArray, Given, Images, Pair
    from pruneviz.core.graph import Node
    from pruneviz.core.layers import Layer
    from pruneviz.core.plan import Plan

_Model = TypeVar("_Model")
_WRAP = "wrap it in a model that always gives the classes alone"


def keep_classes(model: _Model, classes: Iterable[int], example: Given) -> _Model:
    """Build a smaller model that answers with some of the classes only: the outputs of the others are gone.

    What it gives for a class is what the model gave: the same logit, or after a sigmoid the same probability.
    After a softmax it is the share of what these classes had together, for a softmax over fewer logits is the
    old one divided by their sum. Units that no class reads any more, because all weights ahead of them are
    zero, are gone too; in a network of which single weights were pruned these may be many.

    Parameters
    ----------
    model
        A torch.nn.Module that torch.fx can trace, or a functional or sequential Keras model, which gives
        (n, classes); it stays as it is.
    classes
        Which outputs stay, at least two, in the order in which the new model is to give them.
    example
        (n, …) images like those the model takes. The result is compared with the model on them, and on noise
        of their shape.

    Returns
    -------
    model
        An ordinary model, made as `pruneviz.remove` makes one; `pruneviz.load` reads its file into a model of
        all classes.

    Raises
    ------
    TypeError, ValueError
        If classes are not outputs of the model, an output cannot go without the others, or the comparison
        fails; the message names the argument, the layer or the reason.

    Examples
    --------
    Then prune it for these classes: scored on their images, the units that served the others come last.

    >>> classes = [0, 1, 7]
    >>> small = pv.keep_classes(model, classes, x[:8])
    >>> train = pv.relabel((x, y), classes)  # their images, with labels 0, 1 and 2
    >>> mask = pv.prune(small, 0.9, granularity="neuron", criterion="activation", data=train)
    >>> tiny = pv.remove(small, mask, x[:8])

    A loss over few classes that are never confused has hardly a gradient. Where a criterion needs one, score
    the whole model on their images first:

    >>> kept = np.isin(y, classes)
    >>> mask = pv.prune(model, 0.9, granularity="neuron", criterion="taylor", data=(x[kept], y[kept]))
    >>> tiny = pv.keep_classes(pv.remove(model, mask, x[:8]), classes, x[:8])
    """
    example, kept = checked_images("example", example), _checked(classes)
    seen = Seen(model, example)
    end = _end(seen, kept)
    ids = _ids(seen, end)
    gone = _with_unread(seen, _gone(seen, ids, kept), ids)
    what = plan(seen.opened, _silent(seen, gone), gone)
    if kept != sorted(kept):
        _put_in_order(what, seen, ids, kept)
    small = seen.adapter.rebuilt(what, example)
    _refuse_difference(seen, small, end, kept, example)
    return small  # type: ignore[return-value]


def relabel(data: Pair, classes: Iterable[int]) -> Pair:
    """Take the images of some classes, and number these classes as `keep_classes` does.

    Parameters
    ----------
    data
        (x, y) of NumPy arrays.
    classes
        Labels in y, at least two; the first becomes 0, the next 1.

    Returns
    -------
    x, y
        The images of these classes, in the order in which they stood, and their new labels.

    Raises
    ------
    TypeError, ValueError
        If data or classes are not such, or there is no image of one of these classes.
    """
    (x, y), kept = checked_pair(data), _checked(classes)
    order = np.argsort(kept)
    chosen = np.isin(y, kept)
    if absent := [one for one in kept if one not in y]:
        raise ValueError(f"y has no label {absent[0]} of classes {kept}: it runs from {y.min()} to {y.max()}")
    labels = order[np.searchsorted(kept, y[chosen], sorter=order)].astype(y.dtype)
    return (x[chosen].arrays if isinstance(x, Several) else x[chosen]), labels


def _checked(classes: Iterable[int]) -> list[int]:
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        raise TypeError(f"classes is {classes!r}, not a list of whole numbers, such as [0, 1, 7]")
    given = list(classes)
    if any(isinstance(one, bool | np.bool_) for one in given):
        raise TypeError("classes is a list of numbers, not of True and False: np.flatnonzero makes one")
    kept = [whole(f"classes[{place}]", one) for place, one in enumerate(given)]
    if twice := [one for one in kept if kept.count(one) > 1]:
        raise ValueError(f"classes names {twice[0]} more than once")
    if len(kept) < 2:
        raise ValueError(f"classes is {kept}: name at least two, for the model to tell apart")
    return kept


def _end(seen: Seen, kept: list[int]) -> Node:
    """Find the node whose output is (classes,)."""
    names = seen.graph.outputs
    if len(names) != 1:
        raise ValueError(f"the model gives {few(names, ' and ') or 'no array'}: {_WRAP}")
    end = next(node for node in seen.graph.nodes if node.name == names[0])
    if len(end.shape) != 1 or end.shape[0] < 2:
        shape = ", ".join(map(str, ("n", *end.shape)))
        raise ValueError(f"the model's output for n images has shape ({shape}), not (n, two or more classes)")
    if max(kept) >= end.shape[0]:
        raise ValueError(f"classes names {max(kept)}, and the model gives 0 to {end.shape[0] - 1}")
    return end


def _ids(seen: Seen, end: Node) -> Array:
    """Find the unit of each class, (classes,), such that each may go."""
    found, units = seen.opened, seen.opened.units
    ids = found.labels[end.name]
    taught = found.graph.training and seen.graph.training
    if taught and [found.labels[name].tolist() for name in taught.outputs] != [ids.tolist()]:
        names = few((name.removeprefix("training.") for name in taught.outputs), " and ")
        raise ValueError(f"while it is trained, the model gives {names or 'something else'}: {_WRAP}")
    reasons = [reason for stuck, reason in units.obstacles if np.isin(stuck, ids[ids >= 0]).any()]
    if (ids < 0).any():
        reasons = _reasons(seen, end)
    for name, columns in units.columns.items():
        if units.kinds[name] != "depthwise" and np.isin(columns, ids[ids >= 0]).any():
            reasons.append(f"layer {name!r} reads them")
    first, counts = np.unique(ids[ids >= 0], return_counts=True)
    if (counts > 1).any():
        several = np.flatnonzero(ids == first[counts > 1][0])
        name = next(name for name, own in units.of.items() if ids[several[0]] in own)
        reasons.append(f"in layer {name!r} classes {', '.join(map(str, several))} are one unit")
    if reasons:
        raise ValueError(f"the outputs of other classes cannot be taken out: {few(reasons)}")
    return ids


def _reasons(seen: Seen, end: Node) -> list[str]:
    """Say why outputs must stay, by the nodes that lead to them and the layers where these begin."""
    nodes, units = {node.name: node for node in seen.graph.nodes}, seen.opened.units
    reasons: list[str] = []
    ahead, met = [end.name], {end.name}
    while ahead:
        node = nodes[ahead.pop(0)]
        name = repr(node.layer or node.name)
        reasons += [reason for _, reason in units.obstacles if reason.startswith(name)]
        if node.op == "unknown":
            reasons.append(
                f"{name} is {node.options.get('what', 'an operation')} that pruneviz does not know"
            )
        elif node.op in KERNELS:
            if node.layer in units.stays:
                reasons.append(f"those of layer {name} {units.stays[node.layer]}")
        else:
            ahead += [source for source in node.inputs if source not in met]
            met |= {*node.inputs}
    return reasons or ["no layer that can be pruned gives them"]


def _gone(seen: Seen, ids: Array, kept: list[int]) -> BoolArray:
    """Find the units of the other classes, (units,); refuse to leave a layer without outputs."""
    units = seen.opened.units
    gone = np.isin(np.arange(len(units.groups)), np.delete(ids, kept))
    for name, own in units.of.items():
        if np.append(gone, False)[own].all():
            classes = few(map(str, np.flatnonzero(np.isin(ids, own))), ", ")
            raise ValueError(f"layer {name!r} would be left without outputs: keep one of classes {classes}")
    return gone


def _silent(seen: Seen, gone: BoolArray) -> list[Layer]:
    """Give the layers with zeros for the weights of what goes."""
    layers = []
    for name, layer in seen.layers.items():
        rows = np.append(gone, False)[seen.opened.units.of[name]]
        wide = rows.reshape(-1, *[1] * (layer.weight.ndim - 1))
        layers.append(replace(layer, weight=np.where(wide, 0, layer.weight)) if rows.any() else layer)
    return layers


def _with_unread(seen: Seen, gone: BoolArray, ids: Array) -> BoolArray:
    """Add to the units that go those that then nothing reads; of each layer one stays."""
    units, layers = seen.opened.units, seen.layers
    stays = np.isin(np.arange(len(gone)), np.concatenate([ids, *(stuck for stuck, _ in units.obstacles)]))
    weights = {
        name: (layers[name].weight != 0).any(axis=tuple(range(2, layers[name].weight.ndim)))
        for name in units.columns
        if units.kinds[name] != "depthwise"
    }
    while True:
        out, read = np.append(gone, False), np.append(stays, True)  # the last one is for -1, what must stay
        for name, some in weights.items():
            columns = units.columns[name]
            met = some[~out[units.of[name]]].any(axis=0)
            read[columns[np.tile(met, len(columns) // len(met))]] = True
        for own in units.of.values():
            if not (read & ~out)[own].any():
                read[own[~out[own]][0]] = True
        more = gone | ~read[:-1]
        if np.array_equal(more, gone):
            return gone
        gone = more


def _put_in_order(what: Plan, seen: Seen, ids: Array, kept: list[int]) -> None:
    """Let each class that stays come to the place that it is given."""
    units = seen.opened.units
    for parts, owners in ((what.outputs, units.of), (what.norms, units.norms)):
        for name, own in owners.items():
            if not np.isin(own, ids).any():
                continue
            before = parts.setdefault(name, np.arange(len(own)))
            after = before.copy()
            for old, new in zip(sorted(kept), kept, strict=True):
                places, sources = (np.flatnonzero(own[before] == ids[one]) for one in (old, new))
                if len(places) != len(sources):
                    raise ValueError(
                        f"layer {name!r} does not give all of these classes, so their order cannot change: "
                        f"classes={sorted(kept)}"
                    )
                after[places] = before[sources]
            parts[name] = after
    for name in what.outputs:
        what.inputs.setdefault(name, np.arange(seen.layers[name].shape[1]))


def _refuse_difference(seen: Seen, small: object, end: Node, kept: list[int], example: Images) -> None:
    """Compare what both models give for the classes that stay."""
    differences = []
    for x in (example, noise(example)):
        before, after = seen.adapter.outputs(x)[0][:, kept], frameworks.adapter(small).outputs(x)[0]
        wanted, given = before.astype(np.float64), after.astype(np.float64)
        if end.softmax:
            if "log" in end.options["what"].lower():
                wanted, given = np.exp(wanted), np.exp(given)
            total = wanted.sum(axis=1)
            exact = total > 1e3 * np.finfo(before.dtype).tiny
            wanted, given = wanted[exact] / total[exact, None], given[exact]
        if len(wanted):
            differences.append(relative(wanted, given) if wanted.shape == given.shape else np.inf)
    if not differences:
        raise ValueError(
            "the model is sure that no image of example is of a class that stays: add some that are"
        )
    tolerance = TOLERANCE[seen.adapter.precision()]
    if not max(differences) <= tolerance:
        refuse_chance(seen.model, example, tolerance)
        raise ValueError(
            f"the smaller model differs from the whole one by {max(differences):.1e} of the largest output, "
            f"more than {tolerance:g}: its forward computes with something that removal changes, such as the "
            "number of classes"
        )
