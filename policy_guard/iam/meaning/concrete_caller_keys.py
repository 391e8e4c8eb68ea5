"""The condition keys whose values follow from who asks, for one request.

The twin of `symbolic_caller_keys`, which speaks of all requests. Only what AWS's pages state: IAM User Guide,
reference_policies_condition-keys, "Properties of the principal", and reference_policies_variables, "Principal key
values"; STS API Reference: who comes with the word of an identity provider signs nothing. Canonical users and ids are
other names of callers with ARNs. Which account, ARN and names a service has is not stated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from policy_guard.iam.policy import Caller, Request
from policy_guard.iam.principal import ACCOUNT_KEY, ARN_KEY, NO_ACCOUNT, PRINCIPAL_TYPES, TAGS

_ARN = re.compile(r"arn:[^:]+:(iam|sts)::([^:]+):(?:(root)|(user|role|federated-user)/[^:]+)")
_KINDS = {("iam", "root"), ("iam", "user"), ("iam", "role"), ("sts", "federated-user")}
_ABSENT: tuple[str, ...] = ()


def context_of(request: Request) -> Mapping[str, tuple[str, ...]]:
    """The condition keys of the request with those that follow from its caller; an empty value is an absent key."""
    caller = request.principal
    if caller is None:
        return request.context
    context = {**request.context, **_implied_context(caller)}
    if caller.type == "Anonymous":
        context = {key: values for key, values in context.items() if not key.startswith(TAGS)}
    if caller.type != "Service" and not _identity_context(caller):
        context |= {key: (NO_ACCOUNT,) for key in (ACCOUNT_KEY, ARN_KEY) if context.get(key)}
    return context


@lru_cache(maxsize=1_000)
def _implied_context(caller: Caller) -> Mapping[str, tuple[str, ...]]:
    if caller.type == "Service":
        return {"aws:principalisawsservice": ("true",)}
    no_service = dict.fromkeys(("aws:principalservicename", "aws:principalservicenameslist"), _ABSENT)
    if caller.type == "Anonymous":
        no_service |= dict.fromkeys(("aws:principalorgid", "aws:principalorgpaths"), _ABSENT)
        no_service["aws:principaltype"] = (PRINCIPAL_TYPES["anonymous"],)
    unsigned = dict.fromkeys(("aws:principalarn", "aws:principalisawsservice"), _ABSENT)
    return {**(_identity_context(caller) or unsigned), **no_service}


@lru_cache(maxsize=1_000)
def _identity_context(caller: Caller) -> dict[str, tuple[str, ...]]:
    """Of the root user, a user, a role and its sessions, and a federated user."""
    match = _ARN.fullmatch(caller.name) if caller.type == "AWS" else None
    kind = (match[3] or match[4]) if match else ""
    has_known_kind = match is not None and (match[1], kind) in _KINDS
    if not match or not has_known_kind or not (caller.session is None or _is_session(kind, caller.session)):
        return {}
    return {
        "aws:principalarn": (caller.name,),
        "aws:principalaccount": (match[2],),
        "aws:principaltype": (PRINCIPAL_TYPES[kind],),
        "aws:principalisawsservice": ("false",),
    }


def _is_session(kind: str, text: str) -> bool:
    start = {"role": "", "federated-user": "user/"}.get(kind)
    return start is not None and text.startswith(start) and text != start and ":" not in text
