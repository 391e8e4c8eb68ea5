"""Scratch repositories with a real git, apart from the settings of whoever runs the tests."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from policy_guard.cli import main
from tests.support.places import ROOT
from tests.support.plain_git import PlainGit

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "PYTHONPATH": str(ROOT),
}


class Scratch:
    """One repository in a folder, and `policy-guard` run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(Path(_template().name, ".git"), folder / ".git", dirs_exist_ok=True)
        self._plain: PlainGit | None = PlainGit(folder)

    @classmethod
    def clone(cls, origin: Scratch, folder: Path, *options: str) -> Scratch:
        run = ["git", "clone", "-q", *options, f"file://{origin.folder}", str(folder)]
        subprocess.run(run, check=True, env=ENVIRON, capture_output=True)
        made = cls.__new__(cls)
        made.folder, made._plain = folder, None
        return made

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=ENVIRON, capture_output=True, check=True)
        return done.stdout.decode(errors="replace").strip()

    def write(self, path: str, content: Any) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2) + "\n")

    def commit(self, **files: Any) -> str:
        for path, content in files.items():
            self.write(path, content)
        if self._plain and (plain_files := self._plain.files()) is not None:
            return self._plain.commit(plain_files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def stage(self) -> None:
        """Puts the files of the working tree into the index, as they are."""
        if self._plain and (plain_files := self._plain.files()) is not None:
            self._plain.add(plain_files)
        else:
            self.git("add", "-A")

    def guard(self, *arguments: str, folder: str = ".", **environ: str) -> Answer:
        """Runs the command in this process, in a folder of the repository."""
        return guard(arguments or ("check",), self.folder / folder, {**ENVIRON, **environ})

    def findings(self, *arguments: str, **environ: str) -> list[tuple[str, str, str]]:
        """Check, outcome and path of every finding."""
        answer = self.guard("check", "--format", "json", *arguments, **environ)
        return [(f["check"], f["outcome"], f["path"]) for f in json.loads(answer.out)["findings"]]


class Answer:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert "Traceback" not in err, err

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


def guard(arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Answer:
    """Runs the command in this process, as if started in a folder with this environment and without a terminal."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in range(2))
    with (
        _entered(folder),
        mock.patch.dict(os.environ, environ, clear=True),
        mock.patch("sys.stdin", io.StringIO()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = _code(arguments)
    return Answer(code, *map(_written, (out, err)))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _code(arguments: Sequence[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as usage:
        return int(usage.code or 0)


def process(arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Answer:
    """Runs the command as a process of its own, as users do."""
    command = [sys.executable, "-m", "policy_guard", *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, timeout=60)
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def _entered(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """A fresh repository whose .git is copied, which is a tenth of the work of `git init`. Git never tidies it up."""
    template = tempfile.TemporaryDirectory(prefix="policy-guard-")
    for command in ("git init -q -b main", "git config maintenance.auto false", "git config gc.auto 0"):
        subprocess.run(command.split(), cwd=template.name, env=ENVIRON, check=True, capture_output=True)
    shutil.rmtree(Path(template.name, ".git", "hooks"))
    return template


def allow(*actions: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


NARROW = document(allow("s3:GetObject"))
WIDE = document(allow("s3:GetObject", "s3:DeleteObject"))
