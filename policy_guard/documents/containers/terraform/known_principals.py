"""Roles and users of a root of which all policies are known that it gives them, beside boundaries that differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.documents import Unit
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.objects import objects
from policy_guard.documents.containers.terraform.places import CEILING, Use, type_of
from policy_guard.documents.containers.terraform.principals import (
    argument_of_principal,
    bounded_principal,
    principals_of,
)
from policy_guard.documents.containers.terraform.scope import Scope, written_name
from policy_guard.documents.containers.terraform.values import is_known, is_null, label_of, pairs_of
from policy_guard.documents.source import Unreadable
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

# What names a role by which it acts, or its own policies; everything else that names it may give it something.
_ACTING = ("aws_iam_instance_profile", "aws_lambda_function", "aws_ecs_task_definition", "aws_codebuild_project")
_OF_SEVERAL = ("roles", "users", "groups")
_OBJECT = regex(r"(?:module\.[\w-]+(?:\[[^\]]*\])?\.)*aws_iam_(?:role|user|group)\.")
_WORD = regex(r"[\w-]+(?:\.[\w-]+)*")


class Holding(NamedTuple):
    """The policies of a principal by the address of its boundary, and its name, by which other files may know it."""

    boundary: str
    units: tuple[Unit, ...]
    name: str


def known_holdings(
    old: Iterable[Use], new: Scope, uses: Sequence[Use], units: Callable[[Use, Collection[str]], Iterator[Unit]]
) -> Iterator[Holding]:
    """What the principals of `old` boundaries have in the new version, of those that have nothing else there.

    A principal may where it is one of several or in a module, where an attachment serves somebody whom the root is
    told, and where anything but its own policies and what acts by it speaks of it.
    """
    boundaries = [use for use in old if use.scope.call is None]
    holders = [use for use in uses if argument_of_principal(use)] if boundaries else []
    try:
        if not boundaries or any(map(_is_open, holders)):
            return
        for use in boundaries:
            address = use.address.removesuffix(f".{CEILING}")
            definition = new.folder.definitions.get(address)
            if definition is not None and (name := _name(new, definition)) and not _is_spoken_of(new, address, name):
                there = replace(use, scope=new, definition=definition)
                principal = bounded_principal(there, Evaluator(new, definition.source, {}))
                policies = tuple(unit for each in holders for unit in units(each, {principal})) if principal else ()
                if policies and all(unit.policy is not None for unit in policies):
                    yield Holding(use.address, policies, name)
    except (Need, Opaque, Impossible, Unreadable):
        return


def _name(scope: Scope, definition: Definition) -> str:
    """The name of a role or user that is there once, whatever is so, if it is written out."""
    body = definition.body
    value = body.value("name")
    if value is None or any(body.value(argument) is not None for argument in ("count", "for_each")):
        return ""
    node = Evaluator(scope, definition.source, {}).value(value)
    return label_of(node) if is_known(node) else ""


def _is_open(use: Use) -> bool:
    """Tell whether a policy may be that of any principal, since the root is told whose it is."""
    if type_of(use) == "aws_iam_role":
        return False
    arguments = _OF_SEVERAL if type_of(use) == "aws_iam_policy_attachment" else (argument_of_principal(use),)
    evaluator = Evaluator(use.scope, use.definition.source, {})
    for _, names in objects(evaluator, use):
        instance = evaluator.with_names(names)
        values = (use.definition.body.value(argument) for argument in arguments)
        nodes = [instance.value(value) for value in values if value is not None]
        items = [item for node in nodes for item in ([i for _, i in pairs_of(node) or ()] or [node])]
        named = (written_name(use.scope, item) for item in items if not is_null(item))
        if "" in principals_of(use, instance) or any(not is_known(n) and not _OBJECT.match(label_of(n)) for n in named):
            return True
    return False


def _is_spoken_of(scope: Scope, address: str, name: str) -> bool:
    """Tell whether a file of the root speaks of a principal elsewhere than in policies, and in what acts by it."""
    definitions = list(scope.folder.definitions.items())
    sources = {id(definition.source): definition.source for _, definition in definitions}
    counted = sum(_count(source.text, address, name) for source in sources.values())
    own = [text.text for at, text in definitions if at == address or _is_own(at)]
    return counted > sum(_count(text, address, name) for text in own)


def _is_own(address: str) -> bool:
    type_ = address.partition(".")[0]
    return type_ in _ACTING or type_.startswith(("aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_policy"))


def _count(text: str, address: str, name: str) -> int:
    words = [word for word in _WORD.findall(text) if word == address or word.startswith(f"{address}.")]
    return len(words) + text.count(name)
