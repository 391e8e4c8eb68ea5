"""Puts a failed proof into words: exactly what is new, and where."""
