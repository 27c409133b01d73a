"""Images to prune with: MNIST comes with the package, Fashion-MNIST and CIFAR-10 are fetched once.

Every data set is checked against the hash of its decoded pixels and labels, wherever it came from, and
cut the same way everywhere: the last 5,000 official training images are for validation, so that
whatever chooses (a slider, a stopping rule) never looks at the test images.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pruneviz.datasets import downloads

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Dataset", "Split", "cifar10", "fashion_mnist", "mnist"]

Split = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images, uint8 of shape (n, height, width, channels), and their labels, int64 of shape (n,)."""

_BUNDLED = Path(__file__).parent / "data"
_VALIDATION = 5_000
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


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


@dataclass(frozen=True)
class _Facts:
    """What must be true of the decoded arrays: their shapes and the SHA-256 of their bytes."""

    shape: tuple[int, ...]
    train: int
    test: int
    sha256: Mapping[str, str]
    class_names: tuple[str, ...]

    def check(self, arrays: Mapping[str, NDArray[np.uint8]]) -> None:
        shapes = {
            "x_train": (self.train, *self.shape),
            "y_train": (self.train,),
            "x_test": (self.test, *self.shape),
            "y_test": (self.test,),
        }
        for key, shape in shapes.items():
            array = arrays[key]
            if array.dtype != np.uint8 or array.shape != shape:
                raise ValueError(f"{key} is {array.dtype} {array.shape} instead of uint8 {shape}")
            if hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() != self.sha256[key]:
                raise ValueError(f"{key} does not have the expected SHA-256")


_FACTS = {
    "mnist": _Facts(
        shape=(28, 28),
        train=60_000,
        test=10_000,
        sha256={
            "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
            "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
            "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        },
        class_names=tuple("0123456789"),
    ),
    "fashion_mnist": _Facts(
        shape=(28, 28),
        train=60_000,
        test=10_000,
        sha256={
            "x_train": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
            "y_train": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
            "y_test": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
        },
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
    "cifar10": _Facts(
        shape=(32, 32, 3),
        train=50_000,
        test=10_000,
        sha256={
            "x_train": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "y_train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "x_test": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "y_test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        },
        class_names=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
    ),
}


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
    path = _BUNDLED / "mnist.npz"
    try:
        arrays = _read(path, _FACTS["mnist"])
    except _DAMAGED as problem:
        raise OSError(f"{path} is missing or damaged ({problem}); install pruneviz again") from problem
    return _dataset("mnist", arrays)


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


def _dataset(name: str, arrays: Mapping[str, NDArray[np.uint8]]) -> Dataset:
    def read_only(part: str) -> Split:
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"].astype(np.int64)
        x = x if x.ndim == 4 else x[..., None]
        x.flags.writeable = y.flags.writeable = False
        return x, y

    x, y = read_only("train")
    return Dataset(
        name=name,
        train=(x[:-_VALIDATION], y[:-_VALIDATION]),
        validation=(x[-_VALIDATION:], y[-_VALIDATION:]),
        test=read_only("test"),
        class_names=_FACTS[name].class_names,
    )


def _cached(name: str) -> dict[str, NDArray[np.uint8]]:
    path = _folder() / f"{name}.npz"
    if path.exists():
        try:
            return _read(path, _FACTS[name])
        except _DAMAGED as problem:
            warnings.warn(f"{path} is damaged ({problem}) and is fetched again", stacklevel=3)
    arrays = _fetch(name, path)
    _write(path, arrays)
    return arrays


def _folder() -> Path:
    chosen = os.environ.get("PRUNEVIZ_DATA")
    folder = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "pruneviz"
    folder = folder.expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OSError(f"cannot use {folder} ({problem}); set PRUNEVIZ_DATA to a folder of yours") from problem
    return folder


def _fetch(name: str, path: Path) -> dict[str, NDArray[np.uint8]]:
    failures = []
    for source, get in downloads.sources(name, path.with_suffix("")):
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=path.parent) as workplace:
            try:
                arrays = get(Path(workplace))
                _FACTS[name].check(arrays)
            except _DAMAGED as problem:
                failures.append(f"  {source}: {problem}")
            else:
                return arrays
    raise ConnectionError(
        f"{name} could not be fetched from any source:\n"
        + "\n".join(failures)
        + f"\nTo get it by hand, put {downloads.BY_HAND[name]} into {path.with_suffix('')}; "
        + f"or copy {path.name} into {path.parent} from a computer on which pruneviz has fetched it."
    )


def _read(path: Path, facts: _Facts) -> dict[str, NDArray[np.uint8]]:
    # np.load leaves a damaged file open when it is given a path.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in facts.sha256}
    facts.check(arrays)
    return arrays


def _write(path: Path, arrays: dict[str, NDArray[np.uint8]]) -> None:
    """Write next to `path` first: a reader never sees half a file, not even after a crash."""
    unfinished = path.with_name(f".{path.stem}-{os.getpid()}.npz")
    try:
        np.savez(unfinished, allow_pickle=False, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
