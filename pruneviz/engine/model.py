"""A model as the rest of pruneviz sees it: its layers, how units run through it, and whether a mask fits."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pruneviz import frameworks
from pruneviz.core.arrays import checked_images
from pruneviz.core.layers import Network
from pruneviz.core.masks import Mask
from pruneviz.core.plan import plan
from pruneviz.core.units import find

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array, BoolArray, Given
    from pruneviz.core.graph import Graph
    from pruneviz.core.units import Structure, Units


class Seen:
    """A model as one call looks at it: what is found out is found out once.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model.
    example
        (n, …) images like those it takes, to follow units through it, or a tuple of an array for each input;
        a Keras model can do without.
    """

    def __init__(self, model: object, example: Given | None = None) -> None:
        self.model, self.example = model, None if example is None else checked_images("example", example)
        self.adapter = frameworks.adapter(model)

    @cached_property
    def layers(self) -> Network:
        """The prunable layers; a weight that is NaN or infinite is refused by its layer."""
        return looked_at(self.adapter)

    @cached_property
    def graph(self) -> Graph:
        """What flows into what; a missing example, or what cannot be traced, is refused."""
        return self.adapter.graph(None if self.example is None else self.example[:1])

    @cached_property
    def structure(self) -> Structure:
        """How units run through the model, from its inputs to its outputs, which stay."""
        return self._followed(self.graph)

    @cached_property
    def opened(self) -> Structure:
        """The same where outputs may go too."""
        return self._followed(self.graph.opened())

    def _followed(self, graph: Graph) -> Structure:
        found = find(graph, self.layers.layers)
        obstacles = (*found.units.obstacles, *plan(found, self.layers.layers, None).obstacles)
        return replace(found, units=replace(found.units, obstacles=obstacles, wiring=self.adapter.wiring()))

    def units_of(self, mask: Mask) -> Units:
        """Give the units that a mask was made with, if for this model or a copy; or else this one's."""
        if mask.units is not None and mask.units.wiring == self.adapter.wiring():
            return mask.units
        if mask.units is not None and self.example is None and self.adapter.name == "torch":
            raise ValueError("the mask was made for another model: pass example, to see how units are tied")
        return self.structure.units


def looked_at(adapter: frameworks.Adapter) -> Network:
    """List the prunable layers of a model, and those beside them of which an array has two axes or more."""
    layers = adapter.layers()
    for layer in layers:
        if not all(np.isfinite(own).all() for own in (layer.weight, layer.bias) if own is not None):
            raise ValueError(
                f"layer {layer.name!r} has weights that are NaN or infinite: its training diverged; load "
                "an earlier checkpoint before pruning"
            )
    prunable = {f"{layer.name}.{part}" for layer in layers for part in ("weight", "bias")}
    others: dict[str, list[Array]] = {}
    for name, array in adapter.arrays().items():
        if name not in prunable and np.issubdtype(array.dtype, np.floating):
            owner, _, part = name.rpartition(".")
            others.setdefault(owner or part, []).append(array)
    wide = {name for name, found in others.items() if any(sum(n > 1 for n in a.shape) > 1 for a in found)}
    return Network(layers, {name: sum(a.size for a in others[name]) for name in others if name in wide})


def network(model: object) -> Network:
    """Look at a model's prunable layers.

    Parameters
    ----------
    model
        A torch.nn.Module, a keras.Model (Keras 3 on TensorFlow) or a tf_keras.Model, already built.

    Returns
    -------
    Network
        Views of the model's own weights where the framework allows it; never a way to change them.

    Raises
    ------
    TypeError
        If the model is of another type.
    ValueError
        If a weight is NaN or infinite, or the model is not built; the message names the layer.
    """
    return Seen(model).layers


def checked_mask(layers: Network, mask: Mask) -> None:
    """Refuse a mask that names other layers, or has other shapes."""
    if not isinstance(mask, Mask):
        raise TypeError(f"mask is a {type(mask).__qualname__}, not a Mask: pv.prune makes one")
    if mask.granularity not in ("weight", "neuron", "filter", "channel"):
        raise ValueError(f"mask has granularity {mask.granularity!r}, not weight, neuron, filter or channel")
    for name, kept in mask.items():
        if name not in layers:
            raise ValueError(f"the mask names layer {name!r}; the model has {', '.join(layers)}")
        shape = layers[name].shape if mask.granularity == "weight" else layers[name].shape[:1]
        if kept.shape != shape:
            what = "its weight" if mask.granularity == "weight" else "one entry an output would be"
            raise ValueError(f"the mask of layer {name!r} has shape {kept.shape}, {what} {shape}")


def pruned_units(units: Units, mask: Mask) -> BoolArray:
    """Find the units that a mask prunes, (units,) bool; refuse one of what must stay, or of half a unit."""
    pruned = np.zeros(len(units.groups), bool)
    for name, kept in mask.items():
        ids = units.of[name]
        if len(wrong := np.flatnonzero(~kept & (ids < 0))):
            raise ValueError(
                f"output {wrong[0]} of layer {name!r} must stay: it is tied to the model's output or input"
            )
        pruned[ids[~kept]] = True
    for name, ids in units.of.items():
        kept = mask[name] if name in mask else np.ones(len(ids), bool)
        if len(wrong := np.flatnonzero(kept & (ids >= 0) & np.append(pruned, False)[ids])):
            unit = ids[wrong[0]]
            others = [o for o in mask if o != name and (units.of[o][~mask[o]] == unit).any()] or [name]
            raise ValueError(
                f"output {wrong[0]} of layer {name!r} is tied to layer {others[0]!r}, where the mask prunes "
                "it: prune both, or neither"
            )
    return pruned
