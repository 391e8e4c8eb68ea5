"""What the texts of condition values stand for: numbers, moments, addresses and bytes."""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING, TypeAlias

from policy_guard.records import NamedTuple

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    Block: TypeAlias = "IPv4Network | IPv6Network"

TOO_EARLY, TOO_LATE = "", "~"
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)
_LONGEST = 100
_EXACT = Context(prec=1000)
_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,50}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


def number(text: str) -> Decimal | None:
    """The number that the text spells; None if it spells none, or has more than 100 characters."""
    return Decimal(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else None


class Moment(NamedTuple):
    """`clock` is year to second in 14 digits and those of the fraction, and sorts like time; `seconds` since 1970."""

    clock: str
    seconds: Decimal


def moment(text: str) -> Moment | None:
    """The moment that the text spells; None if it spells none. Four digits are a year."""
    iso = _ISO.fullmatch(text)
    if iso:
        return _of_calendar(iso)
    return None if number(text) is None else of_seconds(text)


def _of_calendar(iso: re.Match[str]) -> Moment | None:
    from datetime import datetime, timedelta

    fields = [int(field or least) for field, least in zip(iso.groups()[:6], (1, 1, 1, 0, 0, 0), strict=True)]
    try:
        local = datetime(*fields)  # type: ignore[arg-type]
    except ValueError:
        return None
    zone = iso[8] if iso[8] and iso[8] != "Z" else "+00:00"
    if int(zone[1:3]) > 23 or int(zone[4:]) > 59:
        return None
    offset = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[4:]))
    return _moment((local - datetime(1970, 1, 1) - offset) // timedelta(seconds=1), iso[7] or "")


def of_seconds(text: str) -> Moment:
    """The moment of a number, whose fraction counts forward from the second before."""
    integer, _, part = text.partition(".")
    if not integer.startswith("-") or not part.strip("0"):
        return _moment(int(integer), part)
    return _moment(int(integer) - 1, str(10 ** len(part) - int(part)).rjust(len(part), "0"))


def _moment(seconds: int, part: str) -> Moment:
    """The moment so many seconds after 1970 began, and a fraction of a second, of which these are the digits."""
    from datetime import datetime, timedelta

    scaled = seconds * 10 ** len(part) + int(part or 0)
    exact = Decimal(scaled).scaleb(-len(part), _EXACT)
    try:
        clock = f"{datetime(1970, 1, 1) + timedelta(seconds=seconds):%Y%m%d%H%M%S}".rjust(14, "0")
    except OverflowError:
        return Moment(TOO_EARLY if seconds < 0 else TOO_LATE, exact)
    return Moment(clock + part.rstrip("0"), exact)


def in_utc(seconds: Decimal) -> str:
    """The moment so many seconds after 1970 began as it is usually spelled; as a number if no calendar has it."""
    integer = int(seconds.to_integral_value(ROUND_FLOOR))
    clock = _moment(integer, f"{seconds - integer:f}".partition(".")[2]).clock
    if clock in (TOO_EARLY, TOO_LATE):
        return f"{seconds:f}"
    date, time, part = clock[:8], clock[8:14], clock[14:]
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return f"{day}T{time[:2]}:{time[2:4]}:{time[4:]}{'.' * bool(part)}{part}Z"


def block(text: str) -> Block | None:
    """The addresses that the text spells, one or a block; None if it spells none."""
    from ipaddress import ip_network

    if not re.fullmatch(r"[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?", text, re.ASCII):
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def usual_base64(text: str) -> str | None:
    """The text as it is spelled when its bytes are encoded again; None if it is no base64."""
    from base64 import b64decode, b64encode

    try:
        return b64encode(b64decode(text, validate=True)).decode()
    except ValueError:
        return None
