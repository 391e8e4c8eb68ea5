"""Proves that a change of an AWS IAM policy grants nothing new.

Start reading in `pipeline/check.py`; CONTRIBUTING.md has the plan of the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy_guard.version import VERSION

if TYPE_CHECKING:
    from policy_guard.api import (
        PolicyError,
        Reason,
        Result,
        check_access_not_granted,
        check_no_lost_deny,
        check_no_new_access,
        check_no_public_access,
    )

__version__ = VERSION
__all__ = [
    "PolicyError",
    "Reason",
    "Result",
    "__version__",
    "check_access_not_granted",
    "check_no_lost_deny",
    "check_no_new_access",
    "check_no_public_access",
]


def __getattr__(name: str) -> object:
    """The public functions, imported when first asked for: the hook starts on every commit."""
    if name in __all__:
        from policy_guard import api

        return getattr(api, name)
    raise AttributeError(f"module 'policy_guard' has no attribute {name!r}")
