"""Score, rank, and apply: a model goes in, a Mask or a masked copy comes out, the model stays as it was."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pruneviz import criteria, frameworks
from pruneviz.arrays import checked_data
from pruneviz.layers import Layer, Network, network
from pruneviz.masks import Importance, Mask, Scope, rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pruneviz.arrays import Array, BoolArray, Data
    from pruneviz.criteria import Criterion

_Model = TypeVar("_Model")


def importance(
    model: object,
    *,
    granularity: str = "weight",
    criterion: Criterion = "magnitude",
    data: Data | None = None,
    loss: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Importance:
    """Score every entry of every prunable layer; higher means keep.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model.
    granularity
        ``"weight"``.
    criterion
        ``"magnitude"``, ``"l2"``, ``"gradient"``, ``"taylor"``, ``"random"``, or a function of a Layer that
        returns scores in the shape of its weight.
    data
        (x, y), needed by ``"gradient"`` and ``"taylor"``: the images whose mean loss is differentiated.
    loss
        For those two, (outputs, labels) -> mean loss in the framework's own tensors; cross-entropy if None.
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
    if granularity != "weight":
        raise ValueError(f'granularity {granularity!r} is not "weight", the only one of this version')
    layers = network(model)
    if criterion in criteria.FROM_GRADIENTS:
        if data is None:
            raise ValueError(f"criterion {criterion!r} needs data=(x, y)")
        slopes = frameworks.adapter(model).gradients(checked_data(data), loss)
        score = criteria.FROM_GRADIENTS[str(criterion)]
        return Importance({name: score(layer, slopes[name]) for name, layer in layers.items()})
    return Importance({layer.name: _score(layer, criterion, seed) for layer in layers.layers})


def prune(
    model: object,
    sparsity: float | None = None,
    *,
    granularity: str = "weight",
    criterion: Criterion = "magnitude",
    scope: Scope = "global",
    data: Data | None = None,
    exclude: Iterable[str] = (),
    loss: Callable[..., Any] | None = None,
    seed: int = 0,
) -> Mask:
    """Choose what to prune; the model is not touched.

    Parameters
    ----------
    model, granularity, criterion, data, loss, seed
        As for `importance`.
    sparsity
        Share of the entries to prune, from 0 to 1, exact; None when scope is a dict.
    scope, exclude
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
    """
    scores = importance(model, granularity=granularity, criterion=criterion, data=data, loss=loss, seed=seed)
    return rank(scores, scope, exclude).mask(sparsity)


def apply(model: _Model, mask: Mask) -> _Model:
    """Copy a model and set what the mask prunes to zero.

    Parameters
    ----------
    model
        The model; it stays as it is.
    mask
        What to keep.

    Returns
    -------
    model
        Of the same class and shapes. A Keras copy is not compiled.

    Raises
    ------
    ValueError
        If the mask names a layer that the model lacks, or has another shape; the message names the layer.
    """
    layers = network(model)
    pruned = _pruned(layers, mask)
    arrays = {f"{name}.weight": np.where(where, 0, layers[name].weight) for name, where in pruned.items()}
    return frameworks.adapter(model).copy_with(arrays)  # type: ignore[return-value]


@contextlib.contextmanager
def keep_pruned(model: object, mask: Mask, optimizer: object = None) -> Iterator[None]:
    """Train a masked model, in any training loop, so that its pruned weights stay at zero.

    After every optimizer step the pruned weights are set to zero again; a masked gradient alone would not do,
    because momentum and Adam go on moving a weight whose gradient is zero.

    Parameters
    ----------
    model
        A masked model, as `apply` returns it.
    mask
        The mask it was made with.
    optimizer
        PyTorch: the optimizer to watch; None watches all. Keras: None.

    Raises
    ------
    ValueError
        If the mask does not fit, or a weight that it prunes is not zero; the message names the layer.
    """
    layers = network(model)
    pruned = _pruned(layers, mask)
    for name, where in pruned.items():
        alive = int(np.count_nonzero(layers[name].weight[where]))
        if alive:
            raise ValueError(
                f"layer {name!r} has {alive:,} weights that the mask prunes but that are not zero: "
                "train the copy that pv.apply(model, mask) returns"
            )
    with frameworks.adapter(model).keep_pruned(pruned, optimizer):
        yield


def _score(layer: Layer, criterion: Criterion, seed: int) -> Array:
    if criterion == "random":
        return criteria.random(layer, seed)
    if isinstance(criterion, str):
        if criterion not in criteria.FROM_WEIGHTS:
            raise ValueError(
                f"criterion {criterion!r} is not one of {', '.join(criteria.NAMES)}, or a function"
            )
        return criteria.FROM_WEIGHTS[criterion](layer)
    if not callable(criterion):
        raise TypeError(f"criterion must be a name or a function of a Layer, not {criterion!r}")
    scores = np.asarray(criterion(layer))
    if scores.shape != layer.shape:
        raise ValueError(
            f"criterion gave scores of shape {scores.shape} for layer {layer.name!r}, "
            f"whose weight is {layer.shape}"
        )
    return scores


def _pruned(layers: Network, mask: Mask) -> dict[str, BoolArray]:
    if not isinstance(mask, Mask):
        raise TypeError(f"mask is a {type(mask).__qualname__}, not a Mask: pv.prune makes one")
    if mask.granularity != "weight":
        raise ValueError(f"this version applies masks of weights, not of {mask.granularity}s")
    for name, kept in mask.items():
        if name not in layers:
            raise ValueError(f"the mask names layer {name!r}; the model has {', '.join(layers)}")
        if kept.shape != layers[name].shape:
            raise ValueError(
                f"the mask of layer {name!r} has shape {kept.shape}, its weight {layers[name].shape}"
            )
    return {name: ~kept for name, kept in mask.items()}
