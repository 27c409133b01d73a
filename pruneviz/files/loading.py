"""Compact files read again, into models of the size that was saved or larger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pruneviz import frameworks
from pruneviz.core import plan as removal
from pruneviz.engine.model import Seen
from pruneviz.files.storage import is_model, refuse_misfit, room, unpacked

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from pruneviz.core.arrays import Array, BoolArray, Given

_Model = TypeVar("_Model")


def load(path: str | os.PathLike[str], model: _Model, example: Given | None = None) -> _Model:
    """Read a compact file into a copy of a model.

    Parameters
    ----------
    path
        A file that `pruneviz.save` wrote.
    model
        A model with the same layers; it stays as it is. They may have more units, or tell more classes apart,
        than the one that was saved: the copy is then as small as what `pruneviz.remove` or
        `pruneviz.keep_classes` made.
    example
        (n, …) images like those the model takes; needed where a PyTorch model has more units.

    Returns
    -------
    model
        A new model, bit for bit what `pruneviz.save` wrote.

    Raises
    ------
    TypeError, ValueError
        If the file is foreign, cut short or damaged, or was saved from a model with other arrays, or the
        example is missing.
    """
    if is_model(path):
        raise TypeError("load takes the path first, and then the model: pv.load(path, model)")
    here = frameworks.adapter(model)
    layers = here.layers()
    gained = {f"{layer.name}.bias": layer.weight.reshape(len(layer.weight), -1)[:, 0] for layer in layers}
    own = {**gained, **here.arrays()}
    with Path(path).open("rb") as file:
        arrays = unpacked(file.read(room(own)), str(path), own)
    if any(len(arrays.get(f"{x.name}.weight", x.weight)) < len(x.weight) for x in layers):
        here = frameworks.adapter(_shrunk(model, arrays, example))
    wanted = here.arrays()
    for name in sorted(wanted.keys() | arrays.keys()):
        refuse_misfit(str(path), name, arrays.get(name), wanted.get(name), part=False)
    return here.copy_with(arrays)  # type: ignore[return-value]


def _shrunk(model: object, arrays: Mapping[str, Array], example: Given | None) -> object:
    """Take as many units out of each layer as the saved arrays lack."""
    seen = Seen(model, example)
    found, parameters, norms = seen.opened, seen.adapter.parameters(), seen.adapter.norms()
    left = []
    for name, layer in seen.layers.items():
        shape = arrays.get(f"{name}.weight", layer.weight).shape
        left.append((found.units.of[name], shape[0]))
        if layer.kind != "depthwise" and name in found.units.columns:
            columns = found.units.columns[name]
            left.append((columns, shape[1] * len(columns) // layer.shape[1]))
    for name, ids in found.units.norms.items():
        left += [(ids, arrays[array].size) for array in norms.get(name, {}).values() if array in arrays]
    pruned = _taken_out(left, len(found.units.groups))
    plan = removal.plan(found, seen.layers.layers, pruned)
    for name in plan.outputs:
        gained = f"{name}.bias" in arrays and f"{name}.bias" not in parameters
        plan.shifts[name] = np.full(1, float(gained))
    return seen.adapter.rebuilt(plan, seen.example)


def _taken_out(left: Sequence[tuple[Array, int]], count: int) -> BoolArray:
    """Find which units are gone, (count,), from sizes: of each array of ids (-1: stays) how many are left.

    Of units that all arrays hold equally often, which ones are gone does not matter; a ValueError says that
    the sizes do not tell.
    """
    table = np.stack([np.bincount(ids[ids >= 0], minlength=count) for ids, _ in left]).astype(np.int32)
    cells, cell, sizes = np.unique(table, axis=1, return_inverse=True, return_counts=True)
    lost = np.array([len(ids) - number for ids, number in left])
    gone = np.rint(np.linalg.lstsq(cells, lost, rcond=None)[0]).astype(int)
    if (cells @ gone != lost).any() or (gone < 0).any() or (gone > sizes).any():
        raise ValueError("the sizes of the layers do not tell which units are gone: was it another model?")
    pruned = np.zeros(count, bool)
    for number in np.flatnonzero(gone):
        pruned[np.flatnonzero(cell.ravel() == number)[-gone[number] :]] = True
    return pruned
