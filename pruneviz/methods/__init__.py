"""One method of a lesson each, built on the engine."""
