"""How robust every rule is: bounds, and the worst that a search finds."""
