"""Conditions that confine a statement to fixed values: what AWS takes as a sign that access is not public.

Sources: S3 User Guide, access-control-block-public-access, "The meaning of public"; EFS User Guide, the page of that
name; IAM User Guide, reference_policies_condition-keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from policy_guard.documents.source import Span
from policy_guard.iam import catalog
from policy_guard.iam.condition_values import block
from policy_guard.iam.policy import Condition, Statement, Value
from policy_guard.solver.strings.pattern import Part, Pattern, Unknown, Variable, Wildcard, holes, plain_pattern

if TYPE_CHECKING:
    from policy_guard.iam.condition_values import Block

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
# AWS: IAM User Guide, reference_policies_condition-keys; of an anonymous request aws:PrincipalAccount is "anonymous".
_SHAPES = {
    **dict.fromkeys(
        ("aws:sourceowner", "aws:sourceaccount", "aws:principalaccount", "kms:calleraccount"), r"[0-9]{12}"
    ),
    **dict.fromkeys(("aws:vpceaccount", "s3:dataaccesspointaccount"), r"[0-9]{12}"),
    **dict.fromkeys(("aws:principalorgid", "aws:sourceorgid", "aws:vpceorgid"), r"o-[A-Za-z0-9]+"),
    "aws:sourcevpc": r"vpc-[A-Za-z0-9]+",
    "aws:sourcevpce": r"vpce-[A-Za-z0-9]+",
}
"""What the values of a key look like: any other text is nobody's in particular, and fences nothing."""
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
_OF_CLOUDFORMATION = tuple(
    f"{prefix}AWS::{name}" for prefix in ("!Ref ", "") for name in ("AccountId", "Partition", "Region", "URLSuffix")
)
# AWS provider, "Attribute Reference" of aws_caller_identity, aws_partition and aws_region: neither have these.
_OF_TERRAFORM = (
    "data.aws_caller_identity.current.account_id",
    "data.aws_caller_identity.current.id",
    "data.aws_partition.current.partition",
    "data.aws_partition.current.dns_suffix",
    "data.aws_region.current.name",
)
_PSEUDO = (*_OF_CLOUDFORMATION, *_OF_TERRAFORM)
_SOME_TEXT = "000000000000"
"""What is taken for an unknown part where only its place matters: it can be an account, a name or an id."""
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_MOST_ADDRESSES = 2**24
_SHORTEST_PREFIX = 32
_NOWHERE = Span(0, 0)


def addresses(statements: Iterable[Statement]) -> tuple[Value, ...]:
    """The blocks of addresses that the statements let in: together they may be the whole internet."""
    conditions = (
        condition for statement in statements for condition in statement.conditions if condition.operator == "IpAddress"
    )
    return tuple(value for condition in conditions if condition.key in KEYS for value in condition.values)


def confining_conditions(
    statement: Statement, keys: Mapping[str, str], other_addresses: tuple[Value, ...] = ()
) -> Iterator[tuple[Condition, Condition]]:
    """Return the conditions that let in only callers with some value of the `keys`, each with the condition it fixes.

    The keys come with what a pattern has to begin with to fix whom it lets in; as empty text, none does. Blocks of
    addresses are added up with `other_addresses`, which other statements let in.

    The fixed condition holds for the requests that carry one of the fixed values. For a Deny, these are the requests
    that the condition exempts.
    """
    for condition in statement.conditions:
        operator = condition.operator if statement.effect == "Allow" else _TURNED.get(condition.operator)
        if operator is None or operator in _TURNED or condition.key not in keys:
            continue
        quantifier = "ForAnyValue" if condition.quantifier or _is_multivalued(condition.key) else ""
        positive_condition = condition._replace(quantifier=quantifier, operator=operator, if_exists=False)
        yield from (
            (condition, fixed) for fixed in _fixed_conditions(positive_condition, keys[condition.key], other_addresses)
        )


def facts(statements: Iterable[Statement]) -> tuple[Condition, ...]:
    """Return conditions on the keys of the statements that never hold for an outside caller.

    An outside caller is no service, calls from a public address, and mounts nothing inside the VPC.
    """
    keys = {condition.key for statement in statements for condition in statement.conditions}
    conditions = (
        _condition("Bool", "aws:PrincipalIsAWSService", "true"),
        _condition("Bool", "elasticfilesystem:AccessedViaMountTarget", "true"),
        _condition("Null", "aws:PrincipalServiceName", "false"),
        _condition("Null", "aws:PrincipalServiceNamesList", "false"),
        _condition("IpAddress", "aws:SourceIp", *_PRIVATE),
    )
    return tuple(condition for condition in conditions if condition.key in keys)


def only_pseudo(pattern: Pattern) -> bool:
    """Tell whether no unknown part of the pattern can contain a wildcard."""
    return all(part.name in _PSEUDO for part in pattern.parts if isinstance(part, Unknown))


def verbatim(pattern: Pattern) -> Pattern:
    """The pattern in which unknown parts have no wildcards; those that never have any stay as they are."""
    return Pattern(tuple(map(_verbatim_part, pattern.parts)))


def _verbatim_part(part: Part) -> Part:
    return replace(part, verbatim=True) if isinstance(part, Unknown) and part.name not in _PSEUDO else part


def _condition(operator: str, key: str, *texts: str) -> Condition:
    values = tuple(Value(text, plain_pattern(text), _NOWHERE) for text in texts)
    return Condition(
        quantifier="",
        operator=operator,
        if_exists=False,
        key=key.lower(),
        written_key=key,
        values=values,
        span=_NOWHERE,
    )


def _is_multivalued(key: str) -> bool:
    key_type = catalog.key_type(key)
    return key_type is not None and key_type.multivalued


def _fixed_conditions(condition: Condition, head: str, other_addresses: tuple[Value, ...]) -> Iterator[Condition]:
    """The condition with those of its values that fix whom it lets in, if there are any."""
    values: Iterable[Value] = ()
    if condition.operator == "IpAddress":
        values = _narrow_blocks(condition.values, other_addresses)
    elif condition.operator.startswith(("String", "Arn")):
        any_text = condition.key in KEYS
        shaped_values = (value for value in condition.values if _has_shape(condition.key, value))
        values = (
            v
            for v in (_verbatim_value(value, head) for value in shaped_values)
            if _fixes(condition.operator, v, head, any_text=any_text)
        )
    if fixing_values := tuple(values):
        yield condition._replace(values=fixing_values)


def _has_shape(key: str, value: Value) -> bool:
    """Tell whether the known text of the value fits the key."""
    plain = all(isinstance(part, str) for part in value.pattern.parts)
    return not plain or key not in _SHAPES or re.fullmatch(_SHAPES[key], value.text) is not None


def _verbatim_value(value: Value, head: str) -> Value:
    """The value with its unknown parts as they are: one that becomes a wildcard then fixes nothing.

    Those behind what fixes whom it lets in may become anything.
    """
    parts: list[Part] = []
    text = ""
    for part in value.pattern.parts:
        is_fixed = bool(head) and not isinstance(part, str) and re.match(head, text) is not None
        parts.append(part if is_fixed else _verbatim_part(part))
        text += _part_text(part) if not isinstance(part, Variable) else "?"
    return value._replace(pattern=Pattern(tuple(parts)))


def _fixes(operator: str, value: Value, head: str, any_text: bool) -> bool:
    """Tell whether the value stands for one text, or for texts that agree in the part that identifies the caller.

    Without `any_text` one text has to have that part, too: anyone can have the subject "ref:refs/heads/main".
    """
    text = _text(value.pattern)
    if not text:
        return False
    if operator in _WITHOUT_WILDCARDS or not any(isinstance(part, Wildcard) for part in value.pattern.parts):
        return any_text or re.match(head, text) is not None
    parts = text.split(":", 5)
    if operator in _ARN and head == _ACCOUNT and len(parts) > 5:
        return re.fullmatch("[0-9]{12}", parts[4]) is not None
    return bool(head) and re.match(head, re.split(r"[*?]", text, maxsplit=1)[0]) is not None


def _text(pattern: Pattern) -> str | None:
    """The pattern as it is spelled, with something for its unknown parts; None if it has variables."""
    if any(isinstance(part, Variable) for part in pattern.parts):
        return None
    return "".join(_part_text(part) for part in pattern.parts if not isinstance(part, Variable))


def _part_text(part: str | Wildcard | Unknown) -> str:
    if isinstance(part, Wildcard):
        return part.symbol
    return part if isinstance(part, str) else _SOME_TEXT


def _narrow_blocks(values: tuple[Value, ...], other_addresses: tuple[Value, ...]) -> Iterator[Value]:
    """The blocks of addresses that fence: none where one is wider than /8, or /32 for IPv6, or several are together.

    Blocks of private addresses always do.
    """
    from ipaddress import collapse_addresses

    private = [network for text in _PRIVATE if (network := block(text))]
    blocks = [(value, network) for value in values if (network := _plain_block(value))]
    networks = {network for _, network in blocks} | {
        network for value in other_addresses if (network := _plain_block(value))
    }
    private_blocks = {network for network in networks if any(_is_within(network, each) for each in private)}
    public = networks - private_blocks
    fours = sum(each.num_addresses for each in collapse_addresses(b for b in public if b.version == 4))
    sixes = collapse_addresses(each for each in public if each.version == 6)
    wide = {4: fours > _MOST_ADDRESSES, 6: any(each.prefixlen < _SHORTEST_PREFIX for each in sixes)}
    yield from (value for value, network in blocks if network in private_blocks or not wide[network.version])


def _plain_block(value: Value) -> Block | None:
    return None if holes(value.pattern) else block(value.text)


def _is_within(inner: Block, outer: Block) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
