"""The checks of lesson 06a: right answers pass, and each wrong one is told what is wrong."""

import lzma
import pickle
import zlib

import numpy as np
import pytest

from pruneviz.lessons.checks import lesson_06a


def csr_bytes(rows, nonzero, value_bytes, index_bytes):
    return nonzero * (value_bytes + index_bytes) + (rows + 1) * index_bytes


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (csr_bytes, "Right."),
        (lambda _, n, value, index: n * (value + index), "where the rows begin is missing"),
        (lambda rows, n, value, index: n * (value + index) + rows * index, "where the last row ends"),
        (lambda rows, n, value, index: n * value + (rows + 1) * index, "the column of each value is missing"),
        (lambda rows, n, value, index: n * (value + index) + (rows + 1) * value, "is an index, not a value"),
        (lambda _, n, value, index: n * (value + 2 * index), "That would be COO"),
        (lambda *_: 5, "count values, columns and beginnings"),
        (lambda *_: ..., "returns nothing"),
        (lambda rows: rows, "stops with TypeError"),
    ],
)
def test_the_bytes_of_csr(answer, told):
    assert told in lesson_06a.csr_bytes.verdict(answer, from_share=0.8)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.8, "Right."),
        (..., "put a number in place of the dots"),
        (0.2, "Give the share of zeros"),
        (0.5, "values of four bytes"),
        (80, "write 80% as 0.8"),
        (8 / 9, "indices of 64 bits"),
        (2 / 3, "indices of 16 bits"),
        ("a half", "a weight left costs 1 + 4 bytes"),
    ],
)
def test_from_which_share_an_index_pays(share, told):
    assert told in lesson_06a.csr_bytes.verdict(csr_bytes, from_share=share)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda twice, half: "call" if half > 0.8 else "weights" if twice < 1.4 else "arithmetic", "Right."),
        (lambda twice, _: "call" if twice < 1.5 else "arithmetic", "it says 'call', and it is 'weights'"),
        (
            lambda twice, half: "call" if half > 0.8 else "weights" if twice < 2 else "arithmetic",
            "nearly twice",
        ),
        (lambda _, half: "arithmetic" if half < 0.6 else "call", "and it is 'weights'"),
        (lambda *_: "memory", "returns 'memory'"),
        (lambda *_: None, "returns nothing"),
    ],
)
def test_what_takes_a_layers_time(answer, told):
    assert told in lesson_06a.limit.verdict(answer)


def sparse(size=400):
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(size, size)).astype(np.float32)
    return {
        "fc": np.where(abs(weight) > 1.64, weight, 0),
        "fc.bias": rng.normal(size=size).astype(np.float32),
    }


def pack(arrays):
    return lzma.compress(pickle.dumps(arrays))


def unpack(data):
    return pickle.loads(lzma.decompress(data))


@pytest.mark.parametrize(
    ("pack", "unpack", "told"),
    [
        (pack, unpack, "Right."),
        (lambda _: ..., unpack, "pack returns nothing"),
        (lambda arrays: arrays, unpack, "pack must return bytes, not dict"),
        (pack, lambda _: None, "returns nothing"),
        (pack, lambda data: [*unpack(data)], "unpack must return a dict with the keys fc, fc.bias"),
        (
            pack,
            lambda data: {n: a.ravel() for n, a in unpack(data).items()},
            "comes back as float32 (160000,)",
        ),
        (pack, lambda data: {n: a.astype(float) for n, a in unpack(data).items()}, "comes back as float64"),
        (
            pack,
            lambda data: {n: a.astype(np.float16).astype(np.float32) for n, a in unpack(data).items()},
            "numbers of fc come back changed",
        ),
    ],
)
def test_a_file_of_ones_own(pack, unpack, told):
    verdict = lesson_06a.packed.verdict(pack, unpack, arrays=sparse(), target=120_000)
    assert told in verdict.replace("<lambda>", "pack")


@pytest.mark.parametrize(
    ("pack", "size", "told"),
    [
        (pickle.dumps, 400, "the zeros still take room of their own"),
        (
            lambda arrays: zlib.compress(pickle.dumps(arrays)),
            500,
            "put them side by side before you compress",
        ),
    ],
)
def test_a_file_that_is_too_large_is_told_why(pack, size, told):
    unpack = {pickle.dumps: pickle.loads}.get(pack, lambda data: pickle.loads(zlib.decompress(data)))
    assert told in lesson_06a.packed.verdict(pack, unpack, arrays=sparse(size), target=120_000)
