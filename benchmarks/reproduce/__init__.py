"""The experiments of the articles that the course grew out of, each with its control."""
