"""Where a repository can be read on the web, at the commit that is checked out."""

from __future__ import annotations

from collections.abc import Mapping

from policy_guard.pipeline.repository import Repository
from policy_guard.regex import regex

_REMOTE = regex(r"(?:https://(?:[^@/]*@)?|(?:ssh://)?git@)([A-Za-z0-9.-]+)[:/]([A-Za-z0-9._/-]+?)(?:\.git)?/?")
_PLAIN = regex(r"https://[A-Za-z0-9.-]+/[A-Za-z0-9._/-]+")


def web_address(repository: Repository, environ: Mapping[str, str]) -> str:
    """The address of the files of the commit, to which a path is added; empty where nobody knows it.

    That is GitHub's or GitLab's, by the environment of the workflow or the remote called origin. A user and a secret in
    the remote's address are left out.
    """
    commit = repository.commit("HEAD")
    server, name = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
    address = f"{server}/{name}" if server and name else _of_remote(repository)
    if commit is None or not _PLAIN.fullmatch(address):
        return ""
    return f"{address}/-/blob/{commit}" if "gitlab" in address.split("/")[2] else f"{address}/blob/{commit}"


def _of_remote(repository: Repository) -> str:
    url = repository.attempt("config", "--get", "remote.origin.url")
    match = _REMOTE.fullmatch((url or b"").decode("utf-8", "replace").strip())
    return f"https://{match[1]}/{match[2]}" if match else ""
