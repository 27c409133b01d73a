"""Refitting the layers that read what was pruned, by least squares (He, Zhang and Sun, 2017); see `lasso`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pruneviz import frameworks
from pruneviz.core import criteria
from pruneviz.core.arrays import checked_images
from pruneviz.engine.model import Seen
from pruneviz.engine.pruning import masked
from pruneviz.methods import lasso
from pruneviz.methods.removing import taken_out
from pruneviz.progress import quiet, steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruneviz.core.arrays import Array, BoolArray, Given
    from pruneviz.core.layers import Layer
    from pruneviz.core.masks import Mask

_Model = TypeVar("_Model")
_RIDGE = 1e-6  # of the mean square of a column: holds weights that no image tells apart where they were


def reconstruct(model: _Model, mask: Mask, x: Given) -> _Model:
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
    x = checked_images("x", x)
    seen = Seen(model, x)
    pruned, units = np.append(taken_out(seen, mask), False), seen.structure.units
    readers = lasso.readers(seen, {name: pruned[of] for name, of in units.columns.items()})
    thin = masked(seen, mask)
    changing = frameworks.adapter(thin)
    for name, nodes in steps("refitting", "layer", list(readers.items())):
        layer, lost = seen.layers[name], pruned[units.of[name]]
        stays = np.repeat(~pruned[units.columns[name]], layer.weight[0].size // len(units.columns[name]))
        pairs = zip(*(lasso.tables(a, {name: nodes}, x) for a in (seen.adapter, changing)), strict=True)
        with quiet():
            change = _fit(((whole, left) for (_, whole), (_, left) in pairs), layer, stays)
        weight = criteria.slices(layer.weight).copy()
        weight[:, stays] += change[: stays.sum()].T
        weight[lost] = 0
        arrays = {f"{name}.weight": weight.reshape(layer.shape).astype(layer.weight.dtype)}
        if layer.bias is not None:
            arrays[f"{name}.bias"] = np.where(lost, 0, layer.bias + change[-1]).astype(layer.bias.dtype)
        changing.write(arrays)
    return thin  # type: ignore[return-value]


def _fit(pairs: Iterable[tuple[Array, Array]], layer: Layer, stays: BoolArray) -> Array:
    """Find the change of weights and bias that makes up for what is gone: (columns, out).

    Pairs are what the layer's kernels see in the whole model and in the masked one, part after part.
    """
    flat = criteria.slices(layer.weight)
    square: Array = np.zeros((1, 1))
    product: Array = np.zeros((1, 1))
    for whole, left in pairs:
        known = np.column_stack([left[:, stays], *([] if layer.bias is None else [np.ones(len(left))])])
        square = square + known.T @ known
        product = product + known.T @ ((whole - left) @ flat.T)
    ridge = (_RIDGE * np.diag(square).mean() if len(square) else 0) or 1  # nothing arrives: nothing changes
    change: Array = np.linalg.solve(square + ridge * np.eye(len(square)), product)
    return change
