"""The documents: their links lead somewhere, and what they have to name is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from policy_guard.report.reporters import names as reporters
from policy_guard.verify.checks import names

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    gone = [target for target in local if not (page.parent / target).exists()]
    assert gone == []


def test_every_setting_has_its_words() -> None:
    schema = json.loads((ROOT / "policy_guard/schema/config.json").read_text())
    page = (ROOT / "docs/settings.md").read_text()
    assert [key for key in schema["properties"] if key != "version" and key not in page] == []


def test_the_readme_names_what_there_is() -> None:
    readme, commands = (ROOT / "README.md").read_text(), (ROOT / "docs/commands.md").read_text()
    assert [name for name in names() if f"`{name}`" not in readme] == []
    assert [name for name in reporters() if name not in commands] == []
