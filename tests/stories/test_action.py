"""The action's own step, run with bash and GitHub's files, in clones as actions/checkout makes them."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from policy_guard.settings.severity import FAIL_ON
from tests.support.places import ROOT
from tests.support.repository import ENVIRON, NARROW, WIDE, Scratch

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEP = ACTION["runs"]["steps"][-1]
WIDENED = {"iam/a.json": WIDE}


class Ran(NamedTuple):
    code: int
    log: str
    summary: str
    outputs: dict[str, str]


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a runner keeps for a job; what the action sets up there, it sets up once for all workers."""
    folder = tmp_path_factory.mktemp("runner")
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-runner"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "policy-guard").is_dir():
            ran(Scratch(folder / "empty"), shared, {}, {})
    if not (shared / "policy-guard").is_dir():
        pytest.skip("no package index is reached")
    (folder / "policy-guard").symlink_to(shared / "policy-guard")
    return folder


@pytest.fixture
def origin(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "origin")
    made.write("iam/a.json", NARROW)
    made.write("elsewhere", "x")
    made.commit()
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return made


def ran(scratch: Scratch, runner: Path, environ: dict[str, str], inputs: dict[str, str]) -> Ran:
    """The step in a checkout. The index that tests install from is the one that pip is set up for here."""
    files = {name: runner / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    defaults = {name: str(each["default"]) for name, each in ACTION["inputs"].items()}
    given = {f"INPUT_{k.upper().replace('-', '_')}": v for k, v in {**defaults, **inputs}.items()}
    pip = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_", "HTTP", "NO_PROXY"))}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEP["run"]],
        cwd=scratch.folder,
        env={
            **{key: value for key, value in ENVIRON.items() if key != "PYTHONPATH"},
            **pip,
            **{name: str(file) for name, file in files.items()},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(scratch.folder),
            "RUNNER_TEMP": str(runner),
            "PYTHON": sys.executable,
            **given,
            **environ,
        },
        capture_output=True,
        text=True,
    )
    outputs = dict(line.partition("=")[::2] for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    return Ran(done.returncode, done.stdout + done.stderr, files["GITHUB_STEP_SUMMARY"].read_text(), outputs)


def event(scratch: Scratch, name: str, **payload: Any) -> dict[str, str]:
    file = scratch.folder.parent / f"{name}.json"
    file.write_text(json.dumps(payload))
    head = scratch.git("rev-parse", "HEAD")
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(file), "GITHUB_SHA": head}


def pull_request(origin: Scratch, folder: Path, depth: str, **files: Any) -> tuple[Scratch, dict[str, str]]:
    """A clone that holds GitHub's merge commit of a pull request, and the event."""
    origin.git("checkout", "-q", "-B", "feature", "main")
    head = origin.commit(**(files or WIDENED))
    origin.git("checkout", "-q", "main")
    origin.write("elsewhere", "y")
    origin.commit()
    origin.git("checkout", "-q", "-B", "pull")
    origin.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    origin.git("checkout", "-q", "main")
    clone = Scratch.clone(origin, folder, "--branch", "pull", *([f"--depth={depth}"] if depth else []))
    about = {"pull_request": {"head": {"sha": head}, "base": {"ref": "main"}}}
    return clone, event(clone, "pull_request", **about)


pytestmark = pytest.mark.slow


@pytest.mark.parametrize("depth", ["1", *(pytest.param(depth, marks=pytest.mark.corpus) for depth in ("2", ""))])
def test_a_widening_pull_request_fails_with_annotation_summary_and_outputs(
    origin: Scratch, tmp_path: Path, runner: Path, depth: str
) -> None:
    clone, environ = pull_request(origin, tmp_path / "clone", depth)
    done = ran(clone, runner, environ, {"sarif-file": "policy-guard.sarif"})
    assert done.code == 1, done.log
    assert "::error file=iam/a.json,line=8," in done.log
    assert done.summary.startswith("### ❌ policy-guard: 1 policy changed since main")
    wanted = {"result": "fail", "findings": "1", "new-access": "1", "policies": "1"}
    assert done.outputs == {**wanted, "sarif-file": "policy-guard.sarif", "report-file": ""}
    assert set(done.outputs) == set(ACTION["outputs"])
    (run,) = json.loads((clone.folder / "policy-guard.sarif").read_text())["runs"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 8


def test_a_harmless_pull_request_passes(origin: Scratch, tmp_path: Path, runner: Path) -> None:
    clone, environ = pull_request(origin, tmp_path / "clone", "1", other="x")
    done = ran(clone, runner, environ, {"summary": "false"})
    assert (done.code, done.outputs["result"], done.summary) == (0, "pass", ""), done.log


def test_an_overview_is_added_where_it_is_asked_for(origin: Scratch, tmp_path: Path, runner: Path) -> None:
    clone, environ = pull_request(origin, tmp_path / "clone", "1", other="x")
    done = ran(clone, runner, environ, {"summary": "report"})
    assert done.code == 0, done.log
    assert "# Policies\n" in done.summary
    assert Path(done.outputs["report-file"]).read_text().startswith("<!DOCTYPE html>")


def test_what_lies_in_the_checkout_is_not_imported(origin: Scratch, tmp_path: Path, runner: Path) -> None:
    evil = "raise SystemExit(0)\n"
    names = ("logging.py", "yaml.py", "z3.py", "policy_guard/__init__.py", "sitecustomize.py", "pip.py")
    clone, environ = pull_request(origin, tmp_path / "clone", "2", **WIDENED, **dict.fromkeys(names, evil))
    done = ran(clone, runner, {**environ, "PYTHONPATH": str(clone.folder)}, {})
    assert (done.code, done.outputs["result"]) == (1, "fail"), done.log


def test_a_link_where_sarif_is_to_be_leads_nowhere(origin: Scratch, tmp_path: Path, runner: Path) -> None:
    clone, environ = pull_request(origin, tmp_path / "clone", "2")
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (clone.folder / "policy-guard.sarif").symlink_to(outside)
    assert ran(clone, runner, environ, {"sarif-file": "policy-guard.sarif"}).code == 1
    assert outside.read_text() == "mine"
    (clone.folder / "folder").symlink_to(tmp_path)
    done = ran(clone, runner, environ, {"sarif-file": "folder/a.sarif"})
    assert (done.code, done.outputs) == (2, {"result": "error"})


def test_the_head_of_the_pull_request_is_held_against_where_it_forked(
    origin: Scratch, tmp_path: Path, runner: Path
) -> None:
    origin.git("checkout", "-q", "-B", "feature", "main")
    origin.commit(**WIDENED)
    head = origin.commit(harmless="x")
    origin.git("checkout", "-q", "main")
    about = {"pull_request": {"head": {"sha": head}, "base": {"ref": "main"}}}
    full = Scratch.clone(origin, tmp_path / "full")
    full.git("checkout", "-q", head)
    assert ran(full, runner, event(full, "pull_request", **about), {}).code == 1
    shallow = Scratch.clone(origin, tmp_path / "shallow", "--branch", "feature", "--depth=2")
    done = ran(shallow, runner, event(shallow, "pull_request", **about), {})
    assert (done.code, done.outputs["result"], "fetch-depth: 0" in done.log) == (2, "error", True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_checkout_of_another_owner(origin: Scratch, tmp_path: Path, runner: Path) -> None:
    clone, environ = pull_request(origin, tmp_path / "clone", "2")
    for folder, folders, names in os.walk(clone.folder):
        for name in (".", *folders, *names):
            os.chown(Path(folder, name), 12345, 12345)
    assert ran(clone, runner, environ, {}).code == 1


def test_a_merge_queue(origin: Scratch, tmp_path: Path, runner: Path) -> None:
    base = origin.git("rev-parse", "main")
    clone, _ = pull_request(origin, tmp_path / "clone", "1")
    assert ran(clone, runner, event(clone, "merge_group", merge_group={"base_sha": base}), {}).code == 1


def test_pushes(origin: Scratch, tmp_path: Path, runner: Path) -> None:
    before = origin.git("rev-parse", "main")
    origin.git("checkout", "-q", "-B", "feature", "main")
    origin.commit(**WIDENED)
    clone = Scratch.clone(origin, tmp_path / "push", "--branch", "feature", "--depth=1")
    assert ran(clone, runner, event(clone, "push", before=before), {}).code == 1
    new = {"before": "0" * 40, "repository": {"default_branch": "main"}}
    full = Scratch.clone(origin, tmp_path / "new", "--branch", "feature")
    assert ran(full, runner, event(full, "push", **new), {}).code == 1
    done = ran(clone, runner, event(clone, "push", **new), {})
    assert (done.code, "fetch-depth: 0" in done.log) == (2, True)
    forced = ran(clone, runner, event(clone, "push", before="1" * 40), {})
    assert (forced.code, forced.outputs["result"]) == (2, "error")


@pytest.mark.parametrize("name", ["pull_request_target", "schedule", "workflow_dispatch"])
def test_events_without_a_base_are_refused(origin: Scratch, runner: Path, name: str) -> None:
    done = ran(origin, runner, event(origin, name), {})
    assert (done.code, done.outputs["result"]) == (2, "error")
    assert "::error title=policy-guard::no policy was checked: " in done.log


def test_inputs_reach_the_check_and_no_shell(origin: Scratch, tmp_path: Path, runner: Path) -> None:
    clone, environ = pull_request(origin, tmp_path / "clone", "2")
    assert ran(clone, runner, environ, {"paths": "elsewhere\n"}).code == 0
    assert ran(clone, runner, environ, {"fail-on": "never"}).code == 1
    done = ran(clone, runner, environ, {"base": "$(touch owned)`touch owned`; touch owned"})
    assert (done.code, (clone.folder / "owned").exists()) == (2, False)
    done = ran(clone, runner, environ, {"config": "../own.yaml"})
    assert done.code == 2


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"fail-on": "eror"}, 'the input fail-on is "eror"; write warning or error'),
        ({"summary": "ture"}, 'the input summary is "ture"; write true, false or report'),
        ({"version": "0.0.0"}, 'the input version is "0.0.0", and this action is of another version'),
        ({"sarif-file": "../a.sarif"}, 'the input sarif-file is "../a.sarif", which is no place for a file'),
        ({"fail-on": "-h", "summary": "x"}, 'the input fail-on is "-h"; write warning or error; the input summary is'),
        ({"fail-on": "::error::`<b>\n##[x]"}, 'the input fail-on is "??error????b?????x?"'),
        ({"base": "no-such-branch"}, "no-such-branch"),
        ({"base": "--help"}, "--help"),
        ({"config": "nowhere.yaml"}, "nowhere.yaml"),
        ({"paths": "nowhere"}, "there is no nowhere to check"),
        ({"paths": "--help"}, "there is no --help to check"),
    ],
)
def test_a_wrong_input_is_one_annotation_and_one_line_of_the_summary(
    origin: Scratch, tmp_path: Path, runner: Path, inputs: dict[str, str], words: str
) -> None:
    clone, environ = pull_request(origin, tmp_path / "clone", "2")
    done = ran(clone, runner, environ, inputs)
    assert (done.code, done.outputs["result"]) == (2, "error"), done.log
    (annotation,) = [line for line in done.log.splitlines() if "::error" in line]
    assert annotation.startswith("::error title=policy-guard::no policy was checked: ")
    assert words in annotation
    summary = done.summary.replace("\\", "")
    assert summary.startswith("### ❌ policy-guard: no policy was checked: ") and summary.count("\n") == 1
    assert "usage:" not in done.log


def test_a_wrong_input_leaves_no_summary_where_none_is_wanted(origin: Scratch, runner: Path) -> None:
    assert ran(origin, runner, {}, {"summary": "off", "fail-on": "x"}).summary == ""


def test_the_action_knows_what_the_command_takes() -> None:
    known = (ROOT / "scripts" / "action.py").read_text()
    assert f"FAIL_ON = {FAIL_ON}".replace("'", '"') in known


def test_a_check_that_breaks_off_is_told_and_keeps_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("action", ROOT / "scripts" / "action.py")
    assert spec and spec.loader
    action = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(action)
    monkeypatch.setattr(action, "environment", lambda folder: folder)
    monkeypatch.setattr(action.subprocess, "call", lambda command: 3)
    for name, value in {"RUNNER_TEMP": tmp_path, "GITHUB_STEP_SUMMARY": tmp_path / "summary"}.items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(SystemExit) as ended:
        action.main()
    assert ended.value.code == 3
    assert capsys.readouterr().out.startswith("::error title=policy-guard::no policy was checked: the check ended")
    assert (tmp_path / "summary").read_text().startswith("### ❌ policy-guard: no policy was checked: ")
