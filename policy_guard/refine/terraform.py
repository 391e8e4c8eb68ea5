"""One file of Terraform, refined: the literal lists of actions in it, in the policies that are not another principal's.

All policies of its folder are read again and compared; what others have, or what is given elsewhere, stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.documents import Unit
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.places import Use, uses
from policy_guard.documents.containers.terraform.scope import Scope as FolderScope
from policy_guard.documents.containers.terraform.units import is_elsewhere, root, units
from policy_guard.documents.containers.terraform.values import is_known, label_of
from policy_guard.documents.edit import Edit, as_list, rewritten
from policy_guard.documents.hcl.bodies import read_file
from policy_guard.documents.hcl.edit import Written
from policy_guard.documents.source import Problem, Source, Span, Unreadable
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy, Statement, Value
from policy_guard.records import NamedTuple
from policy_guard.refine.file import Reading, Refined, is_same_tree, refined
from policy_guard.refine.narrow import Narrowing, Scope
from policy_guard.refine.plan import Notation
from policy_guard.refine.quotas import size
from policy_guard.refine.same_hcl import same_hcl_but_for
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import HIDDEN

SHARED = "a policy of another principal has it, too"
_OWN_NAME = regex(r"(aws_iam_(?:role|user|group)\.[\w-]+)\.name")
# IAM User Guide, reference_iam-quotas: the characters of names. The others are references and calls that stay unknown.
_NAME = regex(r"[\w+=,.@-]+")
_UNKNOWN = regex(r"(?:var|data|module|each|count|local|self|path|terraform|aws_\w+)\.")
_MOST_SHOWN = 60
_MOST_PATTERNS = 8


class Folders(NamedTuple):
    """How the folder of a file is read, with a source in place of that file, and how the modules that it calls are."""

    changed: Callable[[Source], Folder]
    called: Callable[[str], Folder | None]


class _Contents(NamedTuple):
    """The policies of a folder by their labels, with the sizes that are known, and whose the `others` are."""

    policies: dict[str, Policy]
    sizes: dict[str, int]
    others: dict[str, str]
    problems: tuple[Problem, ...]


def refined_terraform(source: Source, folders: Folders, scope: Scope, names: Collection[str]) -> Refined:
    """The policies of a file without what the principals of these names do not use; without names, all of them.

    Raises `Unreadable` for what is wrong in the file.
    """
    contents = _contents(source, folders, names)
    if contents.problems:
        raise Unreadable(*contents.problems)
    definitions = folders.changed(source).definitions
    here = {label for label, policy in contents.policies.items() if policy.source.path == source.path}
    left = {label: f"it is a policy of {name}" for label, name in contents.others.items() if label in here}
    left |= dict.fromkeys(contents.policies.keys() - here, "")
    shared = frozenset(
        value.span
        for label in contents.others.keys() & here
        for statement in contents.policies[label].statements
        for value in statement.action.values
    )
    is_json = source.path.endswith(".json")
    reading = Reading(
        policies=lambda new_source, policies: _measured(_contents(new_source, folders, names)),
        is_same=is_same_tree if is_json else _is_same,
        notation=(_json_notation if is_json else _notation)(source, definitions, shared),
        refusal=_refusal,
        left=left,
    )
    return refined(source, contents.policies, scope, reading=reading)


def _refusal(label: str) -> str:
    return f"{label or 'something else in its folder'} would change with what is not used, which is not proved"


def _measured(contents: _Contents) -> tuple[Mapping[str, Policy], Mapping[str, int]]:
    if contents.problems:
        raise Unreadable(*contents.problems)
    return contents.policies, contents.sizes


def _contents(source: Source, folders: Folders, names: Collection[str]) -> _Contents:
    contents = _Contents({}, {}, {}, ())
    folder = folders.changed(source)
    problems = [_problem_here(source, wrong.source, wrong.problem) for wrong in folder.wrong]
    scope = root(folder, folders.called, frozenset())
    for use in uses(scope):
        for unit in units(use):
            if is_elsewhere(use):
                continue
            try:
                _add(contents, scope, unit, names)
            except Unreadable as error:
                if unit.source.path == source.path or _may_take_from(use, source):
                    problems += (_problem_here(source, unit.source, problem) for problem in error.problems)
    return contents._replace(problems=tuple(problems))


def _problem_here(source: Source, place: Source, problem: Problem) -> Problem:
    """The problem, as one of this file."""
    if place.path == source.path:
        return problem
    words = f"{place.at(problem.span.start)} cannot be read, and may take something from this file: {problem.message}"
    return Problem(words, Span(0, 1))


def _may_take_from(use: Use, source: Source) -> bool:
    """Tell whether something in a file decides the policy at a place."""
    definitions = (use.scope.decisive.get(key) for key in use.deciding)
    return any(definition is not None and definition.source.path == source.path for definition in definitions)


def _add(contents: _Contents, scope: FolderScope, unit: Unit, names: Collection[str]) -> None:
    """Add a policy that stands in the folder. Raises `Unreadable`."""
    if unit.attached:
        return
    if unit.problems:
        raise Unreadable(*unit.problems)
    if unit.policy is None:
        return
    policy = parse(unit.policy)
    label = unit.address if unit.address not in contents.policies else f"{unit.address} of {unit.holder}"
    contents.policies[label] = policy
    if is_known(unit.policy.node):
        contents.sizes[label] = size(unit.policy.node)
    principal = _principal(scope, unit)
    if principal and names and principal not in names:
        contents.others[label] = principal


def _principal(scope: FolderScope, unit: Unit) -> str:
    """The name of the role, user or group that a policy is for, as far as it is known."""
    label = unit.principal.partition("\n")[0].partition(HIDDEN)[0].partition(" ")[2]
    reference = _OWN_NAME.fullmatch(label)
    if reference is None:
        return label if _NAME.fullmatch(label) and not _UNKNOWN.match(label) else ""
    definition = scope.folder.definitions.get(reference[1])
    name = definition.body.value("name") if definition else None
    if definition is None or name is None:
        return ""
    try:
        value = Evaluator(scope, definition.source, {}).value(name)
    except (Need, Impossible, Opaque):
        return ""
    return label_of(value) if is_known(value) else ""


# --- what is edited


def _notation(source: Source, definitions: Mapping[str, Definition], shared: frozenset[Span]) -> Notation:
    """Return how a file in Terraform's own language is edited."""
    written = Written(source.text)

    def list_edits(text: str, items: Sequence[Span], news: Sequence[Sequence[str] | None]) -> Iterator[Edit]:
        return written.rewritten(items, news)

    def edits_of_one(text: str, mapping: Span, item: Span, strings: Sequence[str], step: int) -> Iterator[Edit]:
        return written.as_list(item, strings)

    def obstacle(statement: Statement, value: Value, narrowing: Narrowing) -> str | None:
        if value.span in shared:
            return SHARED
        is_literal = statement.action.span in written.lists or statement.action.span in written.texts
        if (is_literal or written.is_in_heredoc(value.span)) and _is_spelled(source, value):
            return None
        return _elsewhere(source, definitions, statement.action.span, narrowing)

    return Notation(rewritten=list_edits, as_list=edits_of_one, obstacle=obstacle)


def _json_notation(source: Source, definitions: Mapping[str, Definition], shared: frozenset[Span]) -> Notation:
    """Return how a file in Terraform's JSON syntax is edited."""

    def obstacle(statement: Statement, value: Value, narrowing: Narrowing) -> str | None:
        if value.span in shared:
            return SHARED
        return None if _is_spelled(source, value) else _elsewhere(source, definitions, statement.action.span, narrowing)

    return Notation(rewritten=rewritten, as_list=as_list, obstacle=obstacle)


def _is_spelled(source: Source, value: Value) -> bool:
    """Tell whether an action stands at its place as a plain string."""
    return source.text[slice(*value.span)] == json.dumps(value.text)


def _elsewhere(source: Source, definitions: Mapping[str, Definition], span: Span, narrowing: Narrowing) -> str:
    words = " ".join(source.text[slice(*span)].split())
    shown = words if len(words) <= _MOST_SHOWN else f"{words[: _MOST_SHOWN - 3]}..."
    definition = definitions.get(words.removeprefix('"${').removesuffix('}"'))
    place = f" ({definition.source.at(definition.span.start)})" if definition else ""
    surplus = len(narrowing.patterns) - _MOST_PATTERNS
    patterns = ", ".join(narrowing.patterns[:_MOST_PATTERNS]) + (f" and {surplus} more" if surplus > 0 else "")
    remedy = f"write {patterns} there" if patterns else "take it out there"
    return f"{shown}{place} gives it, and only lists that are written out are edited; {remedy}"


def _is_same(old: Source, new: Source, actions: Mapping[Span, tuple[str, ...]], removed_spans: frozenset[Span]) -> bool:
    return same_hcl_but_for(read_file(old.text), read_file(new.text), actions, removed_spans)
