"""TinyNetwork: a model so small that every number can be read."""
