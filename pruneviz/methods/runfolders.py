"""The folder of a run that may be cut off at any moment: a file that names it, and one for each round."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pruneviz.core.arrays import each
from pruneviz.files import storage
from pruneviz.files.writing import whole
from pruneviz.methods.gradual import prunes_at

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from pruneviz.core.arrays import Array, BoolArray, Checked
    from pruneviz.core.masks import Mask
    from pruneviz.engine.how import How

_HEAD = "run.json"


class RunFolder:
    """Finished rounds on disk, each whole or not there at all.

    Parameters
    ----------
    path
        The folder; made if missing.
    run
        What tells this run from another, as `fingerprint` gives it.
    schedule
        The run's; a stored round that was pruned to another sparsity is refused.

    Raises
    ------
    ValueError
        If the path is no folder, or holds another run or something else; the message names it.
    """

    def __init__(
        self, path: str | os.PathLike[str], run: Mapping[str, object], schedule: Callable[[int], float]
    ) -> None:
        self.path, self._schedule = Path(path), schedule
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"resume: {path} is not a folder")
        self.path.mkdir(parents=True, exist_ok=True)
        head = self.path / _HEAD
        if head.exists():
            self._compare(_told(head), run)
        elif any(not file.name.startswith(".") for file in self.path.iterdir()):
            raise ValueError(f"resume: {path} holds other files, and no run of iterate: choose a new folder")
        else:
            with whole(head) as file:
                file.write((json.dumps(run, indent=1) + "\n").encode())
        for draft in self.path.glob(".pruneviz-*"):  # a process was killed while it wrote them
            draft.unlink()

    def read(self, number: int) -> tuple[dict[str, Array], dict[str, BoolArray]] | None:
        """Give the arrays and the mask that a round left, or None if it is not finished."""
        file = self._file(number)
        if not file.exists():
            return None
        try:
            stored = storage.unpacked(file.read_bytes(), file.name)
            if "share" not in stored:
                raise ValueError(f"{file.name} holds no round")  # noqa: TRY301
        except ValueError as error:
            raise ValueError(f"resume: {error}; or delete {file}, and the round is trained again") from error
        theirs, ours = float(stored.pop("share")), _share(self._schedule, number)
        if theirs != ours:
            raise ValueError(
                f"resume: {self.path} holds another run: its round {number} was pruned to {theirs:g}, not to "
                f"{ours:g} as here; choose a new folder"
            )
        parts: dict[str, dict[str, Array]] = {"array": {}, "mask": {}}
        for name, array in stored.items():
            part, _, short = name.partition(":")
            parts[part][short] = array
        return parts["array"], parts["mask"]

    def write(self, number: int, arrays: Mapping[str, Array], mask: Mask) -> None:
        """Store a finished round."""
        stored = {"share": np.array(_share(self._schedule, number))}
        stored |= {f"array:{name}": array for name, array in arrays.items()}
        stored |= {f"mask:{name}": kept for name, kept in mask.items()}
        with whole(self._file(number)) as file:
            file.write(storage.packed(stored))

    def _file(self, number: int) -> Path:
        return self.path / f"round-{number:03}.pruneviz"

    def _compare(self, theirs: Mapping[str, object], ours: Mapping[str, object]) -> None:
        for key, value in ours.items():
            if theirs.get(key) != value:
                raise ValueError(
                    f"resume: {self.path} holds another run: its {key} is {theirs.get(key)!r}, here it is "
                    f"{value!r}; choose a new folder"
                )


def _told(head: Path) -> dict[str, Any]:
    try:
        told = json.loads(head.read_bytes())
    except (RecursionError, ValueError):
        told = None
    if isinstance(told, dict):
        return told
    raise ValueError(f"resume: {head} is damaged, and does not tell which run this is: choose a new folder")


def fingerprint(model: object, start: object, how: How) -> dict[str, Any]:
    """Describe a run, so that another one is told from it.

    It does not say the schedule, which each round answers for, nor the code of fine_tune.
    """
    images, labels = cast("Checked", how.data or (np.empty(0), np.empty(0)))
    given = {f"x{place or ''}": array for place, array in enumerate(each(images))}
    return {
        "model": _name(model),
        "start": _name(start),
        "seed": how.seed,
        "granularity": how.granularity,
        "criterion": _name(how.criterion),
        "scope": how.scope,
        "scored_on": _digest({**given, "y": labels}),
        "exclude": sorted(how.exclude),
        "keep_at_least": how.keep_at_least,
        "loss": _name(how.loss),
    }


def _name(value: object) -> str | None:
    """Name a word, a function, or a model by its arrays."""
    if value is None or isinstance(value, str):
        return value
    if storage.is_model(value):
        return _digest(storage.arrays_of(value))
    return getattr(value, "__qualname__", type(value).__qualname__)


def _digest(arrays: Mapping[str, Array]) -> str:
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _share(schedule: Callable[[int], float], number: int) -> float:
    """Tell what a round is pruned to; -1 if it only trains."""
    return float(schedule(number)) if prunes_at(schedule, number) else -1.0
