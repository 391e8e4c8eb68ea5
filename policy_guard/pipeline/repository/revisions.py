"""Which version is new, which one it is held against, and how to say so."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import shortened
from policy_guard.pipeline.ci import in_ci, target_branch, tip_before
from policy_guard.pipeline.repository import EMPTY_TREES, Repository
from policy_guard.pipeline.repository.refs import branch, branch_of_origin, by_id, default_branch, revision
from policy_guard.records import NamedTuple

_DEEPER = 'Add "fetch-depth: 0" to actions/checkout.'
_DEEP = 'Add "fetch-depth: 2" to actions/checkout.'


class NothingToCompare(SetupError):
    """A CI system tests a commit of which no old version is known, for what it says of itself."""


class Revision(NamedTuple):
    """One side of a comparison: the tree of a commit, the empty tree, the index (`staged`) or the working tree.

    `name` is for people ("main@3f9c2ab"). `tree` names a tree for git, and is empty for the index and the working
    tree.
    """

    name: str
    commit: str | None = None
    tree: str = ""
    staged: bool = False


WORKING_TREE = Revision("the working tree")
_INDEX = Revision("the index", staged=True)


def _commit_revision(name: str, commit: str) -> Revision:
    return Revision(name=name, commit=commit, tree=commit)


def choose(
    repository: Repository, environ: Mapping[str, str], base: str | None, staged: bool, configured: str | None
) -> tuple[Revision, Revision]:
    """The old and the new revision, from what was asked for and from where this runs. Raises `SetupError`.

    `configured` is the default branch that the settings name, if they do.
    """
    if in_ci(environ):
        _refuse_a_submodule(repository)
    new = _new_revision(repository, environ, staged)
    commit, name = _base(repository, environ, base, configured, new)
    if in_ci(environ) and commit is None:
        remedy = f" {_DEEP}" if environ.get("GITHUB_ACTIONS") else ""
        raise NothingToCompare(f"there is no commit to compare with. Name it with --base.{remedy}")
    if in_ci(environ) and commit == (new.commit or repository.commit("HEAD")):
        raise NothingToCompare(
            f"the base {commit[:7] if commit else ''} is the commit under test itself, so nothing would be compared. "
            "Name the base with --base, or run on pull_request."
        )
    if commit is None:
        head = repository.commit("HEAD") or ""
        return Revision("the empty tree", tree=EMPTY_TREES.get(len(head), EMPTY_TREES[40])), new
    return _commit_revision(commit[:7] if name == commit else f"{name}@{commit[:7]}", commit), new


def head_with_itself(repository: Repository) -> tuple[Revision, Revision]:
    """Return what is checked out, compared with itself alone: for a look at everything on a day without a change."""
    head = revision(repository, "HEAD", True)
    return _commit_revision(f"HEAD@{head[:7]}", head), _commit_revision("HEAD", head)


def is_on_all_files(environ: Mapping[str, str], base: str | None) -> bool:
    """Tell whether this is `pre-commit run --all-files` in CI without a pull request that a variable tells of."""
    about_a_change = base is not None or environ.get("PRE_COMMIT_FROM_REF") or target_branch(environ)
    return in_ci(environ) and environ.get("PRE_COMMIT") == "1" and not about_a_change


def _refuse_a_submodule(repository: Repository) -> None:
    """A change can put a submodule where a folder was, and with it a repository with a base of the author's own."""
    if not (repository.root / ".git").is_file():
        return
    superproject = os.fsdecode(repository.run("rev-parse", "--show-superproject-working-tree").rstrip(b"\n"))
    if superproject:
        raise SetupError(
            f"{repository.root} is a submodule, which a change to {superproject} can have put there. "
            f"Run the check in {superproject}."
        )


def _new_revision(repository: Repository, environ: Mapping[str, str], staged: bool) -> Revision:
    pushed = environ.get("PRE_COMMIT_TO_REF")
    if staged:
        return _INDEX
    if pushed:
        return _commit_revision(pushed, revision(repository, pushed, in_ci(environ)))
    if environ.get("PRE_COMMIT") == "1":
        return _INDEX
    if in_ci(environ):
        return _commit_revision("HEAD", revision(repository, "HEAD", True))
    return WORKING_TREE


def _base(
    repository: Repository, environ: Mapping[str, str], base: str | None, configured: str | None, new: Revision
) -> tuple[str | None, str]:
    if base is not None:
        return revision(repository, base, in_ci(environ)), base
    if environ.get("GITHUB_ACTIONS") == "true":
        return _base_on_github(repository, environ, new)
    pushed = environ.get("PRE_COMMIT_FROM_REF")
    real_push = "PRE_COMMIT_REMOTE_BRANCH" in environ
    if pushed and not real_push:
        return revision(repository, pushed, in_ci(environ)), pushed
    head = new.commit or repository.commit("HEAD")
    if head and not real_push and in_ci(environ) and (base_of_ci := _base_of_ci(repository, environ, head)):
        return base_of_ci
    upstream = branch(repository, configured) if configured is not None else default_branch(repository)
    if upstream and head:
        return _fork(repository, head, new, *upstream)
    if pushed:
        return revision(repository, pushed, in_ci(environ)), pushed
    return head if new.commit is None else None, "HEAD"


def _base_of_ci(repository: Repository, environ: Mapping[str, str], head: str) -> tuple[str, str] | None:
    """Return where the pull request left its target, or the tip before a push, if the CI system tells of either."""
    if name := target_branch(environ):
        upstream = branch_of_origin(repository, name)
        if upstream is None:
            short_name = shortened(name, 80)
            raise SetupError(
                f'the target branch "{short_name}" is not in this clone. Fetch it: '
                f"git fetch origin +refs/heads/{short_name}:refs/remotes/origin/{short_name}"
            )
        return _ancestor(repository, head, upstream, name), name
    old_tip = tip_before(environ)
    if old_tip and by_id(repository, old_tip) is None:
        raise SetupError(
            f"the commit before the push, {shortened(old_tip, 40)}, is not in this clone. Set GIT_DEPTH: 0."
        )
    return (old_tip, "before the push") if old_tip else None


def _fork(repository: Repository, head: str, new: Revision, upstream: str, name: str) -> tuple[str, str]:
    """Return where the branch left the default branch; during a merge what it brings in from there counts as old."""
    forks = [_ancestor(repository, head, upstream, name)]
    merging = _merge_commit(repository) if new.commit is None else None
    if merging:
        forks.append(_ancestor(repository, merging, upstream, name))
        if repository.attempt("merge-base", "--is-ancestor", *forks) is None:
            forks.pop()
    return forks[-1], name


def _merge_commit(repository: Repository) -> str | None:
    """The commit that is being merged: what git's own file names, and no tag called MERGE_HEAD."""
    if repository.commit("MERGE_HEAD") is None:
        return None
    return by_id(repository, next(iter(repository.special("MERGE_HEAD")), ""))


def _ancestor(repository: Repository, commit: str, upstream: str, name: str) -> str:
    if commit == upstream:
        return commit
    ancestors = repository.ancestors(commit, upstream)
    if len(ancestors) > 1 and in_ci(repository.environ):
        raise SetupError(
            f"the branch and {name[:80]} have several points in common, so there is no one old version. "
            f"Merge {name[:80]} into the branch, or rebase it."
        )
    if not ancestors:
        raise SetupError(
            f"this clone does not reach back to where the branch left {name[:80]}. "
            f"Run git fetch --unshallow.{_deeper(repository.environ)}"
        )
    if in_ci(repository.environ) and repository.is_cut_off(ancestors[0], commit, upstream):
        raise SetupError(
            f"this clone is cut off before it is sure where the branch left {name[:80]}. "
            f"Run git fetch --unshallow.{_deeper(repository.environ)}"
        )
    return ancestors[0]


def _deeper(environ: Mapping[str, str]) -> str:
    """Return what brings more of the history on GitHub, and nothing elsewhere."""
    return f" {_DEEPER}" if environ.get("GITHUB_ACTIONS") else ""


def _base_on_github(repository: Repository, environ: Mapping[str, str], new: Revision) -> tuple[str | None, str]:
    event, payload = environ.get("GITHUB_EVENT_NAME", ""), _payload(environ)
    head = new.commit or revision(repository, "HEAD", True)
    if event == "pull_request":
        return _base_of_pull_request(repository, environ, payload, head)
    if event == "pull_request_target":
        raise SetupError(
            "pull_request_target checks out nothing of the pull request. Use the event pull_request instead."
        )
    if event == "merge_group":
        return _fetch(repository, _text(payload, "merge_group", "base_sha")), "the merge queue's base"
    if event == "push":
        return _base_of_push(repository, payload, head)
    raise SetupError(
        f'the event "{event[:40]}" has nothing to compare with. Name a base with --base, or run on pull_request.'
    )


def _base_of_pull_request(
    repository: Repository, environ: Mapping[str, str], payload: Any, head: str
) -> tuple[str | None, str]:
    """The first parent of GitHub's merge commit, if that is what is checked out; else where the branch forked.

    Of a branch's own head, the parent would be the author's commit before.
    """
    name = _text(payload, "pull_request", "base", "ref")
    parents = repository.parents(head)
    merged = len(parents) == 2 and parents[1] == _text(payload, "pull_request", "head", "sha")
    if merged and head == environ.get("GITHUB_SHA") and _is_of_this_base(payload, parents[0]):
        return _fetch(repository, parents[0]), name
    upstream = branch_of_origin(repository, name)
    if upstream is None:
        raise SetupError(f"the base branch is not in this clone. {_DEEPER}")
    return _ancestor(repository, head, upstream, name), name


def _is_of_this_base(payload: Any, parent: str) -> bool:
    """Tell whether a merge commit is surely of the present base; right after a change of the base it may not be.

    GitHub makes that commit later than it tells the change, and only then is the payload's base not stale.
    """
    if not _text(payload, "changes", "base", "ref", "from"):
        return True
    return parent == _text(payload, "pull_request", "base", "sha")


def _base_of_push(repository: Repository, payload: Any, head: str) -> tuple[str | None, str]:
    old_tip = _text(payload, "before")
    name, pushed = _text(payload, "repository", "default_branch"), _text(payload, "ref")
    if old_tip.strip("0") and (not name or pushed in ("", f"refs/heads/{name}")):
        return _fetch(repository, old_tip), "before the push"
    upstream = branch_of_origin(repository, name)
    if upstream is None:
        raise SetupError(f"the default branch, which the branch left, is not in this clone. {_DEEPER}")
    return _ancestor(repository, head, upstream, name), name


def _fetch(repository: Repository, commit: str) -> str:
    """The commit, brought from the remote where the clone lacks it."""
    if len(commit) not in EMPTY_TREES or any(c not in "0123456789abcdef" for c in commit):
        raise SetupError("GitHub's event names no base commit. Name one with --base.")
    if by_id(repository, commit) is None:
        repository.run(
            *("fetch", "--no-tags", "--no-recurse-submodules", "--depth=1", "--quiet", "origin", commit),
            fails=f"the base commit {commit[:7]} is not in this clone and cannot be fetched. {_DEEP}",
        )
        repository.close()
    if by_id(repository, commit) is None:
        raise SetupError(f"the base commit {commit[:7]} is not in this clone. {_DEEP}")
    return commit


def _payload(environ: Mapping[str, str]) -> Any:
    try:
        return json.loads(Path(environ.get("GITHUB_EVENT_PATH", "")).read_bytes())
    except (OSError, ValueError):
        raise SetupError("GitHub's event file cannot be read (GITHUB_EVENT_PATH). Name the base with --base.") from None


def _text(payload: Any, *names: str) -> str:
    for name in names:
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload if isinstance(payload, str) else ""
