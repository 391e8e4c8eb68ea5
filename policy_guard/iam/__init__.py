"""The IAM language: its model, parser and catalogue, and its meaning, concrete and symbolic."""
