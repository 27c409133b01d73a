"""A row of the table of benchmarks says what was measured, and whether it is within its limit."""

import pytest

import pruneviz as pv
from benchmarks.rows import Row


def ms(*rounds):
    return pv.Latency(rounds, "wall", "PyTorch, 1 thread")


@pytest.mark.parametrize(
    ("row", "within", "cells"),
    [
        (Row("a", 880.0, "B", "b", 1000.0, 0.88), True, ["a", "880 B", "b", "1,000 B", "0.88", "0.88"]),
        (
            Row("a", 881.0, "B", "b", 1000.0, 0.88),
            False,
            ["a", "881 B", "b", "1,000 B", "0.881", "**over** 0.88"],
        ),
        # The ratio of each round, not that of the medians, which would be 1.
        (
            Row("a", ms(1, 2, 9), "ms", "b", ms(2, 1, 3), 2.9),
            True,
            ["a", "2 (1-9) ms", "b", "2 (1-3) ms", "2 (0.5-3)", "2.9"],
        ),
        (
            Row("a", ms(1, 2, 9), "ms", "b", ms(2, 1, 3), 1.9),
            False,
            ["a", "2 (1-9) ms", "b", "2 (1-3) ms", "2 (0.5-3)", "**over** 1.9"],
        ),
        (Row("a", ms(1, 2, 9), "ms", limit=2), True, ["a", "2 (1-9) ms", "", "", "", "2 ms"]),
        (Row("a", 31.5, "ms", limit=30), False, ["a", "31.5 ms", "", "", "", "**over** 30 ms"]),
        (Row("a", 3.0, "s"), True, ["a", "3 s", "", "", "", ""]),
    ],
)
def test_a_row_is_held_to_its_limit(row, within, cells):
    assert row.within == within
    assert row.cells() == cells
