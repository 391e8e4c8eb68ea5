"""Severities, worst first, and their ranks."""

from __future__ import annotations

SEVERITIES = ("error", "warning", "note", "off")
RANK = {"error": 3, "warning": 2, "note": 1, "off": 0}
