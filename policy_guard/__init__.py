"""Proves that a change to an IAM policy grants no new access, or shows a request that it does."""

from __future__ import annotations

from policy_guard.version import VERSION

__version__ = VERSION
