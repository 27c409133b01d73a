"""What the browser needs to know of coupled channels: the chain of layers, and what ties some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.core.graph import KERNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruneviz.core.graph import Graph
    from pruneviz.core.units import Structure, Units


def chain(found: Structure) -> list[dict[str, Any]]:
    """List the layers in the order in which values flow; side by side, in the model's order.

    Returns
    -------
    list
        ``name``, and the ``norms`` whose entries go with its outputs, each norm once: at the last of the
        layers that reach it.
    """
    graph, units = found.graph, found.units
    sources = _sources(graph)
    needs: dict[str, set[str]] = {}
    for node in graph.nodes:
        if node.op in KERNELS:
            needs.setdefault(node.layer, {layer for name in node.inputs for layer in sources[name]})
    waiting = [name for name in units.of if name in needs]
    layers: list[str] = []
    while waiting:  # a layer that is called again may wait for itself
        layers.append(next((name for name in waiting if needs[name] <= {*layers}), waiting[0]))
        waiting.remove(layers[-1])
    owner = {node.layer: sources[node.name][-1:] for node in graph.nodes if node.op == "norm"}
    return [
        {"name": name, "norms": [norm for norm in units.norms if owner[norm] == (name,)]} for name in layers
    ]


def groups(found: Structure, names: Sequence[str], units: Units) -> list[dict[str, Any]]:
    """List the groups of tied layers.

    Parameters
    ----------
    found
        The structure.
    names
        The layers to list, in the view's order.
    units
        Those of them that count.

    Returns
    -------
    list
        ``name``: its first layer; ``layers``; ``size``: how many units it has; ``how``: what ties the layers,
        some of ``added, multiplied, depthwise, grouped``.
    """
    number = {name: int(units.groups[units.ids(name).max()]) for name in names}
    members: dict[int, list[str]] = {}
    for name in names:
        members.setdefault(number[name], []).append(name)
    sources = _sources(found.graph)
    how: dict[int, set[str]] = {group: set() for group in members}
    for node in found.graph.nodes:
        if node.op == "combine":
            reached = [name for name in sources[node.name] if name in number]
            for group in {number[name] for name in reached}:
                if sum(number[name] == group for name in reached) > 1:
                    how[group].add("multiplied" if node.options.get("product") else "added")
        elif node.layer in number and node.op == "depthwise":
            how[number[node.layer]].add("depthwise")
        elif node.layer in number and node.options.get("groups", 1) > 1:
            how[number[node.layer]].add("grouped")
    return [
        {
            "name": layers[0],
            "layers": layers,
            "size": len(np.setdiff1d(np.concatenate([units.ids(name) for name in layers]), [-1])),
            "how": sorted(how[group]),
        }
        for group, layers in members.items()
    ]


def _sources(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Find the layers whose outputs reach each node without passing another layer."""
    found: dict[str, tuple[str, ...]] = {}
    for node in graph.nodes:
        before = dict.fromkeys(layer for name in node.inputs for layer in found[name])
        found[node.name] = (node.layer,) if node.op in KERNELS else tuple(before)
    return found
