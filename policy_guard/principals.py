"""Who an entry of a Principal element names (IAM User Guide, reference_policies_elements_principal)."""

from __future__ import annotations

import re
from typing import NamedTuple

from policy_guard.pattern import Pattern, Wildcard
from policy_guard.policy import Principal

_ARN = re.compile(r"arn:([^:]+):(iam|sts)::([^:]+):(.+)", re.DOTALL)
_ACCOUNT = re.compile(r"\d{12}")
_ID = re.compile(r"[A-Z0-9]+")


class Named(NamedTuple):
    """`kind` is `everyone`, `account`, `user` (or federated user), `role`, `session`, `id`, `other` (a service, an
    identity provider, a canonical user) or `unclear` (an unknown part, or wildcards that leave the kind open).

    `account` and `partition` are set for accounts, users, roles and sessions; `name` is what the kind is called by:
    the whole ARN of a user or role, `role/session` of a session, the text of the rest.
    """

    kind: str
    name: str = ""
    account: str = ""
    partition: str = ""


def named(entry: Principal) -> Named:
    """What kind of principal the entry names. Wildcards stay in the texts."""
    text = entry.value.text
    if any(not isinstance(part, str | Wildcard) for part in entry.value.pattern.parts):
        return Named("unclear", text)
    if entry.type == "*" or (entry.type == "AWS" and text == "*"):
        return Named("everyone")
    if entry.type != "AWS":
        return Named("other", text)
    if _ACCOUNT.fullmatch(text):
        return Named("account", text, account=text)
    if _ID.fullmatch(text):
        return Named("id", text)
    return _by_arn(text)


def _by_arn(text: str) -> Named:
    arn = _ARN.fullmatch(text)
    if not arn:
        return Named("unclear", text)
    partition, service, account, rest = arn.groups()
    kind, _, name = rest.partition("/")
    if service == "iam" and rest in ("root", "*"):
        return Named("account", account, account, partition)
    if name and (service, kind) in (("iam", "user"), ("sts", "federated-user")):
        return Named("user", text, account, partition)
    if name and (service, kind) == ("iam", "role"):
        return Named("role", text, account, partition)
    if "/" in name and (service, kind) == ("sts", "assumed-role"):
        return Named("session", name, account, partition)
    return Named("unclear", text)


def wildcards(text: str) -> Pattern:
    """The text with its `*` and `?` as wildcards."""
    return Pattern(tuple(Wildcard(part) if part in ("*", "?") else part for part in re.split(r"([*?])", text) if part))
