"""What differs between two versions of a template: the resources to look at, and names that mean another thing."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping

from policy_guard.documents.containers.cloudformation.calls import shape
from policy_guard.documents.containers.cloudformation.evaluate import CONSTRAINTS, Moved
from policy_guard.documents.containers.cloudformation.named import IDENTIFYING, NAMED, all_decide
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.source import Array, Node, Object, Problem, Scalar

_WORD = re.compile(r"[A-Za-z0-9]+")
_OTHER_WORD = re.compile(r"[^\s${}.,:'\"\[\]()]+")
_STACKS = ("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::Serverless::Application")


def moved(old: Template, new: Template) -> Moved:
    """The names of parameters and mappings that are evaluated in another way because they differ."""
    both = old.parameters.keys() & new.parameters.keys()
    defaults = {name for name in both if _default_counts(old.parameters[name], new.parameters[name])}
    asked = ("Type", "AllowedValues", *CONSTRAINTS)
    allowed = {n for n in both if any(_differs(old.parameters[n], new.parameters[n], key) for key in asked)}
    mappings = {
        name
        for name in old.mappings.keys() & new.mappings.keys()
        if not _same(old, new, old.mappings[name], new.mappings[name])
    }
    partitions = old.other_partitions or new.other_partitions
    return Moved(frozenset(defaults), frozenset(allowed), frozenset(mappings), partitions)


def _differs(old: Object, new: Object, key: str) -> bool:
    before, after = old.get(key), new.get(key)
    if before is None or after is None:
        return before is not after
    return shape(before) != shape(after)


def _default_counts(old: Object, new: Object) -> bool:
    """Tell whether the default is another one now. Without a default somebody gives the value, as they could before."""
    return new.get("Default") is not None and _differs(old, new, "Default")


def touched(old: Template, new: Template, names: set[str]) -> set[str]:
    """The resources whose policies may differ: they changed, or speak of one of the `names` that mean another thing."""
    found: set[str] = set()
    everything = old.other_partitions != new.other_partitions
    for name in {**old.resources, **new.resources}:
        before, after = old.resources.get(name), new.resources.get(name)
        changed = everything or before is None or after is None or _changed(old, new, name)
        if changed or (names and after is not None and not names.isdisjoint(_words(after))):
            found.add(name)
    return found


def _changed(old: Template, new: Template, name: str) -> bool:
    """Tell whether a resource of both says something else now; what several places make is not compared as text."""
    before, after = old.resources[name], new.resources[name]
    if name in old.made or name in new.made:
        return shape(before) != shape(after)
    return not _same(old, new, before, after)


def _same(old: Template, new: Template, before: Node, after: Node) -> bool:
    """Tell whether two nodes say the same; what is written alike does, unless it repeats what stands elsewhere."""
    if old.filled or new.filled:
        return shape(before) == shape(after)
    written = [template.source.text[slice(*node.span)] for template, node in ((old, before), (new, after))]
    if written[0] == written[1] and "*" not in written[0] and "<<" not in written[0]:
        return True
    return shape(before) == shape(after)


def renamed(old: Template, new: Template) -> set[str]:
    """The names of parameters, mappings, conditions and resources that mean another thing on the other side."""
    names: set[str] = set()
    for before, after in (
        (old.parameters, new.parameters),
        (old.mappings, new.mappings),
        (old.conditions, new.conditions),
        (_identities(old), _identities(new)),
    ):
        names |= _differing(before, after)
    uses = [(name, _words(node)) for side in (old, new) for name, node in side.conditions.items()]
    uses += [(name, words) for side in (old, new) for name, words in _named_with(side)]
    while more := {name for name, words in uses if name not in names and not names.isdisjoint(words)}:
        names |= more
    return names


def _differing(before: Mapping[str, Node | Hashable], after: Mapping[str, Node | Hashable]) -> set[str]:
    return {
        name
        for name in {**before, **after}
        if name not in before or name not in after or _shape(before[name]) != _shape(after[name])
    }


def _shape(value: Node | Hashable) -> Hashable:
    return shape(value) if isinstance(value, Scalar | Array | Object) else value


def _identities(template: Template) -> dict[str, Hashable]:
    return {name: tuple(_identity(resource)) for name, resource in template.resources.items()}


def _identity(resource: Object) -> Iterator[Hashable]:
    yield type_of(resource)
    yield from (shape(node) for node in _naming(resource))


def _naming(resource: Object) -> Iterator[Node]:
    """The properties that may decide what the resource is called."""
    type_, properties = type_of(resource), resource.get("Properties")
    naming = NAMED.get(type_)
    if not isinstance(properties, Object):
        return
    for key, value in properties.entries:
        named = naming and key.text == naming.property
        if named or IDENTIFYING.fullmatch(key.text) or all_decide(type_) or key.text == "Value":
            yield value


def _named_with(template: Template) -> Iterator[tuple[str, set[str]]]:
    for name, resource in template.resources.items():
        if words := {word for node in _naming(resource) for word in _words(node)}:
            yield name, words


def _words(node: Node) -> set[str]:
    """The words in all texts of a node."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar):
            found.update(_WORD.findall(node.text))
            found.update(_OTHER_WORD.findall(node.text) if not node.text.isalnum() else ())
        elif isinstance(node, Array):
            waiting += node.items
        else:
            waiting += (part for entry in node.entries for part in entry)
    return found


def refused(old: Template | None, new: Template, names: set[str]) -> Iterator[Problem]:
    """Return what keeps all of a new version from being judged: keys that readers differ in, and what may rewrite it.

    The `names` mean another thing than before.
    """
    yield from new.repeated
    before = {shape(node) for node in old.macros} if old else set()
    for node in new.macros:
        if shape(node) not in before:
            yield Problem("the macro is new here, and may rewrite every policy; judge what it gives", node.span)
    known = {(entry.key.text, shape(entry.value)) for entry in old.unknown} if old else set()
    for entry in new.unknown:
        if (entry.key.text, shape(entry.value)) not in known or not names.isdisjoint(_words(entry.value)):
            words = "is not defined in the template and may contain policies; write it out"
            yield Problem(f'"{entry.key.text}" {words}', entry.key.span)


def notes(old: Template, new: Template) -> Iterator[str]:
    """Return what is said of the parts of a template that are not judged."""
    if new.macros or new.unknown:
        yield "macros and what is included may change the policies here, which are judged as they are written"
    for name, resource in new.resources.items():
        if type_of(resource) in _STACKS:
            before = old.resources.get(name)
            if before is None or not _same(old, new, before, resource):
                yield f"{name} is a template of its own, judged as a file; the values given to it are not followed"
