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
    from pruneviz.core.masks import Importance, Ranking
    from pruneviz.core.plan import Plan
    from pruneviz.engine.model import Structure


def packed(ranking: Ranking, scores: Importance) -> dict[str, bytes]:
    """Give the traits that tell a browser about a ranking of units.

    Returns
    -------
    dict
        ``places`` (uint16, as in `payload.places`), ``scored`` (their scores, float64) and ``ids`` (int32,
        the unit of each output, -1 where it must stay), layer after layer, little-endian.
    """
    units = ranking.units
    assert units is not None  # noqa: S101  # a ranking of units has them
    places = payload.places(ranking)
    return {
        "places": b"".join(array.astype("<u2").tobytes() for array in places.values()),
        "scored": b"".join(scores[name].astype("<f8").tobytes() for name in places),
        "ids": b"".join(units.ids(name).astype("<i4").tobytes() for name in places),
    }


def wires(
    model: object, found: Structure, uses: Mapping[str, int]
) -> tuple[list[dict[str, Any]], list[Array]]:
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
        ``name``, ``rows``, ``columns`` (how many outputs, and inputs that each output reads), ``area``
        (weights of one pair), ``each`` (other parameters of a row) and ``uses``, by layer; norms, whose
        channels are rows without columns, come last. A network without some units has
        rows · (each + columns · area) parameters and uses · rows · columns · area MACs for what is left.
    list
        (rows + columns,) numbers of the units by layer; -1 for what must stay.
    """
    adapter = frameworks.adapter(model)
    reads = {node.layer: node for node in reversed(found.graph.nodes) if node.op in KERNELS}
    sizes = {name: array.size for name, array in adapter.parameters().items()}
    facts, ids = [], []
    for layer in adapter.layers():
        node = reads.get(layer.name)
        outputs = found.units.of[layer.name]
        inputs = np.full(layer.shape[1], -1)  # of a depthwise layer: the one input goes with its output
        if node is not None and node.op != "depthwise":
            labels = rows(found.labels[node.inputs[0]], node.options["axis"]).max(axis=1)
            inputs = labels.reshape(node.options.get("groups", 1), -1)[0]
        facts.append(
            {
                "name": layer.name,
                "rows": len(outputs),
                "columns": len(inputs),
                "area": math.prod(layer.shape[2:]),
                "each": int(layer.bias is not None),
                "uses": uses[layer.name],
            }
        )
        ids.append(np.concatenate([outputs, inputs]))
    for name, arrays in adapter.norms().items():
        if name in found.units.norms:
            channels = found.units.norms[name]
            each = sum(sizes.get(array, 0) for array in arrays.values()) // len(channels)
            facts.append(
                {"name": name, "rows": len(channels), "columns": 0, "area": 0, "each": each, "uses": 0}
            )
            ids.append(channels)
    return facts, ids


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
        outputs = len(plan.outputs.get(name, plan.norms.get(name, range(layer["rows"]))))
        inputs = len(plan.inputs.get(name, range(layer["columns"])))
        shift = plan.shifts.get(name)
        each = layer["each"] or int(shift is not None and shift.any())
        parameters += outputs * (each + inputs * layer["area"])
        macs += layer["uses"] * outputs * inputs * layer["area"]
    return {"parameters": parameters, "macs": macs}
