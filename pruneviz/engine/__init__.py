"""Pruning done to models: look, score, prune, remove, measure, save, time."""
