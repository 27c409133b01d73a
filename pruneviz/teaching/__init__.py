"""What every lesson needs: a quiet start, figures with words, stored results, checks of exercises."""

from pruneviz.teaching.exercises import Check, Wrong, exercise
from pruneviz.teaching.notebooks import results, show, start

__all__ = ["Check", "Wrong", "exercise", "results", "show", "start"]
