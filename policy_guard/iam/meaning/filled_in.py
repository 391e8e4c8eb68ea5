"""Requests in which the parts that were made up look as AWS makes them: accounts, regions, ARNs, services, callers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from policy_guard.iam import catalog
from policy_guard.iam.policy import Caller, Request, Statement
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import Unknown, visible_name

ACCOUNT = "123456789012"
CALLERS_ACCOUNT = "111122223333"
_SERVICE = "ec2.amazonaws.com"
_MOST_TRIED = 8
_TWELVE_DIGITS = re.compile(r"\d{12}")
# What the name of an unknown part ends with, without regard to case, and a text such as that part becomes.
_USUAL = (
    (re.compile(r"account_?(?:id)?\}?$", re.I), ACCOUNT),
    (re.compile(r"region(?:\.(?:name|id|region))?\}?$", re.I), "us-east-1"),
    (re.compile(r"partition\}?$", re.I), "aws"),
)
_ARN = re.compile(r"[._]?arn\}?$", re.I)
_GITHUB = "token.actions.githubusercontent.com"


class _Field(NamedTuple):
    """The places of an ARN between its colons."""

    partition: int = 1
    region: int = 3
    account: int = 4


_AT = _Field()


def filled_in(statement: Statement) -> tuple[Callable[[Request], Iterator[Request]], ...]:
    """Return the ways to make a request of the statement likelier; each gives variants, the likeliest first."""

    def arns(request: Request) -> Iterator[Request]:
        return _with_arns(request, statement)

    def accounts(request: Request) -> Iterator[Request]:
        return _of_one_account(request) if statement.resource or _is_federated(request) else iter(())

    return _with_usual_parts, arns, _with_caller, _in_usual_partition, accounts, _with_subject


def _with_usual_parts(request: Request) -> Iterator[Request]:
    """With texts for the account, the region and the partition of a template as AWS has them."""
    usual = {
        name: text
        for name in request.unknowns
        for ending, text in _USUAL
        if ending.search(visible_name(name)) and request.unknowns[name] != text
    }
    if usual:
        texts = {request.unknowns[name]: text for name, text in usual.items() if request.unknowns[name]}
        yield request._replace(
            resource=_exchange(request.resource, texts),
            principal=request.principal and request.principal._replace(name=_exchange(request.principal.name, texts)),
            context={
                key: tuple(_exchange(value, texts) for value in values) for key, values in request.context.items()
            },
            unknowns={**request.unknowns, **usual},
        )


def _exchange(text: str, texts: dict[str, str]) -> str:
    """The text with the parts between its colons exchanged."""
    return ":".join(texts.get(part, part) for part in text.split(":"))


def _with_arns(request: Request, statement: Statement) -> Iterator[Request]:
    """With an ARN for a part of which the name says that it is one."""
    unknown_arns = [name for name in request.unknowns if _ARN.search(visible_name(name))]
    values = statement.resource.values if statement.resource and not statement.resource.negated else ()
    kinds = sorted(catalog.resources(request.action) or (), key=len)[:_MOST_TRIED]
    resources = [*map(_usual_arn, kinds), request.resource]
    for value in values:
        first, *rest = value.pattern.parts or ("",)
        if not isinstance(first, Unknown) or first.name not in unknown_arns or len(rest) > 2:
            continue
        ending = "".join("example" if not isinstance(part, str) else part for part in rest)
        for resource in resources:
            if resource.startswith("arn:") and resource.endswith(ending):
                text = resource[: len(resource) - len(ending)]
                yield request._replace(resource=resource, unknowns={**request.unknowns, first.name: text})


def _usual_arn(kind: str) -> str:
    parts = kind.split(":", 5)
    usual = ("arn", "aws", "example", "us-east-1", ACCOUNT)
    fields = [text if part == "*" else part for part, text in zip(parts[:5], usual, strict=True)]
    return ":".join([*fields, parts[5].replace("*", "example")])


def _with_caller(request: Request) -> Iterator[Request]:
    """With an account of twelve digits, or a service by a name such as services have."""
    caller = request.principal
    if caller is None:
        return
    if caller.type == "Service" and "." not in caller.name:
        yield request._replace(principal=caller._replace(name=_SERVICE))
    parts = caller.name.split(":", 5)
    if caller.type == "AWS" and len(parts) == 6 and not _TWELVE_DIGITS.fullmatch(parts[_AT.account]):
        account = {_AT.account: CALLERS_ACCOUNT}
        if parts[5] == "root":
            user = ":".join((*_put(parts, account)[:5], "user/example"))
            yield request._replace(principal=Caller("AWS", user))
        yield request._replace(principal=caller._replace(name=":".join(_put(parts, account))))


def _put(parts: list[str], texts: dict[int, str]) -> list[str]:
    return [texts.get(at, part) for at, part in enumerate(parts)]


def _in_usual_partition(request: Request) -> Iterator[Request]:
    parts = request.resource.split(":", 5)
    if len(parts) == 6 and parts[_AT.partition].startswith("aws-"):
        yield request._replace(resource=":".join(_put(parts, {_AT.partition: "aws"})))


def _is_federated(request: Request) -> bool:
    return request.principal is not None and request.principal.type == "Federated"


def _of_one_account(request: Request) -> Iterator[Request]:
    """With a resource in the account of the caller, if its own account was made up."""
    parts = request.resource.split(":", 5)
    caller_parts = request.principal.name.split(":", 5) if request.principal else []
    account = caller_parts[_AT.account] if len(caller_parts) == 6 else ""
    if len(parts) == 6 and parts[_AT.account] == ACCOUNT and _TWELVE_DIGITS.fullmatch(account):
        yield request._replace(resource=":".join(_put(parts, {_AT.account: account})))


def _with_subject(request: Request) -> Iterator[Request]:
    """With the subject that a token of GitHub always has."""
    key = f"{_GITHUB}:sub"
    if request.principal and request.principal.name.endswith(f"oidc-provider/{_GITHUB}") and key not in request.context:
        context = {**request.context, key: ("repo:example/example:ref:refs/heads/main",)}
        yield request._replace(context=context)
