"""Names for the kinds of arrays that pruneviz passes around."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
BoolArray: TypeAlias = NDArray[np.bool_]
Data: TypeAlias = tuple[Array, Array]
