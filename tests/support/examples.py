"""How many examples a property is drawn on: few by default, and many in the nightly run."""

from __future__ import annotations

import os

_MANY = "POLICY_GUARD_EXAMPLES"


def examples(number: int) -> int:
    """`number`, times what the environment says in POLICY_GUARD_EXAMPLES."""
    return number * int(os.environ.get(_MANY, "1"))
