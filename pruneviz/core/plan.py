"""Which indices each layer keeps when units go, and what the constants that they leave turn into.

A pruned unit of a masked model still emits something: 0 behind its layer, sigmoid(0) = 0.5 behind a gate.
These constants flow through the graph as values do. What a next layer would receive from a pruned unit is
added to its bias where that is exact; where it is not, the removal is refused before anything is built.
NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.core.arrays import few
from pruneviz.core.graph import KERNELS, MOVES, Node, folded, moved, rows, spread, thin
from pruneviz.core.units import varying

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruneviz.core.arrays import Array, BoolArray
    from pruneviz.core.layers import Layer
    from pruneviz.core.units import Structure


@dataclass
class Plan:
    """What to rebuild.

    Attributes
    ----------
    outputs, inputs
        Layer name -> indices that it keeps of its outputs, and of the inputs that each of its outputs reads
        (those of one group of a grouped convolution). Only layers that change.
    shifts
        Layer name -> (all outputs,) what to add to its bias.
    norms
        Norm layer name -> indices of its channels that it keeps.
    shapes
        Name of a node that reshapes -> its new shape, without the batch.
    keys
        Name of a node that takes a part -> its new key, where that is another.
    obstacles
        (units, reason): what forbids to take units out.
    """

    outputs: dict[str, Array] = field(default_factory=dict)
    inputs: dict[str, Array] = field(default_factory=dict)
    shifts: dict[str, Array] = field(default_factory=dict)
    norms: dict[str, Array] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    keys: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    obstacles: list[tuple[Array, str]] = field(default_factory=list)


class _Walk:
    """The state of one walk through the graph; what varies with the image is NaN."""

    def __init__(self, found: Structure, layers: Mapping[str, Layer], pruned: BoolArray) -> None:
        self.units = found.units
        self.labels = found.labels
        self.layers = layers
        self.pruned = np.append(pruned, False)  # the label -1 means: stays
        self.plan = Plan()

    def refuse(self, units: Array, reason: str) -> None:
        """Note that a removal of these units would change what is computed for the others."""
        self.plan.obstacles.append((np.unique(units), reason))

    def step(self, node: Node, values: list[Array]) -> Array:  # noqa: C901, PLR0911
        """Note what a node keeps, and give the constants at its output."""
        gone = [self.pruned[thin(self.labels[name])[0]].any() for name in node.inputs]
        for name, axis in node.options.get("sizes", ()):
            asked = self.labels[name]
            if self.pruned[asked].any() and axis in varying(asked):
                self.refuse(asked, f"{node.layer or node.name!r} computes with the width of {name!r}")
        if node.op in ("mix", "unknown") and any(gone):
            read = np.concatenate([thin(self.labels[name])[0].ravel() for name in node.inputs])
            self.refuse(read, f"{node.layer or node.name!r} is {self._stranger(node)}")
        if node.op in KERNELS:
            return self._kernel(node, values[0])
        if node.op == "norm":
            return self._norm(node, values[0])
        if node.op == "map":
            return _mapped(node, values[0])
        if node.op == "combine":
            return _combined(node, values)
        if node.op in MOVES:
            if any(gone):
                self._spell(node)
            return moved(node, values, 0)
        if node.op == "pool":
            return _pooled(node, values[0])
        if node.op == "reduce":
            table = folded(values[0], node.options["axes"])
            times = table.shape[1] if node.options.get("sums") else 1
            return (times * _constants(table)).reshape(node.shape)
        return np.broadcast_to(np.nan, node.shape)

    def _stranger(self, node: Node) -> str:
        """Say what a node is that may not read pruned units."""
        what = node.options.get("what", "an operation")
        if node.op == "mix":
            return f"{what} that reads pruned units: without them it computes something else for the others"
        inside = [name for name in self.units.unseen if node.layer and name.startswith(f"{node.layer}.")]
        held = f", nor what lies inside: {', '.join(inside)}" if inside else ""
        return f"{what} that pruneviz does not know{held}"

    def _kernel(self, node: Node, values: Array) -> Array:
        layer, axis = self.layers[node.layer], node.options["axis"]
        columns = rows(self.labels[node.inputs[0]], axis).max(axis=1)
        gone = self.pruned[columns]
        kept = ~self.pruned[self.units.of[node.layer]]
        if gone.any() or not kept.all():
            self.plan.outputs[node.layer] = np.flatnonzero(kept)
            groups = node.options.get("groups", 1)
            inside = ~gone.reshape(groups, -1)[0] if node.op != "depthwise" else np.array([True])
            self.plan.inputs[node.layer] = np.flatnonzero(inside)
        if gone.any() and node.op != "depthwise":
            self._fold(node, layer, columns, np.where(gone, _constants(rows(values, axis)), 0))
        return spread(np.where(kept, np.nan, 0), axis, node.shape)

    def _fold(self, node: Node, layer: Layer, columns: Array, constants: Array) -> None:
        """Add to the bias what the layer would receive from pruned inputs."""
        units, shift = columns[constants != 0], np.zeros(len(layer.weight))
        what = f"layer {layer.name!r}"
        if np.isnan(constants).any():
            self.refuse(units, f"{what} receives from pruned units what is not the same everywhere")
        elif len(units) and node.options.get("padded"):
            self.refuse(
                units,
                f"{what} receives the constant {constants[constants != 0][0]:g} from pruned "
                "units, but pads with zeros: no bias stands for that at the edges",
            )
        elif len(units):
            groups = node.options.get("groups", 1)
            weight = layer.weight.astype(np.float64).reshape(groups, -1, *layer.weight.shape[1:])
            taps = weight.sum(axis=tuple(range(3, weight.ndim)))
            shift = np.einsum("goi,gi->go", taps, constants.reshape(groups, -1)).ravel()
        first = self.plan.shifts.setdefault(layer.name, shift)
        if not np.array_equal(first, shift):
            self.refuse(
                units,
                f"{what} is called more than once and receives different constants from pruned "
                "units: no one bias stands for both",
            )

    def _norm(self, node: Node, values: Array) -> Array:
        axis = node.options["axis"]
        labels = rows(self.labels[node.name], axis).max(axis=1)
        gone = self.pruned[labels]
        if not gone.any():
            return np.broadcast_to(np.nan, node.shape)
        self.plan.norms[node.layer] = np.flatnonzero(~gone)
        wide = np.where(spread(gone, axis, node.shape), values, np.nan)
        if "function" in node.options:
            return np.asarray(node.options["function"](wide))
        if node.options["scaled"]:
            return spread(np.where(gone, 0, np.nan), axis, node.shape)
        # Without a scale to set to zero, a constant passes; mean and shift are zero.
        return np.asarray(wide / spread(node.options["spread"], axis, node.shape))

    def _spell(self, node: Node) -> None:
        """Note the sizes of what is left of an array, and where a part of it begins and ends."""
        if node.op == "reshape":
            lines = self._lines(self.labels[node.name])
            self.plan.shapes[node.name] = tuple(int(np.count_nonzero(line)) for line in lines)
        if node.op == "slice" and "parts" not in node.options:
            key, lines = list(node.options["key"]), self._lines(self.labels[node.inputs[0]])
            for axis, (part, line) in enumerate(zip(key, lines, strict=False)):
                if isinstance(part, slice) and part != slice(None) and not line.all():
                    ends = part.indices(len(line))[:2]
                    key[axis] = slice(*(int(np.count_nonzero(line[:end])) for end in ends))
                    self.plan.keys[node.name] = tuple(key)

    def _lines(self, labels: Array) -> list[Array]:
        """Tell what is kept along each axis of an array; together that is a grid."""
        kept = ~self.pruned[labels]
        return [np.asarray(rows(kept, axis).any(axis=1)) for axis in range(kept.ndim)]


def plan(found: Structure, layers: Sequence[Layer], pruned: BoolArray | None) -> Plan:
    """Work out what each layer keeps, for the adapter to build.

    Parameters
    ----------
    found
        How units run through the model.
    layers
        The prunable layers, of the masked model or of the whole one.
    pruned
        (units,) True where one goes; None for all, to see what obstacles there are.

    Raises
    ------
    ValueError
        If what is left would not compute what the masked model does; the message names the layers.
    """
    every = np.ones(len(found.units.groups), bool)
    walk = _Walk(found, {layer.name: layer for layer in layers}, every if pruned is None else pruned)
    graph = found.graph
    values: dict[str, Array] = {}
    with np.errstate(invalid="ignore"):
        for node in (*graph.nodes, *(graph.training.nodes if graph.training else ())):
            values[node.name] = walk.step(node, [values[name] for name in node.inputs])
    made = walk.plan
    if pruned is not None:
        if made.obstacles:
            reasons = few(reason for _, reason in made.obstacles)
            raise ValueError(f'{reasons}; leave the layers before alone: prune with exclude="auto"')
        for what, left in (("outputs", made.outputs), ("inputs", made.inputs)):
            if empty := [name for name, kept in left.items() if not len(kept)]:
                raise ValueError(
                    f"the mask leaves layer {empty[0]!r} without {what}: keep at least one, by a lower "
                    "sparsity or by exclude"
                )
    return made


def _constants(table: Array) -> Array:
    """Reduce (channels, rest) to the one constant of each channel; NaN if it is not the same everywhere."""
    return np.where((table == table[:, :1]).all(axis=1), table[:, 0], np.nan)


def _pooled(node: Node, values: Array) -> Array:
    if "function" in node.options:
        return np.asarray(node.options["function"](values), np.float64)
    columns = _constants(rows(values, node.options["axis"]))
    lost = (columns != 0) & bool(node.options.get("padded"))
    return spread(np.where(lost, np.nan, columns), node.options["axis"], node.shape)


def _mapped(node: Node, values: Array) -> Array:
    (small,) = thin(values)
    small = small.copy()
    known = ~np.isnan(small)
    if known.any():
        small[known] = node.options["function"](small[known])
    return np.broadcast_to(small, values.shape)


def _combined(node: Node, values: list[Array]) -> Array:
    wide = thin(*[np.broadcast_to(value, node.shape) for value in values])
    result = node.options["function"](*wide)
    if node.options.get("product"):
        result = np.where(np.any([value == 0 for value in wide], axis=0), 0, result)
    return np.broadcast_to(result, node.shape)
