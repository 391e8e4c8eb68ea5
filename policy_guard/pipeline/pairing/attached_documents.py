"""Attached policies whose documents the settings name: each is judged as its document, on both sides.

The settings of the base say which document that is. Where a side has no such document, the other's counts on both: a
change that only brings or removes the file changes nothing of what is attached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from policy_guard.documents.source import Source, Span
from policy_guard.iam.policy import Element, Policy, Statement, Value, meaning, statement_meaning
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.pairing.groups import with_own_holes
from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import Pattern, Unknown, plain_pattern
from policy_guard.verify.explain.without_document import (
    DETACHED,
    attached_document,
    attached_policy,
    speaks_of_denying,
)

_HOLE = "\0"
_NAME = regex(r"[\w+=,.@-]+")


class Sides(NamedTuple):
    """The document of an attached policy in the old and in the new version."""

    old: Policy | None
    new: Policy | None

    def together(self) -> Policy | None:
        """All that one of them allows, less what both deny: what a change attaches has either until it is deployed."""
        if self.old is None or self.new is None:
            return self.new
        denied = {statement_meaning(each) for each in self.old.statements}
        allowed = {statement_meaning(each) for each in self.new.statements}
        statements = [
            each for each in self.new.statements if each.effect == "Allow" or statement_meaning(each) in denied
        ]
        statements += [
            each for each in self.old.statements if each.effect == "Allow" and statement_meaning(each) not in allowed
        ]
        return self.new._replace(statements=tuple(statements))


class AttachedDocuments:
    """The documents of the settings' `policies-by-arn`, read when they are first asked for."""

    def __init__(
        self, places: Iterable[tuple[str, str]], read: Callable[[str], tuple[FileVersion | None, FileVersion | None]]
    ) -> None:
        """`places` are ARNs with paths and addresses; `read` gives both versions of the file at a path."""
        self._places = tuple((_fields(arn), place) for arn, place in places)
        self._read = read
        self._sides: dict[str, Sides] = {}

    def pair(self, pair: Pair) -> Pair:
        """The pair with the documents of what it attaches, and with what a policy denied that it detaches."""
        attached_before = set(map(self._place, pair.old.statements)) if pair.old else set()

        def new_document(place: str) -> Policy | None:
            sides = self._sides_at(place)
            return sides.new if place in attached_before else sides.together()

        old = self._with_documents(pair.old, lambda place: self._sides_at(place).old)
        return with_lost_policies(pair._replace(old=old, new=self._with_documents(pair.new, new_document)))

    def has_changed(self, statement: Statement) -> bool:
        """Tell whether a statement attaches a document that is another one in the new version."""
        place = self._place(statement)
        sides = self._sides_at(place) if place else Sides(None, None)
        return bool(sides.old and sides.new and meaning(sides.old) != meaning(sides.new))

    def missing(self) -> Iterator[str]:
        """Return the places at which neither version has a policy, of those that were asked for."""
        yield from (place for place, sides in self._sides.items() if sides.new is None)

    def _with_documents(self, policy: Policy | None, document_at: Callable[[str], Policy | None]) -> Policy | None:
        if policy is None or policy.kind != "identity":
            return policy
        if not any(map(self._place, policy.statements)):
            return policy
        statements = (part for each in policy.statements for part in self._documented(each, document_at))
        return policy._replace(statements=tuple(statements))

    def _documented(self, statement: Statement, document_at: Callable[[str], Policy | None]) -> Iterator[Statement]:
        """The statements of the document that a statement stands for, or else the statement."""
        place = self._place(statement)
        document = document_at(place) if place else None
        if document is None:
            yield statement
            return
        for inner in document.statements:
            moved = at_place(inner, statement.span, statement.source)
            yield replace(moved, index=statement.index, sid=None, conditions=(*moved.conditions, *statement.conditions))

    def _place(self, statement: Statement) -> str:
        """The place of the document that a statement stands for; empty if it is not known.

        Unknown parts of an ARN stand for any partition and account. A document may have the name of its policy.
        """
        fields = _fields(_with_holes(attached_policy(statement)))
        if len(fields) < 6:
            return attached_document(statement)
        places = {place for names, place in self._places if _may_be(fields, names)}
        path, _, name = fields[5].rpartition("/")
        by_name = ((*fields[:5], f"{path}/*")) if _NAME.fullmatch(name) else ()
        places = places or {p.replace("*", name) for names, p in self._places if by_name and _may_be(by_name, names)}
        return places.pop() if len(places) == 1 else ""

    def _sides_at(self, place: str) -> Sides:
        if place not in self._sides:
            path, _, address = place.partition("#")
            old, new = (_policy_at(version, address) for version in self._read(path))
            sides = Sides(*(with_own_holes(side, path) if side else None for side in (old or new, new or old)))
            self._sides[place] = sides
        return self._sides[place]


def _policy_at(version: FileVersion | None, address: str) -> Policy | None:
    """The policy at an address of a version, or without one the only policy there."""
    if version is None or version.problems:
        return None
    labels = [address] if address else list(version.policies)
    policy = version.policies.get(labels[0]) if len(labels) == 1 else None
    return policy if policy and policy.kind == "identity" else None


def _fields(arn: str) -> tuple[str, ...]:
    return tuple(arn.split(":", 5))


def _may_be(fields: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Tell whether an ARN is one of the settings, whatever its partition and account if they are unknown."""
    known = (at for at, field in enumerate(fields) if field != _HOLE or at not in (1, 4))
    return all(fields[at] == names[at] for at in known)


def _with_holes(text: str) -> str:
    """The text with one character for each part that is filled in."""
    kept, depth, at = [], 0, 0
    while at < len(text):
        if text.startswith("${", at):
            kept += [] if depth else [_HOLE]
            depth, at = depth + 1, at + 2
            continue
        if text[at] == "}" and depth:
            depth -= 1
        elif not depth:
            kept.append(text[at])
        at += 1
    return "".join(kept)


def at_place(statement: Statement, span: Span, source: Source) -> Statement:
    """The statement as if it were written at a place of another file."""

    def value_there(value: Value) -> Value:
        return value._replace(span=span, see=())

    def element_there(element: Element) -> Element:
        return replace(element, values=tuple(map(value_there, element.values)), span=span)

    return replace(
        statement,
        action=element_there(statement.action),
        resource=element_there(statement.resource) if statement.resource else None,
        conditions=tuple(
            each._replace(values=tuple(map(value_there, each.values)), span=span) for each in statement.conditions
        ),
        span=span,
        source=source,
    )


def with_lost_policies(pair: Pair) -> Pair:
    """The pair with a Deny in its old version for each policy that nobody knows here and that is detached.

    Where nothing is left, those alone whose names speak of denying: the principal itself went if it had other access.
    """
    if pair.old is None or pair.old.kind != "identity":
        return pair
    if pair.new is None and not all(map(attached_policy, pair.old.statements)):
        return pair
    attached = [(statement, arn) for statement in pair.old.statements if (arn := attached_policy(statement))]
    if not attached:
        return pair
    remaining = {statement_meaning(each) for each in pair.new.statements} if pair.new else frozenset()
    lost = [
        statement
        for statement, arn in attached
        if statement_meaning(statement) not in remaining
        if pair.new or speaks_of_denying(arn)
    ]
    if not lost:
        return pair
    statements = (*pair.old.statements, *map(_denying, lost))
    return pair._replace(old=pair.old._replace(statements=statements))


def _denying(statement: Statement) -> Statement:
    """The Deny that stands for all that a policy may have denied."""
    arn, span = attached_policy(statement), statement.span
    pattern = Pattern((Unknown(arn),)) if "${" in arn else plain_pattern(arn)
    action = Value(DETACHED, plain_pattern(DETACHED), span)
    return replace(
        statement,
        effect="Deny",
        action=Element(False, (action,), span),
        resource=Element(False, (Value(arn, pattern, span),), span),
    )
