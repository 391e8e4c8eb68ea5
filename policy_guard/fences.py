"""Conditions that confine a statement to fixed values: what AWS takes as a sign that access is not public.

Sources: S3 User Guide, access-control-block-public-access, "The meaning of public"; EFS User Guide, the page of that
name; IAM User Guide, reference_policies_condition-keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from policy_guard import catalog
from policy_guard.pattern import Pattern, Unknown, Variable, Wildcard, plain_pattern
from policy_guard.policy import Condition, Statement, Value
from policy_guard.source import Span
from policy_guard.values import block

if TYPE_CHECKING:
    from policy_guard.values import Block

_WHOLE = ""
_ACCOUNT = r"arn:[^:]+:[^:]*:[^:]*:[0-9]{12}:"
_PATH = r"o-[a-z0-9]+/"
ACCESS_POINTS = ("s3:dataaccesspointarn", "s3:dataaccesspointaccount")
"""In the policy of an access point these fence nothing: every request to it comes through it."""
KEYS = {
    **dict.fromkeys(("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner"), _WHOLE),
    **dict.fromkeys(("aws:sourceaccount", "aws:principalaccount", "kms:calleraccount", "aws:vpceaccount"), _WHOLE),
    **dict.fromkeys(("aws:principalorgid", "aws:sourceorgid", "aws:vpceorgid", "s3:dataaccesspointaccount"), _WHOLE),
    **dict.fromkeys(("aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"), _PATH),
    **dict.fromkeys(("aws:sourcearn", "aws:principalarn", "aws:sourcevpcarn", "s3:dataaccesspointarn"), _ACCOUNT),
    "aws:userid": r"[A-Za-z0-9]+:",
}
"""The keys that fence, each with what a pattern has to begin with to fix whom it lets in.

Left out, though they narrow: aws:VpcSourceIp, since anyone's VPC may have that address; aws:ViaAWSService, since
services also work for strangers; and whatever a caller says of himself (tags, referer, external id).
"""
_TURNED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
}
_WITHOUT_WILDCARDS = ("StringEquals", "StringEqualsIgnoreCase")
_ARN = ("ArnEquals", "ArnLike")
# CloudFormation User Guide, pseudo-parameter-reference: what these become has no wildcards.
_PSEUDO = {"AWS::AccountId": "0" * 12, "AWS::Partition": "aws", "AWS::Region": "x", "AWS::URLSuffix": "x"}
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_MOST_ADDRESSES = 2**24
_SHORTEST_PREFIX = 32
_NOWHERE = Span(0, 0)


def confining(statement: Statement, keys: dict[str, str] = KEYS) -> Iterator[tuple[Condition, Condition]]:
    """Each condition of the statement that lets in only callers with some value of the keys, with what it fixes.

    What it fixes is a condition of its own: it holds for the requests that carry one of the fixed values. For a Deny
    those are the requests that the condition spares.
    """
    for condition in statement.conditions:
        operator = condition.operator if statement.effect == "Allow" else _TURNED.get(condition.operator)
        if operator is None or operator in _TURNED or condition.key not in keys:
            continue
        quantifier = "ForAnyValue" if condition.quantifier or _several(condition.key) else ""
        plain = condition._replace(quantifier=quantifier, operator=operator, if_exists=False)
        yield from ((condition, fixed) for fixed in _fixed(plain, keys[condition.key]))


def facts(statements: Iterable[Statement]) -> tuple[Condition, ...]:
    """What never holds for a stranger, about the keys that the statements speak of.

    A stranger is no service, calls from a public address, and mounts nothing inside of the VPC.
    """
    keys = {condition.key for statement in statements for condition in statement.conditions}
    known = (
        _condition("Bool", "aws:PrincipalIsAWSService", "true"),
        _condition("Bool", "elasticfilesystem:AccessedViaMountTarget", "true"),
        _condition("Null", "aws:PrincipalServiceName", "false"),
        _condition("Null", "aws:PrincipalServiceNamesList", "false"),
        _condition("IpAddress", "aws:SourceIp", *_PRIVATE),
    )
    return tuple(condition for condition in known if condition.key in keys)


def only_pseudo(pattern: Pattern) -> bool:
    """Whether all unknown parts of the pattern are such as have no wildcards."""
    return all(part.name in _PSEUDO for part in pattern.parts if isinstance(part, Unknown))


def _condition(operator: str, key: str, *texts: str) -> Condition:
    values = tuple(Value(text, plain_pattern(text), _NOWHERE) for text in texts)
    return Condition("", operator, False, key.lower(), key, values, _NOWHERE)


def _several(key: str) -> bool:
    known = catalog.key_type(key)
    return known is not None and known.several


def _fixed(condition: Condition, head: str) -> Iterator[Condition]:
    """The condition with those of its values that fix whom it lets in, if there are any.

    Unknown parts may come to hold wildcards where the operator has them. Taken as they are, they fix what they become
    if it holds none, and nothing otherwise.
    """
    if condition.operator == "IpAddress":
        alike, literal = list(_narrow(condition.values)), []
    elif condition.operator.startswith(("String", "Arn")):
        alike = [value for value in condition.values if _fixes(condition.operator, value.pattern, head)]
        literal = [value for value in condition.values if value not in alike and _is_one_text(value.pattern)]
    else:
        return
    if alike:
        yield condition._replace(values=tuple(alike))
    if literal:
        yield condition._replace(operator="StringEquals", values=tuple(literal))


def _fixes(operator: str, pattern: Pattern, head: str) -> bool:
    """Whether the pattern stands for one text, or for some that agree in the part that says whom they let in."""
    if operator in _WITHOUT_WILDCARDS:
        return bool(pattern.parts) and not any(isinstance(part, Variable) for part in pattern.parts)
    text = _text(pattern)
    if not text:
        return False
    if not any(isinstance(part, Wildcard) for part in pattern.parts):
        return True
    parts = text.split(":", 5)
    if operator in _ARN and head == _ACCOUNT and len(parts) > 5:
        return re.fullmatch("[0-9]{12}", parts[4]) is not None
    return bool(head) and re.match(head, re.split(r"[*?]", text, maxsplit=1)[0]) is not None


def _is_one_text(pattern: Pattern) -> bool:
    wild = any(isinstance(part, Wildcard | Variable) for part in pattern.parts)
    return not wild and not only_pseudo(pattern)


def _text(pattern: Pattern) -> str | None:
    """The pattern as it is spelled; None if it has parts that may hold wildcards, or differ from request to request."""
    if not only_pseudo(pattern) or any(isinstance(part, Variable) for part in pattern.parts):
        return None
    return "".join(_spelled(part) for part in pattern.parts if not isinstance(part, Variable))


def _spelled(part: str | Wildcard | Unknown) -> str:
    if isinstance(part, Wildcard):
        return part.symbol
    return part if isinstance(part, str) else _PSEUDO[part.name]


def _narrow(values: tuple[Value, ...]) -> Iterator[Value]:
    """The blocks of addresses that fence: none where one is wider than /8, or /32 for IPv6, or several are together.

    Blocks of private addresses always do.
    """
    from ipaddress import collapse_addresses

    private = [found for text in _PRIVATE if (found := block(text))]
    known = [(value, found) for value in values if (text := _text(value.pattern)) and (found := block(text))]
    inside = {found for _, found in known if any(_within(found, each) for each in private)}
    public = {found for _, found in known} - inside
    fours = sum(each.num_addresses for each in collapse_addresses(b for b in public if b.version == 4))
    sixes = collapse_addresses(each for each in public if each.version == 6)
    wide = {4: fours > _MOST_ADDRESSES, 6: any(each.prefixlen < _SHORTEST_PREFIX for each in sixes)}
    yield from (value for value, found in known if found in inside or not wide[found.version])


def _within(inner: Block, outer: Block) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
