r"""Feature maps that are skipped while the network runs: for one image these, for the next image others.

A filter is pruned once, for all images. A *gate* decides anew for each image: it looks at a feature map as it
leaves its activation function, and if there is next to nothing in it, sets it to zero. What the layers behind
would have computed from the map need not be computed. The map itself has been computed by then.

Liang, Wang, Shi and Glossner (2018) skip the maps that are zero throughout, which changes no answer, and then
those whose entries all lie within ε of zero, which may: with a map's activations :math:`a_p` at the places p,

.. math:: \max_p |a_p| \le \varepsilon.

This is the measure ``"max"``. ``"mean"``, an addition of ours, compares the mean of :math:`|a_p|` instead, so
that one bright place does not hold on to an empty map. The paper is after the traffic of memory; here
multiplications are counted. A dense kernel multiplies zeros like other numbers: the count says what a kernel
that skips whole maps would save.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from pruneviz.core.arrays import Array, checked_images, checked_pair
from pruneviz.core.graph import KERNELS
from pruneviz.engine.model import Seen
from pruneviz.measures.scorecards import classes
from pruneviz.progress import quiet, steps

if TYPE_CHECKING:
    from pruneviz.core.arrays import BoolArray, Given, Images, Pair
    from pruneviz.core.graph import Graph, Node
    from pruneviz.core.units import Units

_LEVELS: dict[str, Callable[[Array, tuple[int, ...]], Array]] = {
    "max": lambda sizes, places: sizes.max(axis=places),
    "mean": lambda sizes, places: sizes.mean(axis=places, dtype=np.float64),
}
_IMAGES = 250  # at a time through the model: all its maps are held at once
_STEPS = 14  # of the bisection: the threshold is found to one part in ten thousand of its range


@dataclass(frozen=True, eq=False)
class Gated:
    """A model that skipped feature maps, measured.

    Attributes
    ----------
    skipped
        Layer name -> (n, out) bool: True where the map of that filter was skipped for that image. Where
        several layers add up to one map, it goes by the first of their names.
    macs
        (n,) multiplications that are left for each image.
    dense_macs
        Multiplications of an image without gates.
    predictions
        (n,) predicted classes.
    labels
        (n,) true classes.
    """

    skipped: Mapping[str, BoolArray] = field(repr=False)
    macs: Array = field(repr=False)
    dense_macs: int
    predictions: Array = field(repr=False)
    labels: Array = field(repr=False)

    @property
    def correct(self) -> int:
        """Number of images that are classified correctly."""
        return int(np.count_nonzero(self.predictions == self.labels))

    @property
    def saved(self) -> float:
        """Share of the multiplications that is saved, on average over the images."""
        return 1 - float(self.macs.mean()) / self.dense_macs

    def __str__(self) -> str:
        lines = [f"{name}: {off.mean():.1%} of the maps skipped" for name, off in self.skipped.items()]
        lines.append(f"{self.correct:,} of {len(self.labels):,} right, {self.saved:.1%} of the MACs saved")
        return "\n".join(lines)


def gate(model: object, data: Pair, threshold: float | Mapping[str, float], *, measure: str = "max") -> Gated:
    """Classify images, and skip for each the feature maps that are all but empty.

    Parameters
    ----------
    model
        A torch.nn.Module or Keras model that can be traced; it stays as it is.
    data
        (x, y): the images, and their classes.
    threshold
        A map is skipped if its level is at most this: one number for all convolutions, or a dict of layer ->
        number, which leaves alone what it does not name. 0 skips what is zero throughout: the predictions
        stay as they are.
    measure
        The level of a map: ``"max"``, the largest of its activations by size (Liang et al. 2018 [1]_), or
        ``"mean"``, their mean size.

    Returns
    -------
    Gated
        What was skipped, the predictions, and the multiplications that are left for each image: a layer saves
        those with channels whose maps are zero for that image. Everything else is computed as before.

    Raises
    ------
    TypeError, ValueError
        If a threshold is no number from 0, or names no layer that has feature maps; if the model cannot be
        traced; or if a map never leaves the layer that it is computed in. The message names the layer.

    References
    ----------
    .. [1] T. Liang, L. Wang, S. Shi and J. Glossner, "Dynamic runtime feature map pruning",
       arXiv:1812.09922, 2018.
    """
    x, y = checked_pair(data)
    circuit = _Circuit(model, x, measure)
    outputs, skipped, macs = circuit.run(x, circuit.limits(threshold))
    return Gated(skipped, macs, circuit.total, classes(circuit.adapter, (x, y), outputs), y.copy())


def gate_threshold(model: object, x: Given, share: float, *, measure: str = "max") -> float:
    """Find the threshold at which gates leave a given share of the multiplications.

    Parameters
    ----------
    model, measure
        As for `gate`.
    x
        (n, …) images to average over; not those on which the result is reported.
    share
        Of the model's multiplications, above 0 and at most 1.

    Returns
    -------
    float
        The lowest threshold, found by bisection, at which no more than this share is left on average.

    Raises
    ------
    ValueError
        If so few cannot be reached even with every map skipped; the message says how few can.
    """
    if isinstance(share, bool) or not isinstance(share, Real) or not 0 < share <= 1:
        raise ValueError(f"share {share!r} is not a number above 0 and at most 1, such as 0.8")
    x = checked_images("x", x)
    circuit = _Circuit(model, x, measure)

    def left(threshold: float, images: Images = x) -> float:
        with quiet():
            return float(circuit.run(images, circuit.limits(threshold))[2].mean()) / circuit.total

    least = left(math.inf, x[:1])
    if share < least:
        raise ValueError(
            f"share is {share:g}, but with every map skipped {least:.3g} of the multiplications are left"
        )
    low, high = 0.0, 1.0
    if left(low) <= share:
        return low
    while left(high) > share:
        low, high = high, 2 * high
    for _ in steps("searching a threshold", "step", range(_STEPS)):
        middle = (low + high) / 2
        low, high = (low, middle) if left(middle) <= share else (middle, high)
    return high


class _Circuit:
    """Where a model's gates stand, and what the layers behind them read."""

    def __init__(self, model: object, x: Images, measure: str) -> None:
        if measure not in _LEVELS:
            raise ValueError(f"measure {measure!r} is not one of {', '.join(_LEVELS)}")
        seen = Seen(model, x)
        self.level, self.adapter = _LEVELS[measure], seen.adapter
        found, layers = seen.structure, seen.layers
        if len(found.graph.outputs) != 1:
            raise ValueError(
                f"the model has {len(found.graph.outputs)} outputs; gates ask for one, of classes"
            )
        (self.end,) = found.graph.outputs
        kernels = [node for node in found.graph.nodes if node.op in KERNELS]
        axes = {node.layer: node.options["axis"] for node in kernels}
        units = found.units.only("filter")
        # Where several layers add up to one map, the first name stands for it, in every framework.
        names = {
            units.reads[name]: name
            for name in sorted(units.names(), reverse=True)
            if name in units.reads and layers[name].kind != "dense"
        }
        self.gates = {
            names[node.name]: (node.name, axes[names[node.name]])
            for node in found.graph.nodes
            if node.name in names
        }
        shapes = {node.name: node.shape for node in found.graph.nodes}
        costs = {node.name: layers[node.layer].weight.size * _places(node, shapes) for node in kernels}
        self.total = sum(costs.values())
        self.readers = [
            _Reader(node, costs[node.name], units, _before(node, found.graph, self.gates)) for node in kernels
        ]

    def limits(self, threshold: float | Mapping[str, float]) -> dict[str, float]:
        """Give gates their thresholds, or refuse them."""
        if not isinstance(threshold, Mapping):
            return dict.fromkeys(self.gates, _level("threshold", threshold))
        if unknown := [name for name in threshold if name not in self.gates]:
            known = ", ".join(self.gates) or "no layer"
            raise ValueError(f"threshold names {unknown[0]!r}; there are gates behind {known}")
        levels = {name: _level(f"the threshold of layer {name!r}", own) for name, own in threshold.items()}
        return {name: levels[name] for name in self.gates if name in levels}

    def run(self, x: Images, limits: Mapping[str, float]) -> tuple[Array, dict[str, BoolArray], Array]:
        """Compute the outputs, what was skipped, and the multiplications that are left for each image."""
        at = {self.gates[name][0]: name for name in limits}
        skipped: dict[str, list[BoolArray]] = {name: [] for name in limits}
        readers = [reader for reader in self.readers if not limits.keys().isdisjoint(reader.gates)]

        def edit(node: str, array: Array) -> Array:
            if node not in at:
                return array
            axis = self.gates[at[node]][1]
            places = tuple({*range(1, array.ndim)} - {axis % array.ndim if axis < 0 else axis + 1})
            off = self.level(np.abs(array), places) <= limits[at[node]]
            skipped[at[node]].append(off)
            return np.where(np.expand_dims(off, places), 0, array)

        outputs, macs = [], []
        for start in steps("skipping maps", "batch", range(0, len(x), _IMAGES)):
            nodes = {self.end, *at, *(reader.source for reader in readers)}
            for found in self.adapter.activations(x[start : start + _IMAGES], nodes, edit):
                for name in limits:
                    if self.gates[name][0] not in found:
                        raise ValueError(
                            f"the maps of layer {name!r} never leave the layer it is a part of: give "
                            "thresholds as a dict that does not name it"
                        )
                    if np.isnan(found[self.gates[name][0]]).any():  # no threshold skips such a map
                        raise ValueError(f"behind layer {name!r} activations are NaN for some images")
                outputs.append(found[self.end])
                saved = [reader.saved(found[reader.source], limits) for reader in readers]
                macs.append(self.total - np.sum([np.zeros(len(outputs[-1]), np.int64), *saved], axis=0))
        flags = {name: np.concatenate(parts) for name, parts in skipped.items()}
        return np.concatenate(outputs), flags, np.concatenate(macs)


class _Reader:
    """One call of a layer: which of its channels come through gates, and what each costs."""

    def __init__(self, node: Node, macs: int, units: Units, gates: set[str]) -> None:
        self.source, self.axis, self.gates = node.inputs[0], node.options["axis"], gates
        self.inputs, self.each = units.columns[node.layer], macs // len(units.columns[node.layer])
        # A convolution reads a map at one place of its axis, a dense layer at many: those of one unit.
        self.channels = self.inputs if node.op == "dense" else np.arange(len(self.inputs))
        self.units = {name: units.ids(name) for name in gates}

    def saved(self, array: Array, limits: Mapping[str, float]) -> Array:
        """Count the multiplications with channels that are zero throughout: (n,)."""
        gated = [self.units[name] for name in self.gates & limits.keys()]
        read = np.isin(self.inputs, np.setdiff1d(np.concatenate(gated), [-1]))
        table = np.moveaxis(array, self.axis if self.axis < 0 else self.axis + 1, 1)[:, read]
        silent = np.all(table.reshape(*table.shape[:2], -1) == 0, axis=2)
        order = np.argsort(self.channels[read], kind="stable")
        _, starts, counts = np.unique(self.channels[read][order], return_index=True, return_counts=True)
        whole = np.logical_and.reduceat(silent[:, order], starts, axis=1)
        saved: Array = whole @ (counts * self.each)
        return saved


def _level(what: str, value: float) -> float:
    """Take a number from 0; `what` names it in errors."""
    if isinstance(value, bool) or not isinstance(value, Real) or not value >= 0:
        raise ValueError(f"{what} is {value!r}, not a number from 0")
    return float(value)


def _places(node: Node, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Count how often each weight of a layer is multiplied."""
    shape = shapes[node.inputs[0]] if node.op == "transposed" else node.shape
    return math.prod(shape) // int(shape[node.options["axis"]])


def _before(node: Node, graph: Graph, gates: Mapping[str, tuple[str, int]]) -> set[str]:
    """Find the gates that a layer's input comes through: the nearest before it."""
    named = {place: name for name, (place, _) in gates.items()}
    nodes = {other.name: other for other in graph.nodes}
    found, waiting = set(), [node.inputs[0]]
    while waiting:
        name = waiting.pop()
        if name in named:
            found.add(named[name])
        elif nodes[name].op not in KERNELS:
            waiting += nodes[name].inputs
    return found
