"""The one way to write a file: whole, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write, so that at any moment it is there whole, or as it was before.

    A link stays one, and a file keeps its mode; a new one gets what the process gives any other.
    """
    path = path.resolve()
    draft = path.with_name(f".pruneviz-{secrets.token_hex(8)}")  # another for each writer, on any machine
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
