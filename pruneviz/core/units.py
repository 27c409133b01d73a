"""Which outputs of which layers are tied into one unit. NumPy only.

Every entry of every intermediate array gets a label: the output of the layer that it stands for. Labels flow
through the graph as the values do; where two of them must be pruned together, they are tied.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pruneviz.core.arrays import few
from pruneviz.core.graph import KERNELS, MOVES, Graph, Node, folded, moved, rows, spread, thin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pruneviz.core.arrays import Array, BoolArray
    from pruneviz.core.layers import Layer

_FIXED = 0  # the label of what must stay, such as inputs and outputs


@dataclass(frozen=True, eq=False)
class Units:
    """The units of a model: classes of (layer, output index) that only go together.

    Attributes
    ----------
    of
        Layer name -> (out,) number of the unit that each output belongs to; -1 where it must stay.
    norms
        The same for the layers that treat each channel for itself: BatchNorm.
    columns
        Layer name -> (in,) unit that each input of a layer comes from; -1 where that must stay.
    groups
        (units,) number of the group of tied layers that each unit belongs to.
    counted
        (units,) False for those that are left alone.
    kinds
        Layer name -> kind, as in `Layer`.
    reads
        Layer name -> the node after the first activation function that follows, or of the layer itself.
    obstacles
        (units, reason): what stands in the way of pruning some units.
    stays
        Layer name -> why it has no units: what its outputs do or are tied to, in words that follow its name.
    unseen
        Layers that the graph does not call: another one that cannot be followed may hold them.
    wiring
        What an adapter says of the model's `wiring`.
    """

    of: Mapping[str, Array]
    norms: Mapping[str, Array]
    columns: Mapping[str, Array]
    groups: Array
    counted: BoolArray
    kinds: Mapping[str, str]
    reads: Mapping[str, str]
    obstacles: tuple[tuple[Array, str], ...] = ()
    stays: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    wiring: object = None

    def ids(self, name: str) -> Array:
        """Tell the unit of each output of a layer; -1 where it must stay or is left alone."""
        ids = self.of[name]
        return np.where((ids >= 0) & np.append(self.counted, False)[ids], ids, -1)

    def only(self, granularity: str) -> Units:
        """Count the units that a granularity speaks of: filters have a convolution among their producers."""
        if granularity == "channel":
            return self
        filters = self._parts([name for name, kind in self.kinds.items() if kind != "dense"])
        return replace(self, counted=self.counted & (filters if granularity == "filter" else ~filters))

    def without(self, layers: Iterable[str]) -> Units:
        """Leave every unit alone that one of these layers has a part in."""
        return replace(self, counted=self.counted & ~self._parts(layers))

    def _parts(self, layers: Iterable[str]) -> BoolArray:
        found = np.zeros(len(self.groups) + 1, bool)
        for name in layers:
            found[self.of[name]] = True
        return found[:-1]

    def names(self) -> list[str]:
        """List the layers that have units that count."""
        return [name for name in self.of if (self.ids(name) >= 0).any()]

    def all(self, granularity: str) -> Units:
        """Count all units that a granularity speaks of, those that were left alone too."""
        return replace(self, counted=np.ones_like(self.counted)).only(granularity)

    def blocked(self) -> list[str]:
        """List the layers that have units that count and that something stands in the way of pruning."""
        units = np.concatenate([np.empty(0, int), *(units for units, _ in self.obstacles)])
        return [name for name in self.of if np.isin(self.ids(name), units[units >= 0]).any()]

    def left_alone(self, exclude: Iterable[str]) -> list[str]:
        """List the layers to exclude; ``"auto"`` stands for those in whose way something stands."""
        names = [name for name in exclude if name != "auto" or name in self.of]
        return names if len(names) == len([*exclude]) else [*names, *self.without(names).blocked()]

    def refuse_obstacles(self) -> None:
        """Raise a ValueError that names all that stands in the way of pruning the units that are left."""
        if stuck := self.blocked():
            left = np.concatenate([self.ids(name) for name in stuck])
            reasons = [reason for units, reason in self.obstacles if np.isin(units[units >= 0], left).any()]
            raise ValueError(
                f'{few(reasons)}; leave the layers before alone: exclude={stuck}, or exclude="auto"'
            )

    def nothing(self, granularity: str) -> str:
        """Say why there are no units to prune."""
        if self.all(granularity).names():
            return f"exclude leaves the model no {granularity}s to prune"
        fits = {"neuron": ("dense",), "filter": ("conv", "transposed", "depthwise")}
        kinds = fits.get(granularity, self.kinds.values())
        found = [name for name in self.stays if self.kinds[name] in kinds]
        layers = {"neuron": "dense layers", "filter": "convolutions"}.get(granularity, "prunable layers")
        reasons = few([f"{name}'s {self.stays[name]}" for name in found]) if found else f"it has no {layers}"
        return f"the model has no {granularity}s to prune: {reasons}"


@dataclass
class _Walk:
    """The state of one walk through the graph."""

    outputs: dict[str, Array]
    at: Node | str = ""  # where the walk is
    columns: dict[str, Array] = field(default_factory=dict)
    norms: dict[str, Array] = field(default_factory=dict)
    pairs: list[tuple[Array, Node | str]] = field(default_factory=list)
    obstacles: list[tuple[Array, str]] = field(default_factory=list)
    # Where labels are laid out anew: the labels, the axis that may lose some, and the node.
    grids: list[tuple[Array, int | None, Node]] = field(default_factory=list)

    def tie(self, first: Array, second: Array) -> None:
        """Note that labels at equal places belong to one unit."""
        self.pairs.append((np.unique(np.stack([first.ravel(), second.ravel()]), axis=1), self.at))

    def block(self, node: Node, arrays: Sequence[Array], reason: str) -> Array:
        """Note that the labels that arrive at a node cannot be pruned; what leaves it must stay."""
        labels = [np.unique(thin(array)[0]) for array in arrays]
        self.obstacles.append((np.concatenate([*labels, [_FIXED]]), f"{node.layer or node.name!r} {reason}"))
        return np.broadcast_to(np.int64(_FIXED), node.shape)

    def step(self, node: Node, arrays: list[Array]) -> Array:  # noqa: PLR0911
        """Label the output of a node."""
        if node.op == "input":
            return np.broadcast_to(np.int64(_FIXED), node.shape)
        if node.op in KERNELS or node.op in ("norm", "pool"):
            table = rows(arrays[0], node.options["axis"])
            if _mixed(table):  # what is read through one channel goes together
                self.tie(np.broadcast_to(table[:, :1], table.shape), table)
            return self._channels(node, arrays[0], table[:, 0])
        if node.op == "pad" and any(any(node.options["widths"][i]) for i in varying(arrays[0])):
            return self.block(node, arrays, "pads units with zeros")
        if node.op == "slice":
            return self._sliced(node, arrays)
        if node.op in MOVES:
            return self._moved(node, arrays)
        if node.op == "combine":
            return self._combine(node, arrays)
        if node.op == "reduce":
            return self._reduced(node, arrays)
        if node.op in ("map", "mix"):
            return arrays[0]
        return np.broadcast_to(np.int64(_FIXED), node.shape)

    def _moved(self, node: Node, arrays: list[Array]) -> Array:
        """Lay labels out as the values are; the zeros around a channel go with it."""
        after = moved(node, arrays, None)
        if node.op == "reshape" or "index" in node.options:
            self.grids.append((thin(after)[0], None, node))
        elif "split" in node.options:
            self.grids.append((arrays[0].reshape(node.options["split"]), node.options["loses"], node))
        return after

    def _reduced(self, node: Node, arrays: list[Array]) -> Array:
        """Tie what is averaged together, unless that is all that there is; what must stay keeps the rest."""
        table = folded(arrays[0], node.options["axes"])
        if (stays := (table == _FIXED).any(axis=1)).any():
            self.tie(table[stays], np.full_like(table[stays], _FIXED))
            table = np.where(stays[:, None], _FIXED, table)
        if _mixed(table):
            if (table == table[0]).all():
                return self.block(node, arrays, "averages over units")
            self.tie(np.broadcast_to(table[:, :1], table.shape), table)
        return table[:, 0].reshape(node.shape)

    def _sliced(self, node: Node, arrays: list[Array]) -> Array:
        """Cut out a range of the units; equal parts all lose the same, and one place alone cannot be left."""
        (array,), along = arrays, varying(arrays[0])
        if "parts" in node.options and node.options["parts"][0] in along:
            axis, number = node.options["parts"]
            first, *others = np.split(array, number, axis=axis)
            for other in others:
                self.tie(*thin(first, other))
        elif any(i in along and not _is_range(part) for i, part in enumerate(node.options["key"])):
            return self.block(node, arrays, "takes single units")
        return moved(node, arrays, None)

    def _channels(self, node: Node, array: Array, columns: Array) -> Array:
        if node.op == "pool":
            return spread(columns, node.options["axis"], node.shape)
        seen = self.norms if node.op == "norm" else self.columns
        self.tie(seen.setdefault(node.layer, columns), columns)
        groups = node.options.get("groups", 1)
        if node.op == "norm":
            if groups > 1:  # whole groups go
                table = columns.reshape(groups, -1)
                self.tie(np.broadcast_to(table[:, :1], table.shape), table)
            return array
        labels = self.outputs[node.layer]
        if node.op == "depthwise":
            self.tie(labels, np.repeat(columns, len(labels) // len(columns)))
        elif groups > 1:
            for ends in (columns.reshape(groups, -1), labels.reshape(groups, -1)):
                self.tie(np.broadcast_to(ends[0], ends.shape), ends)
        return spread(labels, node.options["axis"], node.shape)

    def _combine(self, node: Node, arrays: list[Array]) -> Array:
        """Tie equal places; an array that is one entry wide where another has many units must stay whole."""
        wide = [np.broadcast_to(array, node.shape) for array in arrays]
        changing = [varying(array) for array in wide]
        result = None
        for array, own in zip(arrays, wide, strict=True):
            sizes = (1,) * (len(node.shape) - array.ndim) + array.shape
            if any(sizes[i] == 1 < n and any(i in v for v in changing) for i, n in enumerate(node.shape)):
                self.tie(array, np.full(array.shape, _FIXED))
            elif result is None:
                result = own
            else:
                self.tie(*thin(result, own))
        if result is None:
            return self.block(node, arrays, "combines units of different axes")
        return result

    def roots(self, number: int) -> tuple[Array, Array]:
        """Find for each label the lowest one of its unit, and the first pair that fixes it, or -1.

        Units that are laid out anew along several axes go in slices of the longest, or what is left would be
        no array: in a channel shuffle, those at one place of all groups.
        """
        found = _resolved(number, self.pairs)
        for labels, loses, node in self.grids:
            self.at = node
            axes = sorted(varying(found[0][labels]), key=lambda axis: (axis == loses, labels.shape[axis]))
            for axis in axes if loses is not None and loses not in axes else axes[:-1]:
                self.tie(np.broadcast_to(labels.take([0], axis), labels.shape), labels)
                found = _resolved(number, self.pairs)
        return found


@dataclass(frozen=True)
class Structure:
    """A model's graph, its units, and the unit that each entry of each node's output is; -1 stays."""

    graph: Graph
    units: Units
    labels: Mapping[str, Array]


def find(graph: Graph, layers: Sequence[Layer]) -> Structure:
    """Find out which outputs are tied; units are numbered in the order of the prunable layers."""
    ends = np.cumsum([1, *(len(layer.weight) for layer in layers)])
    walk = _Walk({x.name: np.arange(a, b) for x, a, b in zip(layers, ends[:-1], ends[1:], strict=True)})
    labels: dict[str, Array] = {}
    called: set[str] = set()
    for part in (graph, graph.training):
        for node in part.nodes if part else ():
            walk.at = node
            labels[node.name] = walk.step(node, [labels[name] for name in node.inputs])
        walk.at = "are what the model gives"
        for name in part.outputs if part else ():
            walk.tie(thin(labels[name])[0], np.zeros_like(thin(labels[name])[0]))
        called = called or set(walk.columns)
    walk.at = "share a parameter with another module"
    for seen in (walk.outputs, walk.columns, walk.norms):
        for name in graph.whole & seen.keys():
            walk.tie(seen[name], np.full_like(seen[name], _FIXED))
    roots, causes = walk.roots(int(ends[-1]))
    unseen = tuple(name for name in walk.outputs if name not in called)
    for name in unseen:
        roots[walk.outputs[name]] = _FIXED  # not part of what the model computes, or only of its training
    (_, *loose), numbers = np.unique(roots, return_inverse=True)
    numbers = numbers - 1  # _FIXED, the lowest, is -1
    of = {name: numbers[ids] for name, ids in walk.outputs.items()}
    fixed = {name: causes[ids].min() for name, ids in walk.outputs.items() if (of[name] < 0).all()}
    units = Units(
        of=of,
        norms={name: numbers[ids] for name, ids in walk.norms.items()},
        columns={name: numbers[ids] for name, ids in walk.columns.items()},
        groups=_groups(of, len(loose)),
        counted=np.ones(len(loose), bool),
        kinds={layer.name: layer.kind for layer in layers},
        reads=_reads(graph),
        obstacles=tuple((np.unique(numbers[ids]), reason) for ids, reason in walk.obstacles),
        stays={
            name: _reason(graph, name, walk.pairs[at][1] if at >= 0 else None, labels)
            for name, at in fixed.items()
        },
        unseen=unseen,
    )
    return Structure(graph, units, {name: _looked_up(numbers, array) for name, array in labels.items()})


def _resolved(n: int, pairs: Sequence[tuple[Array, Node | str]]) -> tuple[Array, Array]:
    """Connect n labels by pairs; give the lowest of each class, and the first pair that fixes it, or -1."""
    roots = components(n, [pair[:, pair.min(axis=0) != _FIXED] for pair, _ in pairs])
    causes = np.full(n, -1)
    for number, (pair, _) in reversed([*enumerate(pairs)]):
        causes[roots[pair.max(axis=0)[pair.min(axis=0) == _FIXED]]] = number
    return np.where(causes[roots] >= 0, _FIXED, roots), causes[roots]


def _reason(graph: Graph, layer: str, at: Node | str | None, labels: Mapping[str, Array]) -> str:
    """Say why a layer's outputs must stay, by what first tied them to something that does."""
    nodes = {node.name: node for part in (graph, graph.training) if part for node in part.nodes}
    if at is None:
        odd = [node.options["what"] for node in nodes.values() if (node.layer, node.op) == (layer, "unknown")]
        if odd:
            return f"come from {odd[0]}"
        held = [node.layer for node in nodes.values() if layer.startswith(f"{node.layer or layer}.")]
        return f"lie inside {held[0]!r}, which cannot be followed" if held else "are not asked for"
    if isinstance(at, str):
        return at
    source = next((nodes[name] for name in at.inputs if not thin(labels[name])[0].any()), at)
    return f"are tied to {source.options.get('origin', f'what {source.layer or source.name!r} gives')}"


def components(n: int, pairs: Iterable[Array]) -> Array:
    """Find for each of n things the lowest number that pairs, (2, m) arrays, connect it with."""
    first, second = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1)
    roots = np.arange(n)
    while True:
        lower = np.minimum(roots[first], roots[second])
        after = roots.copy()
        np.minimum.at(after, roots[first], lower)
        np.minimum.at(after, roots[second], lower)
        after = after[after]
        if np.array_equal(after, roots):
            return roots
        roots = after


def _groups(of: Mapping[str, Array], units: int) -> Array:
    """Find for each unit the group of layers that share units."""
    first = np.full(units, -1)
    pairs = []
    for number, members in enumerate(of.values()):
        ids = np.unique(members[members >= 0])
        first[ids] = np.where(first[ids] < 0, number, first[ids])
        pairs.append(np.stack([first[ids], np.full(len(ids), number)]))
    return np.asarray(components(len(of), pairs)[first])


def _reads(graph: Graph) -> dict[str, str]:
    """Find where the activations of each layer are read."""
    after: dict[str, list[Node]] = {node.name: [] for node in graph.nodes}
    for node in graph.nodes:
        for name in node.inputs:
            after[name].append(node)
    places: dict[str, str] = {}
    for node in graph.nodes:
        if node.op in KERNELS and node.layer not in places:
            place, following = node, after[node.name]
            while len(following) == 1 and following[0].op in ("norm", "map", "combine"):
                place = following[0]
                if place.op == "map" and not place.options.get("passes"):
                    break
                following = after[place.name]
            places[node.layer] = place.name
    return places


def _mixed(table: Array) -> bool:
    """Tell whether a channel, a row of (channels, rest), has more than one label."""
    return bool((table != table[:, :1]).any())


def _is_range(part: object) -> bool:
    return isinstance(part, slice) and part.step in (None, 1)


def varying(array: Array) -> set[int]:
    """Find the axes along which an array changes."""
    (array,) = thin(array)
    return {i for i, n in enumerate(array.shape) if n > 1 and (np.diff(array, axis=i) != 0).any()}


def _looked_up(numbers: Array, labels: Array) -> Array:
    """Look labels up without unfolding what repeats."""
    return np.broadcast_to(numbers[thin(labels)[0]], labels.shape)
