"""Who an entry of a Principal element names (IAM User Guide, reference_policies_elements_principal)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal, TypeAlias

from policy_guard.iam.policy import Principal
from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import Part, Pattern, Unknown, Wildcard, holes, plain_pattern

_ARN = regex(r"arn:([^:]+):(iam|sts)::([^:]+):(.+)", re.DOTALL)
_ACCOUNT = regex(r"\d{12}")
_ID = regex(r"A[A-Z0-9]{15,127}")
# Stands for a part that is no text while an ARN is taken apart.
_STAND_IN = 0xF0000


class PrincipalRef(NamedTuple):
    """`kind` is one of `KINDS`, or `open` where only the text of an unknown part tells which.

    `name` is the whole ARN of a user or role, the name of the role of a session, the text of the rest; `session` the
    name of a session, or of a user the last part of the ARN, by which federated sessions tell whose they are; `account`
    and `partition` are those of accounts, users, roles and sessions. Wildcards and unknown parts in them stay within
    their part of the ARN.
    """

    kind: PrincipalKind
    name: Pattern
    account: Pattern = Pattern(())
    partition: Pattern = Pattern(())
    session: Pattern = Pattern(())


PrincipalKind: TypeAlias = Literal["everyone", "account", "user", "role", "session", "id", "other", "nobody", "open"]
KINDS: tuple[PrincipalKind, ...] = ("everyone", "account", "user", "role", "session", "id", "other", "nobody")
"""A federated user is a `user`; a service, an identity provider and a canonical user are `other`."""
PRINCIPAL_TYPES = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "federated-user": "FederatedUser",
    "anonymous": "Anonymous",
}
"""What aws:PrincipalType is for each kind of caller (reference_policies_variables, "Principal key values")."""
NO_ACCOUNT = "anonymous"
"""What aws:PrincipalAccount is for anonymous callers (reference_policies_condition-keys), if it is anything."""
TAGS = "aws:principaltag/"
UNSIGNED = ("sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:tagsession", "sts:setsourceidentity")
"""What users of an identity provider call before they have a session of a role (STS API Reference), with what goes
along."""
ACCOUNT_KEY, ARN_KEY = "aws:principalaccount", "aws:principalarn"
OF_ARN = ("user", "role")
FINER = ("user", "role", "session")


def principal_ref(entry: Principal) -> PrincipalRef:
    """Return what kind of principal the entry names."""
    return _principal_ref(entry.type, entry.value.pattern)


def is_id(type_: str, principal: PrincipalRef) -> bool:
    """Tell whether the entry names someone by an id of which nothing here tells whose it is."""
    return principal.kind == "id" or type_ == "CanonicalUser"


def is_provider(type_: str) -> bool:
    """Tell whether the entry names the role sessions that an identity provider made.

    AWS: reference_policies_elements_principal, "OIDC federated principals" and "SAML federated principals".
    """
    return type_ == "Federated"


def beginning(entry: Principal) -> str | None:
    """Return how all names of the entry's service begin: of `logs.eu-west-1.amazonaws.com` the `logs.`.

    AWS: reference_policies_condition-keys, aws:PrincipalServiceNamesList: a service may have several names, of Regions
    for example. Empty if an unknown part or a wildcard leaves it open, and None of what is no service.
    """
    if entry.type != "Service":
        return None
    first = next(iter(entry.value.pattern.parts), "")
    head, dot, _ = first.partition(".") if isinstance(first, str) else ("", "", "")
    return head + dot if dot else ""


def in_any_partition(principal: PrincipalRef) -> bool:
    """Tell whether the account's partition is its policy's: an id alone, or an ARN that leaves it to a template.

    AWS: reference_policies_elements_principal, "AWS account principals": ARN and id behave the same way.
    """
    return all(isinstance(part, Unknown) for part in principal.partition.parts)


def has_wildcards(principal: PrincipalRef) -> bool:
    return principal.kind != "everyone" and any(
        isinstance(part, Wildcard) for pattern in principal[1:] for part in pattern.parts
    )


def by_text(text: str) -> PrincipalRef:
    """Return what an entry of the type AWS names that came out as this text."""
    return _principal_ref("AWS", plain_pattern(text))


def _principal_ref(type_: str, pattern: Pattern) -> PrincipalRef:
    parts = list(pattern.parts)
    text = "".join(part if isinstance(part, str) else chr(_STAND_IN + at) for at, part in enumerate(parts))
    if type_ == "*" or (type_ == "AWS" and pattern == plain_pattern("*")):
        return PrincipalRef("everyone", pattern)
    if type_ != "AWS":
        return PrincipalRef("other", pattern)
    if _ACCOUNT.fullmatch(text):
        return PrincipalRef("account", pattern, account=pattern)
    if _ID.fullmatch(text):
        return PrincipalRef("id", pattern)
    is_plain = not any(ord(character) >= _STAND_IN for part in parts if isinstance(part, str) for character in part)
    arn = _ARN.fullmatch(text) if is_plain else None
    ref = _by_arn(arn, parts, pattern) if arn else None
    return ref or PrincipalRef("open" if holes(pattern) else "nobody", pattern)


def _by_arn(arn: re.Match[str], parts: list[Part], pattern: Pattern) -> PrincipalRef | None:
    service, resource = arn[2], arn[4]
    kind, _, name = resource.partition("/")
    arn_pattern, partition, account = (_restore(text, parts) for text in (arn[0], arn[1], arn[3]))
    if service == "iam" and (resource == "root" or _restore(resource, parts) == _restore("*", parts)):
        return PrincipalRef(kind="account", name=pattern, account=account, partition=partition)
    if name and (service, kind) == ("iam", "user"):
        return PrincipalRef("user", arn_pattern, account, partition, session=_restore(resource, parts))
    if name and (service, kind) == ("sts", "federated-user"):
        return PrincipalRef(kind="user", name=arn_pattern, account=account, partition=partition)
    if name and (service, kind) == ("iam", "role"):
        return PrincipalRef(kind="role", name=arn_pattern, account=account, partition=partition)
    if "/" in name and (service, kind) == ("sts", "assumed-role"):
        role, _, session = name.rpartition("/")
        return PrincipalRef(
            kind="session",
            name=_restore(role, parts),
            account=account,
            partition=partition,
            session=_restore(session, parts),
        )
    return None


def _restore(text: str, parts: list[Part]) -> Pattern:
    """The pattern of a piece of the text in which parts were stood in for."""
    pieces: list[Part] = []
    for run in re.split(f"([{chr(_STAND_IN)}-{chr(_STAND_IN + 0xFFFD)}])", text):
        part = parts[ord(run) - _STAND_IN] if len(run) == 1 and ord(run) >= _STAND_IN else run
        if part:
            pieces.append(replace(part, stays=True) if isinstance(part, Wildcard | Unknown) else part)
    return Pattern(tuple(pieces))
