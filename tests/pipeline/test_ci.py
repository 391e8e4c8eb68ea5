"""The base that CI systems tell of, and what is left to do if they tell of none."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.ci import target_branch
from tests.support.places import ROOT
from tests.support.repository import NARROW, WIDE, Scratch

IN_PROJECT = {"CI_PROJECT_ID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "7"}
GITLAB = {"GITLAB_CI": "true", "CI": "true"}
PULL_REQUESTS = {
    "GitLab": {**GITLAB, **IN_PROJECT, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release"},
    "Buildkite": {"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "release"},
    "Azure": {"TF_BUILD": "True", "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/release"},
    "Azure in short": {"TF_BUILD": "True", "SYSTEM_PULLREQUEST_TARGETBRANCH": "release"},
    "Bitbucket": {"BITBUCKET_BUILD_NUMBER": "3", "BITBUCKET_PR_DESTINATION_BRANCH": "release"},
    "Jenkins": {"JENKINS_URL": "https://ci.example.com/", "CHANGE_TARGET": "release"},
}
ALL_FILES = {"CI": "true", "PRE_COMMIT": "1"}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A branch that left `release`, which is wider than the default branch."""
    made = Scratch(tmp_path / "repository")
    made.commit(**{"iam/a.json": NARROW})
    made.git("update-ref", "refs/remotes/origin/main", "HEAD")
    made.commit(**{"iam/a.json": WIDE})
    made.git("update-ref", "refs/remotes/origin/release", "HEAD")
    made.commit(readme="x")
    return made


@pytest.mark.parametrize("system", PULL_REQUESTS)
def test_the_target_of_a_pull_request_is_the_base(scratch: Scratch, system: str) -> None:
    answer = scratch.guard("check", **PULL_REQUESTS[system])
    assert (answer.code, "no policy changed since release@" in answer.out) == (0, True)
    scratch.git("update-ref", "refs/remotes/origin/release", "HEAD~2")
    assert scratch.guard("check", **PULL_REQUESTS[system]).code == 1


@pytest.mark.parametrize("system", PULL_REQUESTS)
@pytest.mark.parametrize("pre_commit", ["0", "1"])
def test_a_target_that_is_not_here_is_no_pass(scratch: Scratch, system: str, pre_commit: str) -> None:
    scratch.git("update-ref", "-d", "refs/remotes/origin/release")
    scratch.git("tag", "release")
    scratch.git("tag", "origin/release")
    answer = scratch.guard("check", PRE_COMMIT=pre_commit, **PULL_REQUESTS[system])
    assert answer.code == 2
    assert "git fetch origin +refs/heads/release:refs/remotes/origin/release" in answer.err


def test_a_pipeline_of_a_fork_has_no_base_to_trust(scratch: Scratch) -> None:
    environ = {**PULL_REQUESTS["GitLab"], "CI_PROJECT_ID": "666"}
    answer = scratch.guard("check", **environ)
    assert (answer.code, "this pipeline runs in a fork" in answer.err) == (2, True)
    with pytest.raises(SetupError):
        target_branch(environ)


def test_a_variable_of_another_system_counts_for_nothing(scratch: Scratch) -> None:
    assert scratch.guard("check", CI="true", CHANGE_TARGET="release").code == 1


def test_gitlab_tells_the_tip_before_a_push_to_the_default_branch(scratch: Scratch) -> None:
    before = scratch.git("rev-parse", "HEAD~2")
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    pushed = {**GITLAB, "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BEFORE_SHA": before}
    answer = scratch.guard("check", **pushed)
    assert (answer.code, "since before the push@" in answer.out) == (1, True)
    assert scratch.guard("check", **{**pushed, "CI_COMMIT_BEFORE_SHA": "0" * 40}).code == 2
    assert scratch.guard("check", **{**pushed, "CI_COMMIT_BEFORE_SHA": "1" * 40}).code == 2
    assert scratch.guard("check", **{**pushed, "CI_COMMIT_BRANCH": "other"}).code == 2


def test_all_files_of_a_feature_branch_are_compared_with_the_default_branch(scratch: Scratch) -> None:
    assert scratch.guard("check", **ALL_FILES).code == 1


@pytest.mark.parametrize("known", [True, False])
def test_all_files_without_an_old_version_are_checked_by_themselves_and_it_says_so(
    scratch: Scratch, known: bool
) -> None:
    scratch.git("update-ref", "-d", "refs/remotes/origin/release")
    scratch.git("update-ref", *(() if known else ("-d",)), "refs/remotes/origin/main", *(("HEAD",) if known else ()))
    answer = scratch.guard("check", **ALL_FILES)
    assert answer.code == 0
    assert "1 policy, compared with no old version: " in answer.out.splitlines()[-1]
    assert "no new access" not in answer.out
    scratch.commit(**{"iam/a.json": '{"Version": "2012-10-17", "Statement": [{"Effect": "Alow"}]}'})
    if known:
        scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert scratch.guard("check", **ALL_FILES).code == 1
    assert scratch.guard("check", CI="true").code == 2


@pytest.mark.parametrize("system", ["GitLab", "Buildkite", "CircleCI", "Azure Pipelines", "Bitbucket"])
def test_the_recipe_of_each_system_parses_and_runs_the_check(system: str) -> None:
    section = (
        (ROOT / "docs" / "ci.md").read_text(encoding="utf-8").partition(f"\n## {system}\n")[2].partition("\n## ")[0]
    )
    recipe = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])
    assert "policy-guard check" in str(recipe)
