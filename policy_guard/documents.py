"""Which policies a file holds, and where: at the top, in a list, or one level inside."""

from __future__ import annotations

from collections.abc import Iterator
from json import JSONDecodeError, loads
from typing import NamedTuple

from policy_guard.formats import json, read
from policy_guard.policy import VERSIONS
from policy_guard.source import Array, Entry, Node, Object, Scalar, Source, Span, Unreadable

WRAPPERS = ("Policy", "PolicyDocument", "AssumeRolePolicyDocument", "Document")
_NAMES = ("PolicyName", "RoleName", "UserName", "GroupName", "Name", "Id", "Arn")


class Found(NamedTuple):
    """A policy document found in a file. `label` is empty where the file is the policy."""

    label: str
    node: Node
    source: Source


class Reading(NamedTuple):
    """`deeper` counts the policies that lie deeper inside than is looked."""

    policies: tuple[Found, ...]
    deeper: int


def policies(source: Source) -> Reading:
    """The policies in a source. Raises `Unreadable` if its text cannot be read."""
    documents = read(source)
    found: list[Found] = []
    taken: list[Node] = []
    for number, document in enumerate(documents):
        prefix = f"[{number}]" if len(documents) > 1 else ""
        for label, node, own in _near(source, document, prefix):
            unique = label if all(label != each.label for each in found) else f"{label}#{len(found)}"
            found.append(Found(unique, node, source))
            taken.append(own)
    return Reading(tuple(found), sum(_deeper(document, taken) for document in documents))


def looks_like_policy_text(source: Source) -> bool:
    """Whether a text that cannot be read seems to be a policy."""
    words = ("Effect", "effect", *VERSIONS)
    return "Statement" in source.text and (any(word in source.text for word in words) or "{" in source.text)


def _near(source: Source, document: Node, prefix: str) -> Iterator[tuple[str, Node, Node]]:
    """Label, policy, and the node that holds it, for everything near enough to the top."""
    if isinstance(document, Array):
        for number, item in enumerate(document.items):
            yield from _one(source, item, f"{prefix}[{_identity(item, number)}]")
    else:
        yield from _one(source, document, prefix)


def _one(source: Source, node: Node, label: str) -> Iterator[tuple[str, Node, Node]]:
    if looks_like_policy(node):
        yield label, node, node
    elif isinstance(node, Object):
        for key, value in node.entries:
            if key.text in WRAPPERS:
                inner = _inside_text(source, value) if isinstance(value, Scalar) else value
                if inner is not None and looks_like_policy(inner):
                    yield f"{label}.{key.text}".lstrip("."), inner, value


def _identity(node: Node, number: int) -> str:
    """What tells an entry of a list from the others, whatever stands before it: its name, or else its number."""
    if isinstance(node, Object):
        names = [f"{name}={value.text}" for name in _NAMES if isinstance(value := node.get(name), Scalar)]
        if names:
            return ",".join(names)
    return str(number)


def looks_like_policy(node: Node) -> bool:
    """A mapping with Statement, and with Effect, a policy's Version, or statements that are none."""
    if not isinstance(node, Object):
        return False
    statement = _caseless(node, "statement")
    if statement is None:
        return False
    version = _caseless(node, "version")
    if isinstance(version, Scalar) and version.text in VERSIONS:
        return True
    items = statement.items if isinstance(statement, Array) else (statement,)
    return any(isinstance(item, Object) and _caseless(item, "effect") is not None for item in items)


def _caseless(node: Object, name: str) -> Node | None:
    return next((entry.value for entry in node.entries if entry.key.text.lower() == name), None)


def _deeper(node: Node, taken: list[Node]) -> int:
    """How many policies lie in a tree, not counting those taken."""
    count, waiting, seen = 0, [node], 0
    while waiting:
        here = waiting.pop()
        seen += 1
        if any(here is each for each in taken):
            continue
        if looks_like_policy(here) or (isinstance(here, Scalar) and _is_policy_text(here)):
            count += 1
        elif isinstance(here, Array):
            waiting += here.items
        elif isinstance(here, Object):
            waiting += [entry.value for entry in here.entries]
    return count


def _is_policy_text(node: Scalar) -> bool:
    text = node.text.lstrip()
    return text.startswith("{") and '"Statement"' in text and '"Effect"' in text


def _inside_text(source: Source, scalar: Scalar) -> Node | None:
    """The JSON inside a text, its places those of the file; None if the text is no JSON mapping."""
    if not scalar.text.lstrip().startswith("{"):
        return None
    try:
        node = json.FORMAT.read(Source(source.path, scalar.text))[0]
    except Unreadable as error:
        if "Statement" not in scalar.text:
            return None
        raise Unreadable(*(problem._replace(span=scalar.span) for problem in error.problems)) from None
    offsets = _offsets(source, scalar)
    return _moved(node, offsets or [scalar.span.start] * len(scalar.text) + [scalar.span.end])


def _offsets(source: Source, scalar: Scalar) -> list[int] | None:
    """For each character of the scalar's content, and its end, the offset in the file; None if that is not simple."""
    start, end = scalar.span
    raw = source.text[start:end]
    if raw == scalar.text:
        return list(range(start, end + 1))
    if raw[:1] == raw[-1:] == '"':
        return _escaped(raw, start, scalar.text)
    return _lines(source.text, start, end, scalar.text)


def _escaped(raw: str, start: int, text: str) -> list[int] | None:
    """Offsets behind the escapes of a quoted JSON string."""
    offsets: list[int] = []
    at = 1
    while at < len(raw) - 1:
        size = 1 if raw[at] != "\\" else 6 if raw[at + 1] == "u" else 2
        offsets.append(start + at)
        at += size
    offsets.append(start + at)
    try:
        return offsets if len(offsets) == len(text) + 1 and loads(raw, strict=False) == text else None
    except JSONDecodeError:
        return None


def _lines(whole: str, start: int, end: int, text: str) -> list[int] | None:
    """Offsets behind the indentation of a block of YAML."""
    offsets: list[int] = []
    at = start
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\n")
        found = whole.find(body, at, max(end, at) + len(text))
        if found < 0:
            return None
        offsets += range(found, found + len(line))
        at = found + len(body)
    return [*offsets, at]


def _moved(node: Node, offsets: list[int]) -> Node:
    span = Span(offsets[node.span.start], offsets[min(node.span.end, len(offsets) - 1)])
    if isinstance(node, Scalar):
        return node._replace(span=span)
    if isinstance(node, Array):
        return Array(tuple(_moved(item, offsets) for item in node.items), span, node.tag)
    entries = []
    for key, value in node.entries:
        moved = _moved(key, offsets)
        assert isinstance(moved, Scalar)
        entries.append(Entry(moved, _moved(value, offsets)))
    return Object(tuple(entries), span, node.tag)
