"""Severities, worst first, their ranks, and the names of what they are set for."""

from __future__ import annotations

from typing import Literal, NewType, TypeAlias, get_args

CheckId = NewType("CheckId", str)
"""The name of a check. No `Literal`: a list of all names would be a second file to change for each new check."""
Severity: TypeAlias = Literal["error", "warning", "note", "off"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
RANK: dict[Severity, int] = {"error": 3, "warning": 2, "note": 1, "off": 0}
FailOn: TypeAlias = Literal["warning", "error", "never"]
FAIL_ON: tuple[FailOn, ...] = get_args(FailOn)
"""From the strictest on: the least severity that fails a run."""
LEAST: dict[FailOn, int] = {"warning": RANK["warning"], "error": RANK["error"], "never": 9}
"""The rank from which on a finding fails the run."""
