"""Which properties of a resource grant access by their text: those of the table, and others that speak of access."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.other_access import EVERY, cloudformation_types, details_of
from policy_guard.documents.containers.recognition import is_policy_text
from policy_guard.documents.source import Array, Node, Object, Scalar, scalars

_DESCRIBING = ("Description", "DisplayName", "Name", "StatementId", "Tags")
# Types with a block of public access.
BUCKET = "AWS::S3::Bucket"
BLOCKED = (BUCKET, "AWS::S3::AccessPoint", "AWS::S3::MultiRegionAccessPoint")
BUS_POLICY = "AWS::Events::EventBusPolicy"
# Amazon QuickSight grants by a list beside each kind of thing.
_QUICKSIGHT = "AWS::QuickSight::"
# What these make is written elsewhere: modules, and resources of others that speak of access.
_MODULE = "::MODULE"
_CUSTOM = "AWS::CloudFormation::CustomResource"
_OF_ACCESS = re.compile(r"iam|polic|role|permission|princip|grant|admin|trust", re.IGNORECASE)
# Templates of their own: of the values given to one, those that may decide a policy there.
_NESTED = ("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::Serverless::Application")
_DECIDING_VALUE = re.compile(
    r"role|polic|princip|action|arn|account|trust|user|group|permission|boundary|condition|allow|deny|access|admin",
    re.IGNORECASE,
)
# Those that name what policies are about, and values that may be patterns or principals in one.
_NAMING_VALUE = re.compile(
    r"bucket|queue|topic|(?<!route)(?<!s)table|secret|key|stream|repositor|function|oidc|issuer|subject|external|vpce",
    re.IGNORECASE,
)
_PATTERN = re.compile(r"\*|arn:")
# In values of resources of others: principals and policies, and calls of APIs written as JSON.
_IDENTITY = re.compile(r"arn:[^\s:]{0,30}:(?:iam|sts):")
# What is told in statements; of a bucket that is new, also what only opens it to others that write into it. Sources:
# Amazon S3 User Guide, "Access control list (ACL) overview" and "Controlling ownership of objects".
_TOLD = {"AccessControl": ("PublicRead", "PublicReadWrite", "AuthenticatedRead")}
_HARMLESS_WHEN_NEW = {
    "AccessControl": ("LogDeliveryWrite",),
    "OwnershipControls": ("BucketOwnerPreferred", "ObjectWriter"),
}


def is_custom(type_: str) -> bool:
    """Tell whether what a resource makes is written elsewhere."""
    return type_ == _CUSTOM or not type_.startswith("AWS::")


def deciding_properties(type_: str, properties: Object) -> tuple[str, ...]:
    """Return which of the properties of a resource grant access by their text; nothing for most types."""
    keys = tuple(entry.key.text for entry in properties.entries)
    if type_.endswith(_MODULE):
        return keys
    if is_custom(type_):
        if speaks_of_access(type_):
            return keys
        entries = properties.entries
        return tuple(e.key.text for e in entries if speaks_of_access(e.key.text) or value_speaks_of_access(e.value))
    if type_.startswith(_QUICKSIGHT):
        listed: tuple[str, ...] = ("Permissions", "LinkEntities")
    elif type_ in cloudformation_types():
        listed = tuple(path.partition(".")[0] for path in cloudformation_types()[type_][1])
    else:
        return ()
    return tuple(key for key in keys if (key in listed if listed else key not in _DESCRIBING))


def inner_paths(type_: str, key: str) -> list[list[str]]:
    """Return the steps within a property to what decides, if not all of it does."""
    listed = cloudformation_types()[type_][1] if type_ in cloudformation_types() else ()
    return [path.split(".")[1:] for path in listed if path.startswith(f"{key}.")]


def adds(type_: str, key: str) -> bool:
    """Tell whether a property that is no list grants something beside the others of its type."""
    return key in details_of(type_).adding


def tells_all(type_: str) -> bool:
    """Tell whether the deciding properties of a type say all of what is granted to whom."""
    if type_.endswith(_MODULE):
        return True
    is_whole = type_ in cloudformation_types() and cloudformation_types()[type_][1] == EVERY
    return is_whole and not details_of(type_).counted


def kind_of_type(type_: str) -> str:
    """Return the name of the kind of access that the properties of a type grant."""
    if type_.startswith(_QUICKSIGHT):
        return "quicksight"
    return cloudformation_types()[type_][0].name if type_ in cloudformation_types() else "elsewhere"


def receivers_of(type_: str) -> tuple[str, ...]:
    """Return the properties of a type that say to whom it gives access."""
    return cloudformation_types()[type_][0].receivers if type_ in cloudformation_types() else ()


def speaks_of_access(name: str) -> bool:
    """Tell whether the name of a property or type says that it is about access."""
    return bool(_OF_ACCESS.search(name))


def value_speaks_of_access(value: Node) -> bool:
    """Tell whether a value names a principal or a policy, has a key that speaks of access, or JSON that does.

    A policy in a text that a function takes counts; any other is judged itself.
    """
    stack: list[tuple[Node, bool]] = [(value, False)]
    while stack:
        node, in_function = stack.pop()
        nested = in_function or call(node) is not None
        if isinstance(node, Array):
            stack += ((item, nested) for item in node.items)
        elif isinstance(node, Object):
            if any(speaks_of_access(entry.key.text) for entry in node.entries):
                return True
            stack += ((entry.value, nested) for entry in node.entries)
        elif _counts(node.text) or (in_function and is_policy_text(node.text)):
            return True
    return False


def _counts(text: str) -> bool:
    return bool(_IDENTITY.search(text) or ("{" in text and speaks_of_access(text)))


def is_nested(type_: str) -> bool:
    """Tell whether a resource makes what a template of its own says."""
    return type_ in _NESTED


def is_deciding_value(name: str, value: Node) -> bool:
    """Tell whether a parameter of a template of its own may decide a policy there, by its name or its value."""
    if _DECIDING_VALUE.search(name) or any(_PATTERN.search(scalar.text) for scalar in scalars(value)):
        return True
    is_name = not (isinstance(value, Scalar) and (value.kind != "string" or value.text.isdigit()))
    return is_name and bool(_NAMING_VALUE.search(name))


def is_harmless(type_: str, property_name: str, value: Node, is_new: bool) -> bool:
    """Tell whether a property grants nothing with this value that its statements do not tell."""
    harmless_texts = details_of(type_).harmless.get(property_name, ())
    if type_ == BUCKET:
        harmless_texts += (
            *_TOLD.get(property_name, ()),
            *(_HARMLESS_WHEN_NEW.get(property_name, ()) if is_new else ()),
        )
    return bool(harmless_texts) and all(text in harmless_texts for text in _texts(value))


def _texts(value: Node) -> Iterator[str]:
    """The texts in a value, but for keys."""
    stack: list[Node] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            yield node.text
        else:
            stack += node.items if isinstance(node, Array) else [entry.value for entry in node.entries]
