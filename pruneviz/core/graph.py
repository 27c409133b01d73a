"""What flows into what: a framework-neutral graph that an adapter exports. NumPy only.

Shapes and axes leave out the batch, which is always first. The operations are

=================  ====================================================================================
``input``          what comes from outside, parameters that are used as they are included
``dense``          contracts the last axis
``conv``           contracts axis ``axis``; also ``transposed`` and ``depthwise`` (out = in · multiplier)
``norm``           BatchNorm, PReLU: each index of axis ``axis``, or each of ``groups`` parts, for itself,
                   with parameters of its own
``map``            each entry for itself, by ``function`` (array -> array)
``pool``           windows over all axes but ``axis``: pooling, resizing
``reduce``         mean, maximum or, if ``sums``, sum over ``axes``
``combine``        entries at equal places, by ``function`` (arrays -> array), with broadcasting
``reshape`` …      ``reshape``, ``permute`` (``axes``), ``pad`` (``widths``), ``slice`` (``key``), ``concat``
                   (``axis``): moves
``mix``            what makes units depend on each other: LayerNorm, softmax; ``axes`` are those it mixes
``unknown``        anything else
=================  ====================================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruneviz.core.arrays import Array

KERNELS = ("dense", "conv", "transposed", "depthwise")
MOVES = ("reshape", "permute", "pad", "slice", "concat")


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes
    ----------
    name
        Unique in the graph.
    op
        One of the operations above.
    inputs
        Names of the nodes it reads.
    shape
        Of its output, without the batch.
    layer
        The layer that holds its parameters; for errors, what the learner calls it.
    options
        ``axis``, ``axes``, ``widths``, ``key``, ``groups``, ``function`` as the operation needs them;
        ``padded``: whether a window may see zeros that are not in its input; ``spread`` of a norm: what it
        divides by, (channels,), and ``scaled``: whether it has a scale; or its ``function``. ``split``: the
        shape that a ``permute`` takes apart before, where axis ``loses`` alone may lose some, or ``index``:
        what it takes, one by one. ``parts``: (axis, number) of equal parts, of which a ``slice`` takes one.
        ``sizes``: the (node, axis) whose sizes it computes with; ``origin`` of an ``input``: what it is, in
        words.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    layer: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def softmax(self) -> bool:
        """Whether it turns logits into probabilities, or their logarithms."""
        return self.op == "mix" and "softmax" in self.options.get("what", "").lower()


@dataclass(frozen=True)
class Graph:
    """A model, as nodes in the order in which they can be computed.

    Attributes
    ----------
    nodes
        Its operations.
    outputs
        Names of the nodes whose values leave the model.
    whole
        Layers that keep all inputs and outputs: something else in the model holds their parameters too.
    training
        What the model does while it is trained, where that is something else; its nodes have other names.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    whole: frozenset[str] = frozenset()
    training: Graph | None = None

    def opened(self) -> Graph:
        """Let outputs go as units do; a softmax at the end is then over those that are left."""
        loose: dict[str, Any] = {"op": "map", "options": {"function": np.array}}
        nodes = (replace(n, **loose) if n.softmax and n.name in self.outputs else n for n in self.nodes)
        return Graph(tuple(nodes), (), self.whole, self.training and self.training.opened())


def moved(node: Node, arrays: Sequence[Array], fill: float | None) -> Array:
    """Do to arrays of the shapes of its inputs what a node of `MOVES` does to them.

    `fill` is what stands where the node pads; None repeats the nearest entry.
    """
    if node.op == "reshape":
        return arrays[0].reshape(node.shape)
    if "index" in node.options:
        return np.asarray(arrays[0].reshape(-1)[node.options["index"]].reshape(node.shape))
    if node.op == "permute":
        apart = arrays[0].reshape(node.options.get("split", arrays[0].shape))
        return apart.transpose(node.options["axes"]).reshape(node.shape)
    if node.op == "slice":
        return np.asarray(arrays[0][node.options["key"]])
    if node.op == "pad":
        widths = node.options["widths"]
        edge = np.pad(arrays[0], widths, mode="edge")
        inside = np.pad(np.ones(arrays[0].shape, bool), widths)
        return edge if fill is None else np.where(inside, edge, fill)
    return np.concatenate(arrays, axis=node.options["axis"])


def indexed(given: object, ndim: int) -> tuple[Any, ...] | None:
    """Write an index without the batch, which it leaves whole; None unless of numbers, slices, new axes."""
    items = list(given) if isinstance(given, tuple) else [given]
    for at in [i for i, item in enumerate(items) if item is Ellipsis]:
        items[at : at + 1] = [slice(None)] * (ndim - sum(item is not None for item in items) + 1)
    slices = [item for item in items if isinstance(item, slice)]
    ends = [end for part in slices for end in (part.start, part.stop, part.step)]
    ends += [item for item in items if not isinstance(item, slice)]
    whole = isinstance(items[0], slice) and items[0] == slice(None)
    return tuple(items[1:]) if whole and all(end is None or type(end) is int for end in ends) else None


def spread(values: Array, axis: int, shape: tuple[int, ...]) -> Array:
    """View (channels,) as an array of `shape` that is the same all along the other axes."""
    sizes = [1] * len(shape)
    sizes[axis] = len(values)
    return np.broadcast_to(values.reshape(sizes), shape)


def thin(*arrays: Array) -> list[Array]:
    """Cut axes along which all arrays, of one shape, repeat themselves by their strides to length 1."""
    repeats = [all(a.strides[i] == 0 for a in arrays) and n > 1 for i, n in enumerate(arrays[0].shape)]
    index = tuple(slice(0, 1) if repeat else slice(None) for repeat in repeats)
    return [a[index] for a in arrays]


def folded(array: Array, axes: Sequence[int]) -> Array:
    """Lay an array out as (entries along the other axes, entries along these)."""
    rest = [i for i in range(array.ndim) if i not in axes]
    apart = array.transpose([*rest, *axes])
    return apart.reshape(math.prod(apart.shape[: len(rest)]), -1)


def rows(array: Array, axis: int) -> Array:
    """Lay an array out as (channels, rest)."""
    table = np.moveaxis(array, axis, 0)
    (cut,) = thin(table)
    return np.broadcast_to(cut.reshape(len(cut), -1), (len(table), cut[0].size))
