"""`policy-guard list`: what is a policy here, of which kind, why, and how far it can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import counted, printable, shortened
from policy_guard.documents.source import Problem, Source
from policy_guard.iam.policy import Kind, Policy
from policy_guard.pipeline.extent import choices, unknown_texts, visible_holder, visible_text
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.pairing.terraform import Tree, all_roots, present
from policy_guard.pipeline.principal_access import is_attached
from policy_guard.pipeline.repository import File, Repository, folder_from_root, from_root
from policy_guard.pipeline.repository.changes import snapshot
from policy_guard.pipeline.repository.revisions import WORKING_TREE
from policy_guard.pipeline.stages import is_under
from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.report.report import path_from
from policy_guard.settings.load import load_settings
from policy_guard.verify.explain.without_document import is_boundary

_GRANT = regex(r"\.grant$|^Resources\.\w+$")
Extent: TypeAlias = Literal["exactly", "with unknown texts", "with choices", "not at all"]


What: TypeAlias = Literal["document", "boundary", "attached", "grant"]
_WORDS = {
    "boundary": "permissions boundary by its ARN",
    "attached": "attached policies",
    "grant": "access that a resource gives",
}
_WITH_HOLDERS = ("in a template", "in Terraform", "in a manifest")


class Listed(NamedTuple):
    """A policy of the working tree, or what keeps a file from being read as one (`problem`, at `line`).

    `unknown` names the parts whose texts are not known, `choices` the conditions that decide what the policy is. `what`
    stands there: a document, or something that gives access without one. `members` are the addresses of the policies
    that are judged as this one.
    """

    path: str
    why: str
    address: str = ""
    holder: str = ""
    kind: Kind | None = None
    unknown: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    line: int | None = None
    problem: str = ""
    what: What = "document"
    members: tuple[str, ...] = ()

    @property
    def read(self) -> Extent:
        if self.problem:
            return "not at all"
        return "with choices" if self.choices else "with unknown texts" if self.unknown else "exactly"


class Listing(NamedTuple):
    """All policies, and how many are embedded where no policy is looked for; `folder` is the working folder."""

    policies: tuple[Listed, ...]
    embedded: int
    folder: str = ""


def listing(config: str | None, folder: Path, environ: Mapping[str, str], paths: Sequence[str] = ()) -> Listing:
    """Find every policy of the working tree, or those in the files and folders of `paths`. Raises `SetupError`."""
    repository = Repository(folder, environ)
    try:
        settings = load_settings(repository.root, config)
        files = snapshot(repository, WORKING_TREE)
        asked_paths = tuple(from_root(folder / path, repository.root) for path in paths)
        if wrong := next((path for path in asked_paths if not any(is_under(file, (path,)) for file in files)), None):
            raise SetupError(f"there is no {wrong} to list")
        reader = Reader(repository, settings)
        reader.with_files(WORKING_TREE, files)
        policies: list[Listed] = []
        embedded = 0
        for path, file in sorted(files.items()):
            if not is_under(path, asked_paths):
                continue
            version = reader.version(file, path, WORKING_TREE).with_unresolved()
            configured = settings.config.policy_rule(path) is not None
            policies += _policies_of_file(path, version, "configured" if configured else "found by its shape")
            embedded += version.embedded
        entries = _in_terraform(repository, files)
        policies += (e for e in entries if reader.included(e.path) and is_under(e.path, asked_paths))
    finally:
        repository.close()
    return Listing(tuple(policies), embedded, folder_from_root(folder, repository.root))


def _in_terraform(repository: Repository, files: Mapping[str, File]) -> Iterator[Listed]:
    """The policies of Terraform, those of a principal as one, and those that cannot be worked out."""
    tree = Tree(repository, files, WORKING_TREE.name)
    for folder in all_roots(tree):
        folder_policies = present(tree, folder)
        yield from (
            readable_policy(policy.source.path, policy.label, policy, "in Terraform")
            for policy in folder_policies.policies
        )
        for address, (finding, *others) in folder_policies.findings_by_policy:
            problem = Problem(finding.message, finding.span)
            yield _unreadable_policy(finding.source, address, problem, len(others), "in Terraform")
    for wrong in dict.fromkeys(tree.wrong):
        yield _unreadable_policy(wrong.source, "", wrong.problem, 0, "in Terraform")


def _policies_of_file(path: str, version: FileVersion, origin: str) -> Iterator[Listed]:
    kinds = (
        ("in a template", version.template),
        ("in a snapshot", version.snapshots),
        ("in a manifest", version.manifest),
    )
    origin = next((words for words, holds in kinds if holds), origin)
    yield from (readable_policy(path, label, policy, origin) for label, policy in version.policies.items())
    for address, (problem, *others) in version.problems_by_policy:
        yield _unreadable_policy(version.source, address, problem, len(others), origin)


def readable_policy(path: str, label: str, policy: Policy, origin: str) -> Listed:
    return Listed(
        path=path,
        why=origin,
        address=visible_text(label),
        holder=visible_holder(policy),
        kind="boundary" if is_boundary(policy) else policy.kind,
        unknown=unknown_texts(policy),
        choices=choices(policy),
        what=_what(policy),
        members=tuple(member for member in policy.members if member != policy.label),
    )


def _what(policy: Policy) -> What:
    """Return what stands there in place of a document, if anything."""
    if is_boundary(policy):
        return "boundary"
    if _GRANT.search(policy.label) and policy.kind == "resource":
        return "grant"
    return "attached" if policy.statements and all(map(is_attached, policy.statements)) else "document"


def _unreadable_policy(source: Source, address: str, problem: Problem, more: int, origin: str) -> Listed:
    line = source.position(problem.span.start).line
    message = f"{problem.message}, and {more} more" if more else problem.message
    return Listed(path=source.path, why=origin, address=visible_text(address), line=line, problem=message)


def as_text(listing: Listing) -> str:
    """A line for each policy, with its path from the working folder, and how many there are."""
    policies = (entry._replace(path=path_from(listing.folder, entry.path)) for entry in listing.policies)
    lines = [*map(_line, policies), counted(len(listing.policies), "policy", "policies")]
    if listing.embedded:
        lines.append(f"embedded policies in other files, which are not checked: {listing.embedded}")
    return "".join(f"{line}\n" for line in lines)


def _line(entry: Listed) -> str:
    name = shortened(f"{entry.path} {entry.address}".strip(), 200)
    if entry.problem:
        return f"{name}: {entry.why}, unreadable at line {entry.line}: {printable(entry.problem)}"
    link = "on" if entry.what == "grant" else "of"
    holder = f" {link} {printable(entry.holder)}" if entry.why in _WITH_HOLDERS and entry.holder else ""
    unknown = f", unknown parts: {', '.join(entry.unknown)}" if entry.unknown else ""
    choices = f", choices: {', '.join(entry.choices)}" if entry.choices else ""
    what = _WORDS.get(entry.what, entry.kind)
    others = f", with {printable(', '.join(entry.members))}" if entry.why == "in Terraform" and entry.members else ""
    return f"{name}: {what}{holder}{others}, {entry.why}, readable{printable(unknown)}{printable(choices)}"


def as_json(listing: Listing) -> str:
    """Return the same for programs: a list of policies, with address, holder, kind and how far each can be read."""
    policies = [{**entry._asdict(), "read": entry.read} for entry in listing.policies]
    return json.dumps({"policies": policies, "embedded": listing.embedded}, indent=2) + "\n"
