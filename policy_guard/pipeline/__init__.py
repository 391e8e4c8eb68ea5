"""From a repository's change to a report."""
