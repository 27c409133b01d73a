"""Pruning done to models: look, score, prune, apply."""
