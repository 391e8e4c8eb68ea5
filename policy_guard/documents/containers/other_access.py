"""Access that no policy can express: its kinds, and which resources of CloudFormation and Terraform give it.

They stand in `other_access.json`. What such a resource grants is known by the text of its properties or arguments:
other ones are new access. Each kind has the page of AWS that says what it gives to whom. What a policy can express is
no kind of this table: it becomes a statement (`grants.py` of each container).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from policy_guard.records import NamedTuple
from policy_guard.regex import regex

PREFIX = "other-access:"
"""What the actions begin with that stand for such access; the name of the kind follows."""
EVERY: tuple[str, ...] = ()
"""All properties of a resource decide, but for those that only name or describe."""
_DETAIL = "_"
_MOST_NAMED = 3
_LONGEST = 160
# What would end the name of an unknown part.
_UNTOLD = frozenset("${}")
_FILE = Path(__file__).with_name("other_access.json")
_ALL = "all"
_WORD = regex(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


class Details(NamedTuple):
    """Rules that tell how the properties of a type of resource grant.

    `harmless` are texts with which a property grants nothing. Without one of those that are `needed`, the resource does
    not. Each item of those that are `adding` grants something beside the others. Two resources of a type that is
    `counted` grant more than one, even if both say the same.
    """

    harmless: Mapping[str, tuple[str, ...]] = {}
    needed: tuple[str, ...] = ()
    adding: tuple[str, ...] = ()
    counted: bool = False


class OtherAccess(NamedTuple):
    """A kind of access: its `name` in the settings, what a resource `does`, what is `advised`, and AWS's page.

    `cloudformation` and `terraform` are its types of resources, each with the properties that decide; one that lies in
    others has a path with dots. `details` are what else is known of a type. `receivers` are the properties that say to
    whom. `worked_out` are types whose access more than its text tells.
    `opened` says what is new where nothing else does. `forms` are those that are no type of a resource. `severity` is
    the most that a finding about it is, unless the settings name the kind.
    """

    name: str
    does: str
    advised: str
    page: str
    receivers: tuple[str, ...] = ()
    cloudformation: Mapping[str, tuple[str, ...]] = {}
    terraform: Mapping[str, tuple[str, ...]] = {}
    details: Mapping[str, Details] = {}
    worked_out: tuple[str, ...] = ()
    opened: str = ""
    forms: str = ""
    severity: Literal["error", "warning"] = "error"


def action_of(kind: str, detail: str = "") -> str:
    """Return the action that stands for access of a kind, or for a part of it."""
    return f"{PREFIX}{kind}{_DETAIL if detail else ''}{detail}"


def kind_of(action: str) -> OtherAccess | None:
    """Return the kind of access that an action stands for; None for any other action."""
    return _by_name().get(action.removeprefix(PREFIX).partition(_DETAIL)[0]) if action.startswith(PREFIX) else None


def detail_of(action: str) -> str:
    """Return the part of its kind that an action stands for; nothing for all of it."""
    return action.partition(_DETAIL)[2]


def access_words(what: str, receivers: Iterable[str]) -> str:
    """Say what such access is: for whom, as far as that can be told in a line."""
    names = [each for each in receivers if each and each.isprintable() and not _UNTOLD.intersection(each)]
    line = ", ".join(names[:_MOST_NAMED]) + (" and others" if len(names) > _MOST_NAMED else "")
    return f"access for {line}" if line and len(line) <= _LONGEST else f"what {what} gives access to"


def most_severe(kind: str) -> Literal["error", "warning"]:
    """Return the most that a finding about a kind is, unless the settings name it."""
    return _by_name()[kind].severity


@cache
def _by_name() -> dict[str, OtherAccess]:
    return {kind.name: kind for kind in KINDS}


@cache
def cloudformation_types() -> Mapping[str, tuple[OtherAccess, tuple[str, ...]]]:
    """The types of CloudFormation, each with its kind and the properties that decide."""
    return {type_: (kind, names) for kind in KINDS for type_, names in kind.cloudformation.items()}


@cache
def terraform_types() -> Mapping[str, tuple[OtherAccess, tuple[str, ...]]]:
    """The types of Terraform, each with its kind and the arguments that decide.

    The provider `awscc` has the types and properties of CloudFormation, in its own spelling.
    """
    of_cloudformation = {
        awscc_type(type_): (kind, tuple(map(in_words, names)))
        for type_, (kind, names) in cloudformation_types().items()
    }
    return of_cloudformation | {type_: (kind, names) for kind in KINDS for type_, names in kind.terraform.items()}


@cache
def _details() -> Mapping[str, Details]:
    written = {type_: details for kind in KINDS for type_, details in kind.details.items()}
    of_cloudformation = {
        awscc_type(type_): Details(
            harmless={in_words(name): texts for name, texts in details.harmless.items()},
            needed=tuple(map(in_words, details.needed)),
            adding=tuple(map(in_words, details.adding)),
            counted=details.counted,
        )
        for type_, details in written.items()
        if "::" in type_
    }
    return of_cloudformation | written


def details_of(type_: str) -> Details:
    """Return what tells how a type of resource grants, of CloudFormation or Terraform."""
    return _details().get(type_, Details())


def awscc_type(type_: str) -> str:
    """Return the type of the provider awscc for one of CloudFormation."""
    _, service, name = type_.split("::")
    return f"awscc_{service.lower()}_{in_words(name)}"


def in_words(name: str) -> str:
    """Return a name of CloudFormation as the provider awscc spells it, such as `open_id_connect_provider_ar_ns`."""
    return ".".join("_".join(match[0].lower() for match in _WORD.finditer(step)) for step in name.split("."))


def _kind(row: Mapping[str, Any]) -> OtherAccess:
    """The kind of a row of the file, in which a type of resource has its properties that decide, or all of them."""
    types = {
        name: {type_: EVERY if names == _ALL else tuple(names) for type_, names in row.get(name, {}).items()}
        for name in ("cloudformation", "terraform")
    }
    lists = {name: tuple(row.get(name, ())) for name in ("receivers", "worked_out")}
    details = {type_: _details_in(each) for type_, each in row.get("details", {}).items()}
    return OtherAccess(**{**row, **types, **lists, "details": details})


def _details_in(row: Mapping[str, Any]) -> Details:
    harmless = {name: tuple(texts) for name, texts in row.get("harmless", {}).items()}
    lists = {name: tuple(row.get(name, ())) for name in ("needed", "adding")}
    return Details(**{**row, **lists, "harmless": harmless})


KINDS = tuple(map(_kind, json.loads(_FILE.read_text(encoding="utf-8"))))
