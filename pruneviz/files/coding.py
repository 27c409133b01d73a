"""Bytes under LZMA2, part by part: what would not shrink lies between the others as it is, and costs no time.

All parts together are one raw LZMA2 stream, in which the coder begins anew at each part.
"""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

# Weights hardly repeat: a short search finds what there is, and the bytes of a plane follow no alignment.
_FILTERS = [
    {
        "id": lzma.FILTER_LZMA2,
        "dict_size": 1 << 18,
        "mode": lzma.MODE_NORMAL,
        "mf": lzma.MF_HC3,
        "nice_len": 64,
        "depth": 4,
        "lc": 0,
        "lp": 0,
        "pb": 0,
    }
]
_NOISE = 7.9  # bits that a byte tells of itself: from here on nothing is gained
_CHUNK = 1 << 16
_UNCHANGED, _END = b"\1", b"\0"


def squeezed(parts: Iterable[bytes]) -> bytes:
    """Join parts in less room."""
    return b"".join([*(_part(part) for part in parts if part), _END])


def released(data: bytes | memoryview, limit: int) -> bytes:
    """Give the parts back, joined; a ValueError or LZMAError where they are damaged or longer than a limit.

    A limit below 0 is none. Beside what is given, this takes no more memory than the coder's own 256 kB.
    """
    coder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    body = coder.decompress(data, limit)
    if not coder.eof or coder.unused_data:
        raise ValueError("more than there is room for, or than was written")
    return body


def _part(part: bytes) -> bytes:
    counts = np.bincount(np.frombuffer(part, np.uint8))
    shares = counts[counts > 0] / len(part)
    if -(shares @ np.log2(shares)) < _NOISE:
        return lzma.compress(part, lzma.FORMAT_RAW, filters=_FILTERS).removesuffix(_END)
    chunks = (part[start : start + _CHUNK] for start in range(0, len(part), _CHUNK))
    return b"".join(_UNCHANGED + (len(chunk) - 1).to_bytes(2, "big") + chunk for chunk in chunks)
