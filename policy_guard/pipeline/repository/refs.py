"""Names of revisions: each stands for one full ref or one commit id, and never for a guess of git's.

Whoever can push can push a tag or a branch of any name. git lets a tag win over a branch, and a ref over a shortened
id (https://git-scm.com/docs/gitrevisions), so that such a name would choose what a change is compared with.
"""

from __future__ import annotations

from collections.abc import Iterable

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import shortened
from policy_guard.pipeline.repository import Ref, Repository
from policy_guard.regex import regex

_PARTS = regex(r"([^~^]*)((?:[~^][0-9]*)*)")
_HEXADECIMAL = regex(r"[0-9a-fA-F]{4,64}")
_FULL = (40, 64)
_NO_NAME = regex(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|/$|\.lock$|\.$")
"""What no ref is called, https://git-scm.com/docs/git-check-ref-format."""
_OF_GIT = regex(r"[A-Z_]*_HEAD|AUTO_MERGE")
"""Names of what git writes down for itself (gitglossary, "pseudoref"), which a branch can have, too."""
_WRITE = "Write a branch (origin/main), a tag (refs/tags/v1) or the full id of a commit"


def revision(repository: Repository, text: str, unattended: bool) -> str:
    """The commit that a name from options or the environment stands for, `~1` and `^2` after it included.

    Raises `SetupError` if it stands for none, or for two. If `unattended`, a shortened id is refused: the clone may
    lack the commit that was meant, and have another one whose id begins alike.
    """
    match = _PARTS.fullmatch(text)
    name, steps = (match[1], match[2]) if match else (text, "")
    if match is None or not name:
        raise SetupError(f"{_quoted(text)} is not a plain revision name. {_WRITE}; ~1 or ^2 may follow.")
    start = _start(repository, name, unattended)
    commit = repository.commit(f"{start}{steps}") if steps else start
    if commit is None:
        raise SetupError(f"there is no commit {_quoted(text)} in this clone. Fetch it, or name another.")
    return commit


def branch(repository: Repository, text: str) -> tuple[str, str]:
    """The commit and the name of the branch that settings name: one of a remote, else one of this clone.

    Raises `SetupError` if there is none.
    """
    if not _NO_NAME.search(text) and not _OF_GIT.fullmatch(text) and text not in ("HEAD", "@"):
        full = (text,) if text.startswith("refs/") else _names_at_remotes(text)
        for names in (full, () if text.startswith(("refs/", "origin/")) else (f"refs/heads/{text}",)):
            if refs := _branches(repository, names):
                return _single_commit(repository, text, refs), text
    raise SetupError(
        f"there is no branch {_quoted(text)} in this clone, which default-branch names. "
        "Fetch it, or write another, such as origin/main."
    )


def default_branch(repository: Repository) -> tuple[str, str] | None:
    """The commit and the name of the remote's default branch, as far as this clone knows it.

    Raises `SetupError` if there are two that it may be.
    """
    names = [f"refs/remotes/origin/{name}" for name in ("HEAD", "main", "master")]
    if not any(map(repository.commit, names)):
        return None
    refs = _branches(repository, names)
    if refs and refs[0].name == names[0]:
        return _single_commit(repository, "origin/HEAD", refs[:1]), "origin/HEAD"
    if len({ref.oid for ref in refs}) > 1:
        raise SetupError(
            "origin/main and origin/master differ, and this clone does not know which of them is the default branch. "
            "Run git remote set-head origin --auto, or name it with --base."
        )
    return (_single_commit(repository, "origin", refs), refs[0].name.removeprefix("refs/remotes/")) if refs else None


def branch_of_origin(repository: Repository, name: str) -> str | None:
    """The commit of a remote's branch of exactly this name; None if this clone lacks it."""
    full = f"refs/remotes/origin/{name}"
    refs = [] if _NO_NAME.search(full) else repository.refs([full])
    return repository.commit(refs[0].oid) if refs else None


def by_id(repository: Repository, name: str) -> str | None:
    """The commit of this full id; None if it is none, or not here."""
    if len(name) not in _FULL or not _HEXADECIMAL.fullmatch(name):
        return None
    return name.lower() if repository.commit(name.lower()) == name.lower() else None


def _start(repository: Repository, name: str, unattended: bool) -> str:
    if name in ("HEAD", "@"):
        return repository.commit("HEAD") or _raise_missing(name)
    if commit := by_id(repository, name):
        return commit
    if name == "FETCH_HEAD":
        return _fetched_commit(repository)
    if _NO_NAME.search(name) or _OF_GIT.fullmatch(name):
        raise SetupError(f"{_quoted(name)} is not a plain revision name. {_WRITE}; ~1 or ^2 may follow.")
    if name.startswith("refs/"):
        return _single_commit(repository, name, _branches(repository, (name,))) or _raise_missing(name)
    shortened_id = bool(_HEXADECIMAL.fullmatch(name))
    if shortened_id and unattended:
        raise SetupError(
            f"{_quoted(name)} may be a shortened id or a branch. Write the full id, or origin/{name[:64]}."
        )
    full_names = (*_names_at_remotes(name), f"refs/heads/{name}")
    branches = _branches(repository, full_names)
    if name.startswith("origin/") and branches and branches[0].name != full_names[0]:
        raise SetupError(
            f"there is no {full_names[0][:200]} in this clone, only {branches[0].name[:200]}. Fetch it, or write which."
        )
    commits = repository.beginning(name.lower()) if shortened_id else []
    return _single_commit(repository, name, [*branches, *(Ref(oid, oid, "") for oid in commits)]) or _raise_missing(
        name
    )


def _names_at_remotes(name: str) -> tuple[str, ...]:
    """The branches of remotes that a name may stand for; one that begins with `origin/` says which remote."""
    if name.startswith("origin/"):
        return (f"refs/remotes/{name}",)
    branches_of_origin = (f"refs/remotes/origin/{name}",)
    return (f"refs/remotes/{name}", *branches_of_origin) if "/" in name else branches_of_origin


def _branches(repository: Repository, names: Iterable[str]) -> list[Ref]:
    """Return those of the refs that exist, in this order.

    Of a remote, `HEAD` is the mark of its default branch if it points to another ref, and else a branch that somebody
    called HEAD.
    """
    refs_by_name = {ref.name: ref for ref in repository.refs(names)}
    refs = (refs_by_name[name] for name in names if name in refs_by_name)
    return [ref for ref in refs if ref.leads_to or not _is_head_of_remote(ref.name)]


def _is_head_of_remote(name: str) -> bool:
    return name.startswith("refs/remotes/") and name.endswith("/HEAD") and name.count("/") == 3


def _single_commit(repository: Repository, text: str, refs: list[Ref]) -> str:
    """The commit of all of these; nothing if there are none. Raises `SetupError` if they are of several commits."""
    commits = {ref.name: repository.commit(ref.oid) for ref in refs}
    if len(set(commits.values())) > 1:
        alternatives = " and ".join(f"{name[:120]} ({(commit or 'no commit')[:7]})" for name, commit in commits.items())
        raise SetupError(f"{_quoted(text)} may be {alternatives}. Write which of them is meant, in full.")
    return next(iter(commits.values()), None) or ""


def _fetched_commit(repository: Repository) -> str:
    """The one commit that was fetched last: of several, the first would be whichever branch sorts first."""
    lines = [line for line in repository.special("FETCH_HEAD") if "\tnot-for-merge\t" not in line]
    commit = by_id(repository, lines[0].partition("\t")[0]) if len(lines) == 1 else None
    if commit is None:
        raise SetupError(f"FETCH_HEAD is not one commit here. {_WRITE}, or fetch one branch alone.")
    return commit


def _raise_missing(name: str) -> str:
    raise SetupError(f"there is no commit {_quoted(name)} in this clone. Fetch it, or name another. {_WRITE}.")


def _quoted(name: str) -> str:
    return f'"{shortened(name, 80)}"'
