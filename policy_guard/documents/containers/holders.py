"""Whose a policy is, by what stands beside it: a text that is another one for every other holder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from policy_guard.documents.containers.attached import Attachments
from policy_guard.documents.containers.recognition import is_policy_text, looks_like_policy
from policy_guard.documents.source import Array, Node, Object, Scalar, is_null

# Beside a policy, what says nothing of whose it is or what it is attached to; everything else may.
_NO_HOLDERS = (
    *("policyname", "version", "versionid", "defaultversionid", "isdefaultversion", "revisionid"),
    *("tags", "path", "notes", "etag", "$schema", "rolelastused", "maxsessionduration", "responsemetadata"),
    *("isattachable", "lastmodified", "managedpolicyarns", "attachedmanagedpolicies", "rolepolicylist"),
    *("userpolicylist", "grouppolicylist", "policydocument", "assumerolepolicydocument"),
    *("policy", "document", "policyhash", "createdtimestamp", "lastmodifiedtimestamp"),
)
# These name the policy that a command overwrites, unless its ARN stands beside them.
_OWN_IDS = ("id", "policyid")
# AWS IoT has its policies attached by name, and spells this so.
_OWN_NAME = "policyName"
DEFAULT = "\nis the version that counts"
"""What a holder ends with if the policy is the default version of several."""
_NO_HOLDERS_LAST = ("date", "time", "count", "description", "comment", "at")
# Texts about a holder from which on only their digest is kept: many policies may have the same.
_LONG = 1_000
_TOP = ("Version", "Id", "Statement")


class Holders:
    """The mappings that say whose the policies of a file are; each mapping is looked through once."""

    def __init__(self, attachments: Attachments) -> None:
        self._attachments = attachments
        self._texts: dict[int, tuple[Object, str]] = {}

    def text(self, neighbors: Iterable[Object]) -> str:
        """The entries beside a policy that say whose it is, in a text that is another one for every other holder."""
        mappings = tuple(neighbors)
        texts = filter(None, (*map(self._holder_text, mappings), self._attachments.of(mappings)))
        return "\n".join(texts) + DEFAULT * any(map(_is_default_version, mappings))

    def _holder_text(self, node: Object) -> str:
        if id(node) not in self._texts:
            self._texts[id(node)] = node, _holder(node)
        return self._texts[id(node)][1]


def _holder(node: Object) -> str:
    import json

    has_arn = any(entry.key.text.lower() in ("arn", "policyarn") for entry in node.entries)
    hidden_keys = _OWN_IDS if has_arn else ()
    visible_entries = (entry for entry in node.entries if entry.key.text.lower() not in hidden_keys)
    holder_entries = (
        entry for entry in visible_entries if _may_name_holder(entry.key.text) and not is_null(entry.value)
    )
    entries = [(entry.key.text, _plain(entry.value)) for entry in holder_entries]
    text = json.dumps(sorted(entries, key=json.dumps)) if entries else ""
    if len(text) <= _LONG:
        return text
    from hashlib import sha256

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_default_version(node: Object) -> bool:
    counts = (entry.value for entry in node.entries if entry.key.text.lower() == "isdefaultversion")
    return any(isinstance(value, Scalar) and value.text.lower() == "true" for value in counts)


def _may_name_holder(key: str) -> bool:
    *_, last = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", key) or [""]
    return key == _OWN_NAME or (key.lower() not in _NO_HOLDERS and last.lower() not in _NO_HOLDERS_LAST)


def _plain(node: Node) -> Any:
    """The node in lists of texts, whatever its order; a policy in it is judged by itself, and left out."""
    import json

    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Array):
        return sorted(map(_plain, node.items), key=json.dumps)
    policy_keys = _TOP if looks_like_policy(node) else ()
    holder_entries = (
        entry for entry in node.entries if entry.key.text not in policy_keys and not _holds_policy(entry.value)
    )
    entries = [(entry.key.text, _plain(entry.value)) for entry in holder_entries]
    return sorted(entries, key=json.dumps)


def _holds_policy(node: Node) -> bool:
    return is_policy_text(node.text) if isinstance(node, Scalar) else looks_like_policy(node)
