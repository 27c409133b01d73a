"""What every lesson needs: a quiet start, figures with words, guesses, tables, verdicts, a leaderboard."""

from pruneviz.teaching.challenge import leaderboard, submit
from pruneviz.teaching.corruptions import CORRUPTIONS, corrupt
from pruneviz.teaching.exercises import Check, Wrong, exercise
from pruneviz.teaching.guesses import compare
from pruneviz.teaching.notebooks import quietly, results, show, start
from pruneviz.teaching.rooms import hand_in, plot_room
from pruneviz.teaching.tables import table

__all__ = [
    "CORRUPTIONS",
    "Check",
    "Wrong",
    "compare",
    "corrupt",
    "exercise",
    "hand_in",
    "leaderboard",
    "plot_room",
    "quietly",
    "results",
    "show",
    "start",
    "submit",
    "table",
]
