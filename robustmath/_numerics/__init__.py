"""Distances, sums, order statistics and column blocks: no rule is named here."""
