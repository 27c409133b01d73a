"""How sure a share is."""

from __future__ import annotations

import math


def wilson(correct: int, n: int) -> tuple[float, float]:
    """Compute the ends of the 95% interval of the share correct / n (Wilson 1927), within 0 to 1."""
    z = 1.959963984540054
    share, spread = correct / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)
