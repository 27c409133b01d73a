"""Refitting the layers that read what was pruned, by least squares (He, Zhang and Sun, 2017); see `lasso`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pruneviz import frameworks
from pruneviz.core import criteria
from pruneviz.core.arrays import checked_images
from pruneviz.core.progress import quiet, steps
from pruneviz.engine import lasso
from pruneviz.engine.model import without_units
from pruneviz.engine.pruning import apply

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array, BoolArray
    from pruneviz.core.masks import Mask

_Model = TypeVar("_Model")
_RIDGE = 1e-6  # of the mean square of a column: holds weights that no image tells apart where they were


def reconstruct(model: _Model, mask: Mask, x: Array) -> _Model:
    """Mask a model, and refit the layers that read what is gone, so that they give what they gave before.

    Layer after layer, least squares find the weights (and the bias, if there is one) with which the layer's
    output, from what it receives in the masked model, comes nearest to its output in the whole one [1]_.
    No labels are needed, and no gradients.

    Parameters
    ----------
    model
        The model; it stays as it is.
    mask
        Of neurons, filters or channels, however chosen.
    x
        (n, …) images like those the model was trained on; with fewer places than a layer has inputs, the
        fit is good on these images only.

    Returns
    -------
    model
        A masked copy, as `pruneviz.apply` returns it, with other weights in those layers;
        ``pv.remove(pv.reconstruct(model, mask, x), mask, x)`` makes it small.

    Raises
    ------
    ValueError
        If the mask does not fit, or a layer that reads what is gone is neither dense nor a plain convolution
        of images; the message names the layer.

    Notes
    -----
    Of a sum, as in a residual block, each layer that reads it is refitted; the sum itself still lacks the
    channels that are gone. The paper also lets the last layer of a branch make up for its shortcut.

    References
    ----------
    .. [1] Y. He, X. Zhang and J. Sun, "Channel pruning for accelerating very deep neural networks",
       International Conference on Computer Vision, 2017.
    """
    checked_images("x", x)
    layers, found, gone = without_units(model, mask, x)
    pruned = np.append(gone, False)
    readers = lasso.readers(
        found.graph, layers, {name: pruned[of] for name, of in found.units.columns.items()}
    )
    thin = apply(model, mask, x)
    changing = frameworks.adapter(thin)
    for name, nodes in steps("refitting", "layer", list(readers.items())):
        layer, lost = layers[name], pruned[found.units.of[name]]
        inputs = found.units.columns[name]
        stays = np.repeat(~pruned[inputs], layer.weight[0].size // len(inputs))
        with quiet():
            change = _fit(model, thin, name, nodes, layer.weight, stays, layer.bias is not None, x)
        weight = criteria.slices(layer.weight).copy()
        weight[:, stays] += change[: stays.sum()].T
        weight[lost] = 0
        arrays = {f"{name}.weight": weight.reshape(layer.shape).astype(layer.weight.dtype)}
        if layer.bias is not None:
            arrays[f"{name}.bias"] = np.where(lost, 0, layer.bias + change[-1]).astype(layer.bias.dtype)
        changing.write(arrays)
    return thin


def _fit(
    model: object,
    thin: object,
    name: str,
    nodes: list[str],
    weight: Array,
    stays: BoolArray,
    shift: bool,
    x: Array,
) -> Array:
    """Find the change of weights and bias that makes up for what is gone: (columns, out)."""
    flat = criteria.slices(weight)
    square: Array = np.zeros((1, 1))
    product: Array = np.zeros((1, 1))
    for (_, whole), (_, left) in zip(
        lasso.seen(model, {name: nodes}, x), lasso.seen(thin, {name: nodes}, x), strict=True
    ):
        known = np.column_stack([left[:, stays], *([np.ones(len(left))] if shift else [])])
        square = square + known.T @ known
        product = product + known.T @ ((whole - left) @ flat.T)
    ridge = _RIDGE * np.diag(square).mean()
    change: Array = np.linalg.solve(square + ridge * np.eye(len(square)), product)
    return change
