"""A witness that a person recognises: the same finding shown by a request that could really be made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from policy_guard.iam import catalog
from policy_guard.iam.policy import Request
from policy_guard.solver.strings.affixes import literal_prefix
from policy_guard.solver.strings.automaton import ANYTHING, Glob, the_symbol
from policy_guard.solver.strings.language import FILLERS, Slot

Holds: TypeAlias = "Callable[[Request], bool]"

ACCOUNT = "123456789012"
REGION = "us-east-1"
_FILLER = FILLERS[0]
_MOST_ACTIONS = 60
# Services whose ARNs name no region, and those that name no account either.
_GLOBAL = ("iam", "sts", "organizations", "cloudfront", "route53", "s3", "artifact", "globalaccelerator", "shield")
_WITHOUT_ACCOUNT = ("s3", "route53")
_RESOURCES = {
    "s3": {"object": "example/example"},
    "iam": {"role": "role/example", "user": "user/example", "group": "group/example", "policy": "policy/example"},
    "sts": {"role": "role/example"},
}
_TELLING = ("delete", "put", "create", "get", "list", "describe")
_BY_KEY = {
    "aws:sourceip": "203.0.113.7",
    "aws:vpcsourceip": "10.0.0.7",
    "aws:requestedregion": "eu-west-1",
    "aws:sourcevpc": "vpc-0123456789abcdef0",
    "aws:sourcevpce": "vpce-0123456789abcdef0",
    "aws:principalorgid": "o-a1b2c3d4e5",
    "aws:resourceorgid": "o-a1b2c3d4e5",
    "aws:sourceorgid": "o-a1b2c3d4e5",
}
_BY_TYPE = {"IPAddress": "203.0.113.7", "Date": "2026-01-01T00:00:00Z", "Numeric": "1"}
_BY_TYPE |= {"ARN": f"arn:aws:iam::{ACCOUNT}:role/example", "Bool": "true"}

_OFTEN = {
    "Numeric": ("1", "10", "100", "3600", "86400"),
    "Date": ("2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
    "Bool": ("true", "false"),
    "IPAddress": ("203.0.113.7", "10.0.0.7"),
}


def plausible(request: Request, holds: Holds) -> Request:
    """The request, or one like it for which `holds` is true too, with as little that is odd or idle as can be."""
    request = _without_idle_keys(request, holds)
    for variants in (_fitting, _whole_arns, _known_actions, _of_objects, _values):
        request = next(filter(holds, variants(request)), request)
    return _without_idle_unknowns(request, holds)


def _without_idle_keys(request: Request, holds: Holds) -> Request:
    for key in request.context:
        fewer = request._replace(context={each: texts for each, texts in request.context.items() if each != key})
        if holds(fewer):
            request = fewer
    return request


def _without_idle_unknowns(request: Request, holds: Holds) -> Request:
    """Leaves out the texts of unknown parts that may as well be others."""
    for name in request.unknowns:
        others = ({**request.unknowns, name: text} for text in ("", "other", "1"))
        if all(holds(request._replace(unknowns=each)) for each in others):
            request = request._replace(unknowns={k: v for k, v in request.unknowns.items() if k != name})
    return request


def arn(action: str) -> str:
    """An ARN such as the action, in lower case, may be asked for on."""
    service, _, name = action.partition(":")
    region = "" if service in _GLOBAL else REGION
    account = "" if service in _WITHOUT_ACCOUNT else ACCOUNT
    types = _RESOURCES.get(service, {})
    resource = next((resource for word, resource in types.items() if word in name), "example")
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def _fitting(request: Request) -> Iterator[Request]:
    """With an action of the service that the resource belongs to, or a resource of the action's service."""
    service = request.action.partition(":")[0]
    parts = request.resource.split(":", 5)
    if len(parts) == 6 and parts[2] == service:
        return
    yield request._replace(resource=arn(request.action))
    if len(parts) == 6:
        yield from (request._replace(action=action) for action in _actions(parts[2]))
    if len(parts) > 2:
        resource = ":".join([*parts[:2], service, *parts[3:]])
        yield request._replace(resource=resource)


@lru_cache(maxsize=64)
def _actions(service: str) -> tuple[str, ...]:
    names = [f"{service}:{name}".lower() for name in catalog.actions(service)]
    return tuple(sorted(names, key=_rank)[:_MOST_ACTIONS])


def _rank(action: str) -> int:
    name = action.partition(":")[2]
    return next((rank for rank, start in enumerate(_TELLING) if name.startswith(start)), len(_TELLING))


def _whole_arns(request: Request) -> Iterator[Request]:
    """With every part of the ARN as such parts are."""
    parts = request.resource.split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:
        yield request._replace(resource=arn(request.action))
        return
    usual = ["arn", "aws", request.action.partition(":")[0], REGION, ACCOUNT, "example"]
    odd = [at for at, part in enumerate(parts) if part in ("", _FILLER) or (at == 5 and part.strip("/") == "")]
    service = parts[2]
    kept = [at for at in odd if not (parts[at] == "" and _is_empty_there(service, at))]
    for chosen in (kept, *([at] for at in kept)):
        filled = [usual[at] if at in chosen else part for at, part in enumerate(parts)]
        if chosen and _is_empty_there(service, 3) and 3 in chosen:
            yield request._replace(resource=":".join([*filled[:3], "", *filled[4:]]))
        if chosen:
            yield request._replace(resource=":".join(filled))


def _is_empty_there(service: str, at: int) -> bool:
    return (at == 3 and service in _GLOBAL) or (at == 4 and service in _WITHOUT_ACCOUNT)


def _known_actions(request: Request) -> Iterator[Request]:
    """With an action that AWS has today."""
    service = request.action.partition(":")[0]
    if request.action not in (known := _actions(service)):
        yield from (request._replace(action=action) for action in known)


def _of_objects(request: Request) -> Iterator[Request]:
    """With an action on objects where the resource is one: S3 has many that are not."""
    on_objects = tuple(f"s3:{verb}object" for verb in _TELLING)
    if "/" in request.resource and request.action.startswith("s3:") and not request.action.startswith(on_objects):
        actions = (f"s3:{name}".lower() for name in catalog.actions("s3"))
        yield from (request._replace(action=each) for each in sorted(actions, key=_rank) if each.startswith(on_objects))


def _values(request: Request) -> Iterator[Request]:
    """With values such as the keys have: all of them, or else one."""
    made_up = {key: usual for key, texts in request.context.items() if (usual := _usual(key, texts))}
    typed = ({key: value} for key in request.context for value in _of_type(key))
    for chosen in (made_up, *({key: value} for key, value in made_up.items()), *typed):
        if chosen:
            context = {key: (chosen[key],) if key in chosen else texts for key, texts in request.context.items()}
            yield request._replace(context=context)


def _of_type(key: str) -> tuple[str, ...]:
    """Values that a key of this type often has."""
    known = catalog.key_type(key)
    return _OFTEN.get(known.type, ()) if known else ()


def _usual(key: str, texts: Iterable[str]) -> str | None:
    """The value that one expects of the key, if what is there was made up."""
    if list(texts) not in ([_FILLER], [""]):
        return None
    known = catalog.key_type(key)
    return _BY_KEY.get(key) or (ACCOUNT if key.endswith("account") else _BY_TYPE.get(known.type if known else ""))


def likely(place: str | Slot, pattern: Glob, texts: Mapping[str | Slot, str]) -> Iterable[str]:
    """Texts that a person recognises, to be tried before made-up ones."""
    if place == "action":
        service, colon, _ = literal_prefix(pattern).partition(":")
        names = catalog.actions(service) if colon else ()
        yield from (f"{service}:{name}".lower() for name in names)
        if not colon:
            yield from ("s3:deletebucket", "iam:createuser", "ec2:runinstances")
    elif place == "resource" and pattern[-1] == ANYTHING and not literal_prefix(pattern):
        yield arn(texts.get("action", "s3:"))
    elif place == "principal":
        spelled = "".join(symbol if isinstance(symbol := the_symbol(step), str) else "*" for step in pattern)
        account = re.search(r"::(\d{12}):", spelled)
        yield f"AWS arn:aws:iam::{account[1] if account else '111122223333'}:user/example"
