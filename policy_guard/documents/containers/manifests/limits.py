"""What keeps access out in a manifest, and lets it in by going: boundaries, blocks, caps, what is off, and patches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.holes import hole
from policy_guard.documents.containers.limits import Limit, Limits, Lost
from policy_guard.documents.containers.manifests import keys
from policy_guard.documents.containers.manifests.grants import opened
from policy_guard.documents.containers.manifests.resources import Resource, identity, is_removed, key_label, resource_of
from policy_guard.documents.containers.manifests.switches import keeping, standing
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.containers.unresolved import without_style
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span, is_null, scalars
from policy_guard.records import NamedTuple

_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
# What stands there is told of each task.
_OF_PLAYBOOKS = "module_defaults"
_OF_APIS = ("open-api", "endpoint")
_MOST_MAPPINGS = 200_000


class _Way(NamedTuple):
    label: str
    holder: str
    resource: Resource | None
    key: str = ""


def limits_of(documents: Sequence[Node]) -> Limits:
    """The limits in the resources of AWS, and in what changes resources."""
    by_label: dict[str, Limit] = {}
    places: dict[str, Span] = {}
    caps: list[tuple[str, Object]] = []
    stack = [(document, _Way(f"[{number}]", "", None)) for number, document in enumerate(documents)]
    while stack and len(places) < _MOST_MAPPINGS:
        node, way = stack.pop()
        if isinstance(node, Array):
            for number, item in enumerate(node.items):
                label = f"{way.label}[{identity(item, number)}]"
                stack.append((item, way._replace(label=label, holder=label if way.resource else "")))
            continue
        if isinstance(node, Scalar) or _is_taken_away(node, way):
            continue
        if resource := resource_of(node, way.key, way.resource):
            label = f"{way.holder}.{resource.address}".lstrip(".")
            way = _Way(label, label, resource)
            if is_cap(resource, node):
                caps.append((label, node))
            by_label.update((limit.label, limit) for limit in _kept_out(resource, node, label))
            places.update((switch.label, switch.value.span) for switch in standing(resource, node, label))
        places.setdefault(way.holder or way.label, node.span)
        for limit in _limits(node, way) if way.resource else ():
            by_label[limit.label] = limit
        stack += [
            (value, way._replace(label=f"{way.label}.{key_label(key.text)}", key=key.text))
            for key, value in node.entries
            if key.text != _OF_PLAYBOOKS
        ]
    cap_labels = {label for label, _ in caps}
    capped_places = [label for label in places if label not in cap_labels]
    for label, node in caps:
        if capped := _capped(node, capped_places):
            by_label[label] = Limit(label, capped, "cap", canonical(cap_of(node)), node.span)
    return Limits(by_label, places)


def _is_taken_away(node: Object, way: _Way) -> bool:
    resource = resource_of(node, way.key, way.resource)
    return resource is not None and is_removed(resource, node)


def _kept_out(resource: Resource, node: Object, label: str) -> Iterator[Limit]:
    """Return what switches keep out; by what text they do so is no difference."""
    for switch in keeping(resource, node, label) if resource.aws else ():
        yield Limit(switch.label, switch.holder, "off", "kept out", switch.value.span)


def is_cap(resource: Resource, node: Object) -> bool:
    """Tell whether a resource keeps access out by being there."""
    if keys.CAP_KIND.fullmatch(resource.kind):
        return resource.aws
    is_attachment = resource.aws and keys.ATTACHING_KIND.fullmatch(resource.kind)
    return bool(is_attachment) and any(without_style(scalar.text) == keys.SERVICE_CONTROL for scalar in scalars(node))


def _capped(node: Object, places: Sequence[str]) -> str:
    """Return which resource of the file it is that is capped; nothing if it is elsewhere, or nobody can tell."""
    stack = [node]
    while stack:
        for key, value in stack.pop().entries:
            if without_style(key.text) in keys.CAPPED:
                names = {scalar.text for scalar in scalars(value)}
                return next((place for place in places if place.rpartition("/")[2] in names), "")
            if isinstance(value, Object):
                stack.append(value)
    return ""


def cap_of(node: Object) -> Object:
    """Return what a resource says that keeps access out, but for the single blocks, which are limits of their own."""
    entries = (
        (entry.key, cap_of(entry.value) if isinstance(entry.value, Object) else entry.value)
        for entry in node.entries
        if entry.key.text not in ("metadata", "apiVersion", "status")
        and without_style(entry.key.text) not in keys.BLOCKING
    )
    return node._replace(entries=tuple(Entry(key, value) for key, value in entries))


def _limits(node: Object, way: _Way) -> Iterator[Limit]:
    assert way.resource is not None
    for key, value in node.entries:
        label = f"{way.label}.{key.text}"
        if keys.PATCHING.fullmatch(key.text) and keys.PATCHING_KIND.fullmatch(way.resource.kind):
            yield Limit(f"the number of {label}", way.holder, "patches", str(_count(value)), value.span)
        elif way.resource.aws and (kind := _kind(without_style(key.text), key.text, value)):
            yield Limit(label, way.holder, kind, canonical(value), value.span)


def _count(value: Node) -> int:
    """Return how many patches speak of access."""
    items = value.items if isinstance(value, Array) else (value,)
    return sum(any(keys.PATCHED.search(scalar.text) for scalar in scalars(item)) for item in items)


def _kind(plain: str, key: str, value: Node) -> str:
    text = value.text.lower() if isinstance(value, Scalar) else "something"
    if keys.BOUNDARY.fullmatch(key):
        return "boundary" if text and not is_null(value) else ""
    if plain in keys.BLOCKING and text in _TRUE:
        return "block"
    is_off = plain in keys.ON_WITHOUT and text in _FALSE
    return "off" if is_off or (plain in keys.OPEN_WITHOUT and not isinstance(value, Scalar)) else ""


def lost(old: Limits, new: Limits) -> Iterator[Lost]:
    """The limits that are gone or others, of what is still there."""
    for label, limit in old.by_label.items():
        other = new.by_label.get(label)
        span = other.span if other else new.places.get(limit.label, new.places.get(limit.holder))
        if span is None or (other and other.text == limit.text):
            continue
        if limit.kind == "patches" and int(other.text if other else 0) >= int(limit.text):
            continue
        holder = limit.holder if limit.kind == "boundary" else label
        yield Lost(label, holder, _opening(limit, other, span))


def _opening(limit: Limit, other: Limit | None, span: Span) -> Object:
    """The statement for what a limit kept out."""
    name = limit.label.rpartition(".")[2]
    if limit.kind == "block":
        return opened(action_of("public-access-block", name), None, span)
    if limit.kind == "boundary":
        return opened("boundary:LeavesAllowed", hole(limit.label, other.text) if other else None, span)
    if limit.kind in _OF_APIS:
        let_in = hole(f"what {limit.label} lets in", other.text) if other else None
        return opened(action_of(limit.kind), let_in, span)
    words = f"what {limit.label.removeprefix('the number of ')} kept out"
    return opened("attached:Access", hole(words, limit.text, other.text if other else ""), span)
