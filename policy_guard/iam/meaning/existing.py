"""Requests that AWS has: an action of the catalogue on a resource of a kind that it works on."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from policy_guard.documents.globs import glob
from policy_guard.iam import catalog
from policy_guard.iam.policy import Request

ALL = "*"
"""The resource of a request that is about no resource of its own."""
_ACCOUNT = 4
BUCKET = "arn:*:s3:::*"
"""The kind that buckets are of."""


def exists(request: Request) -> bool:
    """Tell whether the catalogue has the action, and the resource is of one of its kinds, or else stands for all."""
    kinds = catalog.resources(request.action)
    if not kinds:
        return kinds is not None and request.resource == ALL
    return any(is_of(kind, request.resource) for kind in kinds)


def is_of(kind: str, resource: str) -> bool:
    """Tell whether the resource is of the kind, with all its parts."""
    parts, patterns = resource.split(":", 5), kind.split(":", 5)
    pairs = zip(parts, patterns, strict=False)
    parts_match = all(_with_name(pattern, at)(part) for at, (part, pattern) in enumerate(pairs))
    return len(parts) == len(patterns) and parts_match and (kind != BUCKET or "/" not in resource)


@lru_cache(maxsize=10_000)
def _with_name(part: str, at: int) -> Callable[[str], bool]:
    """Tell whether a text is this part of an ARN; what belongs to AWS itself has no account."""
    return glob(part if at == _ACCOUNT else part.replace("*", "?*"))
