"""What differs between two versions of a template: the resources to look at, and names that mean another thing."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping

from policy_guard.documents.containers.cloudformation.calls import LOOP, computes_names, shape, words_of
from policy_guard.documents.containers.cloudformation.evaluate import CONSTRAINTS, Changes, Evaluator
from policy_guard.documents.containers.cloudformation.imports import import_arguments
from policy_guard.documents.containers.cloudformation.marks import changed_marks
from policy_guard.documents.containers.cloudformation.named import IDENTIFYING, NAMED, all_decide
from policy_guard.documents.containers.cloudformation.places import places
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.containers.holes import spelling
from policy_guard.documents.format import may_grant
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar

# AWS CloudFormation User Guide, template-anatomy; Globals are AWS SAM's.
_SECTIONS = (
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata", "Outputs"),
    *("Parameters", "Resources", "Rules", "Transform"),
)
_MOST_NAMED = 5
_STACKS = ("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::Serverless::Application")


def changes_between(old: Template, new: Template) -> Changes:
    """The names of parameters and mappings that are evaluated in another way because they differ."""
    shared_names = old.parameters.keys() & new.parameters.keys()
    defaults = {name for name in shared_names if _default_counts(old.parameters[name], new.parameters[name])}
    constraint_keys = ("Type", "AllowedValues", *CONSTRAINTS)
    allowed = {
        n for n in shared_names if any(_differs(old.parameters[n], new.parameters[n], key) for key in constraint_keys)
    } | (shared_names & _names_in_rules(old, new))
    mappings = {
        name
        for name in old.mappings.keys() & new.mappings.keys()
        if not _is_same_node(old, new, old.mappings[name], new.mappings[name])
    }
    partitions = old.other_partitions or new.other_partitions
    changes = Changes(frozenset(defaults), frozenset(allowed), frozenset(mappings), partitions)
    bounds = (bound for name in sorted(allowed) for bound in Evaluator(new, changes, {}).bounds(name))
    return changes._replace(assumptions=tuple(bounds))


def _names_in_rules(old: Template, new: Template) -> set[str]:
    """The words in the rules that differ: which values parameters may have."""
    names = _differing_names(old.rules, new.rules)
    return {word for side in (old, new) for name in names & side.rules.keys() for word in words_of(side.rules[name])}


def _differs(old: Object, new: Object, key: str) -> bool:
    old_value, new_value = old.get(key), new.get(key)
    if old_value is None or new_value is None:
        return old_value is not new_value
    return shape(old_value) != shape(new_value)


def _default_counts(old: Object, new: Object) -> bool:
    """Tell whether the default is another one now. Without a default somebody gives the value, as they could before."""
    return new.get("Default") is not None and _differs(old, new, "Default")


def touched_resources(old: Template, new: Template, names: set[str]) -> set[str]:
    """The resources whose policies may differ: they changed, or speak of one of the `names` that mean another thing."""
    touched_names: set[str] = set()
    partitions_differ = old.other_partitions != new.other_partitions
    exports_differ = {*old.exports} != {*new.exports}
    for name in {**old.resources, **new.resources}:
        old_resource, new_resource = old.resources.get(name), new.resources.get(name)
        is_changed = partitions_differ or old_resource is None or new_resource is None or _has_changed(old, new, name)
        is_changed = is_changed or bool(exports_differ and new_resource and import_arguments(new_resource))
        speaks = names and new_resource is not None and not names.isdisjoint(words_of(new_resource))
        if is_changed or speaks or (names and new_resource is not None and computes_names(new_resource)):
            touched_names.add(name)
    return touched_names


def _has_changed(old: Template, new: Template, name: str) -> bool:
    """Tell whether a resource of both says something else now; what several places make is not compared as text."""
    old_resource, new_resource = old.resources[name], new.resources[name]
    if name in old.sam_resources or name in new.sam_resources:
        return shape(old_resource) != shape(new_resource)
    return not _is_same_node(old, new, old_resource, new_resource)


def _is_same_node(old: Template, new: Template, old_node: Node, new_node: Node) -> bool:
    """Tell whether two nodes say the same; what is written alike does, unless it repeats what stands elsewhere."""
    if old.filled or new.filled:
        return shape(old_node) == shape(new_node)
    texts = [template.source.text[slice(*node.span)] for template, node in ((old, old_node), (new, new_node))]
    if texts[0] == texts[1] and "*" not in texts[0] and "<<" not in texts[0]:
        return True
    return shape(old_node) == shape(new_node)


def names_of_changed_meaning(old: Template, new: Template) -> set[str]:
    """The names of parameters, mappings, conditions and resources that mean another thing on the other side."""
    names: set[str] = set()
    for old_meanings, new_meanings in (
        (old.parameters, new.parameters),
        (old.mappings, new.mappings),
        (old.conditions, new.conditions),
        (_identities(old), _identities(new)),
    ):
        names |= _differing_names(old_meanings, new_meanings)
    names |= old.parameters.keys() & new.parameters.keys() & _names_in_rules(old, new)
    uses = [(name, words_of(node)) for side in (old, new) for name, node in side.conditions.items()]
    uses += [(name, words) for side in (old, new) for name, words in _naming_words(side)]
    while dependents := {name for name, words in uses if name not in names and not names.isdisjoint(words)}:
        names |= dependents
    return names


def _differing_names(
    old_meanings: Mapping[str, Node | Hashable], new_meanings: Mapping[str, Node | Hashable]
) -> set[str]:
    return {
        name
        for name in {**old_meanings, **new_meanings}
        if name not in old_meanings
        or name not in new_meanings
        or _shape(old_meanings[name]) != _shape(new_meanings[name])
    }


def _shape(value: Node | Hashable) -> Hashable:
    return shape(value) if isinstance(value, Scalar | Array | Object) else value


def _identities(template: Template) -> dict[str, Hashable]:
    return {
        name: (*_identity(resource), _outputs(template, name), _imported(template, resource))
        for name, resource in template.resources.items()
    }


def _imported(template: Template, resource: Object) -> Hashable:
    """Return what others export that may decide what a resource is called."""
    imports = bool(template.exports) and any(import_arguments(node) for node in naming(resource))
    return frozenset(template.exports) if imports else None


def _outputs(template: Template, name: str) -> Hashable:
    """Return what decides the outputs of a nested template."""
    outputs = template.nested[name].outputs if name in template.nested else {}
    return tuple((key, output.digest) for key, output in sorted(outputs.items()))


def _identity(resource: Object) -> Iterator[Hashable]:
    """Return what may decide what the resource is called."""
    yield type_of(resource)
    yield from (shape(node) for node in naming(resource))


def naming(resource: Object) -> Iterator[Node]:
    """The properties that may decide what the resource is called."""
    type_, properties = type_of(resource), resource.get("Properties")
    named = NAMED.get(type_)
    if not isinstance(properties, Object):
        return
    for key, value in properties.entries:
        naming_property = named and key.text == named.property
        if naming_property or IDENTIFYING.fullmatch(key.text) or all_decide(type_) or key.text == "Value":
            yield value


def _naming_words(template: Template) -> Iterator[tuple[str, set[str]]]:
    for name, resource in template.resources.items():
        if words := {word for node in naming(resource) for word in words_of(node)}:
            yield name, words


def template_problems(old: Template | None, new: Template, names: set[str]) -> Iterator[Problem]:
    """Return what keeps all of a new version from being judged: keys that readers differ in, and what may rewrite it.

    The `names` mean another thing than before.
    """
    yield from new.repeated
    yield from changed_marks(old, new)
    yield from _sections_with_policies(old, new)
    old_macros = {shape(node) for node in old.macros} if old else set()
    for node in new.macros:
        if shape(node) not in old_macros:
            yield Problem("the macro is new here, and may rewrite every policy; judge what it gives", node.span)
    old_unknown = {(entry.key.text, shape(entry.value)) for entry in old.unknown} if old else set()
    for entry in filter(_may_grant, new.unknown):
        if (entry.key.text, shape(entry.value)) not in old_unknown or not names.isdisjoint(words_of(entry.value)):
            words = "is not defined in the template and may contain policies; write it out"
            yield Problem(f'"{entry.key.text}" {words}', entry.key.span)


def _may_grant(entry: Entry) -> bool:
    """Tell whether what is not expanded may hold a policy; a loop over topics alone does not."""
    body = entry.value.items[-1] if isinstance(entry.value, Array) and entry.value.items else None
    if not entry.key.text.startswith(LOOP) or not isinstance(body, Object):
        return True
    return not all(_is_harmless(made.value) for made in body.entries)


def _is_harmless(resource: Node) -> bool:
    """Tell whether a resource grants nothing, whatever a loop puts into it."""
    type_ = type_of(resource)
    words = words_of(resource)
    if not re.fullmatch(r"AWS::\w+::\w+", type_) or type_ in places():
        return False
    return words.isdisjoint(("Statement", "PolicyDocument", "Fn")) and not may_grant(
        " ".join(("Resources", type_, *words)).encode("utf-8", "replace")
    )


def _sections_with_policies(old: Template | None, new: Template) -> Iterator[Problem]:
    """Return what stands beside the sections of a template and may hold policies: no reader of templates takes it."""
    for key, value in new.root.entries:
        text = new.source.text[slice(*value.span)]
        if key.text in _SECTIONS or not ("Effect" in text or "polic" in text.lower() or ":role/" in text):
            continue
        old_value = old.root.get(key.text) if old is not None else None
        if old_value is None or shape(old_value) != shape(value):
            yield Problem(
                f'"{key.text}" is no section of a template, and may hold a policy; give it its own file', key.span
            )


def notes(old: Template, new: Template) -> Iterator[str]:
    """Return what is said of the parts of a template that are not judged."""
    if new.macros or new.unknown:
        yield "macros and what is included may change the policies here, which are judged as they are written"
    if new.exports and {*old.exports} != {*new.exports}:
        exports = sorted({spelling(export.name) for export in {*old.exports} ^ {*new.exports}})
        yield f"other templates export another value now as {', '.join(exports[:_MOST_NAMED])}"
    for name in old.nested.keys() & new.nested.keys():
        differing_names = _differing_names(old.nested[name].outputs, new.nested[name].outputs)
        if any(f"Outputs.{output}" in new.source.text for output in differing_names):
            yield f"outputs of {name} come to another value now: {', '.join(sorted(differing_names))}"
    for name, resource in new.resources.items():
        if type_of(resource) in _STACKS and name not in new.nested:
            old_resource = old.resources.get(name)
            if old_resource is None or not _is_same_node(old, new, old_resource, resource):
                yield f"{name} is a template of its own, judged as a file; the values given to it are not followed"
