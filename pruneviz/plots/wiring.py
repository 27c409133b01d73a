"""Which connections and neurons of a small network are left."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.engine.model import pruned_units
from pruneviz.plots import inputs, style

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array, BoolArray

LARGEST = 32


@dataclass(frozen=True, eq=False)
class Wiring:
    """What is left of a network, or of some of its layers.

    Attributes
    ----------
    weights
        Layer name -> (out, in, …).
    kept
        Layer name -> of the same shape, False for connections that are pruned or end at a pruned neuron.
    inputs, outputs
        Layer name -> (in,) or (out,), False for what a pruned neuron takes along.
    """

    weights: dict[str, Array]
    kept: dict[str, BoolArray]
    inputs: dict[str, BoolArray]
    outputs: dict[str, BoolArray]

    @property
    def alive(self) -> list[BoolArray]:
        """Give one (neurons,) for the inputs and each layer; False for a pruned neuron."""
        return [next(iter(self.inputs.values())), *self.outputs.values()]

    @property
    def sizes(self) -> str:
        """Numbers of neurons, such as 4-6-3."""
        return "-".join(str(neurons.size) for neurons in self.alive)

    @property
    def pruned_neurons(self) -> int:
        """Number of neurons pruned."""
        return sum(int(np.count_nonzero(~neurons)) for neurons in self.outputs.values())

    def shape(self, name: str, *, removed: bool = False) -> str:
        """Write the shape of a layer, or the one that it has when the pruned neurons are removed."""
        sizes = list(self.weights[name].shape)
        if removed:
            sizes[:2] = [int(np.count_nonzero(ends[name])) for ends in (self.outputs, self.inputs)]
        return " × ".join(map(str, sizes))

    def only(self, layers: Sequence[str]) -> Wiring:
        """Leave the other layers out."""
        unknown = [name for name in layers if name not in self.kept]
        if unknown or not layers:
            raise ValueError(f"layers is {list(layers)}: choose from {', '.join(self.kept)}")
        parts = (self.weights, self.kept, self.inputs, self.outputs)
        return Wiring(*({name: part[name] for name in layers} for part in parts))

    def __str__(self) -> str:
        kept = sum(int(np.count_nonzero(array)) for array in self.kept.values())
        total = sum(array.size for array in self.kept.values())
        return f"{style.grouped(kept)} of {style.grouped(total)} connections"


def layers_of(network: Any, *, small: bool) -> dict[str, Array]:  # noqa: ANN401
    """Give the weights of a network by layer name; if `small`, one that a diagram can show.

    Raises
    ------
    ValueError
        If a layer of a small network is not dense, is too large, or does not fit the one before.
    """
    listed = isinstance(network, Sequence) and not isinstance(network, str)
    if listed and all(isinstance(size, int | np.integer) for size in network):
        network = [np.ones((after, before)) for before, after in itertools.pairwise(network)]
    if listed:
        network = _numbered(network)
    weights = inputs.weights_by_layer(network, "network")
    if small:
        _check_small(weights)
    return weights


def _check_small(weights: dict[str, Array]) -> None:
    before = None
    for name, array in weights.items():
        if array.ndim != 2:
            raise ValueError(
                f"network has layer {name!r} of shape {array.shape}: only dense layers can be drawn as a "
                'diagram; view="matrix" draws others too'
            )
        if before is not None and array.shape[1] != before:
            raise ValueError(
                f"network has layer {name!r} with {array.shape[1]} inputs after {before} outputs"
            )
        before = array.shape[0]
        if max(array.shape) > LARGEST:
            raise ValueError(
                f"network has layer {name!r} of {array.shape[0]} × {array.shape[1]}, too large for a diagram "
                f'(at most {LARGEST}): draw a small one, such as [4, 6, 3], or use view="matrix"'
            )


def _numbered(arrays: Sequence[Any]) -> dict[str, Any]:
    return {f"fc{number}": inputs.plain(array) for number, array in enumerate(arrays, 1) if array is not None}


def wire(weights: dict[str, Array], mask: Any | None, argument: str) -> Wiring:  # noqa: ANN401
    """Find out what a mask of connections or neurons leaves; a pruned neuron takes its connections along.

    Raises
    ------
    ValueError
        If the mask does not fit the weights, or it cannot be told whose inputs a pruned neuron feeds.
    """
    outputs = {name: np.ones(array.shape[0], bool) for name, array in weights.items()}
    kept = {name: np.ones(array.shape, bool) for name, array in weights.items()}
    if mask is not None:
        listed = isinstance(mask, Sequence) and not isinstance(mask, str)
        given = inputs.masks_by_layer(_numbered(mask) if listed else mask, argument)
        unknown = given.keys() - weights.keys()
        if unknown and list(given) != [inputs.NAMELESS]:
            raise ValueError(f"{argument} names no layer of the network: {', '.join(sorted(unknown))}")
        kept = inputs.fit(given, weights, argument)
        outputs |= {name: given[name] for name in weights if name in given and given[name].ndim == 1}
    incoming = _incoming(weights, outputs, mask, argument)
    left = {}
    for name, array in kept.items():
        rest = (1,) * (array.ndim - 2)
        left[name] = array & outputs[name].reshape(-1, 1, *rest) & incoming[name].reshape(1, -1, *rest)
    return Wiring(weights, left, incoming, outputs)


def _incoming(
    weights: dict[str, Array],
    outputs: dict[str, BoolArray],
    mask: Any | None,  # noqa: ANN401
    argument: str,
) -> dict[str, BoolArray]:
    """Tell which inputs of each layer are left: a mask of pv.prune knows, others are taken for a chain."""
    units = getattr(mask, "units", None)
    if units is not None:
        gone = np.append(pruned_units(units, mask), False)  # type: ignore[arg-type]
        whole = [name for name in weights if units.kinds[name] == "depthwise" or name not in units.columns]
        columns = {name: np.full(1, -1) if name in whole else units.columns[name] for name in weights}
        return {name: np.resize(~gone[columns[name]], array.shape[1]) for name, array in weights.items()}
    found, before = {}, None
    for name, array in weights.items():
        found[name] = np.ones(array.shape[1], bool)
        if before is not None and before.size == array.shape[1]:
            found[name] = before
        elif before is not None and not before.all():
            raise ValueError(
                f"{argument} prunes neurons before layer {name!r}, but which of its {array.shape[1]} inputs "
                "they feed cannot be told: give a Mask as pv.prune makes it"
            )
        before = outputs[name]
    return found
