"""Compact files for pruned models: a bit for every weight, and the values of those that are kept.

A file is a magic word, the SHA-256 of the rest, and a deflated body: one line of JSON that says what
follows, then the arrays. One with enough zeros is stored as packed bits, 1 where it is not zero, and the
values there. Values come in planes, all first bytes before all second ones: exponents resemble each other
and so compress well.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pruneviz import frameworks
from pruneviz.core import plan as removal
from pruneviz.core.files import whole
from pruneviz.engine.model import Seen

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from pruneviz.core.arrays import Array

_Model = TypeVar("_Model")
_MAGIC = b"pruneviz-1\n"
_DIGEST = hashlib.sha256().digest_size


def save(model: object, path: str | os.PathLike[str]) -> None:
    """Write a model's parameters and buffers to a compact file, atomically; no pickle.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model.
    path
        Where to; an existing file is replaced only when the new one is whole.
    """
    with whole(Path(path)) as file:
        file.write(packed(frameworks.adapter(model).arrays()))


def load(path: str | os.PathLike[str], model: _Model, example: Array | None = None) -> _Model:
    """Read a compact file into a copy of a model.

    Parameters
    ----------
    path
        A file that `save` wrote.
    model
        A model with the same layers; it stays as it is. They may have more units than the one that was
        saved: the copy is then as small as what `remove` made.
    example
        (n, …) images like those the model takes; needed where a PyTorch model has more units.

    Returns
    -------
    model
        A new model, bit for bit the one that was saved.

    Raises
    ------
    TypeError, ValueError
        If the file is foreign, cut short or damaged, or was saved from a model with other arrays, or the
        example is missing.
    """
    arrays = unpacked(Path(path).read_bytes(), str(path))
    here = frameworks.adapter(model)
    if any(len(arrays.get(f"{x.name}.weight", x.weight)) < len(x.weight) for x in here.layers()):
        here = frameworks.adapter(_shrunk(model, arrays, example))
    wanted = here.arrays()
    for name in sorted(wanted.keys() | arrays.keys()):
        saved, own = (_form(found, name) for found in (arrays, wanted))
        if saved != own:
            raise ValueError(f"{path} holds {saved} for {name!r}, where this model has {own}")
    return here.copy_with(arrays)  # type: ignore[return-value]


def _form(arrays: Mapping[str, Array], name: str) -> str:
    return f"{arrays[name].dtype} {arrays[name].shape}" if name in arrays else "nothing"


def _shrunk(model: object, arrays: Mapping[str, Array], example: Array | None) -> object:
    """Take as many units out of each layer as the saved arrays lack; which ones does not matter."""
    seen = Seen(model, example)
    found, parameters = seen.structure, seen.adapter.parameters()
    pruned = np.zeros(len(found.units.groups), bool)
    for name, ids in found.units.of.items():
        own = ids[ids >= 0]
        lacking = len(ids) - len(arrays.get(f"{name}.weight", ids))
        if lacking:
            units = np.unique(own)
            pruned[units[len(units) - lacking * len(units) // max(1, len(own)) :]] = True
    plan = removal.plan(found.graph, found.units, found.labels, seen.layers.layers, pruned)
    for name in plan.outputs:
        gained = f"{name}.bias" in arrays and f"{name}.bias" not in parameters
        plan.shifts[name] = np.full(1, float(gained))
    return seen.adapter.rebuilt(plan, example)


def packed(arrays: Mapping[str, Array]) -> bytes:
    """Turn arrays of any shapes and number types, by name, into the bytes of a compact file."""
    forms, parts = [], []
    for name, array in arrays.items():
        alive = array.view(f"u{array.itemsize}") != 0 if array.dtype.kind == "f" else array != 0
        sparse = np.count_nonzero(~alive) > array.size / (8 * array.itemsize)
        values = array[alive] if sparse else array.ravel()
        forms.append([name, array.dtype.str, array.shape, len(values) if sparse else None])
        parts.append(np.packbits(alive).tobytes() if sparse else b"")
        parts.append(np.ascontiguousarray(values).view(np.uint8).reshape(-1, array.itemsize).T.tobytes())
    body = zlib.compress(b"\n".join([json.dumps(forms).encode(), b"".join(parts)]))
    return _MAGIC + hashlib.sha256(body).digest() + body


def unpacked(data: bytes, source: str) -> dict[str, Array]:
    """Turn the bytes of a compact file into arrays, bit for bit; `source` is its name, for the error.

    Raises
    ------
    ValueError
        If the bytes are not those of a whole, undamaged compact file.
    """
    head = len(_MAGIC) + _DIGEST
    if not data.startswith(_MAGIC):
        raise ValueError(f"{source} is not a file that pruneviz.save wrote")
    if hashlib.sha256(data[head:]).digest() != data[len(_MAGIC) : head]:
        raise ValueError(f"{source} is cut short or damaged: copy or save it again")
    forms, _, body = zlib.decompress(data[head:]).partition(b"\n")
    arrays, start = {}, 0
    for name, dtype, shape, stored in json.loads(forms):
        form, size = np.dtype(dtype), math.prod(shape)
        bits = np.frombuffer(body, np.uint8, 0 if stored is None else -(-size // 8), start)
        planes = np.frombuffer(
            body, np.uint8, (size if stored is None else stored) * form.itemsize, start + bits.size
        )
        start += bits.size + planes.size
        values = np.ascontiguousarray(planes.reshape(form.itemsize, -1).T).reshape(-1).view(form)
        array = values
        if stored is not None:
            array = np.zeros(size, form)
            array[np.unpackbits(bits, count=size).view(bool)] = values
        arrays[name] = array.reshape(shape)
    return arrays
