"""The files that owners write: settings, critical list and acceptances."""
