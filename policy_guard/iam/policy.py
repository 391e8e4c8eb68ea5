"""What a policy and a request are, as types; nothing here reads or decides."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, get_args

from policy_guard.documents.containers import VERSIONS
from policy_guard.documents.containers import WITHOUT_PRINCIPAL as WITHOUT_PRINCIPAL
from policy_guard.documents.containers import Kind as Kind
from policy_guard.documents.source import Origin, Problem, Source, Span
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import HIDDEN, PSEUDO, STAR, Pattern, Unknown, Wildcard, folded

KINDS: tuple[Kind, ...] = get_args(Kind)
CAPS: tuple[Kind, ...] = ("scp", "rcp", "boundary", "session", "endpoint")
"""Kinds that only cap what others grant: where there is none, everything is allowed."""
SHARING: tuple[Kind, ...] = ("resource", "trust")
"""Kinds that grant access and say themselves to whom: the only ones that can be public."""
BESIDE_FULL_ACCESS: tuple[Kind, ...] = ("scp", "rcp")
"""Kinds of which a policy without Allow stands beside one that allows everything."""
Effect: TypeAlias = Literal["Allow", "Deny"]
OPERATORS = {
    name.lower(): name
    for name in (
        *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        *("StringLike", "StringNotLike"),
        *("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"),
        *("NumericGreaterThan", "NumericGreaterThanEquals"),
        *("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals"),
        *("DateGreaterThan", "DateGreaterThanEquals"),
        *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress"),
        *("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null"),
    )
}
"""Every condition operator of IAM, by its name in lower case, without quantifier and `IfExists`."""
# What a statement without Resource speaks of: only the trust policy of a role has none.
ROLE = Pattern(("arn:", STAR, ":iam::", STAR, ":role/", STAR))


def without_blanks(text: str) -> str:
    """The text of an action without the blanks around it and around the colon behind its service."""
    if " " not in text:
        return text
    service, colon, name = text.strip(" ").partition(":")
    return f"{service.rstrip(' ')}{colon}{name.lstrip(' ')}" if colon else service


class Value(NamedTuple):
    """One string of an element or condition: as it is spelled, as a pattern, and where.

    `see` are other places of the same file that decide it; `origins` are where its parts are written, in any file.
    """

    text: str
    pattern: Pattern
    span: Span
    see: tuple[Span, ...] = ()
    origins: tuple[Origin, ...] = ()

    @property
    def padded(self) -> bool:
        """Tell whether blanks stand around the text or its first colon; an action's pattern leaves them out."""
        return " " in self.text and self.text != without_blanks(self.text)


@dataclass(frozen=True)
class Element:
    """Action or NotAction, Resource or NotResource (`negated`): the values are alternatives."""

    negated: bool
    values: tuple[Value, ...]
    span: Span

    @cached_property
    def plain(self) -> frozenset[str]:
        """The texts of the values that are nothing else, as they are written."""
        return frozenset(text for value in self.values if (text := _plain(value)) is not None)

    @cached_property
    def plain_in_lower_case(self) -> frozenset[str]:
        return frozenset(map(folded, self.plain))

    @cached_property
    def other_values(self) -> tuple[Value, ...]:
        """The values that are not in `plain`."""
        return tuple(value for value in self.values if _plain(value) is None)

    @cached_property
    def heads(self) -> tuple[tuple[str, Value], ...]:
        """The values in `other_values`, each with the text that it begins with in lower case."""
        return tuple((folded(_head(value.pattern)), value) for value in self.other_values)


def _head(pattern: Pattern) -> str:
    return pattern.parts[0] if pattern.parts and isinstance(pattern.parts[0], str) else ""


def _plain(value: Value) -> str | None:
    parts = value.pattern.parts
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) and not value.padded else None


class Principal(NamedTuple):
    """One entry of a Principal element. `type` is `*`, `AWS`, `Service`, `Federated` or `CanonicalUser`.

    `"Principal": "*"` has the type `*`; a bare `"Principal": "123456789012"` has the type `AWS`.
    """

    type: str
    value: Value


class Principals(NamedTuple):
    """Principal or NotPrincipal (`negated`)."""

    negated: bool
    entries: tuple[Principal, ...]
    span: Span


MADE_UP = "\0"
"""What the keys begin with that no policy can have: conditions on them stand for what a container leaves open."""


class Condition(NamedTuple):
    """One operator on one key.

    `quantifier` is `""`, `ForAllValues` or `ForAnyValue`; `operator` the name in AWS's spelling without
    quantifier and `IfExists`; `key` is in lower case, `written_key` as written. With `unknown_key` a template fills
    in a part of the key.
    """

    quantifier: str
    operator: str
    if_exists: bool
    key: str
    written_key: str
    values: tuple[Value, ...]
    span: Span
    unknown_key: bool = False


def as_written(condition: Condition) -> str:
    """The condition in a line. Two that are written alike, and not understood, are one free truth value."""
    operator = f"{condition.quantifier}:{condition.operator}".lstrip(":") + "IfExists" * condition.if_exists
    values = ", ".join(f"{_in_quotes(value.text)}{read_plainly(value)}" for value in condition.values)
    return f'"{operator}": {{"{condition.key}": [{values}]}}'


CROWDED = ", one of too many conditions on this key"


def crowded(condition: Condition) -> str:
    """The name of the choice that stands for a condition on a key of which too many conditions speak."""
    return f"{as_written(condition)}{CROWDED}"


def in_words(condition: Condition) -> str:
    """The condition as one says it: "StringEquals aws:PrincipalTag/team a, b"."""
    if condition.key.startswith(MADE_UP):
        return condition.written_key
    operator = f"{condition.quantifier}:{condition.operator}".lstrip(":") + "IfExists" * condition.if_exists
    values = ", ".join(f"{value.text}{read_plainly(value, visible=True)}" for value in condition.values)
    return f"{operator} {condition.written_key} {values}"


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_plainly(value: Value, visible: bool = False) -> str:
    """Tells what looks like a variable, and is none in the Version of its policy, from one that is.

    With `visible`, what only tells unknown parts apart is left out.
    """
    parts = value.pattern.parts
    unknown = (part.name.partition(HIDDEN)[0] if visible else part.name for part in parts if isinstance(part, Unknown))
    suffix = "".join(f" with {name}" for name in unknown if name not in value.text)
    variables = any(not isinstance(part, str | Wildcard) for part in parts)
    return suffix + (" as plain text" if "${" in value.text and not variables else "")


@dataclass(frozen=True, slots=True)
class Statement:
    """`index` counts from 0, as AWS counts. `version` and `source` are those of its policy."""

    index: int
    sid: str | None
    effect: Effect
    principals: Principals | None
    action: Element
    resource: Element | None
    conditions: tuple[Condition, ...]
    version: str
    span: Span
    source: Source


def patterns_of(statement: Statement) -> Iterator[Pattern]:
    """The patterns in which policy variables may stand: resources and condition values."""
    yield from (value.pattern for value in (statement.resource.values if statement.resource else ()))
    yield from (value.pattern for condition in statement.conditions for value in condition.values)


def placeholders_of(statement: Statement) -> frozenset[str]:
    """The names of the unknown parts that a template may fill in with a policy variable."""
    if statement.version != VERSIONS[0]:
        return frozenset()
    parts = (part for pattern in patterns_of(statement) for part in pattern.parts)
    return frozenset(part.name for part in parts if isinstance(part, Unknown) and not part.name.startswith(PSEUDO))


class PolicyId(NamedTuple):
    """Identifies a policy of a repository: versions with one id are versions of one policy.

    `unit` is the path of its file, or with `grouped` the name of its group; empty where one unit alone is meant.
    `address` tells several policies of a unit apart, and `holder` is what stands there about whose it is.
    """

    unit: str
    address: str = ""
    holder: str = ""
    grouped: bool = False

    def __str__(self) -> str:
        return f"group {self.unit}" if self.grouped else f"{self.unit} {self.address}".rstrip()


class Policy(NamedTuple):
    """One policy of one file. `label` tells several policies in a file apart; it is empty where there is one.

    `doubts` are what is read, and likely to mean something else than it seems to. `group` is the name of the group
    of files whose statements these are; the statements know their own files. `holder` is what the file says of whose
    it is. `names_resources` tells whether some statement is written with Resource or NotResource. `members` are the
    labels of the policies that are judged as this one, and other names of it. `owner` says in words whose it is, where
    `holder` only tells it from others.
    """

    kind: Kind
    version: str
    statements: tuple[Statement, ...]
    source: Source
    span: Span
    label: str = ""
    doubts: tuple[Problem, ...] = ()
    group: str = ""
    holder: str = ""
    names_resources: bool = True
    members: tuple[str, ...] = ()
    owner: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses under which the policy, or one that is judged as a part of it, is listed."""
        return tuple(dict.fromkeys(text.partition(HIDDEN)[0] for text in (self.label, *self.members)))

    @property
    def id(self) -> PolicyId:
        return PolicyId(
            unit=self.group or self.source.path, address=self.label, holder=self.holder, grouped=bool(self.group)
        )


def united(policies: Sequence[Policy], label: str, holder: str) -> Policy:
    """The policies of one holder as one, each statement with the place and Version of its own."""
    return policies[0]._replace(
        label=label,
        holder=holder,
        statements=tuple(statement for policy in policies for statement in policy.statements),
        doubts=tuple(doubt for policy in policies for doubt in policy.doubts),
        names_resources=any(policy.names_resources for policy in policies),
        members=tuple(dict.fromkeys(name for policy in policies for name in (policy.label, *policy.members))),
    )


def of_one_kind(first: Policy, second: Policy) -> bool:
    """Tell whether two policies may be versions of one.

    Without Resource the actions alone tell a trust policy from another resource policy, and they may change.
    """
    unsure = not first.names_resources and not second.names_resources and {first.kind, second.kind} <= set(SHARING)
    return first.kind == second.kind or unsure


def leaves_all(policy: Policy | None, kind: Kind) -> bool:
    """Tell whether everything is allowed that the policy does not deny; None is no policy."""
    if policy is None:
        return kind in CAPS
    return kind in BESIDE_FULL_ACCESS and not any(statement.effect == "Allow" for statement in policy.statements)


def by_effect(policy: Policy | None) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """The Allow statements and the Deny statements of the policy; None is no policy."""
    statements = policy.statements if policy else ()
    entry = _SPLIT.get(id(statements))
    if entry is None or entry[0] is not statements:
        allowing, denying = (tuple(s for s in statements if s.effect == effect) for effect in ("Allow", "Deny"))
        if len(_SPLIT) >= _MOST_SPLIT:
            _SPLIT.clear()
        entry = _SPLIT[id(statements)] = statements, allowing, denying
    return entry[1], entry[2]


# By the identity of the statements, which are kept so that it stays theirs: this is asked for every request tried.
_SPLIT: dict[int, tuple[tuple[Statement, ...], tuple[Statement, ...], tuple[Statement, ...]]] = {}
_MOST_SPLIT = 16


class Caller(NamedTuple):
    """Who asks. `type` is `AWS`, `Service`, `Federated`, `CanonicalUser` or `Anonymous`.

    For `AWS`, `name` is the ARN of a root user, user, role or federated user; `session` the session's name where a
    role's session asks (`name` is then the role's ARN), or the user, as in its ARN, whose federated session asks.
    """

    type: str
    name: str = ""
    session: str | None = None

    def __str__(self) -> str:
        if self.session is not None and ":federated-user/" in self.name:
            return f"{self.name}, a session of {self.session}"
        if self.session is not None:
            head, _, role = self.name.partition(":role/")
            return f"{head.replace(':iam:', ':sts:', 1)}:assumed-role/{role.rpartition('/')[2]}/{self.session}"
        return self.name or "anyone"


class Request(NamedTuple):
    """One request: condition keys are in lower case; a key that is not there is absent.

    `unknowns` is the text that each unknown part of the policies turned out to be, `choices` the truth of what
    nothing here fixes: the readings of unclear AWS pages, and conditions that are not understood.
    """

    principal: Caller | None
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    unknowns: Mapping[str, str] = {}
    choices: Mapping[str, bool] = {}


def meaning(policy: Policy) -> Hashable:
    """Equal for two policies only if they mean the same: places, order, repetitions and Sids do not count."""
    return policy.kind, frozenset(map(statement_meaning, policy.statements))


def statement_meaning(statement: Statement) -> Hashable:
    """Equal for two statements only if they apply to the same requests with the same effect."""
    return (
        statement.version,
        statement.effect,
        principals_meaning(statement.principals),
        (statement.action.negated, frozenset(map(_action_meaning, statement.action.values))),
        _patterns_meaning(statement.resource),
        frozenset(
            (c.quantifier, c.operator, c.if_exists, c.key, frozenset(value.pattern for value in c.values))
            for c in statement.conditions
        ),
    )


def principals_meaning(element: Principals | None) -> Hashable:
    """Equal for two elements only if they apply to the same callers."""
    return (
        (element.negated, frozenset((entry.type, entry.value.pattern) for entry in element.entries))
        if element
        else None
    )


def _action_meaning(value: Value) -> Hashable:
    return value.padded, tuple(part.lower() if isinstance(part, str) else part for part in value.pattern.parts)


def _patterns_meaning(element: Element | None) -> Hashable:
    return (element.negated, frozenset(value.pattern for value in element.values)) if element else None
