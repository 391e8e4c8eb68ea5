"""Proves that a change of an AWS IAM policy grants nothing new.

Start reading in `pipeline/check.py`; CONTRIBUTING.md has the plan of the house.
"""

from __future__ import annotations

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.isolated and not getattr(sys.flags, "safe_path", False):
    # `python -m policy_guard` puts the folder at hand first, and with it whatever a change calls json.py. While Python
    # looks for the module, sys.argv says "-m". Source: Python's documentation of sys.argv and sys.path.
    del sys.path[0]

from policy_guard.version import VERSION

TYPE_CHECKING = False
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
