"""Pruning done to models: look, score, prune, remove, save."""
