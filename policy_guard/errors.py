"""What goes wrong outside the policies."""

from __future__ import annotations


class UserError(Exception):
    """The set-up keeps policy_guard from checking anything. The text says what is wrong and the remedy, in one line."""
