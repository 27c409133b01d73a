"""The live view of spoiled digits."""
