"""Score, rank, apply, remove: a model goes in, a Mask or a new model comes out, the model stays as it was."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pruneviz import frameworks
from pruneviz.core import criteria
from pruneviz.core.arrays import checked_data, data_for, names_in
from pruneviz.core.masks import Importance, Mask, Scope, rank
from pruneviz.engine import channelscores, unitscores
from pruneviz.engine.model import checked_mask, network, pruned_units, structure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pruneviz.core.arrays import Array, BoolArray, Data
    from pruneviz.core.criteria import Criterion
    from pruneviz.core.layers import Network

_Model = TypeVar("_Model")
GRANULARITIES = ("weight", "neuron", "filter", "channel")


def importance(
    model: object,
    *,
    granularity: str = "weight",
    criterion: Criterion = "magnitude",
    data: Data | None = None,
    example: Array | None = None,
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
    criterion
        ``"magnitude"``, ``"l2"``, ``"gradient"``, ``"taylor"``, ``"random"``, or a function of a Layer that
        returns scores in the shape of its weight. For units also ``"fpgm"``, ``"activation"``, ``"apoz"`` and
        ``"bn_scale"``, and a function may return one score an output. For channels ``"activation"`` and
        ``"apoz"``, which look at what is produced, are left to the other granularities; ``"bn_scale"`` is the
        same; a function may return one score an input; and ``"reconstruction"`` asks which channels the next
        layer's output can be put together from (He, Zhang & Sun 2017).
    data
        (x, y), needed by ``"gradient"`` and ``"taylor"``, whose mean loss is differentiated, and by
        ``"activation"``, ``"apoz"`` and ``"reconstruction"``, which look at x alone.
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
    return scored(model, granularity, criterion, data, example, (), loss, seed)


def prune(
    model: object,
    sparsity: float | None = None,
    *,
    granularity: str = "weight",
    criterion: Criterion = "magnitude",
    scope: Scope = "global",
    data: Data | None = None,
    example: Array | None = None,
    exclude: Iterable[str] = (),
    keep_at_least: int = 0,
    loss: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Mask:
    """Choose what to prune; the model is not touched.

    Parameters
    ----------
    model, granularity, criterion, data, example, loss, seed
        As for `importance`.
    sparsity
        Share of the entries to prune, from 0 to 1, exact; None when scope is a dict.
    scope, exclude, keep_at_least
        As for `rank`.

    Returns
    -------
    Mask
        True where an entry is kept.

    Raises
    ------
    TypeError, ValueError
        As for `importance` and `rank`, or if the sparsity is out of range.

    Examples
    --------
    >>> mask = pv.prune(model, 0.9)  # the 10% of largest magnitude stay, compared across all layers
    >>> mask = pv.prune(model, scope={"fc1": 0.95, "fc2": 0.8})
    >>> mask = pv.prune(model, 0.5, granularity="filter", example=x[:1])
    """
    names = names_in(exclude)
    scores = scored(model, granularity, criterion, data, example, names, loss, seed)
    return rank(scores, scope, names, keep_at_least).mask(sparsity)


def apply(model: _Model, mask: Mask, example: Array | None = None) -> _Model:
    """Copy a model and set what the mask prunes to zero.

    Of a pruned unit these are its weights, its bias, and the scale, shift and running mean of every BatchNorm
    that it passes: otherwise it would go on emitting a constant.

    Parameters
    ----------
    model
        The model; it stays as it is.
    mask
        What to keep.
    example
        (n, …) images; needed by a mask of units that `prune` did not make.

    Returns
    -------
    model
        Of the same class and shapes. A Keras copy is not compiled.

    Raises
    ------
    ValueError
        If the mask names a layer that the model lacks, has another shape, or prunes a part of a unit; the
        message names the layer.
    """
    adapter = frameworks.adapter(model)
    gone = zeros(model, mask, example)
    arrays = {**adapter.parameters(), **adapter.buffers()}
    return adapter.copy_with(  # type: ignore[return-value]
        {name: np.where(where, 0, arrays[name]) for name, where in gone.items()}
    )


@contextlib.contextmanager
def keep_pruned(
    model: object, mask: Mask, optimizer: object = None, example: Array | None = None
) -> Iterator[None]:
    """Train a masked model, in any training loop, so that what was pruned stays at zero.

    After every optimizer step it is set to zero again; a masked gradient alone would not do, because momentum
    and Adam go on moving a weight whose gradient is zero.

    Parameters
    ----------
    model
        A masked model, as `apply` returns it.
    mask
        The mask it was made with.
    optimizer
        PyTorch: the optimizer to watch; None watches all. Keras: None.
    example
        As for `apply`.

    Raises
    ------
    ValueError
        If the mask does not fit, or a weight that it prunes is not zero; the message names the layer.
    """
    adapter = frameworks.adapter(model)
    gone = zeros(model, mask, example)
    arrays = {**adapter.parameters(), **adapter.buffers()}
    for name, where in gone.items():
        alive = int(np.count_nonzero(arrays[name][where]))
        layer, _, part = name.rpartition(".")
        if alive:
            raise ValueError(
                f"layer {layer!r} has {alive:,} entries in its {part} that the mask prunes but that are not "
                "zero: train the copy that pv.apply(model, mask) returns"
            )
    with adapter.keep_pruned(gone, optimizer):
        yield


def zeros(model: object, mask: Mask, example: Array | None) -> dict[str, BoolArray]:
    """Name the arrays that a mask zeroes, and say where: name -> bool array, True where it becomes 0.

    Raises
    ------
    ValueError
        As `apply` does.
    """
    layers = network(model)
    checked_mask(layers, mask)
    if mask.granularity == "weight":
        return {f"{name}.weight": ~kept for name, kept in mask.items()}
    units = mask.units or structure(model, example).units
    pruned = np.append(pruned_units(units, mask), False)
    found = {}
    for name, layer in layers.items():
        gone = pruned[units.of[name]]
        if gone.any():
            places = np.broadcast_to(gone.reshape(-1, *[1] * (layer.weight.ndim - 1)), layer.shape)
            found[f"{name}.weight"] = places
            if layer.bias is not None:
                found[f"{name}.bias"] = gone
    for name, arrays in frameworks.adapter(model).norms().items():
        if name in units.norms and pruned[units.norms[name]].any():
            found |= dict.fromkeys(arrays.values(), pruned[units.norms[name]])
    return found


def scored(
    model: object,
    granularity: str,
    criterion: Criterion,
    data: Data | None,
    example: Array | None,
    exclude: Iterable[str] = (),
    loss: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Importance:
    """Score as `importance` does; units that are left alone need not be such as the criterion can score."""
    if granularity not in GRANULARITIES:
        raise ValueError(f"granularity {granularity!r} is not one of {', '.join(GRANULARITIES)}")
    layers, data = network(model), None if data is None else checked_data(data)
    if granularity == "weight":
        return Importance(_of_weights(model, layers, criterion, data, loss, seed))
    found = structure(model, data[0] if example is None and data is not None else example)
    units = found.units.only(granularity).without(name for name in exclude if name in layers)
    if granularity == "channel":
        scores = channelscores.score(model, layers, found.graph, units, criterion, data, loss, seed)
    else:
        scores = unitscores.score(model, layers, units, found.labels, criterion, data, loss, seed)
    return Importance(scores, granularity, units)


def _of_weights(
    model: object,
    layers: Network,
    criterion: Criterion,
    data: Data | None,
    loss: Callable[..., Any] | None,
    seed: int,
) -> dict[str, Array]:
    if isinstance(criterion, str) and criterion in criteria.FROM_GRADIENTS:
        slopes = frameworks.adapter(model).gradients(data_for(criterion, data), loss)
        rule = criteria.FROM_GRADIENTS[criterion]
        return {name: rule(layer, slopes[name]) for name, layer in layers.items()}
    rules, names = criteria.FROM_WEIGHTS, criteria.NAMES
    return {
        name: criteria.scores(criterion, layer, seed, rules, names, layer.shape)
        for name, layer in layers.items()
    }
