"""Commands that Terraform runs, or has an instance run, and that change access by the command line of AWS.

Nobody knows what such a command does: it counts by its text. Sources: Terraform, "Provisioners"; AWS CLI Command
Reference, "iam" and the commands of other services that change policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.containers.terraform.elsewhere import ABSENT, policy_with, told_access
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.uses import is_of_aws
from policy_guard.documents.containers.terraform.values import label_of, name_of
from policy_guard.documents.hcl.syntax import Argument, Body, Call
from policy_guard.documents.source import Node, scalars
from policy_guard.regex import regex

COMMAND = "command"
"""The name of the place."""
_PROVISIONER = "provisioner"
_ENCODING = ("base64encode", "base64gzip")
_SCRIPTS = ("user_data", "user_data_base64")
_META = ("count", "for_each", "depends_on", "provider", "lifecycle")
# No part of an ARN or of a longer name.
_AWS = regex(r"(?<![\w:-])aws[\s\"',\\]")
# What only reads gives nothing.
_CHANGE = (
    r"(?:\b(?:iam|sso-admin|organizations|ram|lakeformation)\b"
    r"(?![\s\"',]{1,9}(?:get|list|wait|simulate|generate|describe)\b)"
    r"|\b(?:add|put|set|create|update|modify|associate|attach|delete|remove)-[a-z-]{0,40}"
    r"(?:polic(?:y|ies)|permissions?|grants?|acls?|access-block|access-entry|attributes?)\b)"
)
_START = r"(?<![\w:-])aws(?=[\s\"',])"
_CALL = regex(_START + r"[^\n;|&]{0,99}?" + _CHANGE)
_CALLED = regex(_START)
_CHANGED = regex(_CHANGE)
_SEPARATOR = regex(r"[\n;|&]")


def may_call(type_: str, body: Body) -> bool:
    """Tell whether a resource may run commands."""
    return not is_of_aws(type_) or bool(body.of_type(_PROVISIONER)) or not body.arguments.keys().isdisjoint(_SCRIPTS)


def speaks_of_aws(text: str) -> bool:
    """Tell whether the command line of AWS may be called in a text."""
    return _AWS.search(text) is not None


def called_policy(evaluator: Evaluator, type_: str, address: str, body: Body) -> Node:
    """The policy that stands for the commands of a resource that change access; `ABSENT` for none. Raises `Need`."""
    statements = []
    for argument_group in _commands(type_, body):
        values = [_value(evaluator, argument) for argument in argument_group]
        text = " ".join(label_of(scalar) for value in values for scalar in scalars(value)).replace("\\\n", " ")
        if _CALL.search(text) or (_is_script(argument_group) and _calls(text)):
            deciding = [(argument.name, name_of(value)) for argument, value in zip(argument_group, values, strict=True)]
            words = f"what a command of {address} gives"
            statements.append(told_access(action_of(COMMAND), words, argument_group[0].value.span, deciding))
    return policy_with(tuple(statements), body.span) if statements else ABSENT


def _is_script(arguments: list[Argument]) -> bool:
    """Tell whether arguments are those of a command or a script, and no text of another kind."""
    return any(argument.name in (*_SCRIPTS, "command", "inline") for argument in arguments)


def _calls(text: str) -> bool:
    """Tell whether a command of a script changes access, however many options stand before what it does."""
    lines = ((line, _CALLED.search(line)) for line in _SEPARATOR.split(text))
    return any(start is not None and _CHANGED.search(line, start.end()) is not None for line, start in lines)


def _commands(type_: str, body: Body) -> Iterator[list[Argument]]:
    """The arguments that make each command: those of a provisioner, a script, or all of what is no resource of AWS."""
    for block in body.of_type(_PROVISIONER):
        yield [argument for name, argument in block.body.arguments.items() if name not in ("when", "on_failure")]
    for name, argument in body.arguments.items():
        if name in _SCRIPTS or (not is_of_aws(type_) and name not in _META):
            yield [argument]
    if not is_of_aws(type_):
        for block in body.blocks:
            if block.type not in (_PROVISIONER, *_META):
                yield from _commands(type_, block.body)


def _value(evaluator: Evaluator, argument: Argument) -> Node:
    value = argument.value
    if isinstance(value, Call) and value.name in _ENCODING and value.arguments:
        value = value.arguments[0]
    try:
        return evaluator.value(value)
    except Opaque:
        return evaluator.opaque(value)
