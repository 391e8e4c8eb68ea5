"""The version of policy_guard and where its pages are; packaging reads it here without importing anything."""

from __future__ import annotations

VERSION = "0.1.0"
PAGES = "https://OWNER.github.io/policy-guard"
"""Where the documentation is published; whoever publishes a copy fills in OWNER, as in the README."""
