"""The questions: which set must be empty, whether it is, and how to explain that it is not."""
