"""What runs by day and what every night: few examples of a property and many, some parameters and all."""

from __future__ import annotations

import os
from typing import Any

import pytest

_MANY = "POLICY_GUARD_EXAMPLES"


def examples(number: int) -> int:
    """`number`, times what the environment says in POLICY_GUARD_EXAMPLES."""
    return number * int(os.environ.get(_MANY, "1"))


def nightly(*values: Any) -> Any:
    """Parameters of a test that are tried every night, while others of the same kind are by day."""
    return pytest.param(*values, marks=pytest.mark.corpus)
