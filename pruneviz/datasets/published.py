"""What is known of the published data sets, and whether arrays are what was published."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Arrays = dict[str, NDArray[np.uint8]]
"""The arrays x_train, y_train, x_test and y_test of a data set as published, uint8."""


@dataclass(frozen=True)
class Facts:
    """What must be true of the decoded arrays: their shapes, and the SHA-256 of their bytes."""

    shape: tuple[int, ...]
    train: int
    test: int
    sha256: Mapping[str, str]
    class_names: tuple[str, ...]

    def check(self, arrays: Arrays) -> None:
        """Raise KeyError or ValueError unless the arrays are those that were published."""
        for key, digest in self.sha256.items():
            array, n = arrays[key], self.train if key.endswith("train") else self.test
            shape = (n, *self.shape) if key.startswith("x") else (n,)
            if array.dtype != np.uint8 or array.shape != shape:
                raise ValueError(f"{key} is {array.dtype} {array.shape} instead of uint8 {shape}")
            if hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() != digest:
                raise ValueError(f"{key} does not have the expected SHA-256")


# fmt: off  # a class a word, not a line
FACTS = {
    "mnist": Facts(
        (28, 28),
        60_000,
        10_000,
        {
            "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
            "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
            "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        },
        tuple("0123456789"),
    ),
    "fashion_mnist": Facts(
        (28, 28),
        60_000,
        10_000,
        {
            "x_train": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
            "y_train": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
            "y_test": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
        },
        (
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
    "clothes": Facts(  # the first 200 test images of each kind of Fashion-MNIST
        (28, 28),
        0,
        2_000,
        {
            "x_test": "96315b1732ab731e68b8def3c284f34b605f7deb7a61e683c7d786265c827c83",
            "y_test": "b2095bc797d1201e84da76c94012c02d0e6f07af0938df4e00120a3b42d1aa4c",
        },
        (),
    ),
    "cifar10": Facts(
        (32, 32, 3),
        50_000,
        10_000,
        {
            "x_train": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "y_train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "x_test": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "y_test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        },
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
}
