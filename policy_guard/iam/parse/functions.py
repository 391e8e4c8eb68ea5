"""Functions of CloudFormation and other tags: which of them stand for one text, and what names that text."""

from __future__ import annotations

from policy_guard.documents.source import Array, Node, Object, Scalar
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

# AWS CloudFormation Template Reference, intrinsic-function-reference.
_ONE_TEXT = ("Fn::Sub", "Fn::Join", "Fn::Select", "Fn::ImportValue", "Fn::Base64", "Fn::ToJsonString")
# These give one text or a list, which their spelling does not tell: a parameter may be a CommaDelimitedList.
_TEXT_OR_LIST = ("Ref", "Fn::GetAtt", "Fn::FindInMap")
# pseudo-parameter-reference: each is one text. AWS::NotificationARNs is a list, and AWS::NoValue takes away.
_PSEUDO_TEXTS = ("AccountId", "Partition", "Region", "StackId", "StackName", "URLSuffix")
_NO_VALUE = "AWS::NoValue"
_LOGICAL_NAME = regex(r"[\w.:-]+")


class Function(NamedTuple):
    """A call of a function, in its long or its short form: `{"Fn::Sub": "x"}` and `!Sub x` are one."""

    name: str
    argument: Node


def function(node: Node) -> Function | None:
    """Returns the function or tag that a node calls; None for a plain value."""
    if node.tag is not None:
        name = node.tag.removeprefix("!")
        return Function("Ref" if name == "Ref" else f"Fn::{name}", node._replace(tag=None))
    if isinstance(node, Object) and len(node.entries) == 1:
        key, value = node.entries[0]
        return Function(key.text, value) if is_function(key.text) else None
    return None


def is_function(name: str) -> bool:
    """Tell whether a key of a mapping is the name of a function."""
    return name == "Ref" or name.startswith("Fn::")


def not_one_text(call: Function) -> str | None:
    """Says why a function may stand for something else than one text or a list of texts; None if it may not."""
    if call.name == "Ref" and _text(call.argument) == _NO_VALUE:
        return "AWS::NoValue takes away what it stands for"
    if call.name == "Fn::If":
        return _why_branches_differ(call.argument)
    if call.name not in (*_ONE_TEXT, *_TEXT_OR_LIST):
        return f"{_short_name(call.name)} may stand for a list, for a mapping or for nothing"
    if call.name != "Fn::Join" and _mentions_no_value(call.argument):
        return f"{_short_name(call.name)} with AWS::NoValue may stand for nothing"
    return None


def _why_branches_differ(argument: Node) -> str | None:
    if not isinstance(argument, Array) or len(argument.items) != 3:
        return "!If takes a condition and two values"
    for branch in argument.items[1:]:
        call = function(branch)
        if call is None and not isinstance(branch, Scalar):
            return "!If may stand for a list or for a mapping"
        if call and (reason := not_one_text(call)):
            return reason
    return None


def _mentions_no_value(node: Node) -> bool:
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            if _NO_VALUE in node.text:
                return True
        elif isinstance(node, Array):
            stack += node.items
        else:
            stack += [entry.value for entry in node.entries]
    return False


def name_of(call: Function, place: str) -> str:
    """The name of the text that a function stands for: the same for the same call.

    A function that may stand for a list has another name in each place: in two places, two of its texts may be meant.
    """
    name = _short_name(call.name)
    if call.name == "Ref":
        name = reference(_text(call.argument))
    elif call.name == "Fn::GetAtt":
        name = attribute(call.argument)
    else:
        name = f"{name} {resolved(call.argument)}"
    single = call.name not in _TEXT_OR_LIST or name in {f"!Ref AWS::{pseudo}" for pseudo in _PSEUDO_TEXTS}
    return name if single else f"{name} in {place}"


def reference(name: str) -> str:
    """The name of the text that `!Ref` and `${Name}` under `Fn::Sub` stand for."""
    return f"!Ref {name if _LOGICAL_NAME.fullmatch(name) else repr(name)}"


def attribute(argument: Node) -> str:
    """The name of the text that `!GetAtt` and `${Name.Attribute}` under `Fn::Sub` stand for."""
    parts = argument.items if isinstance(argument, Array) else (argument,)
    text = ".".join(map(_text, parts))
    plain = _LOGICAL_NAME.fullmatch(text) and all(isinstance(part, Scalar) and part.tag is None for part in parts)
    return f"!GetAtt {text if plain else resolved(argument)}"


def substituted(name: str) -> str:
    """The name of the text that `${name}` under `Fn::Sub` stands for."""
    return f"!GetAtt {name}" if "." in name and _LOGICAL_NAME.fullmatch(name) else reference(name)


def _short_name(name: str) -> str:
    return f"!{name.removeprefix('Fn::')}"


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) and node.tag is None else resolved(node)


def resolved(node: Node) -> str:
    """The node in a line, with what its aliases stand for: the same text is the same value."""
    tag = f"{node.tag} " if node.tag else ""
    if isinstance(node, Scalar):
        return f"{tag}{node.text}" if node.kind != "string" else f"{tag}{node.text!r}"
    if isinstance(node, Array):
        return f"{tag}[{', '.join(map(resolved, node.items))}]"
    return f"{tag}{{{', '.join(f'{entry.key.text!r}: {resolved(entry.value)}' for entry in node.entries)}}}"
