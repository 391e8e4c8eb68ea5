"""A name of a revision means one ref: nothing that somebody else can push takes its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.repository.refs import branch, default_branch, revision
from policy_guard.pipeline.repository.revisions import choose
from tests.support.repository import ENVIRON, NARROW, WIDE, Scratch

CI = {"CI": "true"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Scratch(tmp_path_factory.mktemp("template") / "repository")
    made.commit(**{"iam/a.json": NARROW})
    made.git("update-ref", "refs/remotes/origin/main", "main")
    made.git("checkout", "-q", "-b", "feature")
    made.commit(**{"iam/a.json": WIDE})
    made.git("branch", "evil")
    made.commit(readme="x")
    made.git("branch", "-D", "main")
    return made.folder


@pytest.fixture
def scratch(template: Path, tmp_path: Path) -> Scratch:
    """A branch that widens a policy in its first commit, with the default branch of the remote beside it."""
    made = Scratch.__new__(Scratch)
    made.folder = tmp_path / "repository"
    shutil.copytree(template, made.folder)
    return made


@pytest.fixture
def repository(scratch: Scratch) -> Iterator[Repository]:
    made = Repository(scratch.folder, ENVIRON)
    yield made
    made.close()


def ref(scratch: Scratch, name: str, of: str = "evil") -> str:
    scratch.git("update-ref", name, of)
    return scratch.git("rev-parse", of)


PUSHED = {
    "a tag of the name": ("origin/main", "refs/tags/origin/main"),
    "a tag of the name of the branch": ("main", "refs/tags/main"),
    "a tag of the full name": ("refs/remotes/origin/main", "refs/tags/refs/remotes/origin/main"),
    "a branch of the full name": ("refs/remotes/origin/main", "refs/heads/refs/remotes/origin/main"),
    "a branch of the name at the remote": ("origin/main", "refs/remotes/origin/origin/main"),
    "a remote's ref of the name of the tag": (
        "refs/remotes/origin/main",
        "refs/remotes/origin/refs/remotes/origin/main",
    ),
}


@pytest.mark.parametrize("how", PUSHED)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_pushed_takes_no_place(scratch: Scratch, repository: Repository, how: str, packed: bool) -> None:
    name, pushed = PUSHED[how]
    ref(scratch, pushed)
    if packed:
        scratch.git("pack-refs", "--all")
    assert revision(repository, name, True) == scratch.git("rev-parse", "feature~2")


GONE = {
    "a tag of the full name": ("refs/remotes/origin/main", "refs/tags/refs/remotes/origin/main"),
    "a tag of the name": ("origin/main", "refs/tags/origin/main"),
    "a tag of the branch's name": ("main", "refs/tags/main"),
    "a branch here of the name of the remote's": ("origin/main", "refs/heads/origin/main"),
    "a branch called HEAD": ("origin/HEAD", "refs/remotes/origin/HEAD"),
    "a branch called HEAD, in full": ("refs/remotes/origin/HEAD", "refs/remotes/origin/HEAD"),
    "a branch called FETCH_HEAD": ("FETCH_HEAD", "refs/heads/FETCH_HEAD"),
    "a tag called ORIG_HEAD": ("ORIG_HEAD", "refs/tags/ORIG_HEAD"),
    "a branch called ORIG_HEAD": ("ORIG_HEAD", "refs/remotes/origin/ORIG_HEAD"),
}


@pytest.mark.parametrize("how", GONE)
def test_what_is_pushed_stands_in_for_nothing_that_is_not_here(
    scratch: Scratch, repository: Repository, how: str
) -> None:
    name, pushed = GONE[how]
    scratch.git("update-ref", "-d", "refs/remotes/origin/main")
    ref(scratch, pushed)
    for text in (name, f"{name}~0"):
        with pytest.raises(SetupError):
            revision(repository, text, True)
    with pytest.raises(SetupError, match="there is no branch"):
        branch(repository, name)


def test_two_that_differ_are_refused(scratch: Scratch, repository: Repository) -> None:
    ref(scratch, "refs/heads/main")
    for unattended in (True, False):
        with pytest.raises(SetupError, match=r'"main" may be refs/remotes/origin/main \(.*\) and refs/heads/main \('):
            revision(repository, "main", unattended)
    assert revision(repository, "refs/heads/main", True) == scratch.git("rev-parse", "evil")
    assert branch(repository, "main")[0] == scratch.git("rev-parse", "refs/remotes/origin/main")
    ref(scratch, "refs/heads/main", "refs/remotes/origin/main")
    assert revision(repository, "main", True) == scratch.git("rev-parse", "refs/remotes/origin/main")


def test_a_branch_of_the_remote_called_like_one_of_another_remote(scratch: Scratch, repository: Repository) -> None:
    ref(scratch, "refs/remotes/upstream/main", "refs/remotes/origin/main")
    assert revision(repository, "upstream/main", True)
    ref(scratch, "refs/remotes/origin/upstream/main")
    with pytest.raises(SetupError, match="Write which of them is meant"):
        revision(repository, "upstream/main", True)


def test_a_shortened_id(scratch: Scratch, repository: Repository) -> None:
    base = scratch.git("rev-parse", "refs/remotes/origin/main")
    assert revision(repository, base, True) == revision(repository, base[:9], False) == base
    with pytest.raises(SetupError, match=r"may be a shortened id or a branch\. Write the full id"):
        revision(repository, base[:9], True)
    ref(scratch, f"refs/heads/{base[:9]}")
    ref(scratch, f"refs/tags/{base}")
    assert revision(repository, base, True) == base
    with pytest.raises(SetupError, match="Write which of them is meant"):
        revision(repository, base[:9], False)


NO_NAMES = [
    "@{-1}",
    "@{u}",
    "main@{1}",
    ":/change",
    "HEAD^{/change}",
    "HEAD:iam",
    "a..b",
    "",
    "-x",
    "x y",
    "^main",
    "*",
]


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_git_would_search_for_is_no_name(repository: Repository, text: str) -> None:
    with pytest.raises(SetupError, match=r"is not a plain revision name\. Write a branch \(origin/main\)"):
        revision(repository, text, False)


@pytest.mark.parametrize(
    "text", ["HEAD~2", "@^^", "refs/heads/feature~2", "origin/main^0", "refs/tags/v1", "refs/tags/v1^0"]
)
def test_steps_from_a_name_and_tags_in_full(scratch: Scratch, repository: Repository, text: str) -> None:
    scratch.git("tag", "-a", "-m", "x", "v1", "refs/remotes/origin/main")
    assert revision(repository, text, True) == scratch.git("rev-parse", "refs/remotes/origin/main")


def test_what_was_fetched(scratch: Scratch, repository: Repository, tmp_path: Path) -> None:
    clone = Scratch.clone(scratch, tmp_path / "clone", "--no-checkout")
    clone.git("fetch", "-q", "origin", "evil")
    here = Repository(clone.folder, ENVIRON)
    assert revision(here, "FETCH_HEAD", True) == scratch.git("rev-parse", "evil")
    clone.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*")
    with pytest.raises(SetupError, match="FETCH_HEAD is not one commit here"):
        revision(here, "FETCH_HEAD", True)
    here.close()


def test_the_default_branch_is_marked_or_the_only_one(scratch: Scratch, repository: Repository) -> None:
    base = scratch.git("rev-parse", "refs/remotes/origin/main")
    ref(scratch, "refs/remotes/origin/HEAD")
    assert default_branch(repository) == (base, "origin/main")
    ref(scratch, "refs/remotes/origin/master")
    with pytest.raises(SetupError, match="Run git remote set-head origin --auto, or name it with --base"):
        default_branch(repository)
    scratch.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    assert default_branch(repository) == (base, "origin/HEAD")


@pytest.mark.parametrize("name", ["refs/tags/refs/remotes/origin/main", "refs/heads/refs/remotes/origin/master"])
def test_a_default_branch_that_is_not_here_has_no_substitute(
    scratch: Scratch, repository: Repository, name: str
) -> None:
    scratch.git("update-ref", "-d", "refs/remotes/origin/main")
    ref(scratch, name)
    assert default_branch(repository) is None


def test_a_tag_called_merge_head_is_no_merge(scratch: Scratch, repository: Repository) -> None:
    ref(scratch, "refs/tags/MERGE_HEAD", "refs/remotes/origin/main")
    ref(scratch, "refs/remotes/origin/main", "evil")
    scratch.git("reset", "-q", "--hard", "HEAD~2")
    base, _ = choose(repository, {}, None, False, None)
    assert base.commit == scratch.git("rev-parse", "HEAD")


@pytest.mark.parametrize("variable", ["PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF"])
def test_names_of_the_environment(scratch: Scratch, variable: str) -> None:
    ref(scratch, "refs/tags/origin/main")
    ref(scratch, "refs/tags/feature", "refs/remotes/origin/main")
    environ = {"PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": "origin/main", "PRE_COMMIT_TO_REF": "feature"}
    assert scratch.guard("check", **environ).code == 1
    assert scratch.guard("check", **{**environ, variable: "@{-1}"}).code == 2


def test_a_tag_in_ci(scratch: Scratch) -> None:
    ref(scratch, "refs/tags/origin/main")
    assert scratch.guard("check", "--base", "origin/main", **CI).code == 1
    scratch.write(".policy-guard.yaml", "version: 1\ndefault-branch: origin/main\n")
    assert scratch.guard("check", **CI).code == 1
    answer = scratch.guard("check", "--base", "refs/tags/none", **CI)
    assert answer.code == 2
    assert 'there is no commit "refs/tags/none" in this clone. Fetch it, or name another.' in answer.err


def test_a_merge_commit_of_the_base_before(scratch: Scratch, tmp_path: Path) -> None:
    """GitHub tells of a changed base before it has made the merge commit with the new one."""
    scratch.git("checkout", "-q", "--detach", "evil")
    scratch.git("merge", "-q", "--no-ff", "--no-edit", "feature")
    merge, main = scratch.git("rev-parse", "HEAD"), scratch.git("rev-parse", "refs/remotes/origin/main")
    about = {"base": {"ref": "main", "sha": main}, "head": {"sha": scratch.git("rev-parse", "feature")}}
    event = {"action": "edited", "changes": {"base": {"ref": {"from": "evil"}}}, "pull_request": about}
    (tmp_path / "event.json").write_text(json.dumps(event))
    github = {**CI, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": merge}
    answer = scratch.guard("check", GITHUB_EVENT_PATH=str(tmp_path / "event.json"), **github)
    assert answer.code == 1
    assert "since main@" in answer.out


def test_a_submodule_where_the_folder_was(scratch: Scratch, tmp_path: Path) -> None:
    other = Scratch(tmp_path / "other")
    other.commit(**{"iam/a.json": NARROW})
    scratch.git("submodule", "add", "-q", f"file://{other.folder}", "infra")
    answer = scratch.guard("check", "--base", "origin/main", folder="infra", **CI)
    assert answer.code == 2
    assert f"{scratch.folder}/infra is a submodule, which a change to {scratch.folder} can have put there" in answer.err
