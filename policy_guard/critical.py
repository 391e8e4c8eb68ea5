"""The critical list: permissions that no policy may grant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from policy_guard import catalog
from policy_guard.globs import matches_path, not_a_pattern
from policy_guard.pattern import plain_pattern
from policy_guard.policy import Value
from policy_guard.source import Node, Source, Span


class CriticalEntry(NamedTuple):
    """Requests with one of the `actions` (any, if empty) on one of the `resources` (any, if empty), not `excepted`.

    `severity` is None where the check's holds. `files` limits the entry to some files.
    """

    id: str
    actions: tuple[Value, ...] = ()
    resources: tuple[Value, ...] = ()
    excepted: tuple[Value, ...] = ()
    reason: str = ""
    severity: str | None = None
    files: tuple[str, ...] = ()
    span: Span = Span(0, 0)

    def concerns(self, path: str) -> bool:
        """Whether the entry speaks of this file."""
        return not self.files or any(matches_path(pattern, path) for pattern in self.files)

    def meaning(self) -> tuple[object, ...]:
        """All of the entry but its places and its reason."""
        texts = (tuple(value.text for value in each) for each in (self.actions, self.resources, self.excepted))
        return self.id, *texts, self.severity, self.files


class CriticalList(NamedTuple):
    entries: tuple[CriticalEntry, ...]
    source: Source | None = None


def load_critical(source: Source) -> CriticalList:
    """The entries of a critical list. Raises `UserError` with file, line, key and remedy."""
    from policy_guard.validated import error_at, load, node_at

    plain, node = load(source, "critical.json", surely_good)
    entries: list[CriticalEntry] = []
    for number, each in enumerate(plain["permissions"]):
        where = node_at(node, ("permissions", number))
        if any(each["id"] == other.id for other in entries):
            raise error_at(source, node_at(where, ("id",)), f'id: "{each["id"]}" is written twice; ids are unique')
        for key, place, message in _wrong(each):
            raise error_at(source, node_at(where, place), f"{key}: {message}")
        entries.append(_entry(each, where))
    return CriticalList(tuple(entries), source)


def _wrong(plain: dict[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """What a schema cannot say: the key, where it stands, and what is wrong."""
    if not plain["id"].isprintable():
        yield "id", ("id",), "an id is written on one line"
    for key in ("actions", "except", "resources"):
        for at, text in enumerate(plain.get(key, ())):
            if not text.isprintable():
                yield key, (key, at), "it holds a character that cannot be seen, so it would match nothing"
            elif key == "resources" and (message := _matches_no_resource(text)):
                yield key, (key, at), message
    for at, text in enumerate(plain.get("files", ())):
        if message := not_a_pattern(text):
            yield "files", ("files", at), message


def _matches_no_resource(text: str) -> str | None:
    """Why no ARN is covered by the text: an entry that looks like protection and is none."""
    if any(hole in text for hole in ("%{", "{{", "<%")):
        return "a template part is not filled in here; write * in its place"
    start = re.split(r"[*?]", text, maxsplit=1)[0]
    whole = text.startswith("arn:") or (start != text and "arn:".startswith(start))
    if whole and ("*" in text or text.count(":") >= 5):
        return None
    return "this covers no ARN; write one, such as arn:aws:s3:::bucket/*, or a pattern for them"


def _entry(plain: dict[str, Any], node: Node) -> CriticalEntry:
    from policy_guard.validated import node_at

    def values(name: str) -> tuple[Value, ...]:
        texts = enumerate(plain.get(name, ()))
        return tuple(Value(text, plain_pattern(text), node_at(node, (name, number)).span) for number, text in texts)

    return CriticalEntry(
        plain["id"],
        values("actions"),
        values("resources"),
        values("except"),
        plain["reason"],
        plain.get("severity"),
        tuple(plain.get("files", ())),
        node.span,
    )


def surely_good(plain: Any) -> bool:
    """Whether the list has the plain shape that most lists have; False says nothing. True implies the schema."""
    return (
        isinstance(plain, dict)
        and set(plain) == {"version", "permissions"}
        and plain["version"] == 1
        and not isinstance(plain["version"], bool)
        and isinstance(plain["permissions"], list)
        and plain["permissions"] != []
        and all(map(_good, plain["permissions"]))
    )


def _good(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and {"id", "reason", "actions"} <= set(entry) <= {"id", "reason", "actions", "resources"}
        and isinstance(entry["id"], str)
        and entry["id"].isascii()
        and entry["id"].isalnum()
        and entry["id"] == entry["id"].lower()
        and isinstance(entry["reason"], str)
        and entry["reason"] != ""
        and _texts(entry["actions"])
        and all(_plain_action(text) for text in entry["actions"])
        and ("resources" not in entry or (_texts(entry["resources"]) and not any("$" in r for r in entry["resources"])))
    )


def _texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and value != []
        and all(isinstance(text, str) and text.isprintable() and text for text in value)
    )


def _plain_action(text: str) -> bool:
    service, colon, name = text.partition(":")
    return bool(colon) and all(part.isascii() and part.replace("*", "a").isalnum() for part in (service, name))


def unknown_actions(listed: CriticalList) -> Iterator[tuple[CriticalEntry, Value, str | None]]:
    """The actions that match nothing AWS has, each with the nearest that it has: they protect nothing."""
    for entry in listed.entries:
        for value in (*entry.actions, *entry.excepted):
            if not catalog.matching(value.text):
                yield entry, value, catalog.nearest(value.text)


def covered(entry: CriticalEntry) -> tuple[str, ...]:
    """The actions of AWS that the entry speaks of today."""
    excepted = {action for value in entry.excepted for action in catalog.matching(value.text)}
    patterns = [value.text for value in entry.actions] or ["*"]
    return tuple(sorted({action for pattern in patterns for action in catalog.matching(pattern)} - excepted))
