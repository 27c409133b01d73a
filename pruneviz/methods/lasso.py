r"""Which channels a layer's output can be put together from: the LASSO of He, Zhang and Sun (2017).

A layer reads channels :math:`i = 1 \dots c`. With :math:`X_i` what its kernels see of channel i, one row a
place, and :math:`W_i` its weights that meet the channel, its output, save the bias, is
:math:`Y = \sum_i X_i W_i^T`. To keep c' channels, the paper asks for

.. math:: \min_{\beta, W} \tfrac12 \big\| Y - \sum_i \beta_i X_i W_i^T \big\|_F^2 + \lambda \|\beta\|_1,
          \qquad \|\beta\|_0 \le c'

in two steps.

1. *Selection*, the criterion ``"reconstruction"``, here: W is what was trained, and a LASSO finds β. LARS
   follows the whole path, from the λ at which β is zero down to λ = 0, where β is one and Y whole; a channel
   scores the λ at which it enters. All it takes is :math:`G_{ij} = \langle X_i W_i^T, X_j W_j^T \rangle`, a
   sum over entries of :math:`(W^T W) \circ (X^T X)`. Divided by :math:`\|Y\|^2`, it lets layers compare.
2. *Reconstruction*, `pruneviz.reconstruct`: β is settled, and least squares find the W of the channels that
   stay, layer after layer, from what each receives in the pruned model, with Y from the whole one.

Two things differ from the paper: all places of the given images are used, not ten of each, and the norms of
:math:`W_i` are left as they were trained instead of being set to one. A channel that several layers read adds
up its scores.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from pruneviz.core import criteria
from pruneviz.core.graph import KERNELS
from pruneviz.progress import steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pruneviz.core.arrays import Array, BoolArray, Images
    from pruneviz.core.units import Units
    from pruneviz.engine.model import Seen
    from pruneviz.frameworks import Adapter

_IMAGES = 256  # at a time through the model
_LAID_OUT = 64  # at a time as tables: what the kernels of a convolution see is nine times what it reads


def score(seen: Seen, units: Units, x: Images) -> dict[str, Array]:
    """Score channels by when they enter the LASSO paths of the layers that read them.

    x are (n, …) images, a few hundred; outputs that must stay score 0.

    Raises
    ------
    ValueError
        If a layer that reads channels is neither dense nor a plain convolution of images.
    ImportError
        If scikit-learn is missing.
    """
    ids = {name: np.where(np.append(units.counted, False)[of], of, -1) for name, of in units.columns.items()}
    reading, layers = readers(seen, {name: of >= 0 for name, of in ids.items()}), seen.layers
    squares: dict[str, Array] = {}
    for name, table in tables(seen.adapter, reading, x):
        squares[name] = squares.get(name, 0) + table.T @ table
    totals = np.zeros(len(units.groups) + 1)  # the last one is for -1, what must stay
    for name, square in ((name, squares[name]) for name in layers if name in squares):
        weight = criteria.slices(layers[name].weight)
        columns = np.repeat(ids[name], weight.shape[1] // len(ids[name]))
        read, place = np.unique(columns[columns >= 0], return_inverse=True)
        belongs = np.zeros((len(columns), len(read)))
        belongs[np.flatnonzero(columns >= 0), place] = 1
        totals[read] += entries(belongs.T @ ((weight.T @ weight) * square) @ belongs)
    return {name: totals[units.of[name]] for name in units.names()}


def entries(gram: Array) -> Array:
    """Find the λ at which each part enters the LASSO path for the sum of all parts.

    The Gram matrix holds the parts' inner products. λ is told as a share of the sum's square, (parts,); 0 for
    a part that never enters.
    """
    found = np.zeros(len(gram))
    alive = np.flatnonzero(np.diag(gram) > 1e-12 * np.diag(gram).max(initial=0))
    if not len(alive):
        return found
    gram = gram[np.ix_(alive, alive)] / gram.sum()
    try:
        from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415  (an extra)
        from sklearn.linear_model import lars_path_gram  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(
            'criterion "reconstruction" needs scikit-learn: pip install scikit-learn'
        ) from error
    with warnings.catch_warnings():
        # Near the path's end parts may be all but combinations of others: they stay out, and score 0.
        warnings.simplefilter("ignore", ConvergenceWarning)
        knots, _, shares = lars_path_gram(gram.sum(axis=1), gram, n_samples=1, method="lasso")
    inside = shares != 0
    first = np.maximum(inside.argmax(axis=1) - 1, 0)
    found[alive] = np.where(inside.any(axis=1), knots[first], 0)
    return found


def readers(seen: Seen, wanted: Mapping[str, BoolArray]) -> dict[str, list[str]]:
    """List the layers that read something wanted, and the nodes that they read it from."""
    found: dict[str, list[str]] = {}
    for node in seen.structure.graph.nodes:
        if node.op not in KERNELS or not wanted[node.layer].any():
            continue
        images = seen.layers[node.layer].weight.ndim == 4
        plain = node.op == "conv" and images and node.options.get("groups", 1) == 1
        if node.op != "dense" and not plain:
            raise ValueError(
                f"layer {node.layer!r} is neither dense nor a plain convolution of images: reconstruction "
                "does not follow it; exclude the layers before it"
            )
        found.setdefault(node.layer, []).append(node.inputs[0])
    return found


def tables(adapter: Adapter, reading: Mapping[str, list[str]], x: Images) -> Iterator[tuple[str, Array]]:
    """Give, again and again, a layer and what its kernels see of some images: (places, columns), float64."""
    nodes = {node for sources in reading.values() for node in sources}
    for start in steps("reading the model", "batch", range(0, len(x), _IMAGES)):
        for found in adapter.activations(x[start : start + _IMAGES], nodes):
            for name, sources in reading.items():
                for source in sources:
                    if source not in found:
                        raise ValueError(
                            f"what layer {name!r} reads never leaves the layer it is a part of: "
                            "reconstruction does not follow it; exclude the layers before it"
                        )
                    for first in range(0, len(found[source]), _LAID_OUT):
                        part = found[source][first : first + _LAID_OUT]
                        if not np.isfinite(part).all():
                            raise ValueError(f"what layer {name!r} reads is NaN or infinite for some images")
                        yield name, adapter.patches(name, part).astype(np.float64)
