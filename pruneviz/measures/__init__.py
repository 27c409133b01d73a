"""What is measured of models: what they cost, how well they do, and how long they take."""
