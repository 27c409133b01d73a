"""How the zoo's networks were trained; run these from the repository's root."""
