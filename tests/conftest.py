"""What all tests share: one flag that rewrites the golden files, the corpora left out, the skips named in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.examples import examples
from tests.support.places import MISSING

settings.register_profile("policy_guard", deadline=None, max_examples=examples(25))
settings.load_profile("policy_guard")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh", action="store_true", help="rewrite the golden files; review them with git diff")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the corpora out, unless the command line says something of them."""
    if "corpus" not in config.getoption("markexpr"):
        corpus = [item for item in items if item.get_closest_marker("corpus")]
        config.hook.pytest_deselected(items=corpus)
        items[:] = [item for item in items if not item.get_closest_marker("corpus")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says in one line which tests were skipped because files beside the repository are missing."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", ()))
    missing = [f"{reason} ({count})" for reason, count in sorted(reasons.items()) if reason.endswith(MISSING)]
    if missing:
        terminalreporter.write_line(f"skipped without {', '.join(missing)}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares a text with a golden file, or writes the file under `--refresh`."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--refresh"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        assert path.is_file(), f"{path} is missing: run pytest --refresh"
        assert text == path.read_bytes().decode("utf-8")

    return compare
