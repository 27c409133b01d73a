"""Compact files for pruned models: a bit for every weight, and the values of those that are kept.

A file is a magic word, the SHA-256 of the rest, and a deflated body: one line of JSON that says what
follows, then the arrays. One with enough zeros is stored as packed bits, 1 where it is not zero, and the
values there. Values come in planes, all first bytes before all second ones: exponents resemble each other
and so compress well. A file is read as a stranger's: nothing is unpacked that the model has no room for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import frameworks
from pruneviz.files.writing import whole

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from pruneviz.core.arrays import Array

_MAGIC = b"pruneviz-1\n"
_DIGEST = hashlib.sha256().digest_size
_CODES = "?" + np.typecodes["AllInteger"] + np.typecodes["AllFloat"]
_FORMS = {form.str for code in _CODES for form in (np.dtype(f"<{code}"), np.dtype(f">{code}"))}
_DAMAGES = (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError, zlib.error)
_FOREIGN = (".keras", ".h5", ".pt", ".pth", ".safetensors", ".onnx", ".tflite")


def save(model: object, path: str | os.PathLike[str]) -> None:
    """Write a model's parameters and buffers to a compact file, atomically; no pickle.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model.
    path
        Where to; an existing file is replaced only when the new one is whole. A name that says another kind
        of file, such as m.keras, is a ValueError.
    """
    if is_model(path):
        raise TypeError("save takes the model first, and then the path: pv.save(model, path)")
    if Path(path).suffix in _FOREIGN:
        raise ValueError(f"{path} is named like a file of another kind, which this is not: name it model.pv")
    with whole(Path(path)) as file:
        file.write(packed(frameworks.adapter(model).arrays()))


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


def unpacked(data: bytes, source: str, own: Mapping[str, Array] | None = None) -> dict[str, Array]:
    """Turn the bytes of a compact file into arrays, bit for bit; refuse others by the name of their source.

    What does not fit into `own`, the arrays of the model that they are for, takes no memory.
    """
    head, arrays = len(_MAGIC) + _DIGEST, {}
    if not data.startswith(_MAGIC):
        raise ValueError(f"{source} is not a file that pruneviz.save wrote")
    with _refusing(source):
        if hashlib.sha256(memoryview(data)[head:]).digest() != data[len(_MAGIC) : head]:
            raise ValueError("another digest")
        body, start, forms = _opened(memoryview(data)[head:], own)
    if own:
        for name, (form, _) in forms.items():
            refuse_misfit(source, name, form, own.get(name), part=True)
    with _refusing(source):
        for name, (form, stored) in forms.items():
            size, bytes_each = form.size, form.itemsize
            bits = np.frombuffer(body, np.uint8, 0 if stored is None else -(-size // 8), start)
            count = (size if stored is None else stored) * bytes_each
            planes = np.frombuffer(body, np.uint8, count, start + bits.size)
            start += bits.size + planes.size
            values = np.ascontiguousarray(planes.reshape(bytes_each, -1).T).reshape(-1).view(form.dtype)
            array = values
            if stored is not None:
                array = np.zeros(size, form.dtype)
                array[np.unpackbits(bits, count=size).view(bool)] = values
            arrays[name] = array.reshape(form.shape)
        if start != len(body):
            raise ValueError("more than the arrays")
    return arrays


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


def _opened(packed: memoryview, own: Mapping[str, Array] | None) -> tuple[bytes, int, dict[str, Any]]:
    """Inflate what there is room for; tell where arrays begin, their forms and how many entries they hold."""
    inflate = zlib.decompressobj()
    body = inflate.decompress(packed, 0 if own is None else room(own))
    end = body.index(b"\n")
    if not inflate.eof or (own is not None and end > 2000 * (10 + len(own))):
        raise ValueError("more than there is room for")
    entries, forms = json.loads(body[:end]), {}
    for name, dtype, shape, stored in entries:
        numbers = [*shape, stored or 0]
        if dtype not in _FORMS or not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("no such array")
        forms[str(name)] = np.broadcast_to(np.zeros((), dtype), tuple(shape)), stored
    if len(forms) < len(entries):
        raise ValueError("one name twice")
    return body, end + 1, forms


def arrays_of(model: object) -> dict[str, Array]:
    """Copy all stored arrays of a model by name."""
    return {name: array.copy() for name, array in frameworks.adapter(model).arrays().items()}
