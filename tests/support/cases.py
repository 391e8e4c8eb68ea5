"""Cases in folders: two versions of some files, and the line at which the check fails, if it does."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.places import FIXTURES
from tests.support.repository import Answer, Scratch


def cases(kind: str, side: str) -> list[Path]:
    """The cases of a kind, `passes` or `fails`, in order."""
    return sorted((FIXTURES / kind / side).iterdir())


def judged(case: Path, place: Path) -> Answer:
    """What the check says of a case in a repository of its own."""
    scratch = Scratch(place)
    shutil.copytree(case / "old", place, dirs_exist_ok=True)
    scratch.commit()
    for item in place.iterdir():
        if item.is_dir() and item.name != ".git":
            shutil.rmtree(item)
        elif item.is_file():
            item.unlink()
    shutil.copytree(case / "new", place, dirs_exist_ok=True)
    scratch.stage()
    return scratch.guard("check", "--format", "concise")


def passes(case: Path, place: Path) -> None:
    answer = judged(case, place)
    assert (answer.code, answer.out.count("error[")) == (0, 0), answer


def fails_at_its_line(case: Path, place: Path) -> None:
    answer = judged(case, place)
    assert answer.code == 1, answer
    lines = [line for line in answer.out.splitlines() if ": error[" in line]
    assert lines[0].startswith(f"{(case / 'line').read_text().strip()}:"), answer
