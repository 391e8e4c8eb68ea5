"""Requests that AWS has: an action of the catalogue on a resource of a kind that it works on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from string import ascii_uppercase
from typing import TypeAlias

from policy_guard.documents.globs import glob
from policy_guard.iam import catalog
from policy_guard.iam.meaning.matching import matches
from policy_guard.iam.policy import Request
from policy_guard.solver.formula import Formula, conjunction, disjunction, member, negation
from policy_guard.solver.strings.automaton import Step
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import STAR, Pattern, Wildcard, in_arn_parts, plain_pattern

Kinds: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""Actions in lower case, each with the ARNs of the kinds of resources that it works on, `*` for what is filled in."""

ALL = "*"
"""The resource of a request that is about no resource of its own."""
_ACCOUNT = 4
BUCKET = "arn:*:s3:::*"
"""The kind that buckets are of."""
# S3 User Guide, bucketnamingrules: there is no slash in the name of a bucket. Other names may hold anything here.
_NAME = Pattern(("arn:", STAR, ":s3:::", Wildcard("*", before_slash=True)))
# Case does not matter in actions, so that nothing is lost where only one spelling of each is asked about.
_LOWER = Language([(Step(frozenset(ascii_uppercase), outside=True, loop=True),)])


def exists(request: Request) -> bool:
    """Tell whether the catalogue has the action, and the resource is of one of its kinds, or else stands for all."""
    kinds = catalog.resources(request.action)
    if not kinds:
        return kinds is not None and request.resource == ALL
    return any(is_of(kind, request.resource) for kind in kinds)


def is_of(kind: str, resource: str) -> bool:
    """Tell whether the resource is of the kind, with all its parts."""
    parts, needed = resource.split(":", 5), kind.split(":", 5)
    pairs = zip(parts, needed, strict=False)
    named = all(_with_name(theirs, at)(ours) for at, (ours, theirs) in enumerate(pairs))
    return len(parts) == len(needed) and named and (kind != BUCKET or "/" not in resource)


@lru_cache(maxsize=10_000)
def _with_name(part: str, at: int) -> Callable[[str], bool]:
    """Tell whether a text is this part of an ARN; what belongs to AWS itself has no account."""
    return glob(part if at == _ACCOUNT else part.replace("*", "?*"))


def kinds(patterns: Iterable[str]) -> Kinds:
    """The actions covered by the patterns that work on resources of some kind."""
    names = (name.lower() for pattern in patterns for name in catalog.matching(pattern))
    return {name: arns for name in names if (arns := catalog.resources(name))}


def of_kinds(given: Kinds) -> Formula:
    """The requests with one of these actions on a resource of its kinds."""
    actions: dict[tuple[str, ...], list[str]] = {}
    for action, arns in given.items():
        actions.setdefault(arns, []).append(action)
    return disjunction(
        conjunction([member("action", Language(texts=names)), member("resource", language(map(_pattern, arns)))])
        for arns, names in actions.items()
    )


def beside_kinds(given: Kinds) -> Formula:
    """The requests with another action, of which the kinds are not known, or on all resources."""
    others = negation(member("action", Language(texts=given)))
    return conjunction([member("action", _LOWER), disjunction([others, member("resource", Language(texts=[ALL]))])])


def is_of_kinds(given: Kinds, request: Request) -> bool:
    """Tell whether the request is in `of_kinds`."""
    return any(matches(_pattern(arn), request.resource) for arn in given.get(request.action, ()))


def is_beside_kinds(given: Kinds, request: Request) -> bool:
    """Tell whether the request is in `beside_kinds`."""
    return request.action.islower() and (request.action not in given or request.resource == ALL)


@lru_cache(maxsize=10_000)
def _pattern(arn: str) -> Pattern:
    return in_arn_parts(_NAME if arn == BUCKET else plain_pattern(arn))
