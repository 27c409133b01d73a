"""What the lessons need besides pruning: a quiet start, figures with words, checks of exercises."""

from pruneviz.teaching.exercises import Check, Wrong, exercise
from pruneviz.teaching.notebooks import show, start

__all__ = ["Check", "Wrong", "exercise", "show", "start"]
