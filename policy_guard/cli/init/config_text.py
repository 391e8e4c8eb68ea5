"""The text of a first configuration: what was found, and what to do about it, as comments beside the settings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from policy_guard.cli.init.existing_grants import Granted
from policy_guard.cli.init.suggestions import SUFFIXES, Entry, nameable, possible_cap_kind
from policy_guard.documents.printable import counted, shortened
from policy_guard.iam.policy import Policy
from policy_guard.records import NamedTuple

_TEXTS = os.path.join(os.path.dirname(__file__), "starters")
_MOST = 20
"""As many lines of one kind a comment has; the terminal and `policy-guard list` show all."""

_UNREADABLE = """\
#
# These cannot be read, and fail as soon as a change touches them. Correct them, or name what is no policy under
# `exclude`:
"""
_STEPS = """\
# Adopt it in three steps:
#   1. The hook, in .pre-commit-config.yaml: whoever widens a policy sees it before the commit.
#   2. The action, in .github/workflows/policies.yml. `continue-on-error: true` there keeps the job green for a start:
#      pull requests show what was found, and nobody is stopped.
#   3. Take that line out, and make the job a required check of the default branch.
# `fail-on: never` in the workflow would not do: in CI an argument only tightens what is set here.
fail-on: error
"""
_CRITICAL = """\
# What no policy may newly grant. What a policy granted before is a warning, and shown when that policy changes.
critical: {name}
critical-existing: warning
"""
_POLICIES = """\
# Where every file is a policy today, so that one which is none, through a misspelt word, is a finding from now on.
# Policies everywhere else are found by their shape. `policy-guard list` shows them all.
"""
_CAPS = """\
  # Please check these kinds, which only names tell. A cap takes away from what others grant, so that a new one passes:
  # a policy that grants must not be among them.
"""
_UNSURE = """\
# These are judged as policies that grant. If they only cap what others grant, name them under
# `policies`, with their kind:
"""
_GROUPS = """\
# Files that belong to one role may be judged as one policy, so that a statement can move between them. Only you know
# which do: files of two roles in one group would hide what either gains. These look like it:
# groups:
"""
_MEANINGS = {
    "scp": "service control policies",
    "rcp": "resource control policies",
    "boundary": "permissions boundaries",
    "session": "session policies",
    "endpoint": "policies of VPC endpoints",
}


class Surveyed(NamedTuple):
    """Facts told in the text: `headline`, readable policies by path, why others are not readable, what is proposed."""

    headline: str
    policies: tuple[tuple[str, Policy], ...]
    unreadable: Mapping[str, str]
    entries: tuple[Entry, ...]
    critical: str
    granted: Granted


def text_of(name: str) -> str:
    """A text to start from: `critical-permissions.yaml`, `policies.yml`, `pre-commit-config.yaml`."""
    with open(os.path.join(_TEXTS, name), encoding="utf-8") as file:
        return file.read()


def configuration(survey: Surveyed) -> str:
    """The settings for what was found. Paths in them are quoted, and in comments made printable."""
    parts = (
        "".join(_headline(survey)),
        "version: 1\n",
        _STEPS,
        _CRITICAL.format(name=survey.critical) + "".join(_grant_lines(survey.granted)),
        "".join(_policies(survey.entries)),
        "".join(_unsure_paths(survey.policies)),
        "".join(_groups(survey.policies)),
    )
    return "\n".join(part for part in parts if part)


def _headline(survey: Surveyed) -> Iterator[str]:
    yield "# The settings of policy-guard. Its docs/settings.md tells every key.\n#\n"
    yield f"# Found by policy-guard init: {survey.headline}\n"
    if survey.unreadable:
        yield _UNREADABLE
        yield from _comments(
            f"{shortened(path, 80)}, {shortened(reason, 100)}" for path, reason in survey.unreadable.items()
        )


def _grant_lines(granted: Granted) -> Iterator[str]:
    width = max(map(len, granted.entries), default=0)
    grants = {name: number for name, number in granted.entries.items() if number}
    yield "# Granted today:\n" if grants else "# Granted today: none of it\n"
    yield from _comments(
        (f"{name:{width}}  by {counted(number, 'policy', 'policies')}" for name, number in grants.items()), limit=1000
    )


def _policies(entries: tuple[Entry, ...]) -> Iterator[str]:
    yield _POLICIES
    yield "policies:\n" if entries else "policies: []\n"
    for number, entry in enumerate(entries):
        if entry.kind and not any(earlier.kind for earlier in entries[:number]):
            yield _CAPS
        files = f"# {counted(len(entry.paths), 'file')}"
        if len(entry.patterns) <= len(SUFFIXES):
            yield f"  - files: [{', '.join(map(_quoted, entry.patterns))}] {files}\n"
        else:
            yield f"  - files: {files}\n"
            yield from (f"      - {_quoted(pattern)}\n" for pattern in entry.patterns)
        if entry.kind:
            yield f"    kind: {entry.kind} # {_MEANINGS[entry.kind]}, by the name\n"


def _unsure_paths(policies: Iterable[tuple[str, Policy]]) -> Iterator[str]:
    """Return what may be a cap by a name that means other things, too, or has a name that no pattern can say."""
    kinds = {path: possible_cap_kind(path) for path, policy in policies if policy.kind in ("identity", "resource")}
    paths = [f"{shortened(path, 90)}, maybe {kind}" for path, kind in kinds.items() if kind]
    if paths:
        yield _UNSURE
        yield from _comments(paths)


def _groups(policies: Iterable[tuple[str, Policy]]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for path, policy in policies:
        parts = path.split("/")[:-1]
        of_one = len(parts) > 1 and parts[-2].lower() in ("role", "roles", "user", "users")
        if of_one and policy.kind == "identity" and not policy.label and nameable(path):
            groups.setdefault("/".join(parts), []).append(path)
    larger_groups = {name: paths for name, paths in groups.items() if len(paths) > 1}
    if larger_groups:
        yield _GROUPS
        yield from _comments(
            f"- {{name: {_quoted(name)}, files: [{', '.join(map(_quoted, paths))}]}}"
            for name, paths in larger_groups.items()
        )


def _comments(lines: Iterable[str], limit: int = _MOST) -> Iterator[str]:
    iterator = iter(lines)
    yield from (f"#   {line}\n" for line in islice(iterator, limit))
    if remainder := sum(1 for _ in iterator):
        yield f"#   and {remainder} more\n"


def _quoted(text: str) -> str:
    """A printable text in quotation marks: JSON's escapes mean the same in YAML."""
    return json.dumps(text, ensure_ascii=False)
