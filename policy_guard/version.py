"""The version of policy_guard, written once; packaging reads it here without importing anything."""

from __future__ import annotations

VERSION = "0.1.0"
