"""How sure a share is."""

from __future__ import annotations

import math

from pruneviz.core.arrays import whole


def wilson(correct: int, n: int) -> tuple[float, float]:
    """Compute the 95% interval of a share (Wilson 1927).

    Parameters
    ----------
    correct, n
        How many of how many.

    Returns
    -------
    tuple
        Its ends, within 0 to 1.

    Raises
    ------
    ValueError
        If the two are not whole numbers, n at least 1 and correct at most n.
    """
    n, correct = whole("n", n, 1), whole("correct", correct)
    if correct > n:
        raise ValueError(f"correct is {correct:,}, more than n, {n:,}: pass how many of how many")
    z = 1.959963984540054
    share, spread = correct / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)
