"""The course on the command line: ``python -m pruneviz lessons [FOLDER] [--outputs]``."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pruneviz import lessons

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m pruneviz", description="A course on pruning to touch.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    words = "copy the notebooks of the course into a folder, but never over a file that was changed"
    command = commands.add_parser("lessons", help=words, description=words.capitalize() + ".")
    command.add_argument("folder", nargs="?", type=Path, default=Path("pruneviz-lessons"), metavar="FOLDER")
    words = "with what the cells printed when the course was built: the answers to its questions"
    command.add_argument("--outputs", action="store_true", help=words)
    given = parser.parse_args(arguments)
    folder = given.folder
    try:
        changed = lessons.copy(folder, outputs=given.outputs)
    except OSError as error:
        print(f"error: cannot copy the lessons to {folder} ({error}); name another folder", file=sys.stderr)
        return 1
    first = shlex.quote(str(folder / "00_start_here.ipynb"))
    print(f"The lessons are in {folder}. Open the first one:\n\n    jupyter lab {first}\n")
    if changed:
        print("Left alone, as they are not what the course has there (move them away to have them anew):")
        print("\n".join(f"    {folder / path}" for path in changed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
