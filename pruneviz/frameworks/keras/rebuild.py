"""Builds the smaller Keras model that a removal plan describes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.frameworks.keras import operations, probing
from pruneviz.frameworks.keras.calls import Call, Flat, Part, filled
from pruneviz.frameworks.keras.copies import Copier
from pruneviz.frameworks.keras.layouts import home_of, is_keras, kernels_of, to_numpy

if TYPE_CHECKING:
    from pruneviz.core.plan import Plan

_PARTS = ("activation", "_regularizer", "_constraint", "_initializer")


def rebuilt(model: Any, flat: Flat, plan: Plan) -> Any:
    """Build a model with smaller layers; what was nested lies flat, under its "outer.inner" names."""
    home, copier = home_of(model), Copier(model)
    made, fresh = dict[int, Any](), list[Call]()

    def smaller(call: Call) -> Any:
        if id(call.layer) not in made:
            changes = _changes(call, plan)
            if changes is None:
                layer = copier(call.layer)
                vars(layer)["name" if "name" in vars(layer) else "_name"] = call.path
            else:
                fresh.append(call)
                layer = _like(call.layer, {**changes, "name": call.path}, copier)
            made[id(call.layer)] = layer
        return made[id(call.layer)]

    flat = replace(flat, calls=tuple(_resized(call, plan, home) for call in flat.calls))
    inputs = [home.Input(x.shape, name=x.name, dtype=x.dtype) for x in flat.calls if x.layer is None]
    if type(model) is home.Sequential and not any("." in call.path for call in flat.calls):
        small = home.Sequential([*inputs, *map(smaller, flat.calls[1:])], name=model.name)
    else:
        values = flat.run(inputs, smaller)
        small = home.Model(filled(flat.given, values), filled(flat.made, values), name=model.name)
    for call in fresh:
        _fill(call.path, call.layer, made[id(call.layer)], plan)
    return small


def _like(layer: Any, changes: dict[str, Any], copier: Copier) -> Any:
    """Make a layer by the numbers of its configuration, which cannot bring back a function of one's own."""
    plain, linear = object.__new__(type(layer)), home_of(layer).activations.linear
    parts = {name: part for name, part in vars(layer).items() if is_keras(layer) and name.endswith(_PARTS)}
    blank = {name: linear if name.endswith("activation") else None for name in parts}
    vars(plain).update(vars(layer) | blank)
    twin = type(layer).from_config({**plain.get_config(), **changes})
    for name in [name for name in parts if not name.endswith("_initializer")]:
        setattr(twin, name, copier(parts[name]))
    return twin


def _changes(call: Call, plan: Plan) -> dict[str, Any] | None:  # noqa: C901
    """List what a layer's configuration says otherwise in the smaller model; None if all of it stays."""
    changes: dict[str, Any] = {}
    kernels = list(kernels_of(call.path, call.layer))
    touched = {*plan.outputs, *plan.inputs, *plan.shifts, *plan.norms, *plan.shapes}
    if operations.name_of(call) or not touched & {call.name, call.path, *(x.name for x in kernels)}:
        return None
    if type(call.layer).__name__ == "Reshape" and call.name in plan.shapes:
        changes["target_shape"] = plan.shapes[call.name]
    if call.path in plan.norms:
        number, width = len(plan.norms[call.path]), call.shape[-1]  # type: ignore[index]
        if probing.is_scale(call.layer):
            changes |= probing.narrowed(call.layer, number)
        elif hasattr(call.layer, "groups"):
            changes["groups"] = call.layer.groups * number // width
    for kernel in kernels:
        if kernel.name not in plan.outputs:
            continue
        outputs = len(plan.outputs[kernel.name])
        if kernel.kind == "dense":
            changes["units"] = outputs
        elif kernel.kind != "depthwise":
            changes["filters"] = outputs
        elif kernel.variable.shape[-2] == 1:
            changes["depth_multiplier"] = outputs
        if np.any(plan.shifts.get(kernel.name, 0)):
            changes["use_bias"] = True
    return changes


def _resized(call: Call, plan: Plan, home: Any) -> Call:
    """Rewrite the size that a function spells out, and the range that another one takes."""
    if call.name in plan.keys:
        return replace(call, layer=Part((slice(None), *plan.keys[call.name])), args=call.args[:1])
    if call.name in plan.shapes and operations.name_of(call):
        return replace(call, layer=home.layers.Reshape(plan.shapes[call.name]), args=call.args[:1], kwargs={})
    return call


def _fill(path: str, old: Any, new: Any, plan: Plan) -> None:
    """Give a new layer the weights that it keeps of the old one, and the initialisers, which made those."""
    vars(new).update({name: part for name, part in vars(old).items() if name.endswith("_initializer")})
    smaller = {kernel.name: kernel for kernel in kernels_of(path, new)}
    for kernel in kernels_of(path, old):
        target = smaller[kernel.name]
        weight = kernel.outputs_first(to_numpy(kernel.variable))
        kept = plan.outputs.get(kernel.name, np.arange(len(weight)))
        columns = plan.inputs.get(kernel.name, np.arange(weight.shape[1]))
        target.variable.assign(target.native(weight[kept][:, columns]))
        if target.bias is not None:
            bias = np.zeros(len(weight)) if kernel.bias is None else to_numpy(kernel.bias)
            shift = plan.shifts.get(kernel.name, np.zeros(1))
            exact = bias.astype(np.float64) + shift if shift.any() else bias
            target.bias.assign(exact[kept].astype(bias.dtype) if kernel.bias is not None else exact[kept])
    if not smaller:
        for before, after in zip(old.weights, new.weights, strict=True):
            array = to_numpy(before)
            after.assign(array[..., plan.norms[path]] if path in plan.norms else array)
