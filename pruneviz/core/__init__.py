"""What pruning is, in NumPy: layers, units, masks, plans. Nothing here knows of a framework."""
