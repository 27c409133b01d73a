"""Tables that every lesson prints alike, and that no page breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = 96  # what a page shows beside JupyterLab's file browser, at 1280 pixels


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: the first column to the left, all others to the right.

    Parameters
    ----------
    header : sequence of str
        The columns' names.
    rows : iterable of sequences
        A cell for each column. A whole number gets its thousands marked; anything else is printed as
        ``str`` gives it, so format shares and decimals yourself: ``f"{share:.1%}"``.

    Raises
    ------
    ValueError
        If a row has not as many cells as there are columns, or a line would pass 96 characters.
    """
    lines = [list(header), *([_text(cell) for cell in row] for row in rows)]
    if odd := next((line for line in lines if len(line) != len(header)), None):
        raise ValueError(f"the row {odd} has {len(odd)} cells: there are {len(header)} columns")
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if (width := sum(widths) + 2 * (len(widths) - 1)) > COLUMNS:
        raise ValueError(f"the table is {width} characters wide, more than {COLUMNS}: shorten its header")
    for first, *others in lines:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([f"{first:<{widths[0]}}", *cells]).rstrip())  # noqa: T201


def _text(cell: object) -> str:
    return f"{cell:,}" if hasattr(cell, "__index__") and not isinstance(cell, bool) else str(cell)
