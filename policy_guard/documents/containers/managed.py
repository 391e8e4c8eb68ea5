"""AWS managed policies, which stand in no repository: an attached one is its document, if AWS has one of that ARN.

`managed_policies.txt` has them as of a day, with their versions; `scripts/build_managed_policies.py` renews it. AWS may
change a policy at any time: IAM User Guide, access_policies_managed-vs-inline, "AWS managed policies".
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from typing import Any

from policy_guard.documents.containers.holes import Parts
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span
from policy_guard.records import NamedTuple

_DATA = os.path.join(os.path.dirname(__file__), "managed_policies.txt")
_ACCOUNT = ":iam::aws:policy"
# How much of a name, from 0 to 1, has to be that of another one for a suggestion.
_ALIKE = 0.85


class Managed(NamedTuple):
    """A managed policy of AWS: its ARN, its version ("v3"), the day of that version, and its document in JSON."""

    arn: str
    version: str
    day: str
    document: str


def managed(arn: str) -> Managed | None:
    """Return the managed policy of AWS that has this ARN, in the partition `aws`; None if none is known."""
    start, _, name = arn.partition(_ACCOUNT)
    if start != "arn:aws" or not name.startswith("/") or " " in name or not name.isascii() or not name.isprintable():
        return None
    data = _data()
    at = data.find(f"\n{name} ".encode())
    if at < 0:
        return None
    _, version, day, document = data[at + 1 : data.index(b"\n", at + 1)].decode().split(" ", 3)
    return Managed(arn, version, day, document)


def nearest(arn: str) -> str | None:
    """The ARN of a managed policy of AWS that is spelled most like this one, whatever path stands before its name."""
    from difflib import get_close_matches

    by_name = {known.rpartition("/")[2].lower(): known for known in arns()}
    return next((by_name[name] for name in get_close_matches(arn.rpartition("/")[2].lower(), by_name, 1, _ALIKE)), None)


def path_of(name: str) -> str:
    """Return the end of the ARN of the only managed policy of AWS that has this name; empty if there is none."""
    if not name or not name.isascii() or not name.isprintable() or "/" in name or " " in name:
        return ""
    paths = {match[1].decode() for match in re.finditer(rb"\n(/(?:[\w.-]+/)*%s) " % re.escape(name.encode()), _data())}
    return f"{_ACCOUNT}{paths.pop()}" if len(paths) == 1 else ""


def arns() -> tuple[str, ...]:
    """Return the ARNs of all managed policies of AWS that are known."""
    lines = _data().decode().splitlines()[1:]
    return tuple(f"arn:aws{_ACCOUNT}{line.partition(' ')[0]}" for line in lines)


@cache
def _data() -> bytes:
    with open(_DATA, "rb") as file:
        return file.read()


def statements(arn: Parts, span: Span) -> tuple[Object, ...]:
    """Return what a policy with this ARN says, as if it were written at `span`; nothing if it is not one of AWS's.

    Whatever partition a hole stands for, the policy of that name is taken for the one of the partition `aws`.
    """
    text = arn[0] if len(arn) == 1 else f"arn:aws{arn[2]}" if len(arn) == 3 and _has_partition(arn) else ""
    policy = managed(text) if isinstance(text, str) else None
    if policy is None:
        return ()
    data = json.loads(policy.document)["Statement"]
    return tuple(_statement(each, span) for each in (data if isinstance(data, list) else [data]))


def _has_partition(arn: Parts) -> bool:
    start, partition, end = arn
    return start == "arn:" and isinstance(partition, Hole) and isinstance(end, str) and end.startswith(_ACCOUNT)


def _statement(statement: dict[str, Any], span: Span) -> Object:
    """A statement without its Sid: two policies of one principal may have the same."""
    entries = (Entry(Scalar(key, span), _node(value, span)) for key, value in statement.items() if key != "Sid")
    return Object(tuple(entries), span)


def _node(value: Any, span: Span) -> Node:
    if isinstance(value, list):
        return Array(tuple(_node(each, span) for each in value), span)
    if isinstance(value, dict):
        return Object(tuple(Entry(Scalar(key, span), _node(each, span)) for key, each in value.items()), span)
    text = value if isinstance(value, str) else json.dumps(value)
    kind = "string" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"
    return Scalar(text, span, kind, parts=(text,))
