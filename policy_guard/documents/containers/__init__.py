"""Readers of policy documents where they live."""

from __future__ import annotations

VERSIONS = ("2012-10-17", "2008-10-17")
"""The texts of a policy's Version element, by which a document is recognised as one."""
