"""Reads the entries of a critical list: each mistake with its line, above all one that leaves nothing protected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Array, Node, Problem, Source
from policy_guard.iam.parse.condition import conditions
from policy_guard.iam.parse.reader import Reader
from policy_guard.iam.parse.statement import NO_PARTITION, principals
from policy_guard.iam.policy import Condition, Element, Principals, Statement, Value
from policy_guard.settings.addresses import not_a_name
from policy_guard.settings.critical.entry import CriticalEntry, RequestSet
from policy_guard.settings.validation import error_at, node_at
from policy_guard.solver.strings.pattern import STAR, Pattern, holes, plain_pattern

_SET = ("actions", "resources", "except")
_VERSION = "2012-10-17"
_UNFILLED = "a template part is not filled in here; write * in its place"


def read_entries(
    source: Source, plain: dict[str, Any], node: Node, pack_entries: Iterable[CriticalEntry] = ()
) -> Iterator[CriticalEntry]:
    """The entries that are written in the list itself, besides the `pack_entries`. Raises `SetupError`."""
    ids = {entry.id for entry in pack_entries}
    for number, plain_entry in enumerate(plain.get("permissions", ())):
        entry_node = node_at(node, ("permissions", number))
        if plain_entry["id"] in ids:
            raise error_at(
                source, node_at(entry_node, ("id",)), f'id: "{plain_entry["id"]}" is written twice; ids are unique'
            )
        ids.add(plain_entry["id"])
        for key, place, message in _mistakes(plain_entry):
            raise error_at(source, node_at(entry_node, place), f"{key}: {message}")
        yield _entry(source, plain_entry, entry_node)


def _mistakes(plain: dict[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Return what a schema cannot say: the key, where it stands, and what is wrong."""
    if not plain["id"].isprintable():
        yield "id", ("id",), "an id is written on one line"
    for key in _SET if "all-of" in plain else ():
        if key in plain:
            yield key, (key,), f"all-of stands in place of {key}; write it in each set of all-of"
    for at, text in enumerate(plain.get("files", ())):
        if message := not_a_name(text):
            yield "files", ("files", at), message
    yield from _mistakes_in_set(plain, ())
    for number, plain_set in enumerate(plain.get("all-of", ())):
        yield from _mistakes_in_set(plain_set, ("all-of", number))


def _mistakes_in_set(
    plain: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    for key in _SET:
        for at, text in enumerate(plain.get(key, ())):
            if not text.isprintable():
                yield key, (*path, key, at), "it holds a character that cannot be seen, so it would match nothing"
            elif key == "resources" and (message := _matches_no_resource(text)):
                yield key, (*path, key, at), message


def _matches_no_resource(text: str) -> str | None:
    """Return why no ARN is covered by the text: an entry that looks like protection and is none."""
    if any(hole in text for hole in ("%{", "{{", "<%")):
        return _UNFILLED
    start = re.split(r"[*?]", text, maxsplit=1)[0]
    if NO_PARTITION.match(start):
        return (
            "this covers no ARN, because its partition is not an AWS partition; write arn:aws: or arn:*: in its place"
        )
    complete = text.startswith("arn:") or (start != text and "arn:".startswith(start))
    if complete and ("*" in text or text.count(":") >= 5):
        return None
    return "this covers no ARN; write one, such as arn:aws:s3:::bucket/*, or a pattern for them"


def _entry(source: Source, plain: dict[str, Any], node: Node) -> CriticalEntry:
    requests = _set(plain, node)
    return CriticalEntry(
        id=plain["id"],
        actions=requests.actions,
        resources=requests.resources,
        excepted=requests.excepted,
        reason=plain["reason"],
        severity=plain.get("severity"),
        files=tuple(plain.get("files", ())),
        span=node.span,
        unless=tuple(_unless(source, node_at(node, ("unless",)))) if "unless" in plain else (),
        principals=_principals(source, node_at(node, ("principals",))) if "principals" in plain else None,
        all_of=tuple(_set(part, node_at(node, ("all-of", at))) for at, part in enumerate(plain.get("all-of", ()))),
        page=plain.get("source", ""),
        kinds=tuple(plain.get("kinds", ())),
    )


def _set(plain: dict[str, Any], node: Node) -> RequestSet:
    def values(name: str) -> tuple[Value, ...]:
        texts = enumerate(plain.get(name, ()))
        return tuple(Value(text, plain_pattern(text), node_at(node, (name, number)).span) for number, text in texts)

    return RequestSet(*map(values, _SET))


def _unless(source: Source, node: Node) -> Iterator[Statement]:
    """A statement of any action on any resource for each condition block, read as a policy of today reads it."""
    for block in node.items if isinstance(node, Array) else (node,):
        reader = Reader(source)
        read = conditions(reader, block, variables=True)
        if not read and not reader.problems:
            reader.problem(
                "a block without conditions holds for every request, so nothing would be critical", block.span
            )
        _refuse(source, "unless", [*reader.problems, *_unfilled_values(read)])
        any_element = Element(False, (Value("*", Pattern((STAR,)), block.span),), block.span)
        yield Statement(
            index=0,
            sid=None,
            effect="Deny",
            principals=None,
            action=any_element,
            resource=any_element,
            conditions=read,
            version=_VERSION,
            span=block.span,
            source=source,
        )


def _unfilled_values(read: tuple[Condition, ...]) -> Iterator[Problem]:
    """Holes of templates: of the same name in a policy they would seem to be the same text."""
    for condition in read:
        if condition.unknown_key:
            yield Problem(f"{_UNFILLED}, in the condition key", condition.span)
        yield from (Problem(_UNFILLED, value.span) for value in condition.values if holes(value.pattern))


def _principals(source: Source, node: Node) -> Principals:
    reader = Reader(source)
    read = principals(reader, "principals", node)
    problems = (Problem(_UNFILLED, e.value.span) for e in read.entries if holes(e.value.pattern))
    _refuse(source, "principals", [*reader.problems, *problems])
    return read


def _refuse(source: Source, key: str, problems: list[Problem]) -> None:
    for problem in problems[:1]:
        raise SetupError(f"{key}: {problem.message}", source, problem.span)
