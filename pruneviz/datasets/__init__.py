"""Images to prune with: MNIST comes with the package, Fashion-MNIST and CIFAR-10 are fetched once.

Some of the clothes of Fashion-MNIST come with the package too, for networks that know digits alone.

Every data set is checked against the hash of its decoded pixels and labels, wherever it came from, and
cut the same way everywhere: the last 5,000 official training images are for validation, so that
whatever chooses (a slider, a stopping rule) never looks at the test images.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pruneviz.datasets import downloads
from pruneviz.datasets.published import FACTS, Arrays, Facts
from pruneviz.files.writing import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Dataset", "Split", "cifar10", "clothes", "fashion_mnist", "mnist"]

Split = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images, uint8 of shape (n, height, width, channels), and their labels, int64 of shape (n,)."""

_BUNDLED = Path(__file__).parent / "data"
_VALIDATION = 5_000
_DAY = 86_400  # seconds


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled images in three read-only parts.

    Attributes
    ----------
    name : str
        For example ``"mnist"``.
    train, validation, test : tuple of arrays
        Images, uint8 of shape (n, height, width, channels), and labels, int64 of shape (n,). The last
        5,000 official training images are `validation`; the others are `train`.
    class_names : tuple of str
        What each label means.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        """Name, sizes and image shape on one line."""
        counts = f"train {len(self.train[1]):,}, validation {len(self.validation[1]):,}"
        shape = "×".join(map(str, self.train[0].shape[1:]))
        return f"Dataset {self.name}: {counts}, test {len(self.test[1]):,} images of {shape}"


@functools.cache
def mnist() -> Dataset:
    """Return MNIST: 28 × 28 grey images of handwritten digits [1]_, no network needed.

    Returns
    -------
    Dataset
        55,000 training, 5,000 validation and 10,000 test images, uint8 of shape (n, 28, 28, 1). The
        second call in a process returns the same object.

    Raises
    ------
    OSError
        If the file that comes with the package is damaged.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
       recognition", Proceedings of the IEEE 86(11), 1998.
    """
    return _dataset("mnist", _bundled("mnist"))


@functools.cache
def clothes() -> Split:
    """Return 2,000 pictures of clothes: what a network that reads digits has no right answer for.

    They are test images of Fashion-MNIST [1]_, the first 200 of each kind in the published order, and come
    with the package.

    Returns
    -------
    Split
        Images, uint8 of shape (2000, 28, 28, 1), and labels; ``fashion_mnist().class_names`` would say of
        what. The second call in a process returns the same arrays.

    Raises
    ------
    OSError
        If the file that comes with the package is damaged.

    References
    ----------
    .. [1] H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
       machine learning algorithms", arXiv:1708.07747, 2017.
    """
    return _split(_bundled("clothes"), "test")


@functools.cache
def fashion_mnist() -> Dataset:
    """Return Fashion-MNIST: 28 × 28 grey images of ten kinds of clothing [1]_, fetched on first use.

    Returns
    -------
    Dataset
        55,000 training, 5,000 validation and 10,000 test images, uint8 of shape (n, 28, 28, 1).

    Raises
    ------
    ConnectionError
        If no source answers; the message lists what failed and how to get the data by hand.

    Notes
    -----
    The decoded data (55 MB) is kept in the folder that the environment variable ``PRUNEVIZ_DATA``
    names, otherwise in ``~/.cache/pruneviz``.

    References
    ----------
    .. [1] H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
       machine learning algorithms", arXiv:1708.07747, 2017.
    """
    return _dataset("fashion_mnist", _cached("fashion_mnist"))


@functools.cache
def cifar10() -> Dataset:
    """Return CIFAR-10: 32 × 32 colour images of ten kinds of things [1]_, fetched on first use.

    Returns
    -------
    Dataset
        45,000 training, 5,000 validation and 10,000 test images, uint8 of shape (n, 32, 32, 3).

    Raises
    ------
    ConnectionError
        If no source answers; the message lists what failed and how to get the data by hand.

    Notes
    -----
    The decoded data (184 MB) is kept in the folder that the environment variable ``PRUNEVIZ_DATA``
    names, otherwise in ``~/.cache/pruneviz``.

    References
    ----------
    .. [1] A. Krizhevsky, "Learning multiple layers of features from tiny images", technical report,
       University of Toronto, 2009.
    """
    return _dataset("cifar10", _cached("cifar10"))


def _dataset(name: str, arrays: Arrays) -> Dataset:
    x, y = _split(arrays, "train")
    return Dataset(
        name=name,
        train=(x[:-_VALIDATION], y[:-_VALIDATION]),
        validation=(x[-_VALIDATION:], y[-_VALIDATION:]),
        test=_split(arrays, "test"),
        class_names=FACTS[name].class_names,
    )


def _split(arrays: Arrays, part: str) -> Split:
    x, y = arrays[f"x_{part}"], arrays[f"y_{part}"].astype(np.int64)
    x = x if x.ndim == 4 else x[..., None]
    x.flags.writeable = y.flags.writeable = False
    return x, y


def _bundled(name: str) -> Arrays:
    path = _BUNDLED / f"{name}.npz"
    try:
        return _read(path, FACTS[name])
    except Exception as problem:
        raise OSError(f"{path} is missing or damaged ({problem}); install pruneviz again") from problem


def _cached(name: str) -> Arrays:
    path = _folder() / f"{name}.npz"
    if path.exists():
        try:
            return _read(path, FACTS[name])
        except Exception as problem:  # noqa: BLE001  # a damaged file leads to whatever it likes
            warnings.warn(f"{path} is damaged ({problem}) and is fetched again", stacklevel=3)
    arrays = _fetch(name, path)
    with _usable(path.parent), whole(path) as file:
        np.savez(file, allow_pickle=False, **arrays)
    return arrays


def _folder() -> Path:
    chosen = os.environ.get("PRUNEVIZ_DATA")
    folder = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "pruneviz"
    folder = folder.expanduser()
    with _usable(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        to_do = "set PRUNEVIZ_DATA to a folder of yours that has room"
        raise OSError(f"cannot use {folder} ({problem}); {to_do}") from problem


def _tidy(folder: Path) -> None:
    """Remove what killed processes have left; others, at work now, have written within a day."""
    for left in (*folder.glob(".fetching-*"), *folder.glob(".pruneviz-*")):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _DAY:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _fetch(name: str, path: Path) -> Arrays:
    failures, by_hand = [], path.with_suffix("")
    _tidy(path.parent)
    for source, get in downloads.sources(name, by_hand):
        with _usable(path.parent):
            place = tempfile.TemporaryDirectory(prefix=".fetching-", dir=path.parent)
        with place as workplace:
            try:
                arrays = get(Path(workplace))
                FACTS[name].check(arrays)
            except Exception as problem:  # noqa: BLE001  # so does what a stranger sends
                failures.append(f"  {source}: {' '.join(str(problem).split())[:200]}")
            else:
                return arrays
    files = " and ".join(downloads.OFFICIAL[name])
    raise ConnectionError(
        f"{name} could not be fetched from any source:\n"
        + "\n".join(failures)
        + f"\nTo get it by hand, put {files} into {by_hand}; "
        + f"or copy {path.name} into {path.parent} from a computer on which pruneviz has fetched it."
    )


def _read(path: Path, facts: Facts) -> Arrays:
    # np.load leaves a damaged file open when it is given a path.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        if max(member.file_size for member in stored.zip.infolist()) > downloads.LARGEST:
            raise ValueError("larger than was published")
        arrays = {key: stored[key] for key in facts.sha256}
    facts.check(arrays)
    return arrays
