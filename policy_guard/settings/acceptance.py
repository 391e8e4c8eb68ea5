"""Acceptances: files that say which new or critical access of a policy was reviewed, why, and until when."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from typing import Any

from policy_guard.documents.containers import VERSIONS
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.globs import not_a_path
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Source, Span, Unreadable
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Kind, Policy, PolicyId, Statement, meaning
from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.settings.evaluated import evaluate
from policy_guard.settings.severity import CheckId

ACCEPTED = CheckId("accepted")
CHECKS = tuple(
    map(CheckId, ("no-new-access", "other-access", "no-lost-deny", "access-not-granted", "no-public-access"))
)
STANDING = tuple(map(CheckId, ("access-not-granted", "no-public-access")))
"""Checks of what a policy grants, whatever it granted before: to accept it needs no old version."""
NO_POLICY = "none"
MOST_DAYS = 30
MOST_DAYS_STANDING = 366
_DIGEST = regex(r"[0-9a-f]{64}")
_NOWHERE = Span(0, 0)
_LATER = ("before_slash",)
"""Fields that came after the first acceptances were written: at their defaults they are not in a digest."""


class Acceptance(NamedTuple):
    """One file of acceptances.

    `critical` are ids of the critical list: with any, the others are not meant, and permissions that are dangerous only
    together are meant by their id alone.
    `old` is the digest of the version that the new one was compared with, `none` for no policy, and None for any.
    `access` are statements without Effect, as written: the requests that one of them, and none of `without`, applies
    to. The day `expires` is the last one, in UTC. `unknown` gives the full names of the unknown parts in their texts,
    if the policy is one of a template.
    """

    policy: PolicyId
    checks: tuple[CheckId, ...]
    critical: tuple[str, ...]
    old: str | None
    access: tuple[Node, ...]
    without: tuple[Node, ...]
    reason: str
    expires: date
    source: Source
    unknown: Mapping[str, str] | None = None

    def covers(self, check: CheckId, entry: str | None, *, is_combination: bool = False) -> bool:
        """Tell whether it speaks of this check, and of this entry of the critical list if the check found one."""
        if check not in self.checks or (is_combination and not self.critical):
            return False
        return entry is None or not self.critical or entry in self.critical

    def fits(self, old: str) -> bool:
        """Tell whether it was written against the old version of this digest."""
        return self.old is None or self.old == old


class Accepted(NamedTuple):
    """An acceptance read for the policy that it is about."""

    acceptance: Acceptance
    statements: tuple[Statement, ...]
    without: tuple[Statement, ...]


def digest(policy: Policy | None) -> str:
    """SHA-256, in hexadecimal, of what a policy means: places, order, repetitions and Sids do not count."""
    from hashlib import sha256

    return NO_POLICY if policy is None else sha256(_canonical(meaning(policy)).encode()).hexdigest()


def _canonical(value: Hashable) -> str:
    """A text that is the same for equal values, and another one for every other value."""
    if isinstance(value, frozenset):
        return f"{{{','.join(sorted(map(_canonical, value)))}}}"
    if isinstance(value, tuple):
        return f"({','.join(map(_canonical, value))})"
    if is_dataclass(value) and not isinstance(value, type):
        digest_fields = [f for f in fields(value) if f.name not in _LATER or getattr(value, f.name) != f.default]
        return f"{type(value).__name__}({','.join(_canonical(getattr(value, f.name)) for f in digest_fields)})"
    return json.dumps(value)


def load_acceptance(source: Source, today: date) -> Acceptance:
    """The acceptance in a file. Raises `SetupError` with file, line, key and remedy."""
    from policy_guard.settings.validation import error_at, load, node_at

    plain, node = load(source, "accepted.json")
    for key, message in _mistakes(plain, today):
        raise error_at(source, node_at(node, (key,)), f"{key}: {message}")
    acceptance = Acceptance(
        policy=PolicyId(
            unit=plain.get("group") or plain["policy"],
            address=plain.get("label", ""),
            holder=plain.get("holder", ""),
            grouped=bool(plain.get("group")),
        ),
        checks=tuple(map(CheckId, plain["checks"])),
        critical=tuple(plain.get("critical", ())),
        old=plain.get("from"),
        access=_items(node, "access"),
        without=_items(node, "without"),
        reason=plain["reason"],
        expires=date.fromisoformat(plain["expires"]),
        source=source,
        unknown=plain.get("unknown"),
    )
    try:
        for statement in (*acceptance.access, *acceptance.without):
            _statements((statement,), source, _kind(statement), acceptance.unknown)
    except Unreadable as error:
        problem = error.problems[0]
        raise error_at(source, Scalar("", problem.span), problem.message) from None
    return acceptance


def _items(node: Node, key: str) -> tuple[Node, ...]:
    items = node.get(key) if isinstance(node, Object) else None
    return items.items if isinstance(items, Array) else ()


def _kind(node: Node) -> Kind | None:
    """The kind that takes a statement of this shape."""
    elements = {entry.key.text for entry in node.entries} if isinstance(node, Object) else set()
    if not elements & {"Principal", "NotPrincipal"}:
        return "identity"
    return "resource" if elements & {"Resource", "NotResource"} else "trust"


def _mistakes(plain: dict[str, Any], today: date) -> Iterator[tuple[str, str]]:
    """Return what a schema cannot say: the key, and what is wrong."""
    if ("policy" in plain) == ("group" in plain):
        yield "policy" if "policy" in plain else "version", 'name one "policy" by its path, or one "group"'
    if "group" in plain and "label" in plain:
        yield "label", "a group has no labels"
    if "policy" in plain and (message := not_a_path(plain["policy"])):
        yield "policy", message
    for key in ("access", "without"):
        if any({"Effect", "Sid"} & set(each) for each in plain.get(key, ())):
            yield key, "this is a set of requests: leave Effect and Sid out"
    is_standing = set(plain["checks"]) <= set(STANDING)
    if "from" not in plain and not is_standing:
        yield "checks", f'"from" is missing: only {" and ".join(STANDING)} go without'
    if (old_digest := plain.get("from", NO_POLICY)) != NO_POLICY and not _DIGEST.fullmatch(old_digest):
        yield "from", 'write "none", or the digest that policy-guard accept gives'
    try:
        ahead = date.fromisoformat(plain["expires"]) - today
    except ValueError:
        yield "expires", "not a calendar date; write YYYY-MM-DD"
        return
    limit = MOST_DAYS_STANDING if is_standing else MOST_DAYS
    if ahead > timedelta(limit):
        yield "expires", f"this lies more than {limit} days ahead; write a day until {today + timedelta(limit)}"


def interpret_acceptance(acceptance: Acceptance, kind: Kind) -> Accepted:
    """The acceptance as a policy of this kind would mean it. Raises `Unreadable`.

    Its Version is the newer one, whatever the policy's is: what the file says may not change with the policy.
    """
    read = (
        _statements(nodes, acceptance.source, kind, acceptance.unknown)
        for nodes in (acceptance.access, acceptance.without)
    )
    return Accepted(acceptance, next(read), next(read))


def _statements(
    nodes: tuple[Node, ...], source: Source, kind: Kind | None, unknown: Mapping[str, str] | None
) -> tuple[Statement, ...]:
    if not nodes:
        return ()
    nodes = tuple(evaluate(node, unknown) for node in nodes)
    version = Scalar(VERSIONS[0], _NOWHERE)
    document = _object(Version=version, Statement=Array(tuple(map(_with_effect, nodes)), nodes[0].span))
    return parse(PolicyDocument(label="", node=document, source=source), kind).statements


def _with_effect(node: Node) -> Node:
    """As a Deny, which may name its principals in every way."""
    if not isinstance(node, Object):
        return node
    return node._replace(entries=(*_object(Effect=Scalar("Deny", node.span)).entries, *node.entries))


def _object(**entries: Node) -> Object:
    return Object(tuple(Entry(Scalar(name, _NOWHERE), value) for name, value in entries.items()), _NOWHERE)
