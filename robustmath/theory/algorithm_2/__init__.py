"""Proposition I: closed forms, exact laws in every reading, and the number of good outputs."""
