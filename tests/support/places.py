"""Where files are that tests read, and which of them may be missing."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
BESIDE = ROOT.parent / "shared"
MISSING = "beside the repository"


def needs(path: Path) -> pytest.MarkDecorator:
    """Skips tests without a file that is no part of the repository; the end of the run says so in one line."""
    return pytest.mark.skipif(not path.exists(), reason=f"{path.relative_to(ROOT.parent)} {MISSING}")
