"""The minutes that lessons announce for teaching, beside what their words, code, guesses and pictures take.

python benchmarks/minutes.py

A minute is 150 words, or 30 lines of code that are looked through, or a guess, or a picture that is talked
about. Exercises and quiz are left out, and so are the seconds that cells run: one reads or guesses meanwhile.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
WORDS, LINES = 150, 30
LATER = re.compile(r"#+ (?:Exercise|Now yours|Quiz|Further reading)")


def main() -> None:
    """Print the table."""
    print(
        f"{'lesson':<40}{'announced':>10}{'counted':>9}{'words':>7}{'lines':>7}{'guesses':>9}{'pictures':>10}"
    )
    for path in sorted([*LESSONS.glob("00*.ipynb"), *LESSONS.glob("pytorch/[0-9]*.ipynb")]):
        notebook = nbformat.read(path, as_version=4)
        announced = re.search(
            r"\*\*Time\.\*\* (\d+) minutes", "\n".join(cell.source for cell in notebook.cells)
        )
        counts = words, lines, guesses, pictures = count(notebook)
        minutes = words / WORDS + lines / LINES + guesses + pictures
        print(f"{path.stem:<40}{announced[1]:>10}{minutes:>9.0f}", end="")
        print("".join(f"{n:>{width}}" for n, width in zip(counts, (7, 7, 9, 10), strict=True)))


def count(notebook: nbformat.NotebookNode) -> tuple[int, int, int, int]:
    """Count words, lines of code, guesses and pictures, from the top to the exercises, over and over."""
    words = lines = guesses = pictures = 0
    later = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            later = bool(LATER.match(cell.source))
        if later:
            continue
        if cell.cell_type == "markdown":
            words += len(cell.source.split())
        else:
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
            guesses += "guess = ..." in cell.source
            pictures += sum("image/png" in output.get("data", {}) for output in cell.outputs)
    return words, lines, guesses, pictures


if __name__ == "__main__":
    main()
