"""What the GitHub action runs: an environment of its own, the check, its summary and its outputs.

Started with `python -I` and outside of the checkout, of which nothing is ever imported. Inputs come through the
environment alone, as INPUT_NAME.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

ACTION = Path(__file__).resolve().parent.parent
REQUIREMENTS = ACTION / "requirements.txt"
RESULTS = {0: "pass", 1: "fail"}
YES, NO = ("true", "yes", "on", "1", ""), ("false", "no", "off", "0")
REPORT = "report"
FAIL_ON = ("warning", "error", "never")


def main() -> int:
    temporary = Path(os.environ["RUNNER_TEMP"])
    target = sarif_file()
    if wrong := [*wrong_inputs(target)]:
        fail("; ".join(wrong))
    python = environment(temporary / "policy-guard")
    written = {name: temporary / f"policy-guard.{name}" for name in ("json", "markdown", "sarif")}
    for file in written.values():
        file.unlink(missing_ok=True)
    code = subprocess.call([str(python), "-I", "-m", "policy_guard", "check", *arguments(written)])
    found = json.loads(written["json"].read_bytes()) if written["json"].exists() else {}
    if not written["markdown"].exists():
        fail("the check ended before it could say why; the log of this step has more", code)
    summarize(written["markdown"].read_text(encoding="utf-8"))
    if code in RESULTS and target is not None:
        target.unlink(missing_ok=True)
        target.write_bytes(written["sarif"].read_bytes())
    page = overview(python, temporary) if code in RESULTS and given("summary").lower() == REPORT else ""
    values = (*outputs(code, found), ("report-file", page))
    append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in values))
    return code


def overview(python: Path, temporary: Path) -> str:
    """Add an overview of all policies to the summary, and give the path of its page; none where it cannot be made."""
    page, text = temporary / "policy-guard-report.html", temporary / "policy-guard-report.md"
    options = [f"--config={given('config')}"] if given("config") else []
    command = [str(python), "-I", "-m", "policy_guard", "report", *options, "-o", str(page), "-o", str(text), "--"]
    if subprocess.call([*command, *paths()]):
        return ""
    summarize(text.read_text(encoding="utf-8"))
    return str(page)


def given(name: str) -> str:
    """An input of the action; nothing where it is not given."""
    return os.environ.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip()


def wrong_inputs(target: Path | None) -> Iterator[str]:
    """Say of each input that has no meaning what could stand there."""
    if given("fail-on") not in ("", *FAIL_ON):
        yield f"the input fail-on is {shown('fail-on')}; write warning or error"
    if given("summary").lower() not in (*YES, *NO, REPORT):
        yield f"the input summary is {shown('summary')}; write true, false or report"
    if given("sarif-file") and target is None:
        yield f"the input sarif-file is {shown('sarif-file')}, which is no place for a file in the checkout"
    own = (ACTION / "policy_guard" / "version.py").read_text(encoding="utf-8")
    if (wanted := given("version").removeprefix("v")) and f'"{wanted}"' not in own:
        yield f"the input version is {shown('version')}, and this action is of another version"


def shown(name: str) -> str:
    """An input in quotation marks, without what an annotation or Markdown could take for more than text."""
    return f'"{re.sub("[^A-Za-z0-9 .,/_-]", "?", given(name)[:60])}"'


def environment(folder: Path) -> Path:
    """The Python of an environment that holds the pinned requirements and sees the action's own files."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    mark = folder / "requirements.sha256"
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == pinned:
        return python
    run([sys.executable, "-I", "-m", "venv", "--clear", str(folder)])
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
    run([str(python), "-I", "-m", "pip", "install", *options, "-r", str(REQUIREMENTS)])
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.check_output([str(python), "-I", "-c", where], text=True).strip()
    Path(site, "policy_guard.pth").write_text(f"{ACTION}\n", encoding="utf-8")
    mark.write_text(pinned)
    return python


def sarif_file() -> Path | None:
    """Return where SARIF is wanted, in the checkout; None if nowhere, also because a link would lead it elsewhere."""
    name = given("sarif-file")
    if not name:
        return None
    top = Path(os.environ.get("GITHUB_WORKSPACE", ".")).resolve()
    folder = (top / name).parent.resolve()
    target = folder / Path(name).name
    inside = name.isprintable() and folder.is_relative_to(top) and folder.is_dir()
    return target if inside and (target.is_file() or not target.exists()) else None


def run(command: list[str]) -> None:
    if subprocess.run(command, cwd=os.environ["RUNNER_TEMP"]).returncode:
        fail("its environment could not be set up")


def arguments(written: dict[str, Path]) -> Iterator[str]:
    yield from ("--format", "github")
    yield from (f"--format={name}={file}" for name, file in written.items())
    yield from (f"--{name}={given(name)}" for name in ("base", "config", "fail-on") if given(name))
    yield "--"
    yield from paths()


def paths() -> Iterator[str]:
    return (line.strip() for line in given("paths").splitlines() if line.strip())


def outputs(code: int, report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    findings = report.get("findings", [])
    yield "result", RESULTS.get(code, "error")
    yield "findings", str(len(findings))
    yield "new-access", str(sum(each["check"] == "no-new-access" for each in findings))
    yield "policies", str(report.get("policies", 0))
    yield "sarif-file", given("sarif-file") if code in RESULTS else ""


def fail(why: str, code: int = 2) -> NoReturn:
    """End the step with one annotation and one line in its summary."""
    print(f"::error title=policy-guard::no policy was checked: {why}", flush=True)
    summarize(f"### ❌ policy-guard: no policy was checked: {why}\n")
    append("GITHUB_OUTPUT", "result=error\n")
    sys.exit(code)


def summarize(text: str) -> None:
    if given("summary").lower() not in NO:
        append("GITHUB_STEP_SUMMARY", text)


def append(name: str, text: str) -> None:
    if place := os.environ.get(name):
        with open(place, "a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(main())
