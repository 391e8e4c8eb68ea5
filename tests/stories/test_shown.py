"""Golden text of whole runs, as a developer reads it whose commit failed: `before`, `after` and `check.txt`.

With `--refresh` the texts are written anew; read them as that developer would.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.places import FIXTURES
from tests.support.repository import Scratch

CASES = sorted((FIXTURES / "shown").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_developer_reads(case: Path, tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    scratch = Scratch(tmp_path / "repository")
    shutil.copytree(case / "before", scratch.folder, dirs_exist_ok=True)
    scratch.commit()
    shutil.copytree(case / "after", scratch.folder, dirs_exist_ok=True)
    answer = scratch.guard("check")
    assert answer.code == 1
    told = re.sub(r"HEAD@[0-9a-f]{7}", "HEAD@COMMIT", answer.out)
    golden(case / "check.txt", re.sub(r"[0-9]+\.[0-9]{2} s$", "TIME s", told, flags=re.MULTILINE))
