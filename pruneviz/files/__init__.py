"""What is written to disk and read again: whole files, and models in little room."""
