"""What every lesson needs: a quiet start, figures with words, guesses, tables, verdicts, stored results."""

from pruneviz.teaching.exercises import Check, Wrong, exercise
from pruneviz.teaching.guesses import compare
from pruneviz.teaching.notebooks import quietly, results, show, start
from pruneviz.teaching.rooms import hand_in, plot_room
from pruneviz.teaching.tables import table

__all__ = [
    "Check",
    "Wrong",
    "compare",
    "exercise",
    "hand_in",
    "plot_room",
    "quietly",
    "results",
    "show",
    "start",
    "table",
]
