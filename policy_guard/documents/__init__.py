"""From bytes to trees with places, to the policy documents in a file, and back to bytes by edits."""
