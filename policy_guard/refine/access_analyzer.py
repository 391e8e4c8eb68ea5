"""Access Analyzer's findings about unused access, as its commands print them, as input."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timezone
from typing import Any

from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Source, Span
from policy_guard.records import NamedTuple
from policy_guard.refine.unused_actions import Use

TYPE = "UnusedPermission"
_SERVICE = re.compile(r"[A-Za-z0-9-]+")
_ACTION = re.compile(r"[A-Za-z0-9_-]+")
_BLANKS = re.compile(r"[ \t\r\n]*")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
NEVER = datetime.min.replace(tzinfo=timezone.utc)
_SHAPES = (
    "a finding of get-finding-v2, several of them, list-findings-v2 with findingDetails, or a list of serviceNamespace "
    "and actions"
)


class UnusedPermission(NamedTuple):
    """One finding, or what one file says in the short form: then `resource` and `id` are empty.

    `resource` is the ARN of the principal, `analyzed` the day of the analysis (UTC), `uses` what it does not use. With
    `partial` more pages belong to it that are not in the file; `error` says why the analysis failed.
    """

    id: str
    resource: str
    type: str
    status: str
    analyzed: date | None
    updated: datetime
    uses: tuple[Use, ...]
    partial: bool
    path: str
    error: str = ""

    @property
    def name(self) -> str:
        """The name of the principal, without account and path."""
        return self.resource.rpartition("/")[2]


def read_findings(source: Source) -> tuple[UnusedPermission, ...]:
    """The findings in a file. Raises `SetupError` with file, line and remedy.

    Source: IAM Access Analyzer API Reference, GetFindingV2, ListFindingsV2, UnusedPermissionDetails.
    """
    permissions: list[UnusedPermission] = []
    short_uses: list[Use] = []
    for value, start in _values(source):
        reader = _Reader(source, start)
        for item in reader.flat(value):
            if "serviceNamespace" in item:
                short_uses += reader.service(item)
            elif "findingType" in item or "findingDetails" in item:
                permissions.append(reader.finding(item))
            else:
                raise reader.wrong(f"this is not a finding; expected {_SHAPES}")
    if short_uses:
        permissions.append(
            UnusedPermission(
                id="",
                resource="",
                type=TYPE,
                status="ACTIVE",
                analyzed=None,
                updated=NEVER,
                uses=tuple(short_uses),
                partial=False,
                path=source.path,
            )
        )
    return tuple(permissions)


def latest(findings: Iterable[UnusedPermission]) -> tuple[UnusedPermission, ...]:
    """Each finding once, as of its last update, its pages put together. Of two states at once none is active."""
    by_id: dict[tuple[str, str], UnusedPermission] = {}
    for number, permission in enumerate(findings):
        key = permission.id or f"#{number}", permission.resource
        previous = by_id.get(key)
        if previous is None or previous.updated < permission.updated:
            by_id[key] = permission
        elif previous.updated == permission.updated and previous.status == permission.status:
            uses = tuple(dict.fromkeys([*previous.uses, *permission.uses]))
            by_id[key] = previous._replace(uses=uses, partial=previous.partial and permission.partial)
        elif previous.updated == permission.updated and permission.status != "ACTIVE":
            by_id[key] = permission
    return tuple(by_id.values())


def _values(source: Source) -> Iterator[tuple[Any, int]]:
    """The JSON values in a text, one after the other as in JSON lines, each with the offset at which it begins."""
    decoder = json.JSONDecoder()
    at = _next(source.text, 0)
    if at == len(source.text):
        raise SetupError(f"the file is empty; expected {_SHAPES}", source)
    while at < len(source.text):
        try:
            value, end = decoder.raw_decode(source.text, at)
        except json.JSONDecodeError as error:
            raise SetupError(
                f"this is not JSON (aws --output json): {error.msg}", source, Span(error.pos, error.pos)
            ) from None
        except (RecursionError, ValueError):
            raise SetupError("this JSON cannot be read", source) from None
        yield value, at
        at = _next(source.text, end)


def _next(text: str, at: int) -> int:
    return _BLANKS.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too


class _Reader(NamedTuple):
    """Takes one JSON value apart; its errors name the place where the value begins."""

    source: Source
    start: int

    def wrong(self, message: str) -> SetupError:
        return SetupError(message, self.source, Span(self.start, self.start))

    def flat(self, value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict) and "findings" in value:
            value = value["findings"]
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                raise self.wrong(f"this is not a finding; expected {_SHAPES}")
            yield item

    def finding(self, item: dict[str, Any]) -> UnusedPermission:
        details = item.get("findingDetails", [])
        if not isinstance(details, list):
            raise self.wrong("findingDetails: expected a list")
        kinds = [each["unusedPermissionDetails"] for each in details if _has(each, "unusedPermissionDetails")]
        type_ = self.text(item, "findingType") if "findingType" in item else TYPE if kinds else "another"
        analyzed = self.instant(item, "analyzedAt")
        return UnusedPermission(
            id=self.text(item, "id") if "id" in item else "",
            resource=self.text(item, "resource") if type_ == TYPE or "resource" in item else "",
            type=type_,
            status=self.text(item, "status") if "status" in item else "ACTIVE",
            analyzed=analyzed.date() if analyzed else None,
            updated=self.instant(item, "updatedAt") or analyzed or NEVER,
            uses=tuple(use for each in kinds for use in self.service(each)),
            partial=bool(item.get("nextToken")),
            path=self.source.path,
            error=self.text(item, "error") if item.get("error") else "",
        )

    def service(self, details: Any) -> Iterator[Use]:
        """Return what is unused of one service: all of it where no actions are listed."""
        if not isinstance(details, dict):
            raise self.wrong("unusedPermissionDetails: expected an object")
        service = self.text(details, "serviceNamespace")
        if not _SERVICE.fullmatch(service):
            raise self.wrong(f"serviceNamespace: {json.dumps(service)[:80]} is not a service prefix, such as s3")
        if unknown_keys := sorted(set(details) - {"serviceNamespace", "lastAccessed", "actions"}):
            raise self.wrong(
                f'{json.dumps(unknown_keys[0])[:60]} is not part of a finding; expected "actions", or nothing for all'
            )
        if "actions" not in details:
            yield Use(service, "", self.last(details))
            return
        if not isinstance(details["actions"], list):
            raise self.wrong("actions: expected a list")
        for action in details["actions"]:
            yield self.action(service, action)

    def action(self, service: str, item: Any) -> Use:
        entry = {"action": item} if isinstance(item, str) else item
        if not isinstance(entry, dict):
            raise self.wrong("actions: expected names, or objects with action")
        action = self.text(entry, "action")
        prefix, _, name = action.rpartition(":")
        if not _ACTION.fullmatch(name) or prefix.lower() not in ("", service.lower()):
            raise self.wrong(f"action: {json.dumps(action)[:80]} is not an action of {service}, such as GetThing")
        return Use(service, name, self.last(entry))

    def last(self, item: dict[str, Any]) -> str | None:
        instant = self.instant(item, "lastAccessed")
        return instant.date().isoformat() if instant else None

    def instant(self, item: dict[str, Any], key: str) -> datetime | None:
        value = item.get(key)
        if value is None:
            return None
        try:
            if isinstance(value, int | float):
                return datetime.fromtimestamp(value, timezone.utc)
            return _instant(self.text(item, key))
        except (ValueError, OverflowError, OSError):
            raise self.wrong(f"{key}: expected a time such as 2026-03-01T12:00:00Z") from None

    def text(self, item: dict[str, Any], key: str) -> str:
        value = item.get(key)
        if not isinstance(value, str) or not value.isprintable():
            raise self.wrong(f"{key}: expected a text")
        return value


def _has(item: Any, key: str) -> bool:
    return isinstance(item, dict) and key in item


def _instant(text: str) -> datetime:
    """The time that ISO 8601 spells, in UTC where it names no zone. Raises `ValueError`."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, time, fraction, zone = match.groups()
    iso_text = f"{day}T{time or '00:00:00'}.{(fraction or '')[:6]:0<6}"
    hours = "+00:00" if zone in (None, "Z") else f"{zone[:3]}:{zone[-2:]}"
    return datetime.fromisoformat(iso_text + hours).astimezone(timezone.utc)
