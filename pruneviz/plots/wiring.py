"""Which connections and neurons of a small network are left."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.plots import inputs, style

if TYPE_CHECKING:
    from pruneviz.arrays import Array, BoolArray

LARGEST = 32


@dataclass(frozen=True, eq=False)
class Wiring:
    """What is left of a network.

    Attributes
    ----------
    weights
        Layer name -> (out, in).
    kept
        Layer name -> (out, in), False for connections that are pruned or end at a pruned neuron.
    alive
        One (neurons,) for the inputs and each layer; False for a pruned neuron.
    """

    weights: dict[str, Array]
    kept: dict[str, BoolArray]
    alive: list[BoolArray]

    @property
    def sizes(self) -> str:
        """Numbers of neurons, such as 4-6-3."""
        return "-".join(str(neurons.size) for neurons in self.alive)

    @property
    def pruned_neurons(self) -> int:
        """Number of neurons pruned."""
        return sum(int(np.count_nonzero(~neurons)) for neurons in self.alive)

    def __str__(self) -> str:
        kept = sum(int(np.count_nonzero(array)) for array in self.kept.values())
        total = sum(array.size for array in self.kept.values())
        return f"{style.grouped(kept)} of {style.grouped(total)} connections"


def dense_layers(network: Any) -> dict[str, Array]:  # noqa: ANN401
    """Give the (out, in) weights of a network that is small enough to draw.

    Raises
    ------
    ValueError
        If a layer is not dense, is too large, or does not fit the one before.
    """
    listed = isinstance(network, Sequence) and not isinstance(network, str)
    if listed and all(isinstance(size, int | np.integer) for size in network):
        network = [np.ones((after, before)) for before, after in itertools.pairwise(network)]
    if listed:
        network = _numbered(network)
    weights = inputs.weights_by_layer(network, "network")
    before = None
    for name, array in weights.items():
        if array.ndim != 2:
            raise ValueError(
                f"network has layer {name!r} of shape {array.shape}: only dense layers can be drawn"
            )
        if before is not None and array.shape[1] != before:
            raise ValueError(
                f"network has layer {name!r} with {array.shape[1]} inputs after {before} outputs"
            )
        before = array.shape[0]
        if max(array.shape) > LARGEST:
            raise ValueError(
                f"network has layer {name!r} of {array.shape[0]} × {array.shape[1]}, too large for a diagram "
                f"(at most {LARGEST}): draw a small one, such as [4, 6, 3], or use plot_mask"
            )
    return weights


def _numbered(arrays: Sequence[Any]) -> dict[str, Any]:
    return {f"fc{number}": np.asarray(array) for number, array in enumerate(arrays, 1) if array is not None}


def wire(weights: dict[str, Array], mask: Any | None, argument: str) -> Wiring:  # noqa: ANN401
    """Find out what a mask of connections or neurons leaves; a pruned neuron takes its connections along.

    Raises
    ------
    ValueError
        If the mask does not fit the weights.
    """
    first = next(iter(weights.values()))
    alive = [np.ones(first.shape[1], bool), *(np.ones(array.shape[0], bool) for array in weights.values())]
    kept = {name: np.ones(array.shape, bool) for name, array in weights.items()}
    if mask is not None:
        listed = isinstance(mask, Sequence) and not isinstance(mask, str)
        given = inputs.masks_by_layer(_numbered(mask) if listed else mask, argument)
        unknown = given.keys() - weights.keys()
        if unknown and list(given) != [inputs.NAMELESS]:
            raise ValueError(f"{argument} names no layer of the network: {', '.join(sorted(unknown))}")
        kept = inputs.fit(given, weights, argument)
        alive[1:] = [
            given[name] if name in given and given[name].ndim == 1 else neurons
            for name, neurons in zip(weights, alive[1:], strict=True)
        ]
    left = {
        name: array & alive[place + 1][:, None] & alive[place]
        for place, (name, array) in enumerate(kept.items())
    }
    return Wiring(weights, left, alive)
