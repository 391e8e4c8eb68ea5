"""Buckets that the Serverless Framework makes for events, with the properties that the provider gives them.

Source: Serverless Framework, "AWS - S3", section "Custom bucket configuration".
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.serverless_framework.made import entry, mapping, text
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Entry, Object

_TYPE = "AWS::S3::Bucket"


def provider_buckets(variables: Variables, provider: Object) -> Iterator[Entry]:
    """The buckets of the provider; properties begin with a small letter there."""
    node = variables.value(provider.get("s3"))
    if node is not None and not isinstance(node, Object):
        raise Opaque("nobody can tell from the repository what the buckets are", node.span)
    for key, bucket in node.entries if isinstance(node, Object) else ():
        if isinstance(bucket, Object):
            properties = Object(tuple(_property(each) for each in bucket.entries), bucket.span)
            resource = mapping(bucket.span, Type=text(_TYPE, bucket.span), Properties=properties)
            yield entry(f"S3Bucket{_letters(key.text)}", resource)


def _property(property_: Entry) -> Entry:
    name = property_.key.text
    property_name = "BucketName" if name == "name" else f"{name[:1].upper()}{name[1:]}"
    return Entry(property_.key._replace(text=property_name), property_.value)


def _letters(name: str) -> str:
    letters = "".join(character for character in name if character.isalnum())
    return f"{letters[:1].upper()}{letters[1:]}"
