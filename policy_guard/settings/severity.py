"""Severities, worst first, and their ranks."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Severity: TypeAlias = Literal["error", "warning", "note", "off"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
RANK: dict[Severity, int] = {"error": 3, "warning": 2, "note": 1, "off": 0}
FailOn: TypeAlias = Literal["warning", "error", "never"]
FAIL_ON: tuple[FailOn, ...] = get_args(FailOn)
"""From the strictest on: the least severity that fails a run."""
LEAST: dict[FailOn, int] = {"warning": RANK["warning"], "error": RANK["error"], "never": 9}
"""The rank from which on a finding fails the run."""
