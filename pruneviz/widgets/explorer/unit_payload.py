"""What the browser needs to know of units: places, scores, and what a network costs without some of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import frameworks
from pruneviz.core.graph import KERNELS, rows
from pruneviz.widgets.explorer import payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.core.arrays import Array
    from pruneviz.core.masks import Importance
    from pruneviz.core.plan import Plan
    from pruneviz.core.ranking import Ranking
    from pruneviz.core.units import Structure


def packed(ranking: Ranking, scores: Importance) -> dict[str, dict[str, Array]]:
    """Tell a browser about a ranking of units: by layer, ``place`` as in `payload.places`, and ``score``."""
    return {
        name: {"place": place, "score": scores[name].astype(np.float64)}
        for name, place in payload.places(ranking).items()
    }


def wires(model: object, found: Structure, uses: Mapping[str, int]) -> list[dict[str, Any]]:
    """Say what each layer of a network costs in terms of the units that it writes and reads.

    Parameters
    ----------
    model
        The model.
    found
        Its structure.
    uses
        Layer name -> how often each weight is multiplied for one image.

    Returns
    -------
    list
        By layer, ``name``; ``rows`` and ``columns``: the units of its outputs, and of the inputs that each
        output reads, -1 for what must stay; ``area`` (weights of one pair), ``each`` (other parameters of a
        row) and ``uses``. Norms, whose channels are rows without columns, come last. A network without some
        units has rows · (each + columns · area) parameters and uses · rows · columns · area MACs.
    """
    adapter = frameworks.adapter(model)
    reads = {node.layer: node for node in reversed(found.graph.nodes) if node.op in KERNELS}
    sizes = {name: array.size for name, array in adapter.parameters().items()}
    facts = []
    for layer in adapter.layers():
        node = reads.get(layer.name)
        inputs = np.full(layer.shape[1], -1)  # of a depthwise layer: the one input goes with its output
        if node is not None and node.op != "depthwise":
            labels = rows(found.labels[node.inputs[0]], node.options["axis"]).max(axis=1)
            inputs = labels.reshape(node.options.get("groups", 1), -1)[0]
        area, each = math.prod(layer.shape[2:]), int(layer.bias is not None)
        facts.append(_wire(layer.name, found.units.of[layer.name], inputs, area, each, uses[layer.name]))
    for name, arrays in adapter.norms().items():
        if name in found.units.norms:
            channels = found.units.norms[name]
            each = sum(sizes.get(array, 0) for array in arrays.values()) // len(channels)
            facts.append(_wire(name, channels, np.zeros(0), 0, each, 0))
    return facts


def _wire(name: str, outputs: Array, inputs: Array, area: int, each: int, uses: int) -> dict[str, Any]:
    ids = {"rows": outputs.astype(np.int32), "columns": inputs.astype(np.int32)}
    return {"name": name, **ids, "area": area, "each": each, "uses": uses}


def cost(facts: list[dict[str, Any]], rest: int, plan: Plan) -> dict[str, int]:
    """Count what is left of a network when a plan is carried out.

    Parameters
    ----------
    facts
        As `wires` gives them.
    rest
        Parameters that belong to none of these layers.
    plan
        What each layer keeps.

    Returns
    -------
    dict
        ``parameters`` and ``macs``.
    """
    parameters, macs = rest, 0
    for layer in facts:
        name = layer["name"]
        outputs = len(plan.outputs.get(name, plan.norms.get(name, layer["rows"])))
        inputs = len(plan.inputs.get(name, layer["columns"]))
        shift = plan.shifts.get(name)
        each = layer["each"] or int(shift is not None and shift.any())
        parameters += outputs * (each + inputs * layer["area"])
        macs += layer["uses"] * outputs * inputs * layer["area"]
    return {"parameters": parameters, "macs": macs}
