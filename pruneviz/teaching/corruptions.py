"""Photographs of a bad day: digits under noise, blur, rotation, shift and faint ink."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CORRUPTIONS: dict[str, tuple[float, ...]] = {
    "noise": (0.2, 0.3, 0.4),
    "blur": (1, 1.5, 2),
    "rotation": (15, 30, 45),
    "shift": (2, 3, 4),
    "contrast": (0.5, 0.3, 0.2),
}
"""Three strengths of each kind, the mildest first; `corrupt` says in which unit."""

_WHITE = 255


def corrupt(images: NDArray[np.uint8], kind: str, strength: float, seed: int = 0) -> NDArray[np.uint8]:
    """Spoil images as a bad camera does.

    Parameters
    ----------
    images : array
        uint8, of shape (n, height, width, channels).
    kind : str
        One of `CORRUPTIONS`.
    strength : float
        For ``"noise"`` its standard deviation, as a share of white; for ``"blur"`` that of the Gaussian, in
        pixels; for ``"rotation"`` degrees, to the left or to the right; for ``"shift"`` pixels, in one of
        eight directions; for ``"contrast"`` the factor by which the ink gets paler.
    seed : int, default 0
        Draws noise and directions, for each image its own.

    Returns
    -------
    array
        New images, uint8 of the same shape. What comes in from outside is black.

    Raises
    ------
    TypeError
        If the images are others.
    ValueError
        If there is no such kind, or the strength is no number from 0.
    """
    if getattr(images, "dtype", None) != np.uint8 or images.ndim != 4:
        what = f"{images.dtype} {images.shape}" if hasattr(images, "dtype") else f"a {type(images).__name__}"
        raise TypeError(f"images is {what}, not uint8 of shape (n, height, width, channels)")
    if not 0 <= strength < np.inf:
        raise ValueError(f"strength is {strength}, not a number from 0")
    from scipy import ndimage  # noqa: PLC0415  # the lessons have it, the package alone does not need it

    rng, grey = np.random.default_rng(seed), images.astype(np.float32)
    if kind == "noise":
        grey = grey + rng.normal(0, strength * _WHITE, grey.shape).astype(np.float32)
    elif kind == "blur":
        grey = ndimage.gaussian_filter(grey, (0, strength, strength, 0))
    elif kind == "contrast":
        grey = grey * np.float32(strength)
    elif kind == "rotation":
        left = rng.random(len(grey)) < 0.5
        turned = [ndimage.rotate(grey, way * strength, (1, 2), reshape=False, order=1) for way in (1, -1)]
        grey = np.where(left[:, None, None, None], *turned)
    elif kind == "shift":
        steps = np.array([(down, right, 0) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right])
        moves = strength * steps[rng.integers(len(steps), size=len(grey))]
        for image, move in zip(grey, moves, strict=True):
            image[:] = ndimage.shift(image, move, order=1)
    else:
        raise ValueError(f"no corruption is called {kind!r}: choose one of {', '.join(CORRUPTIONS)}")
    return np.clip(np.rint(grey), 0, _WHITE).astype(np.uint8)
