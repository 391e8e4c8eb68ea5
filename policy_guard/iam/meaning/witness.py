"""A witness that a person recognises: the same finding shown by a request that could really be made."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from policy_guard.documents.globs import glob
from policy_guard.iam import catalog
from policy_guard.iam.meaning.existing import ALL, exists, is_of
from policy_guard.iam.meaning.filled_in import ACCOUNT, filled_in
from policy_guard.iam.meaning.matching import resolve
from policy_guard.iam.policy import Request, Statement
from policy_guard.solver.strings.affixes import literal_prefix
from policy_guard.solver.strings.automaton import ANYTHING, Glob, the_symbol
from policy_guard.solver.strings.language import FILLERS, Slot
from policy_guard.solver.strings.pattern import as_text

Holds: TypeAlias = "Callable[[Request], bool]"

REGION = "us-east-1"
_FILLER = FILLERS[0]
_MOST_ACTIONS = 60
# Services whose ARNs name no region, and those that name no account either.
_GLOBAL = ("iam", "sts", "organizations", "cloudfront", "route53", "s3", "artifact", "globalaccelerator", "shield")
_WITHOUT_ACCOUNT = ("s3", "route53")
_MOST_VALUES = 20
_MOST_TRIED = 20
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


def plausible(request: Request, holds: Holds, statement: Statement) -> Request:
    """The request, or one like it for which `holds` is true too, with as little that is odd or idle as can be.

    One that AWS has is looked for first, among those that the statement applies to.
    """
    request = _without_idle_keys(request, holds)
    if not exists(request):
        request = existing_like(request, holds, statement) or request
    is_real = exists(request)
    ways = (_whole_arns, _values) if is_real else (_fitting_requests, _whole_arns, _known_actions, _values)
    for variants in (*ways, *filled_in(statement)):
        likelier = (variant for variant in variants(request) if not is_real or exists(variant))
        request = next(filter(holds, likelier), request)
    return _without_idle_unknowns(request, holds)


def existing_like(request: Request, holds: Holds, statement: Statement) -> Request | None:
    """A request that AWS has and for which `holds` is true, among the likely ones of the statement."""
    return next(filter(holds, islice(_existing_requests(request, statement), _MOST_TRIED)), None)


def _existing_requests(request: Request, statement: Statement) -> Iterator[Request]:
    """Requests that AWS has: with the same action if that can be, or else another one of the statement."""
    patterns = list(dict.fromkeys(_resources(request, statement)))[:_MOST_VALUES]
    for action in dict.fromkeys((request.action, *_likely_actions(request, statement))):
        kinds = catalog.resources(action)
        if kinds == () and ALL in patterns:
            yield request._replace(action=action, resource=ALL)
        for kind in sorted(kinds or (), key=len):
            arns = (arn for pattern in patterns if (arn := common(kind, pattern)))
            yield from (request._replace(action=action, resource=arn) for arn in arns)


def _resources(request: Request, statement: Statement) -> Iterator[str]:
    """The patterns of the statement's resources, those first that the resource matches."""
    element = statement.resource
    if element is None or element.negated:
        yield ALL
        return
    resolved = (resolve(value.pattern, request.context, request.unknowns, wild=True) for value in element.values)
    texts = ["".join(map(as_text, pattern.parts)) for pattern in resolved if pattern]
    yield from sorted(texts, key=lambda text: not glob(text)(request.resource))


def _likely_actions(request: Request, statement: Statement) -> Iterator[str]:
    """Actions that AWS has and the statement may name, the likeliest first."""
    parts = request.resource.split(":", 3)
    services = {request.action.partition(":")[0], *parts[2:3]}
    texts = tuple(value.text.strip() for value in statement.action.values)
    texts = (ALL,) if statement.action.negated else texts
    for service in sorted(services, key=lambda name: not request.action.startswith(f"{name}:")):
        yield from _matching(service, texts)


@lru_cache(maxsize=256)
def _matching(service: str, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The actions of the service that one of the patterns covers."""
    names = [f"{service}:{name}".lower() for name in catalog.actions(service)]
    texts, ordered = {pattern.lower() for pattern in patterns}, sorted(names)
    covers = [glob(text) for text in sorted(texts.difference(names)) if _may_begin(text, ordered)]
    return tuple(sorted((name for name in names if name in texts or any(cover(name) for cover in covers)), key=_rank))


def _may_begin(pattern: str, names: list[str]) -> bool:
    """Tell whether one of the sorted names begins as the pattern does, as far as that is fixed, but not all of it."""
    head = pattern.partition("*")[0].partition("?")[0]
    at = bisect_left(names, head)
    return head != pattern and at < len(names) and names[at].startswith(head)


@lru_cache(maxsize=10_000)
def common(kind: str, pattern: str) -> str | None:
    """An ARN of the kind that the pattern, with `*` and `?`, covers; None if none is found."""
    usual = _usual_arn(kind)
    if glob(pattern)(usual):
        return usual
    kind_parts, pattern_parts = kind.split(":", 5), pattern.split(":", 5)
    if len(pattern_parts) < 6 and pattern_parts[-1].endswith("*"):
        pattern_parts += ["*"] * (6 - len(pattern_parts))
    parts = [_common_part(*pair) for pair in zip(kind_parts, pattern_parts, usual.split(":", 5), strict=False)]
    arn = ":".join(part for part in parts if part is not None)
    return arn if None not in parts and glob(pattern)(arn) and is_of(kind, arn) else None


def _common_part(kind_part: str, pattern_part: str, usual: str) -> str | None:
    """A text that both patterns cover, the usual one if that will do."""
    heads = pattern_part.partition("*")[0]
    rests = kind_part.split("*")
    joined = (f"{heads}{_FILLER}{_FILLER.join(rests[at:])}" for at in range(1, len(rests)))
    fillers = (
        pattern_part.replace("?", "1").replace("*", filler)
        for filler in (_FILLER, "example/example", "example:example")
    )
    return next(
        (text for text in (usual, *fillers, *joined) if glob(kind_part)(text) and glob(pattern_part)(text)), None
    )


@lru_cache(maxsize=10_000)
def _usual_arn(kind: str) -> str:
    """An ARN of the kind, with usual texts for what is filled in."""
    parts = kind.split(":", 5)
    usual = ("arn", "aws", _FILLER, REGION, ACCOUNT)
    fields = [text if part == "*" else part.replace("*", text) for part, text in zip(parts[:5], usual, strict=True)]
    return ":".join([*fields, parts[5].replace("*", _FILLER)])


def _without_idle_keys(request: Request, holds: Holds) -> Request:
    for key in request.context:
        smaller = request._replace(context={name: texts for name, texts in request.context.items() if name != key})
        if holds(smaller):
            request = smaller
    return request


def _without_idle_unknowns(request: Request, holds: Holds) -> Request:
    """Leaves out the texts of unknown parts that may as well be others."""
    for name in request.unknowns:
        variants = ({**request.unknowns, name: text} for text in ("", "other", "1"))
        if all(holds(request._replace(unknowns=unknowns)) for unknowns in variants):
            request = request._replace(unknowns={k: v for k, v in request.unknowns.items() if k != name})
    return request


def arn(action: str) -> str:
    """An ARN such as the action may be asked for on; `*` for an action that is about no resource of its own."""
    kinds = catalog.resources(action)
    if kinds is not None:
        return _usual_arn(min(kinds, key=len)) if kinds else ALL
    service = action.partition(":")[0]
    region = "" if service in _GLOBAL else REGION
    account = "" if service in _WITHOUT_ACCOUNT else ACCOUNT
    return f"arn:aws:{service}:{region}:{account}:{_FILLER}"


def _fitting_requests(request: Request) -> Iterator[Request]:
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
    places = [at for at in odd if not (parts[at] == "" and _is_empty_there(service, at))]
    for chosen in (places, *([at] for at in places)):
        fields = [usual[at] if at in chosen else part for at, part in enumerate(parts)]
        if chosen and _is_empty_there(service, 3) and 3 in chosen:
            yield request._replace(resource=":".join([*fields[:3], "", *fields[4:]]))
        if chosen:
            yield request._replace(resource=":".join(fields))


def _is_empty_there(service: str, at: int) -> bool:
    return (at == 3 and service in _GLOBAL) or (at == 4 and service in _WITHOUT_ACCOUNT)


def _known_actions(request: Request) -> Iterator[Request]:
    """With an action that AWS has today."""
    service = request.action.partition(":")[0]
    if request.action not in (actions := _actions(service)):
        yield from (request._replace(action=action) for action in actions)


def _values(request: Request) -> Iterator[Request]:
    """With values such as the keys have: all of them, or else one."""
    made_up = {key: usual for key, texts in request.context.items() if (usual := _usual_value(key, texts))}
    typed = ({key: value} for key in request.context for value in _frequent_values(key))
    for chosen in (made_up, *({key: value} for key, value in made_up.items()), *typed):
        if chosen:
            context = {key: (chosen[key],) if key in chosen else texts for key, texts in request.context.items()}
            yield request._replace(context=context)


def _frequent_values(key: str) -> tuple[str, ...]:
    """Values that a key of this type often has."""
    key_type = catalog.key_type(key)
    return _OFTEN.get(key_type.type, ()) if key_type else ()


def _usual_value(key: str, texts: Iterable[str]) -> str | None:
    """The value that one expects of the key, if what is there was made up."""
    if list(texts) not in ([_FILLER], [""]):
        return None
    key_type = catalog.key_type(key)
    return _BY_KEY.get(key) or (ACCOUNT if key.endswith("account") else _BY_TYPE.get(key_type.type if key_type else ""))


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
        text = "".join(symbol if isinstance(symbol := the_symbol(step), str) else "*" for step in pattern)
        account = re.search(r"::(\d{12}):", text)
        yield f"AWS arn:aws:iam::{account[1] if account else '111122223333'}:user/example"
