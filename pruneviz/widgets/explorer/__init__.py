"""The explorers: what is pruned of a network, and what is left."""
