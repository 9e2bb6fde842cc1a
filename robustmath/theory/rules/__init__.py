"""How robust rules are: bounds with proofs, published bounds, tight examples, breakdown."""
