"""Arguments: help for a command, and what was meant by one that is misspelt."""

from __future__ import annotations

import json

import pytest

from policy_guard.cli import main
from policy_guard.cli.arguments import SCHEMAS


def _exit_code(*arguments: str) -> object:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("chek", 'there is no command "chek"; did you mean "check"?'),
        ("lint", 'there is no command "lint"; did you mean "list"?'),
        ("xyz", 'there is no command "xyz"; the commands are check, compare'),
        ("a\x1b[31m", 'there is no command "a\\x1b[31m"; '),
    ],
)
def test_a_misspelt_command(command: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(command) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"), [(("help",), "COMMAND ..."), (("help", "check"), "policy-guard check")]
)
def test_help(arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(*arguments) == 0
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"]
