"""Compact files for pruned models: a bit for every weight, and the values of those that are kept.

A file is a magic word, the SHA-256 of the rest, and a body under LZMA2: one line of JSON that says what
follows, then the arrays. One with enough zeros is stored as packed bits, 1 where it is not zero, and the
values there. Values come in planes, all first bytes before all second ones: exponents resemble each other
and so compress well. A file is read as a stranger's: nothing is unpacked that the model has no room for.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import lzma
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from pruneviz import frameworks
from pruneviz.files.coding import released, squeezed
from pruneviz.files.writing import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Mapping

    from pruneviz.core.arrays import Array

Values = Literal["exact", "float16", "int8"]
_MAGIC = b"pruneviz-2\n"
_DIGEST = hashlib.sha256().digest_size
_CODES = "?" + np.typecodes["AllInteger"] + np.typecodes["AllFloat"]
_FORMS = {form.str for code in _CODES for form in (np.dtype(f"<{code}"), np.dtype(f">{code}"))}
_DAMAGES = (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError, lzma.LZMAError)
_FLOAT16_MAX = float(np.finfo(np.float16).max)
_FOREIGN = (".keras", ".h5", ".pt", ".pth", ".safetensors", ".onnx", ".tflite")


@dataclass(frozen=True)
class _Entry:
    """What the first line says of an array: how many values are listed (None: all), as what, times what."""

    name: str
    like: Array  # of its shape and type, without its memory
    stored: int | None
    form: np.dtype[Any]
    scale: float | None

    @property
    def bits(self) -> int:
        return 0 if self.stored is None else -(-self.like.size // 8)

    @property
    def count(self) -> int:
        return self.like.size if self.stored is None else self.stored


def save(model: object, path: str | os.PathLike[str], *, values: Values = "exact") -> None:
    """Write a model's parameters and buffers to a compact file, atomically; no pickle.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model.
    path
        Where to; an existing file is replaced only when the new one is whole. A name that says another kind
        of file, such as m.keras, is a ValueError.
    values
        ``"exact"`` loses the sign of zero alone: -0.0, which torch.nn.utils.prune leaves, becomes 0.0.
        ``"float16"`` and ``"int8"`` also round the weights of prunable layers, which come back in the model's
        own type: to 11 significant bits, and to a multiple of a 127th of their layer's largest. What is
        rounded to zero is pruned. All else, biases for one, stays exact.
    """
    if is_model(path):
        raise TypeError("save takes the model first, and then the path: pv.save(model, path)")
    if Path(path).suffix in _FOREIGN:
        raise ValueError(f"{path} is named like a file of another kind, which this is not: name it model.pv")
    if values not in get_args(Values):
        raise ValueError(f"values {values!r} is not one of {', '.join(get_args(Values))}")
    adapter = frameworks.adapter(model)
    weights = [f"{layer.name}.weight" for layer in adapter.layers()]
    data = packed(adapter.arrays(), values, weights)
    with whole(Path(path)) as file:
        file.write(data)


def is_model(value: object) -> bool:
    """Tell whether a value is a model that pruneviz takes."""
    try:
        frameworks.adapter(value)
    except TypeError:
        return False
    return True


def refuse_misfit(source: str, name: str, saved: Array | None, own: Array | None, *, part: bool) -> None:
    """Refuse an array that is not like the model's own, or no part of one."""
    if saved is not None and own is not None and (saved.dtype, saved.ndim) == (own.dtype, own.ndim):
        fits = (n == m or (part and n < m) for n, m in zip(saved.shape, own.shape, strict=True))
        if all(fits):
            return
    forms = ["nothing" if a is None else f"{a.dtype} {a.shape}" for a in (saved, own)]
    raise ValueError(f"{source} holds {forms[0]} for {name!r}, where this model has {forms[1]}")


def packed(arrays: Mapping[str, Array], values: Values = "exact", weights: Collection[str] = ()) -> bytes:
    """Turn arrays of any shapes and number types, by name, into the bytes of a compact file.

    Those of the given names hold weights, and are rounded where `values` says so.
    """
    entries, bits, planes = [], [], []
    for name, array in arrays.items():
        coded, scale = _rounded(name, array, values) if name in weights else (array, None)
        alive = coded != 0
        sparse = np.count_nonzero(~alive) > array.size / (8 * coded.itemsize)
        kept = coded[alive] if sparse else np.array(coded).ravel()
        kept[kept == 0] = 0  # -0.0 becomes 0.0
        stored = len(kept) if sparse else None
        entries.append([name, array.dtype.str, array.shape, stored, coded.dtype.str, scale])
        bits.append(np.packbits(alive).tobytes() if sparse else b"")
        planes.append(kept.view(np.uint8).reshape(-1, coded.itemsize).T[::-1])
    rows = itertools.zip_longest(*planes, fillvalue=np.empty(0, np.uint8))
    line = json.dumps(entries).encode() + b"\n"
    body = squeezed([line, b"".join(bits), *(np.concatenate(row).tobytes() for row in rows)])
    return _MAGIC + hashlib.sha256(body).digest() + body


def unpacked(data: bytes, source: str, own: Mapping[str, Array] | None = None) -> dict[str, Array]:
    """Turn the bytes of a compact file into arrays; refuse others by the name of their source.

    What does not fit into `own`, the arrays of the model that they are for, takes no memory.
    """
    head = len(_MAGIC) + _DIGEST
    if not data.startswith(_MAGIC):
        raise ValueError(f"{source} is not a file that pruneviz.save wrote")
    with _refusing(source):
        if hashlib.sha256(memoryview(data)[head:]).digest() != data[len(_MAGIC) : head]:
            raise ValueError("another digest")
        body = released(memoryview(data)[head:], -1 if own is None else room(own))
        end = body.index(b"\n") + 1
        if own is not None and end > 2000 * (10 + len(own)):
            raise ValueError("more than there is to say")
        entries = [_entry(*fields) for fields in json.loads(body[:end])]
    if own:
        for entry in entries:
            refuse_misfit(source, entry.name, entry.like, own.get(entry.name), part=True)
    with _refusing(source):
        return _arrays(np.frombuffer(body, np.uint8, offset=end), entries)


def _rounded(name: str, array: Array, values: Values) -> tuple[Array, float | None]:
    """Give weights in a smaller type, and what to multiply them by to have them back."""
    if values == "exact" or array.dtype.kind != "f":
        return array, None
    top = np.abs(array).max(initial=0).item()
    if not top <= (_FLOAT16_MAX if values == "float16" else math.inf) or math.isinf(top):
        raise ValueError(f'{name} holds {top:g}, which {values} cannot hold: take values="exact"')
    if values == "float16":
        return array.astype("<f2"), None
    scale = top / 127 or 1.0
    return np.rint(array / scale).astype("|i1"), scale


def _entry(
    name: str, dtype: str, shape: list[int], stored: int | None, form: str, scale: float | None
) -> _Entry:
    """Take one array's fields as the first line has them; a ValueError where nobody wrote it so."""
    numbers = [*shape, stored or 0]
    if dtype not in _FORMS or not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("no such array")
    if (form, scale is None) not in {(dtype, True), ("<f2", True), ("|i1", False)}:
        raise ValueError("no such values")
    like = np.broadcast_to(np.zeros((), dtype), tuple(shape))
    return _Entry(str(name), like, stored, np.dtype(form), scale)


def _arrays(body: Array, entries: list[_Entry]) -> dict[str, Array]:
    """Put arrays together from their bits and the planes of their values; a ValueError if they do not fit."""
    if sum(entry.bits + entry.count * entry.form.itemsize for entry in entries) != body.size:
        raise ValueError("other than the arrays")
    if len({entry.name for entry in entries}) < len(entries):
        raise ValueError("one name twice")
    ends = itertools.accumulate([entry.bits for entry in entries], initial=0)
    bits = [body[end : end + entry.bits] for end, entry in zip(ends, entries, strict=False)]
    start = sum(entry.bits for entry in entries)
    planes = [np.empty((entry.count, entry.form.itemsize), np.uint8) for entry in entries]
    for row in range(max((entry.form.itemsize for entry in entries), default=0)):
        for plane in planes:
            if row < plane.shape[1]:
                plane[:, -1 - row] = body[start : start + len(plane)]
                start += len(plane)
    return {entry.name: _array(entry, *parts) for entry, *parts in zip(entries, bits, planes, strict=True)}


def _array(entry: _Entry, bits: Array, plane: Array) -> Array:
    """Put one array together from its packed bits and its values' bytes, (count, size of one)."""
    values = plane.reshape(-1).view(entry.form).astype(entry.like.dtype, copy=False)
    if entry.scale is not None:
        values *= entry.scale
    array = values
    if entry.stored is not None:
        array = np.zeros(entry.like.size, entry.like.dtype)
        array[np.unpackbits(bits, count=array.size).view(bool)] = values
    return array.reshape(entry.like.shape)


def room(own: Mapping[str, Array]) -> int:
    """Tell how many bytes the arrays of a model can take, with what is said of them."""
    return (1 << 20) + sum(array.nbytes + array.size // 8 + 2000 for array in own.values())


@contextlib.contextmanager
def _refusing(source: str) -> Iterator[None]:
    """Turn whatever a damaged file leads to into one error."""
    try:
        yield
    except _DAMAGES as error:
        what = "is cut short or damaged, or larger than this model"
        raise ValueError(f"{source} {what}: copy or save it again") from error


def arrays_of(model: object) -> dict[str, Array]:
    """Copy all stored arrays of a model by name."""
    return {name: array.copy() for name, array in frameworks.adapter(model).arrays().items()}
