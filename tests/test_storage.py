"""Compact files: bit for bit, or refused."""

import contextlib
import hashlib
import json
import lzma
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from architectures import PLANS
from architectures import build as architecture
from architectures import images as images_for
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn
from torch.nn.utils import prune
from twins import Spec, build, images, keras, same, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.files import coding, storage
from pruneviz.files.loading import _taken_out

ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9),
)


@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=4))
def test_arrays_come_back_bit_for_bit_but_for_the_sign_of_zero(arrays):
    again = storage.unpacked(storage.packed(arrays), "file")
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert again[name].shape == array.shape
        wanted = array.copy()
        wanted[wanted == 0] = 0
        assert again[name].tobytes() == wanted.tobytes()


def test_nan_keeps_its_bits_and_minus_zero_is_zero():
    odd = np.array([0x7F800001, 0xFFC00123, 0x80000000, 1, 0], "<u4").view("<f4")
    for array in (odd, np.concatenate([odd, np.zeros(99, "<f4")]), odd[:, None].T, odd.astype(">f4")):
        again = storage.unpacked(storage.packed({"a": array}), "file")["a"]
        assert not np.signbit(again[again == 0]).any()
        assert again[again != 0].tobytes() == array[array != 0].tobytes()


def test_a_file_is_no_larger_for_the_signs_of_its_zeros(tmp_path):
    model, sizes = pv.zoo.lenet_300_100("torch"), []
    mask = pv.prune(model, 0.9)
    for layer, kept in mask.items():
        prune.custom_from_mask(model.get_submodule(layer), "weight", torch.tensor(kept))
        prune.remove(model.get_submodule(layer), "weight")
    for name in ("signed", "plain"):
        pv.save(model, tmp_path / name)
        sizes.append((tmp_path / name).stat().st_size)
        for layer in mask:
            zeros = model.get_submodule(layer).weight.data
            assert torch.signbit(zeros[zeros == 0]).any() == (name == "signed")
            zeros += 0.0
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("network", ["lenet_300_100", "resnet_20", "mnist_cnn"])
@pytest.mark.parametrize("sparsity", [0.8, 0.9, 0.95, 0.99])
def test_a_file_is_an_eighth_smaller_than_values_and_entropy(network, sparsity):
    model = getattr(pv.zoo, network)("torch")
    arrays = weights_of(pv.apply(model, pv.prune(model, sparsity)))
    entries = sum(layer.weight.size for layer in pv.network(model).layers)
    entropy = -sum(p * np.log2(p) for p in (sparsity, 1 - sparsity))
    nonzero = sum(np.count_nonzero(array) for array in arrays.values())
    assert len(storage.packed(arrays)) <= 0.88 * (4 * nonzero + entropy * entries / 8)


@given(st.lists(st.binary(max_size=300) | st.integers(0, 200_000), max_size=5))
def test_what_is_squeezed_is_released(parts):
    noise = np.random.default_rng(0)
    parts = [part if isinstance(part, bytes) else noise.bytes(part) for part in parts]
    data, whole = coding.squeezed(parts), b"".join(parts)
    assert coding.released(data, len(whole) + 1) == whole
    assert len(data) <= len(whole) + 10 * len(parts) + len(whole) / 10_000 + 1
    for wrong, limit in ((data[:-1], -1), (data + b"!", -1), (data, len(whole) - 1)):
        if wrong != data or limit >= 0:
            with pytest.raises((ValueError, lzma.LZMAError)):
                coding.released(wrong, limit)


@pytest.mark.parametrize(("values", "most", "error"), [("float16", 0.6, 2**-11), ("int8", 0.4, 0.5 / 127)])
def test_rounded_weights_come_back_in_their_type_near_to_what_they_were(
    framework, values, most, error, tmp_path
):
    model = build(Spec((("conv", 8), ("dense", 64))), framework)
    thin = pv.apply(model, pv.prune(model, 0.8))
    for name in ("exact", values):
        pv.save(thin, tmp_path / name, values=name)
    exact, again = (weights_of(pv.load(tmp_path / name, model)) for name in ("exact", values))
    assert (tmp_path / values).stat().st_size < most * (tmp_path / "exact").stat().st_size
    for name, array in exact.items():
        near = np.abs(array).max() * error if values == "int8" else np.abs(array) * error + 2**-25
        assert again[name].dtype == array.dtype
        assert (np.abs(again[name] - array) <= near * 1.0001).all()
        assert (again[name] == array).all() == (not name.endswith("weight"))
    pv.save(pv.load(tmp_path / values, model), tmp_path / "twice", values=values)
    assert same(weights_of(pv.load(tmp_path / "twice", model)), again)


def test_a_smaller_model_may_be_rounded_too(framework, tmp_path):
    model, x = pv.zoo.lenet_5(framework), np.zeros((1, 28, 28, 1), np.uint8)
    small = pv.remove(model, pv.prune(model, 0.5, granularity="filter", example=x), x)
    pv.save(small, tmp_path / "m", values="int8")
    again = weights_of(pv.load(tmp_path / "m", model, x))
    assert {name: array.shape for name, array in again.items()} == {
        name: array.shape for name, array in weights_of(small).items()
    }


@pytest.mark.parametrize(
    ("values", "largest", "words"),
    [
        ("float16", 70_000, "out.weight holds 70000, which float16 cannot hold"),
        ("float16", np.nan, "out.weight holds nan, which float16 cannot hold"),
        ("int8", np.inf, "out.weight holds inf, which int8 cannot hold"),
        ("int4", 1, "values 'int4' is not one of exact, float16, int8"),
    ],
)
def test_values_that_a_type_cannot_hold_are_refused(values, largest, words, tmp_path):
    model = build(Spec(), "torch")
    model.out.weight.data[0, 0] = largest
    with pytest.raises(ValueError, match=words):
        pv.save(model, tmp_path / "m", values=values)
    assert not list(tmp_path.iterdir())


@given(st.binary(max_size=200), st.integers(0, 400))
def test_damaged_files_are_refused(noise, cut):
    whole = storage.packed({"a": np.arange(100.0)})
    for data in (whole[:cut], noise, whole[:60] + noise + whole[60 + len(noise) :]):
        if data != whole and data[: len(whole)] != whole:
            with pytest.raises(ValueError, match=r"x is (not a file|cut short or damaged)"):
                storage.unpacked(data, "x")


def test_a_model_comes_back_bit_for_bit_and_small(framework, tmp_path):
    model = build(Spec((("conv", 8), ("dense", 64))), framework)
    thin = pv.apply(model, pv.prune(model, 0.9))
    pv.save(thin, tmp_path / "thin")
    before = weights_of(model)
    again = pv.load(tmp_path / "thin", model)
    assert same(weights_of(again), weights_of(thin))
    assert same(weights_of(model), before)
    assert (tmp_path / "thin").stat().st_size < pv.scorecard(thin, images(4)).gzip_bytes
    assert [path.name for path in tmp_path.iterdir()] == ["thin"]


def test_twins_exchange_files(tmp_path):
    torch_model, keras_model = build(Spec(seed=1), "torch"), build(Spec(seed=2), "keras")
    pv.save(torch_model, tmp_path / "m")
    assert same(weights_of(pv.load(tmp_path / "m", keras_model)), weights_of(torch_model))


def test_a_file_of_another_model_is_refused(framework, tmp_path):
    pv.save(build(Spec((("dense", 7),)), framework), tmp_path / "m")
    with pytest.raises(ValueError, match="where this model has"):
        pv.load(tmp_path / "m", build(Spec((("dense", 6),)), framework))


@pytest.mark.parametrize("home", ["torch", "keras", "tf_keras"])
@given(PLANS, st.sampled_from([0.3, 0.6, 0.9]))
@settings(max_examples=6)
def test_a_smaller_model_comes_back_into_the_whole_one(tmp_path_factory, home, plan, share):
    model, x = architecture(plan, home), images_for(plan, home)
    before, path = weights_of(model), tmp_path_factory.mktemp("files") / "small"
    mask = pv.prune(model, share, granularity="filter", example=x, keep_at_least=1)
    try:
        small = pv.remove(model, mask, x)
    except ValueError:
        return
    pv.save(small, path)
    again = pv.load(path, model, x)
    assert same(weights_of(again), weights_of(small))
    assert np.array_equal(*(frameworks.adapter(one).predict(x) for one in (again, small)))
    assert same(weights_of(model), before)


def test_a_smaller_torch_model_needs_an_example(tmp_path):
    model, x = pv.zoo.lenet_5("torch"), np.zeros((1, 28, 28, 1), np.uint8)
    small = pv.remove(model, pv.prune(model, 0.5, granularity="filter", example=x), x)
    pv.save(small, tmp_path / "m")
    with pytest.raises((TypeError, ValueError), match="example"):
        pv.load(tmp_path / "m", model)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    model = build(Spec(), "torch")
    pv.save(model, tmp_path / "m")
    old = (tmp_path / "m").read_bytes()

    def failing(*_):
        raise OSError("disk full")

    monkeypatch.setattr(storage, "packed", failing)
    with pytest.raises(OSError, match="disk full"):
        pv.save(model, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_file_is_whole_whoever_writes_and_reads(tmp_path):
    model, path = build(Spec((("dense", 64),)), "torch"), tmp_path / "m"
    failed = []

    def work():
        try:
            for _ in range(15):
                pv.save(model, path)
                pv.load(path, model)
        except Exception as error:  # noqa: BLE001  (whatever it is, the test has failed)
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [found.name for found in tmp_path.iterdir()] == ["m"]


WRITER = """
import os, random, sys
from pathlib import Path
from pruneviz.files.writing import whole

print(os.getpid())
os.getpid = lambda: 1  # as in a container, where no namespace may be had
random.seed(0)
for _ in range(100):
    with whole(Path(sys.argv[1])) as file:
        for _ in range(10):
            file.write(20_000 * sys.argv[2].encode())
"""


def test_two_containers_of_one_name_and_number_may_write_one_file(tmp_path):
    space = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    may = (
        shutil.which("unshare")
        and not subprocess.run([*space, "true"], check=False, capture_output=True).returncode
    )
    command = [*(space if may else []), sys.executable, "-c", WRITER, str(tmp_path / "m")]
    writers = [subprocess.Popen([*command, letter], stdout=subprocess.PIPE, text=True) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        with contextlib.suppress(FileNotFoundError):
            seen.add((tmp_path / "m").read_bytes())
    numbers = {writer.communicate()[0] for writer in writers}
    assert [writer.returncode for writer in writers] == [0, 0]
    assert not may or numbers == {"1\n"}
    assert seen <= {200_000 * b"a", 200_000 * b"b"}
    assert seen
    assert [found.name for found in tmp_path.iterdir()] == ["m"]


def test_a_file_keeps_its_mode_its_link_and_its_long_name(tmp_path, monkeypatch):
    model, synced = build(Spec(), "torch"), []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_size))
    path, link = tmp_path / ("n" * 250), tmp_path / "link"
    umask = os.umask(0o027)
    try:
        pv.save(model, path)
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o640
    assert synced == [path.stat().st_size]
    path.chmod(0o600)
    link.symlink_to(path.name)
    pv.save(model, link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert same(weights_of(pv.load(link, model)), weights_of(model))
    (tmp_path / "later").symlink_to("target")
    pv.save(model, tmp_path / "later")
    assert (tmp_path / "target").is_file()
    assert len(list(tmp_path.iterdir())) == 4


def forged(head, body=b""):
    """Make a file with the right digest of whatever JSON, or bytes, should say what follows."""
    line = head if isinstance(head, bytes) else json.dumps(head).encode()
    packed = coding.squeezed([line + b"\n" + body])
    return storage._MAGIC + hashlib.sha256(packed).digest() + packed


def peak_of_load(path, model):
    """Measure the memory of a load beside what is there already: its peak in bytes, and its error if any."""
    tracemalloc.start()
    try:
        pv.load(path, model)
    except ValueError as error:
        return tracemalloc.get_traced_memory()[1], error
    else:
        return tracemalloc.get_traced_memory()[1], None
    finally:
        tracemalloc.stop()


BILLIONS = 2**31
LIES = {
    "bytes that inflate": ([["out.weight", "<f4", [4, 6], None, "<f4", None]], bytes(20_000_000)),
    "a header that inflates": (b"[" + b"[]," * 5_000_000 + b"[]]", b""),
    "many zeros": ([["out.weight", "<f4", [BILLIONS, 4], 0, "<f4", None]], bytes(2**24)),
    "zeros of the right rank": ([["out.weight", "<f4", [4, BILLIONS], 0, "<f4", None]], bytes(1000)),
    "more axes": ([["out.weight", "<f4", [1] * 60, None, "<f4", None]], bytes(4)),
    "too many axes": ([["out.weight", "<f4", [1] * 6000, None, "<f4", None]], bytes(4)),
    "another name": ([["mine", "<f4", [BILLIONS], 0, "<f4", None]], bytes(2**24)),
    "minus one": ([["out.weight", "<f4", [4, -1], None, "<f4", None]], bytes(96)),
    "a truth for a size": ([["out.weight", "<f4", [True, 6], None, "<f4", None]], bytes(24)),
    "a word for a size": ([["out.weight", "<f4", ["4", 6], None, "<f4", None]], bytes(96)),
    "a word for a shape": ([["out.weight", "<f4", "46", None, "<f4", None]], bytes(96)),
    "half a size": ([["out.weight", "<f4", [4, 1.5], None, "<f4", None]], bytes(24)),
    "two fields": ([["out.weight", "f4,f4", [4, 6], None, "f4,f4", None]], bytes(192)),
    "dates": ([["out.weight", "<M8[s]", [4, 6], None, "<M8[s]", None]], bytes(192)),
    "objects": ([["out.weight", "|O", [4, 6], None, "|O", None]], bytes(192)),
    "letters": ([["out.weight", "<U1000000", [4, 6], None, "<U1000000", None]], bytes(192)),
    "a list for a type": ([["out.weight", ["<f4"], [4, 6], None, ["<f4"], None]], bytes(96)),
    "no type": ([["out.weight", None, [4, 6], None, None, None]], bytes(192)),
    "another type": ([["out.weight", "<f8", [4, 6], None, "<f8", None]], bytes(192)),
    "more stored than there are": ([["out.weight", "<f4", [4, 6], 25, "<f4", None]], bytes(200)),
    "fewer stored than none": ([["out.weight", "<f4", [4, 6], -1, "<f4", None]], bytes(200)),
    "bits that say another number": (
        [["out.weight", "<f4", [4, 6], 2, "<f4", None]],
        b"\xff\xff\xff" + bytes(8),
    ),
    "one name twice": ([["out.weight", "<f4", [4, 6], None, "<f4", None]] * 2, bytes(192)),
    "too little": ([["out.weight", "<f4", [4, 6], None, "<f4", None]], bytes(95)),
    "too much": ([["out.weight", "<f4", [4, 6], None, "<f4", None]], bytes(97)),
    "a list for a name": ([[["out.weight"], "<f4", [4, 6], None, "<f4", None]], bytes(96)),
    "values of another type": ([["out.weight", "<f4", [4, 6], None, "<i4", None]], bytes(96)),
    "float16 with a scale": ([["out.weight", "<f4", [4, 6], None, "<f2", 2.0]], bytes(48)),
    "int8 without a scale": ([["out.weight", "<f4", [4, 6], None, "|i1", None]], bytes(24)),
    "a word for a scale": ([["out.weight", "<f4", [4, 6], None, "|i1", "2"]], bytes(24)),
    "a list for a scale": ([["out.weight", "<f4", [4, 6], None, "|i1", [1.0] * 7]], bytes(24)),
    "a list for a form": ([["out.weight", "<f4", [4, 6], None, ["|i1"], 1.0]], bytes(24)),
    "three entries": ([["out.weight", "<f4", [4, 6]]], bytes(96)),
    "a number": (7, b""),
    "a mapping": ({"abcd": 1}, b""),
    "depth": (b"[" * 100_000, b""),
    "no JSON": (b"\xff\xfe", b""),
    "a number of many digits": (b"1" * 100_000, b""),
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Give a model, and what its own file takes."""
    model, path = build(Spec((("dense", 6),)), "torch"), tmp_path_factory.mktemp("honest") / "m"
    pv.save(model, path)
    pv.load(path, model)  # what is imported late is no part of it
    peak, error = peak_of_load(path, model)
    assert error is None
    return model, peak


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_one_error_and_takes_no_more_memory_than_the_model(lie, honest, tmp_path):
    (model, peak), path = honest, tmp_path / "lie"
    path.write_bytes(forged(*LIES[lie]))
    hostile, error = peak_of_load(path, model)
    assert isinstance(error, ValueError)
    assert hostile < peak + 4_000_000  # its names and types may take a mebibyte, and what reads them


def test_a_file_of_two_gigabytes_in_a_third_of_a_megabyte_takes_no_more_than_the_model(honest, tmp_path):
    (model, peak), path = honest, tmp_path / "bomb"
    line, zeros = b"[]\n", bytes(2**22)
    body = b"".join(coding.squeezed([part])[:-1] * n for part, n in ((line, 1), (zeros, 512))) + b"\0"
    path.write_bytes(storage._MAGIC + hashlib.sha256(body).digest() + body)
    hostile, error = peak_of_load(path, model)
    assert len(body) < 400_000
    assert isinstance(error, ValueError)
    assert hostile < peak + 4_000_000


def test_of_a_body_cut_or_longer_nothing_is_taken(tmp_path):
    model = build(Spec(), "torch")
    pv.save(model, tmp_path / "m")
    data = (tmp_path / "m").read_bytes()
    head = len(storage._MAGIC) + storage._DIGEST
    for packed in (data[head:-9], data[head:][:-4] + b"abcd", b"", coding.squeezed([b"[]"])):
        (tmp_path / "m").write_bytes(storage._MAGIC + hashlib.sha256(packed).digest() + packed)
        with pytest.raises(ValueError, match="cut short or damaged"):
            pv.load(tmp_path / "m", model)


def test_the_order_and_the_name_are_asked_for_in_a_sentence(framework, tmp_path):
    model = build(Spec(), framework)
    pv.save(model, tmp_path / "m")
    with pytest.raises(TypeError, match=r"pv.load\(path, model\)"):
        pv.load(model, tmp_path / "m")
    with pytest.raises(TypeError, match=r"pv.save\(model, path\)"):
        pv.save(tmp_path / "m", model)
    with pytest.raises(ValueError, match=r"m\.keras is named like a file of another kind"):
        pv.save(model, tmp_path / "m.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


class Partly(nn.Module):
    """Adds two layers, laid end to end, to one; what they make is scaled by BatchNorms or not."""

    def __init__(self, norms):
        super().__init__()
        self.a, self.b, self.c, self.f = nn.Linear(6, 8), nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(8, 3)
        self.n = nn.BatchNorm1d(8) if norms else nn.Identity()

    def forward(self, x):
        return self.f(self.n(self.a(x) + torch.cat([self.b(x), self.c(x)], 1)).relu())


def partly(home, norms):
    if home == "torch":
        return Partly(norms).eval()
    layers = {"keras": keras, "tf_keras": tf_keras}[home].layers
    x = layers.Input((6,))
    both = layers.Concatenate()([layers.Dense(4, name="b")(x), layers.Dense(4, name="c")(x)])
    added = layers.Add()([layers.Dense(8, name="a")(x), both])
    y = layers.ReLU()(layers.BatchNormalization(name="n")(added) if norms else added)
    return {"keras": keras, "tf_keras": tf_keras}[home].Model(x, layers.Dense(3, name="f")(y))


@pytest.mark.parametrize("norms", [False, True])
def test_what_is_tied_in_part_comes_back(framework, norms, tmp_path):
    x = np.random.default_rng(0).random((8, 6), dtype=np.float32)
    for seed in range(5):
        torch.manual_seed(seed)
        keras.utils.set_random_seed(seed)
        model = partly(framework, norms)
        mask = pv.prune(
            model, 0.5, granularity="neuron", criterion="random", seed=seed, example=x, keep_at_least=1
        )
        small = pv.remove(model, mask, x)
        pv.save(small, tmp_path / "m")
        again = pv.load(tmp_path / "m", model, x)
        assert same(weights_of(again), weights_of(small))
        assert np.array_equal(*(frameworks.adapter(one).predict(x) for one in (again, small)))


def test_sizes_tell_which_units_are_gone_or_do_not():
    first, second = np.arange(8), np.array([0, 1, 2, 3, -1])
    gone = _taken_out([(first, 5), (second, 4)], 8)
    assert (np.count_nonzero(gone), np.count_nonzero(gone[:4])) == (3, 1)
    assert not _taken_out([(first, 8)], 9).any()
    for left in ([(first, 9)], [(first, 8), (second, 4)], [(np.array([-1]), 0)]):
        with pytest.raises(ValueError, match="do not tell"):
            _taken_out(left, 8)
