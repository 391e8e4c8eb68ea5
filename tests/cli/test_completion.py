"""Completion: the script is made once, and the shell finds the words in it."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from policy_guard.cli import main
from policy_guard.cli.arguments import SHELLS

MISSING = "the package shtab is missing"


def _script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    pytest.importorskip("shtab", reason="shtab is not installed")
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_holds_commands_options_and_names(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = _script(shell, capsys)
    words = ("compare", "refine", "staged", "no-new-access", "sarif", "critical")
    assert [word for word in words if word not in script] == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sch",), {"schema"}),
        (("check", "--st"), {"--staged", "--statistics"}),
        (("check", "--format", "sa"), {"sarif"}),
        (("check", "iam/a"), {"iam/a.json"}),
        (("explain", "no-l"), {"no-lost-deny"}),
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes(
    words: tuple[str, ...], expected: set[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "iam").mkdir()
    (tmp_path / "iam" / "a.json").touch()
    (tmp_path / "script").write_text(_script("bash", capsys))
    typed = " ".join(f'"{word}"' for word in ("policy-guard", *words))
    program = (
        f"source ./script; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; "
        '"$(complete -p policy-guard | sed -E "s/.*-F ([^ ]+).*/\\1/")"; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected, done


def test_without_shtab_it_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "shtab":
            raise ImportError(name)
        return real(name, *rest)

    with mock.patch("builtins.__import__", without):
        assert main(["completion", "bash"]) == 2
    assert capsys.readouterr().err.startswith(MISSING)
