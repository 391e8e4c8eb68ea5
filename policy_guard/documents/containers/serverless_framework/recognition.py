"""What is a file of the Serverless Framework, and policies in one that the framework does not read."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from policy_guard.documents.containers.plain import policies_in
from policy_guard.documents.containers.serverless_framework.files import is_serverless_name
from policy_guard.documents.containers.serverless_framework.made import entry, mapping, text
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Source

_CHARACTERISTIC = ("service", "functions", "resources", "frameworkVersion")
# Serverless Framework, config-schema.js, and sections of plug-ins that are read.
_READ = frozenset(
    (
        *("service", "provider", "functions", "resources", "layers", "plugins", "frameworkVersion", "package", "build"),
        *("stages", "useDotenv", "configValidationMode", "org", "app", "tenant", "dashboard", "projectDir", "console"),
        *("ai", "sandboxes", "appSync", "stepFunctions", "constructs", "licenseKey", "variablesResolutionMode"),
    )
)
# Of a template that stands below `resources`.
_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "extensions")
# Variables lead there: what stands there is judged where it is used.
_FOR_VARIABLES = ("custom", "params", "outputs")


def is_serverless(document: Node, path: str) -> bool:
    """Tell whether a document is a file of the Serverless Framework, for AWS as far as it says.

    Under another name than such files have, a provider and a service are not enough: settings of others have these.
    """
    if not isinstance(document, Object) or document.get("provider") is None:
        return False
    if is_serverless_name(path):
        return any(document.get(key) is not None for key in _CHARACTERISTIC)
    service, functions, resources = (document.get(key) for key in _CHARACTERISTIC[:3])
    if isinstance(service, Scalar) and service.kind != "null":
        return True
    if isinstance(resources, Object):
        resources = resources.get("Resources") or resources.get("extensions")
    return any(node is not None for node in (functions, resources, document.get("frameworkVersion")))


def policies_beside(variables: Variables, source: Source, root: Object) -> Iterator[Entry]:
    """The policies in what the framework does not read, as resources; under another name, others may read all of it."""
    remaining = _without(root, (*_READ, *_FOR_VARIABLES))
    if not is_serverless_name(source.path):
        entries = (
            Entry(key, _without(node, _SECTIONS) if key.text == "resources" else node) for key, node in root.entries
        )
        remaining = Object(tuple(entries), root.span)
    for number, policy in enumerate(policies_in(source, (remaining,)).policies if remaining.entries else ()):
        node = variables.resolve(policy.node)
        type_ = "AWS::SQS::QueuePolicy" if _has_principal(node) else "AWS::IAM::ManagedPolicy"
        properties = mapping(node.span, PolicyDocument=node)
        resource = mapping(node.span, Type=text(type_, node.span), Properties=properties)
        yield entry(policy.label or f"policy {number}", resource)


def _without(node: Node, keys: Collection[str]) -> Object:
    """The mapping without some keys; an empty one for what is none."""
    entries = node.entries if isinstance(node, Object) else ()
    return Object(tuple(each for each in entries if each.key.text not in keys), node.span)


def _has_principal(policy: Node) -> bool:
    statements = policy.get("Statement") if isinstance(policy, Object) else policy
    items = statements.items if isinstance(statements, Array) else (statements,)
    return any(
        isinstance(item, Object) and any(item.get(key) is not None for key in ("Principal", "NotPrincipal"))
        for item in items
    )
