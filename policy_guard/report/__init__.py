"""A report as text: pure functions."""
