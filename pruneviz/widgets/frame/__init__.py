"""What every live view stands on: the Python class, its script, its page."""
