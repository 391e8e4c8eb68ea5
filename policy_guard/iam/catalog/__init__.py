"""What AWS has: the actions of every service, and the types of the condition keys.

`actions.txt` has a line a service, its name and then its actions; `details.txt` in the same order what each action
does (`R`ead, `L`ist, `W`rite, `T`agging, `P`ermissions management) and on which kinds of resources, by their numbers
in `resources.txt`; `keys.txt` a line a key, its name in lower case with `*` for what a request fills in, and then its
type; `source.txt` names where all are from, `LICENSE.txt` holds the terms. `scripts/build_catalog.py` writes them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from policy_guard.documents.globs import glob
from policy_guard.records import NamedTuple

_FOLDER = os.path.dirname(__file__)


class KeyType(NamedTuple):
    """The type of a condition key ("String", "Bool", "Date", ...), and whether a request may hold several values."""

    type: str
    multivalued: bool


class Action(NamedTuple):
    """An action with its prefix, its access levels and the ARNs of what it works on, `*` for what is filled in."""

    name: str
    levels: tuple[str, ...]
    resources: tuple[str, ...]


_LEVELS = {"L": "List", "P": "Permissions management", "R": "Read", "T": "Tagging", "W": "Write"}


_ALIKE = 0.85
# IAM User Guide, reference_policies_iam-condition-keys, "Available keys for AWS OIDC federation".
_OF_EVERY_PROVIDER = ("amr", "aud", "azp", "oaud", "sub")
"""How alike a name and one of AWS must be, of 1, for the one to be meant by the other."""


@cache
def _lines(name: str) -> dict[str, str]:
    with open(os.path.join(_FOLDER, name), encoding="ascii") as file:
        return {head: rest for head, _, rest in (line.rstrip("\n").partition(" ") for line in file)}


def source() -> str:
    """Return where the data is from, with its date."""
    with open(os.path.join(_FOLDER, "source.txt"), encoding="ascii") as file:
        return file.read().strip()


def services() -> tuple[str, ...]:
    """The prefixes of all services."""
    return tuple(_lines("actions.txt"))


@cache
def actions(service: str) -> tuple[str, ...]:
    """The actions of a service as AWS spells them, without the prefix; none for a service that AWS does not have."""
    return tuple(_lines("actions.txt").get(service.lower(), "").split())


def matching(pattern: str) -> tuple[str, ...]:
    """Every action that a pattern such as `s3:Get*` or `*` covers today, with its prefix."""
    return tuple(_matching(pattern))


def exists(pattern: str) -> bool:
    """Tell whether a pattern covers any action today."""
    return next(_matching(pattern), None) is not None


def looked_at(pattern: str) -> int:
    """Return the most actions held against a pattern: those of its service, or all if that has a wildcard."""
    prefix = pattern.partition(":")[0]
    return len(actions(prefix)) if "*" not in prefix and "?" not in prefix else _number()


@cache
def _number() -> int:
    return sum(len(actions(service)) for service in services())


def _matching(pattern: str) -> Iterator[str]:
    prefix, colon, name = pattern.partition(":")
    prefix, name = (prefix, name) if colon else ("*", "*") if pattern == "*" else (pattern, "")
    for service in _matching_services(prefix):
        yield from (f"{service}:{action}" for action in _covered_actions(service, name.lower()))


def _covered_actions(service: str, name: str) -> Iterator[str]:
    if "*" in name or "?" in name:
        covers = glob(name)
        return (action for action in actions(service) if covers(action.lower()))
    spellings = _spellings(service)
    return iter([spellings[name]] if name in spellings else [])


@cache
def _spellings(service: str) -> Mapping[str, str]:
    """The actions of a service by their names in lower case."""
    return {name.lower(): name for name in actions(service)}


def described(action: str) -> Action:
    """Return what AWS says of one of its actions, given as `matching` gives it."""
    service, _, name = action.partition(":")
    detail = _lines("details.txt")[service].split()[actions(service).index(name)]
    levels = detail.rstrip("0123456789,")
    return Action(action, tuple(map(_LEVELS.__getitem__, levels)), _resources(service)[name.lower()])


def resources(action: str) -> tuple[str, ...] | None:
    """The ARNs of what an action, in any case, works on, `*` for what is filled in.

    There are none for an action that AWS only allows on all resources. None: AWS does not have the action.
    """
    service, _, name = action.lower().partition(":")
    return _resources(service).get(name)


@cache
def _resources(service: str) -> Mapping[str, tuple[str, ...]]:
    """The ARNs for each action of a service, by its name in lower case."""
    kinds = [kind.partition("=")[2].split(",") for kind in _lines("resources.txt").get(service, "").split()]
    details = _lines("details.txt").get(service, "").split()
    numbers = ([int(number) for number in re.findall(r"[0-9]+", detail)] for detail in details)
    arns = (tuple(arn for number in each for arn in kinds[number]) for each in numbers)
    return dict(zip((name.lower() for name in actions(service)), arns, strict=True))


def _matching_services(prefix: str) -> Iterable[str]:
    if "*" not in prefix and "?" not in prefix:
        return (prefix.lower(),)
    covers = glob(prefix.lower())
    return (service for service in services() if covers(service))


def nearest(action: str) -> str | None:
    """The action of AWS that is spelled most like this one."""
    from difflib import get_close_matches

    prefix, _, name = action.partition(":")
    if not actions(prefix):
        prefix = next(iter(get_close_matches(prefix.lower(), services(), 1)), "")
    by_case = {each.lower(): each for each in actions(prefix)}
    close = get_close_matches(name.lower(), by_case, 1)
    return f"{prefix}:{by_case[close[0]]}" if close else None


def nearest_key(key: str) -> str | None:
    """The condition key of AWS that is spelled most like this one, in lower case."""
    from difflib import get_close_matches

    prefix = key.lower().partition(":")[0]
    keys = [name for name in _lines("keys.txt") if name.startswith(f"{prefix}:") and "*" not in name]
    return next(iter(get_close_matches(key.lower(), keys, 1, _ALIKE)), None)


def nearest_claim(key: str) -> str | None:
    """The key for a claim that AWS takes of the same identity provider, and that is spelled most like this one.

    None if AWS takes this one, or names no claims of the provider.
    """
    from difflib import get_close_matches

    host, _, claim = key.lower().partition(":")
    prefixes = (f"{host}:", f"{host}/*:")
    names = [name.rpartition(":")[2] for name in _lines("keys.txt") if name.lower().startswith(prefixes)]
    if not names or claim in (*names, *_OF_EVERY_PROVIDER):
        return None
    close_claims = get_close_matches(claim, (*names, *_OF_EVERY_PROVIDER), 1)
    return f"{host}:{close_claims[0]}" if close_claims else None


def key_type(key: str) -> KeyType | None:
    """The type of a condition key, in any case; None for one that AWS does not list."""
    name = key.lower()
    type_name = _lines("keys.txt").get(name) or next((type_ for covers, type_ in _families() if covers(name)), None)
    return KeyType(type_name.removeprefix("ArrayOf"), type_name.startswith("ArrayOf")) if type_name else None


@cache
def _families() -> tuple[tuple[Callable[[str], bool], str], ...]:
    """Keys with a part that a request fills in, such as a tag's name, which is never empty."""
    return tuple((glob(key.replace("*", "?*")), type_) for key, type_ in _lines("keys.txt").items() if "*" in key)
