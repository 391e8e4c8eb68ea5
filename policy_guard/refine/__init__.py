"""Takes unused access out of the text of a policy, and proves the result."""
