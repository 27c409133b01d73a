"""The course's notebooks, with the results that they read and the checks of their exercises.

In a checkout they lie in ``lessons/`` beside the package; a wheel brings them inside it.
"""

from __future__ import annotations

from pathlib import Path

_INSIDE = Path(__file__).parent
HOME = _INSIDE if (_INSIDE / "results").is_dir() else _INSIDE.parents[1] / "lessons"
"""The folder that holds the notebooks, ``results/`` and ``checks/``."""
