"""What each role, user and group has from where: the statements of all its policies, inline, attached and of groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from policy_guard.iam.policy import Effect, Element, Policy, Statement, in_words
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.pairing.terraform import Tree, all_roots, present
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.repository.changes import snapshot
from policy_guard.pipeline.repository.revisions import WORKING_TREE
from policy_guard.records import NamedTuple
from policy_guard.settings.load import load_settings
from policy_guard.solver.strings.pattern import HIDDEN

_NOUNS = ("role", "user", "group")


class Holding(NamedTuple):
    """A statement that a principal has, and where it stands.

    `attached` is what stands there in place of the statement, such as the ARN of a policy of AWS; nothing where the
    statement itself is written. With `but` the statement is about all actions, or all resources, but those.
    """

    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[str, ...]
    path: str
    line: int
    attached: str = ""
    but: tuple[str, ...] = ()


class PrincipalAccess(NamedTuple):
    """A role, user or group as its file calls it, the file or folder that knows it, and what it has."""

    principal: str
    unit: str
    holdings: tuple[Holding, ...]


def access_of_principals(config: str | None, folder: Path, environ: Mapping[str, str]) -> tuple[PrincipalAccess, ...]:
    """Return what each principal of the working tree has, as far as it can be read. Raises `SetupError`."""
    repository = Repository(folder, environ)
    try:
        settings = load_settings(repository.root, config)
        files = snapshot(repository, WORKING_TREE)
        reader = Reader(repository, settings)
        reader.with_files(WORKING_TREE, files)
        access: list[PrincipalAccess] = []
        for path, file in sorted(files.items()):
            version = reader.glance(file, path, WORKING_TREE)
            if version.template is not None or version.snapshots is not None:
                completed = version.completed(settings.config.placeholders, grants=True)
                access += by_principal(path, completed.policies.values())
        tree = Tree(repository, files, WORKING_TREE.name)
        for root in all_roots(tree):
            policies = (each for each in present(tree, root).policies if reader.included(each.source.path))
            access += by_principal(root or ".", policies)
    finally:
        repository.close()
    return tuple(access)


def by_principal(unit: str, policies: Iterable[Policy]) -> Iterator[PrincipalAccess]:
    """The access of each principal by the policies of a unit; those that are attached to nobody there are left out."""
    by_holder: dict[str, list[Holding]] = {}
    for policy in policies:
        if policy.kind == "identity" and policy.holder.partition(" ")[0].lower() in _NOUNS:
            by_holder.setdefault(policy.holder, []).extend(map(_holding, policy.statements))
    for holder, holdings in by_holder.items():
        yield PrincipalAccess(holder.partition(HIDDEN)[0], unit, tuple(holdings))


def _holding(statement: Statement) -> Holding:
    source = statement.source
    elements = {"actions": statement.action, "resources": statement.resource}
    return Holding(
        effect=statement.effect,
        actions=_texts(elements["actions"], negated=False),
        resources=_texts(elements["resources"], negated=False),
        conditions=tuple(map(in_words, statement.conditions)),
        path=source.path,
        line=source.position(statement.span.start).line,
        attached=_attached(statement),
        but=tuple(text for element in elements.values() for text in _texts(element, negated=True)),
    )


def _texts(element: Element | None, negated: bool) -> tuple[str, ...]:
    return tuple(value.text for value in element.values) if element and element.negated == negated else ()


def is_attached(statement: Statement) -> bool:
    """Tell whether a name or an ARN stands in place of a statement."""
    return bool(_attached(statement))


def _attached(statement: Statement) -> str:
    """The name or ARN that stands in place of a statement."""
    written = statement.source.text[slice(*statement.span)].strip().strip("\"'")
    return written if (written and not any(sign in written for sign in "{\n:=")) or written.startswith("arn:") else ""
