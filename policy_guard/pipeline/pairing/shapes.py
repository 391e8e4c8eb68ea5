"""Which kind of file some documents make: a template, manifests, an account, an API; and the policies that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from policy_guard.documents.containers.serverless_framework.files import is_serverless_name
from policy_guard.documents.containers.value_files import NO_NAMES, is_value_file, sets_facts
from policy_guard.documents.format import may_attach, names_identity
from policy_guard.documents.source import Array, Node, Object, Source, Unreadable

if TYPE_CHECKING:
    from policy_guard.documents.containers.plain import Reading
    from policy_guard.documents.containers.revision_files import RevisionFiles

# What a manifest of Kubernetes, a program of Pulumi, or a task of Ansible has.
_MANIFESTS = (
    *("apiVersion", "resources", "tasks", "block", "hosts"),
    *("patches", "patchesStrategicMerge", "patchesJson6902", "replacements"),
)


def reading_of(
    source: Source, documents: Sequence[Node], siblings: RevisionFiles | None = None
) -> tuple[bool, Reading]:
    """The policies of a file, and whether it is a manifest or the like."""
    is_manifest, reading = _reading_by_shape(source, documents)
    if not (is_value_file(source.path) or sets_facts(source.text)):
        return is_manifest, reading
    from policy_guard.documents.containers.manifests import policies_in_values

    names = siblings.names() if siblings else NO_NAMES
    return is_manifest or not reading.policies, policies_in_values(source, documents, names, reading)


def _reading_by_shape(source: Source, documents: Sequence[Node]) -> tuple[bool, Reading]:
    """The policies of a file, whatever its name is, and whether it is a manifest or the like."""
    is_manifest, reading = _reading_without_apis(source, documents)
    if not any(map(is_api, documents)):
        return is_manifest, reading
    from policy_guard.documents.containers.manifests.apis import with_api

    return True, with_api(source, documents, reading)


def is_api(document: Node) -> bool:
    """Tell whether a document describes an API, be it one of API Gateway or another."""
    return isinstance(document, Object) and any(document.get(key) is not None for key in ("openapi", "swagger"))


def _reading_without_apis(source: Source, documents: Sequence[Node]) -> tuple[bool, Reading]:
    """The policies of a file but for what APIs that it describes give without a policy."""
    from policy_guard.documents.containers.plain import policies_in

    if (manifests := _manifest_reading(source, documents)) is not None:
        return True, manifests
    if "DetailList" in source.text and any(map(_is_account, documents)):
        from policy_guard.documents.containers.account_details import account_policies

        return True, account_policies(source, documents)
    reading = policies_in(source, documents)
    if may_attach(source.text.encode()):
        from policy_guard.documents.containers.attachment_files import attached_policies

        attached = tuple(attached_policies(source, documents, (each.label for each in reading.policies)))
        return True, reading._replace(policies=(*reading.policies, *attached))
    statements = None if reading.policies else _statement_reading(source, documents)
    if statements is not None:
        return True, statements
    if not names_identity(source.text):
        return False, reading
    from policy_guard.documents.containers.manifests.settings import named_policies

    named = {each.label: each for each in (*named_policies(source, documents), *reading.policies)}
    return False, reading._replace(policies=tuple(named.values()))


def _manifest_reading(source: Source, documents: Sequence[Node]) -> Reading | None:
    """The policies of manifests; None for other files, most of which are seen at once to be none."""
    if not any(map(_may_be_manifest, documents)) and not any(part in source.text for part in (".com/", "\\")):
        return None
    from policy_guard.documents.containers.manifests import are_manifests, policies_in

    return policies_in(source, documents) if are_manifests(source, documents) else None


def _statement_reading(source: Source, documents: Sequence[Node]) -> Reading | None:
    """The statements in a file that has no policies around them, such as values of a module or a chart."""
    if "Effect" not in source.text:
        return None
    from policy_guard.documents.containers.manifests import policies_in
    from policy_guard.documents.containers.manifests.statements import hold_statements

    return policies_in(source, documents) if hold_statements(documents) else None


def marked_reading(source: Source, data: bytes) -> Reading | None:
    """The policies of manifests that are templates of Go or Jinja; None for other files and what cannot be read."""
    if not any(mark in data for mark in (b"{{", b"{%")):
        return None
    from policy_guard.documents.containers.manifests import policies_in_template
    from policy_guard.documents.containers.manifests.partials import is_partial, policies_in_partial

    if is_partial(source.path):
        return policies_in_partial(source)
    if not any(key in data for key in (b"apiVersion", b".com/", b"\\")):
        return None
    try:
        return policies_in_template(source)
    except Unreadable:
        return None


def _is_account(document: Node) -> bool:
    from policy_guard.documents.containers.account_details import is_account

    return is_account(document)


def _may_be_manifest(document: Node) -> bool:
    if isinstance(document, Array):
        return any(isinstance(item, Object) for item in document.items)
    return isinstance(document, Object) and any(document.get(key) for key in _MANIFESTS)


def is_template(document: Node) -> bool:
    """Tell whether a document is a template; most are seen at once to be none, before anything is imported."""
    if not isinstance(document, Object) or document.get("Resources") is None:
        return False
    from policy_guard.documents.containers.cloudformation.template import is_template

    return is_template(document)


def is_serverless(document: Node, path: str) -> bool:
    """Tell whether a document is a file of the Serverless Framework; most are seen at once to be none."""
    if not isinstance(document, Object) or document.get("provider") is None:
        return False
    from policy_guard.documents.containers.serverless_framework.recognition import is_serverless

    return is_serverless(document, path)


def is_for_others(source: Source, documents: Sequence[Node]) -> bool:
    """Tell whether others read a file of the Serverless Framework: CloudFormation, or what reads manifests."""
    from policy_guard.documents.containers.manifests import are_manifests
    from policy_guard.documents.containers.manifests.resources import is_manifest

    is_named = is_serverless_name(source.path)
    is_read = any(map(is_manifest, documents)) if is_named else are_manifests(source, documents)
    return is_read or any(map(is_template, documents))
