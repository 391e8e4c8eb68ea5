"""The policy documents of resources: each with its address, its kind, whose it is, and how much of it can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import cast

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.choices import Truths
from policy_guard.documents.containers.cloudformation.access_types import is_custom
from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.places import Place, places
from policy_guard.documents.containers.cloudformation.reading import Holder, Reading
from policy_guard.documents.containers.cloudformation.serverless import has_own_role
from policy_guard.documents.containers.cloudformation.template import key_repetitions, type_of
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.recognition import is_policy_text, looks_like_policy
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Unreadable
from policy_guard.records import NamedTuple

IDENTITY = tuple(f"AWS::IAM::{name}" for name in ("Role", "User", "Group", "Policy", "ManagedPolicy"))
IDENTITY += tuple(f"AWS::IAM::{name}Policy" for name in ("Role", "User", "Group"))
_CODE = ("ZipFile", "InlineCode", "UserData", "Fn::Base64")
_ORGANIZATIONS: dict[str, Kind] = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}
_OWN = Place(path="", kind="", holders=(), account=False)


class Unit(NamedTuple):
    """A policy of a template. With `problems` it cannot be told, and `policy` is None.

    `holder` tells whose it is: of one holder, the policies with the same `group` are judged as one.
    """

    address: str
    holder: str
    policy: PolicyDocument | None
    problems: tuple[Problem, ...] = ()
    group: str = ""


def attempt(build: Callable[[], Iterable[Unit]], address: str, holder: str = "", group: str = "") -> list[Unit]:
    """The units that are built, or one that says why they cannot be told."""
    problems: tuple[Problem, ...]
    try:
        return list(build())
    except Opaque as error:
        problems = (error.problem,)
    except Unreadable as error:
        problems = error.problems
    return [Unit(address, holder, None, problems, group)]


def resource_units(reading: Reading, name: str) -> list[Unit]:
    """The policies of a resource but those of principals."""
    return attempt(lambda: _resource_units(reading, name), f"Resources.{name}")


def _resource_units(reading: Reading, name: str) -> Iterator[Unit]:
    template = reading.template
    type_ = type_of(template.resources[name])
    policy_places = places().get(type_, ())
    if policy_places and (repetitions := tuple(key_repetitions(template.resources[name]))):
        raise Unreadable(*repetitions)
    properties = reading.properties(name)
    for place in policy_places:
        if place.kind != "identity" or type_ not in IDENTITY:
            yield from attempt(
                lambda place=place: _units_at(reading, name, place, properties),  # type: ignore[misc]
                f"Resources.{name}.{place.path}",
            )
    known_paths = {place.path.partition("[]")[0] for place in policy_places}
    if has_own_role(template.resources[name], type_):
        known_paths.add("Policies")
    yield from _by_shape(reading, name, properties, known_paths)


def _units_at(reading: Reading, name: str, place: Place, properties: Object) -> Iterator[Unit]:
    """The policies at one place of a resource, one for each holder."""
    nodes_by_label: dict[str, list[tuple[Node, Truths]]] = {}
    for truths in reading.existing(name):
        for label, node, case in reading.property(properties, place.path, f"Resources.{name}", truths):
            nodes_by_label.setdefault(label, []).append((node, case))
    for label, nodes in nodes_by_label.items():
        nodes_by_holder: dict[str, list[tuple[Node, Holder]]] = {}
        for node, case in nodes:
            for holder in reading.holders(name, place, properties, case):
                nodes_by_holder.setdefault(holder.key, []).append((node, holder))
        for key, holder_nodes in nodes_by_holder.items():
            address = label if len(nodes_by_holder) == 1 else f"{label} of {holder_nodes[0][1].label}"
            yield from attempt(
                lambda holder_nodes=holder_nodes, key=key, address=address: _document(  # type: ignore[misc]
                    reading, address, key, _kind(reading, place, properties), [(n, h.truths) for n, h in holder_nodes]
                ),
                address,
                key,
            )


def _document(
    reading: Reading, address: str, holder: str, kind: Kind | None, nodes: list[tuple[Node, Truths]]
) -> Iterator[Unit]:
    for node in dict.fromkeys(id(node) for node, _ in nodes):
        original = next(each for each, _ in nodes if id(each) == node)
        document_node = _as_document(original, address)
        mapping = reading.document(document_node, [truths for each, truths in nodes if id(each) == node])
        if mapping is not None:
            yield Unit(address, holder, PolicyDocument(address, mapping, reading.template.source, holder, kind=kind))


def _as_document(node: Node, address: str) -> Node:
    """A statement that stands alone, as that of an event bus does, as the policy that it becomes."""
    if not address.partition(" of ")[0].endswith(".Statement"):
        return node
    version = Entry(Scalar("Version", node.span), Scalar("2012-10-17", node.span))
    return Object((version, Entry(Scalar("Statement", node.span), node)), node.span)


def _kind(reading: Reading, place: Place, properties: Object) -> Kind | None:
    if place.kind != "organizations":
        return cast(Kind, place.kind)
    type_node = properties.get("Type")
    text = reading.certain(type_node).text if type_node is not None else ""
    if text not in _ORGANIZATIONS:
        raise Opaque("policies of this Type are not read; exclude the file, or judge it by hand", properties.span)
    return _ORGANIZATIONS[text]


def _by_shape(reading: Reading, name: str, properties: Object, known_paths: set[str]) -> Iterator[Unit]:
    """The policies of a resource that stand where no table says so."""
    text = reading.template.source.text
    resource_text = text[slice(*reading.template.resources[name].span)]
    if (
        not reading.template.filled
        and "tatement" not in resource_text
        and "\\" not in resource_text
        and "*" not in resource_text
        and "<<" not in resource_text
    ):
        return
    by_text = is_custom(type_of(reading.template.resources[name]))
    stack: list[tuple[str, Node, bool]] = [
        (f"Resources.{name}.{key.text}", value, False) for key, value in properties.entries
    ]
    while stack:
        label, node, in_function = stack.pop()
        path = label.removeprefix(f"Resources.{name}.")
        if path in known_paths or path.rpartition(".")[2] in _CODE:
            continue
        function_call = call(node)
        if function_call and function_call.name == "Fn::Join" and by_text:
            continue  # What a custom resource is told in pieces of texts is known by its text.
        policy = is_policy_text(node.text) if isinstance(node, Scalar) else looks_like_policy(node)
        if policy and in_function:
            message = "a policy is written inside a function here; write it as a plain value"
            yield Unit(label, "", None, (Problem(message, node.span),))
        elif policy or (function_call and function_call.name == "Fn::Sub" and _holds_text(function_call.argument)):
            yield from attempt(
                lambda label=label, node=node: _standalone_units(reading, name, label, node),  # type: ignore[misc]
                label,
            )
        elif isinstance(node, Array):
            stack += ((f"{label}[{number}]", item, in_function) for number, item in enumerate(node.items))
        elif isinstance(node, Object):
            nested = in_function or bool(function_call)
            stack += ((f"{label}.{key.text}", value, nested) for key, value in node.entries)


def _holds_text(argument: Node) -> bool:
    """Tell whether a policy stands in the text under `Fn::Sub`."""
    items = argument.items if isinstance(argument, Array) else (argument,)
    return bool(items) and isinstance(items[0], Scalar) and is_policy_text(items[0].text)


def _standalone_units(reading: Reading, name: str, label: str, node: Node) -> Iterator[Unit]:
    nodes_by_holder: dict[str, list[tuple[Node, Truths]]] = {}
    for truths in reading.existing(name):
        for holder in reading.holders(name, _OWN, Object((), node.span), truths):
            nodes_by_holder.setdefault(holder.key, []).append((node, holder.truths))
    for key, nodes in nodes_by_holder.items():
        yield from _document(reading, label, key, None, nodes)
