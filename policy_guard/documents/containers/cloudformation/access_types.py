"""Which properties of a resource grant access by their text: those of the table, and others that speak of access."""

from __future__ import annotations

import re

from policy_guard.documents.containers.other_access import EVERY, cloudformation_types
from policy_guard.documents.source import Object

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
# What everybody has anyway, and what is told in statements. Source: Amazon S3 User Guide, "Access control list (ACL)
# overview".
_HARMLESS = {
    "AccessControl": (
        *("Private", "BucketOwnerRead", "BucketOwnerFullControl", "LogDeliveryWrite"),
        *("PublicRead", "PublicReadWrite", "AuthenticatedRead"),
    )
}


def deciding_properties(type_: str, properties: Object) -> tuple[str, ...]:
    """Return which of the properties of a resource grant access by their text; nothing for most types."""
    keys = tuple(entry.key.text for entry in properties.entries)
    if type_.endswith(_MODULE):
        return keys
    if type_ == _CUSTOM or not type_.startswith("AWS::"):
        return keys if speaks_of_access(type_) else tuple(filter(speaks_of_access, keys))
    if type_.startswith(_QUICKSIGHT):
        listed: tuple[str, ...] = ("Permissions", "LinkEntities")
    elif type_ in cloudformation_types():
        _, listed = cloudformation_types()[type_]
    else:
        return ()
    return tuple(key for key in keys if (key in listed if listed else key not in _DESCRIBING))


def tells_all(type_: str) -> bool:
    """Tell whether the deciding properties of a type say all of what is granted to whom."""
    return type_.endswith(_MODULE) or (type_ in cloudformation_types() and cloudformation_types()[type_][1] == EVERY)


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


def is_deciding_value(type_: str, name: str) -> bool:
    """Tell whether a parameter of a template of its own may decide a policy there, by its name."""
    return type_ in _NESTED and bool(_DECIDING_VALUE.search(name))


def is_harmless(property_name: str, text: str) -> bool:
    """Tell whether a property grants nothing with this text that its statements do not tell."""
    return text in _HARMLESS.get(property_name, ())
