"""The policy documents of a template: each with its address, its kind, whose it is, and how much of it can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, cast

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.cloudformation.calls import NO_VALUE, TRANSFORM, Opaque, call
from policy_guard.documents.containers.cloudformation.choices import Need, Outcome, Truths, guards, outcomes
from policy_guard.documents.containers.cloudformation.evaluate import (
    NOTHING,
    Evaluator,
    Moved,
    NoValue,
    Value,
    entries_of,
    literal,
    name_of,
    parts_of,
)
from policy_guard.documents.containers.cloudformation.places import Place, places
from policy_guard.documents.containers.cloudformation.template import Template, twice, type_of
from policy_guard.documents.containers.cloudformation.texts import is_text, json_in
from policy_guard.documents.containers.plain import Found, is_policy_text, looks_like_policy
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Problem, Scalar, Unreadable

ACCOUNT = "the account"
IDENTITY = tuple(f"AWS::IAM::{name}" for name in ("Role", "User", "Group", "Policy", "ManagedPolicy"))
IDENTITY += tuple(f"AWS::IAM::{name}Policy" for name in ("Role", "User", "Group"))
_MOST_STATEMENTS = 1_000
_CODE = ("ZipFile", "InlineCode", "UserData", "Fn::Base64")
_STEPS = 400_000
_ORGANIZATIONS: dict[str, Kind] = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}

_OWN = Place(path="", kind="", holders=(), account=False)


class Unit(NamedTuple):
    """A policy of a template. With `problems` it cannot be told, and `found` is None.

    `holder` tells whose it is: of one holder, the policies with the same `together` are judged as one.
    """

    address: str
    holder: str
    found: Found | None
    problems: tuple[Problem, ...] = ()
    together: str = ""


class Holder(NamedTuple):
    """Whom a policy serves, under some truths: equal keys are one holder, `shown` is for people.

    With `own` it is the resource that holds the policy.
    """

    key: str
    shown: str
    truths: Truths
    own: bool = False


class Reading:
    """Reads the policies of a template, beside what is known of the other side of a comparison."""

    def __init__(self, template: Template, moved: Moved) -> None:
        self.template = template
        self.moved = moved
        self._steps = [_STEPS]

    def evaluator(self, truths: Truths) -> Evaluator:
        return Evaluator(self.template, self.moved, truths, self._steps)

    def existing(self, name: str) -> list[Truths]:
        """Under which truths the resource is there."""
        resource = self.template.resources[name]
        condition = resource.get("Condition")
        if condition is None:
            return [{}]
        found = outcomes(lambda truths: self._is_there(condition, truths), {}, condition.span)
        return [outcome.truths for outcome in found if outcome.value]

    def _is_there(self, condition: Node, truths: Truths) -> bool:
        evaluator = self.evaluator(truths)
        return evaluator.condition(condition) if isinstance(condition, Scalar) else evaluator.boolean(condition)

    def properties(self, name: str) -> Object:
        """The properties of a resource; raises `Opaque` if a function makes them."""
        resource = self.template.resources[name]
        node = resource.get("Properties")
        if node is None:
            return Object((), resource.span)
        if not isinstance(node, Object) or call(node):
            raise Opaque("the properties of the resource come from a function; write them out", node.span)
        for entry in node.entries:
            if entry.key.text == TRANSFORM:
                raise Opaque("Fn::Transform may add any property; write what it comes to", entry.key.span)
        return node

    def certain(self, node: Node) -> Scalar:
        """The text that a node comes to whatever holds; raises `Opaque` if conditions decide."""
        try:
            return self.evaluator({}).text(node)
        except Need:
            raise Opaque("conditions decide what stands here; write it out", node.span) from None

    # --- the parts of properties

    def texts(self, node: Node | None, truths: Truths) -> Iterator[Outcome[tuple[Scalar, ...]]]:
        """The texts in a property, which is one or a list, in every case; nothing if the property is not there."""
        if node is None:
            yield Outcome(truths, ())
            return
        for outcome in outcomes(lambda given: self._texts(node, given), truths, node.span):
            if outcome.value is not None:
                yield outcome

    def _texts(self, node: Node, truths: Truths) -> tuple[Scalar, ...]:
        value = self.evaluator(truths).value(node)
        if isinstance(value, NoValue):
            return ()
        items = value.items if isinstance(value, Array) else (value,)
        if not all(isinstance(item, Scalar) for item in items):
            raise Opaque("texts are expected here", node.span)
        return tuple(item for item in items if isinstance(item, Scalar))

    def resolved(self, node: Node, truths: Truths) -> Value:
        """The node behind conditions, with nothing in it evaluated that is no condition."""
        while called := call(node):
            argument = called.argument
            if called.name == "Fn::If" and isinstance(argument, Array) and len(argument.items) == 3:
                truth = self.evaluator(truths).condition(argument.items[0])
                node = argument.items[1 if truth else 2]
            elif called.name == "Ref" and isinstance(argument, Scalar) and argument.text == NO_VALUE:
                return NOTHING
            else:
                break
        return node

    def items(self, node: Node, truths: Truths) -> Iterator[tuple[Node, Truths]]:
        """The items of a list, or the only one, each under the truths for which it is there; not yet evaluated."""
        for outcome in outcomes(lambda given: self._items(node, given), truths, node.span):
            for item in outcome.value or ():
                for one in outcomes(lambda given, item=item: self.resolved(item, given), outcome.truths, item.span):  # type: ignore[misc]
                    if one.value is not None and not isinstance(one.value, NoValue):
                        yield one.value, one.truths

    def _items(self, node: Node, truths: Truths) -> tuple[Node, ...]:
        value = self.resolved(node, truths)
        if not isinstance(value, NoValue) and (call(value) or isinstance(value, Scalar)):
            value = self.evaluator(truths).value(value)
        if isinstance(value, NoValue):
            return ()
        if isinstance(value, Array):
            return value.items
        if isinstance(value, Scalar) and any(isinstance(part, Hole) for part in parts_of(value)):
            raise Opaque("nobody can tell what stands here; write it out", node.span)
        return (value,)

    def property(self, node: Node, path: str, label: str, truths: Truths) -> Iterator[tuple[str, Node, Truths]]:
        """The nodes at a path below a mapping, each with its label and the truths for which it is there."""
        step, _, rest = path.partition(".")
        name = step.removesuffix("[]")
        child = node.get(name) if isinstance(node, Object) else None
        if child is None:
            return
        label = f"{label}.{name}"
        reached: list[tuple[str, Node, Truths]] = []
        if step.endswith("[]"):
            numbered = enumerate(self.items(child, truths))
            reached += ((f"{label}[{number}]", item, given) for number, (item, given) in numbered)
        elif rest:
            for outcome in outcomes(lambda given: self.resolved(child, given), truths, child.span):
                if outcome.value is not None and not isinstance(outcome.value, NoValue):
                    reached.append((label, outcome.value, outcome.truths))
        else:
            reached.append((label, child, truths))
        for below, value, given in reached:
            if not rest:
                yield below, value, given
            elif isinstance(value, Object) and not call(value):
                yield from self.property(value, rest, below, given)
            else:
                raise Opaque("nobody can tell what stands here; write it out", value.span)

    # --- documents

    def document(self, node: Node, given: Iterable[Truths]) -> Object | None:
        """The policy that a property holds, its statements under guards; None if there is none in any case.

        Raises `Opaque` and `Unreadable`.
        """
        heads: list[Outcome[Object]] = []
        for truths in given:
            found = outcomes(lambda each: self._head(node, each), truths, node.span)
            heads += (Outcome(o.truths, o.value) for o in found if isinstance(o.value, Object))
        if not heads:
            return None
        first = heads[0].value
        assert first is not None
        versions = {_version(head.value) for head in heads if head.value is not None}
        if len(versions) > 1:
            raise Opaque("conditions choose between two Versions of the policy; write one", node.span)
        statements: list[Node] = []
        for head in heads:
            statement = head.value.get("Statement") if head.value is not None else None
            if statement is not None:
                statements += self._statements(statement, head.truths)
            if len(statements) > _MOST_STATEMENTS:
                raise Opaque("too many conditions decide what stands here; write it with fewer", node.span)
        return Object(tuple(_with_statements(first, statements)), first.span)

    def _head(self, node: Node, truths: Truths) -> Value:
        """The policy behind conditions, as text or mapping; what is in its statements is not yet evaluated."""
        value = self.resolved(node, truths)
        if isinstance(value, NoValue):
            return value
        called = call(value)
        if called and called.name == "Fn::ToJsonString":
            return self._head(called.argument, truths)
        evaluator = self.evaluator(truths)
        if is_text(value):
            value = json_in(evaluator, value)
        elif called:
            value = evaluator.value(value)
            if isinstance(value, Scalar):
                value = json_in(evaluator, value)
        if isinstance(value, NoValue):
            return value
        if not isinstance(value, Object):
            raise Opaque("what stands here is no policy but something that is resolved later; write it out", node.span)
        entries: list[Entry] = []
        for entry in entries_of(value):
            part: Value = entry.value if entry.key.text == "Statement" else evaluator.value(entry.value)
            if not isinstance(part, NoValue):
                entries.append(Entry(literal(entry.key), part))
        return Object(tuple(entries), node.span)

    def _statements(self, node: Node, truths: Truths) -> Iterator[Node]:
        for item, given in self.items(node, truths):
            for outcome in outcomes(lambda each, item=item: self.evaluator(each).value(item), given, item.span):  # type: ignore[misc]
                if outcome.value is None or isinstance(outcome.value, NoValue):
                    continue
                if isinstance(outcome.value, Object):
                    yield outcome.value._replace(guards=guards(outcome.truths))
                else:
                    yield outcome.value

    # --- holders

    def own(self, name: str, truths: Truths) -> Holder:
        """A resource as the holder of its own policies."""
        parts = self.evaluator(truths).attribute(name, "Ref", self.template.resources[name].span)
        return Holder(key=name_of(parts), shown=name, truths=truths, own=True)

    def holders(self, name: str, place: Place, properties: Object, truths: Truths) -> Iterator[Holder]:
        """Those whom the policy at a place of a resource serves."""
        if place.account:
            yield Holder(ACCOUNT, "", truths)
            return
        for outcome in outcomes(lambda given: self._served(name, place, properties, given), truths, properties.span):
            yield from (holder._replace(truths=outcome.truths) for holder in outcome.value or ())

    def _served(self, name: str, place: Place, properties: Object, truths: Truths) -> tuple[Holder, ...]:
        """Those whom the policy serves; the resource itself if it names nobody."""
        found = tuple(
            Holder(f"{_noun(key)} {name_of(parts_of(text))}", text.text, {})
            for key in place.holders
            if (node := properties.get(key)) is not None
            for text in self._texts(node, truths)
        )
        return found or (self.own(name, truths)._replace(truths={}),)


def _noun(key: str) -> str:
    """The property that names holders, in the singular."""
    return key.removesuffix("Name").removesuffix("s")


def _version(policy: Object | None) -> str | None:
    version = policy.get("Version") if policy is not None else None
    return version.text if isinstance(version, Scalar) else None


def _with_statements(policy: Object, statements: list[Node]) -> Iterator[Entry]:
    """The entries of a policy with these statements in place of its own."""
    done = False
    for key, value in policy.entries:
        if key.text != "Statement":
            yield Entry(key, value)
        elif not done:
            done = True
            yield Entry(key, Array(tuple(statements), value.span))
        else:
            yield Entry(key, value)


def attempt(build: Callable[[], Iterable[Unit]], address: str, holder: str = "", together: str = "") -> list[Unit]:
    """The units that are built, or one that says why they cannot be told."""
    problems: tuple[Problem, ...]
    try:
        return list(build())
    except Opaque as error:
        problems = (error.problem,)
    except Unreadable as error:
        problems = error.problems
    return [Unit(address, holder, None, problems, together)]


def resource_units(reading: Reading, name: str) -> list[Unit]:
    """The policies of a resource but those of principals."""
    return attempt(lambda: _resource_units(reading, name), f"Resources.{name}")


def _resource_units(reading: Reading, name: str) -> Iterator[Unit]:
    template = reading.template
    type_ = type_of(template.resources[name])
    known = places().get(type_, ())
    if known and (repeated := tuple(twice(template.resources[name]))):
        raise Unreadable(*repeated)
    properties = reading.properties(name)
    for place in known:
        if place.kind != "identity" or type_ not in IDENTITY:
            yield from attempt(
                lambda place=place: _at(reading, name, place, properties),  # type: ignore[misc]
                f"Resources.{name}.{place.path}",
            )
    yield from _by_shape(reading, name, properties, {place.path.partition("[]")[0] for place in known})


def _at(reading: Reading, name: str, place: Place, properties: Object) -> Iterator[Unit]:
    """The policies at one place of a resource, one for each holder."""
    reached: dict[str, list[tuple[Node, Truths]]] = {}
    for truths in reading.existing(name):
        for label, node, given in reading.property(properties, place.path, f"Resources.{name}", truths):
            reached.setdefault(label, []).append((node, given))
    for label, nodes in reached.items():
        served: dict[str, list[tuple[Node, Holder]]] = {}
        for node, given in nodes:
            for holder in reading.holders(name, place, properties, given):
                served.setdefault(holder.key, []).append((node, holder))
        for key, each in served.items():
            address = label if len(served) == 1 else f"{label} of {each[0][1].shown}"
            yield from attempt(
                lambda each=each, key=key, address=address: _document(  # type: ignore[misc]
                    reading, address, key, _kind(reading, place, properties), [(n, h.truths) for n, h in each]
                ),
                address,
                key,
            )


def _document(
    reading: Reading, address: str, holder: str, kind: Kind | None, nodes: list[tuple[Node, Truths]]
) -> Iterator[Unit]:
    for node in dict.fromkeys(id(node) for node, _ in nodes):
        own = next(each for each, _ in nodes if id(each) == node)
        wrapped = _as_document(own, address)
        found = reading.document(wrapped, [truths for each, truths in nodes if id(each) == node])
        if found is not None:
            yield Unit(address, holder, Found(address, found, reading.template.source, holder, kind=kind))


def _as_document(node: Node, address: str) -> Node:
    """A statement that stands alone, as that of an event bus does, as the policy that it becomes."""
    if not address.partition(" of ")[0].endswith(".Statement"):
        return node
    version = Entry(Scalar("Version", node.span), Scalar("2012-10-17", node.span))
    return Object((version, Entry(Scalar("Statement", node.span), node)), node.span)


def _kind(reading: Reading, place: Place, properties: Object) -> Kind | None:
    if place.kind != "organizations":
        return cast(Kind, place.kind)
    given = properties.get("Type")
    text = reading.certain(given).text if given is not None else ""
    if text not in _ORGANIZATIONS:
        raise Opaque("policies of this Type are not read; exclude the file, or judge it by hand", properties.span)
    return _ORGANIZATIONS[text]


def _by_shape(reading: Reading, name: str, properties: Object, known: set[str]) -> Iterator[Unit]:
    """The policies of a resource that stand where no table says so."""
    text = reading.template.source.text
    if "tatement" not in text[slice(*reading.template.resources[name].span)] and "&" not in text and "*" not in text:
        return
    waiting: list[tuple[str, Node, bool]] = [
        (f"Resources.{name}.{key.text}", value, False) for key, value in properties.entries
    ]
    while waiting:
        label, node, filled = waiting.pop()
        path = label.removeprefix(f"Resources.{name}.")
        if path in known or path.rpartition(".")[2] in _CODE:
            continue
        policy = is_policy_text(node.text) if isinstance(node, Scalar) else looks_like_policy(node)
        called = call(node)
        if policy and filled:
            message = "a policy stands inside of a function here; write it where it can be read"
            yield Unit(label, "", None, (Problem(message, node.span),))
        elif policy or (called and called.name == "Fn::Sub" and _holds_text(called.argument)):
            yield from attempt(
                lambda label=label, node=node: _alone(reading, name, label, node),  # type: ignore[misc]
                label,
            )
        elif isinstance(node, Array):
            waiting += ((f"{label}[{number}]", item, filled) for number, item in enumerate(node.items))
        elif isinstance(node, Object):
            inside = filled or bool(called)
            waiting += ((f"{label}.{key.text}", value, inside) for key, value in node.entries)


def _holds_text(argument: Node) -> bool:
    """Whether a policy stands in the text under `Fn::Sub`."""
    items = argument.items if isinstance(argument, Array) else (argument,)
    return bool(items) and isinstance(items[0], Scalar) and is_policy_text(items[0].text)


def _alone(reading: Reading, name: str, label: str, node: Node) -> Iterator[Unit]:
    served: dict[str, list[tuple[Node, Truths]]] = {}
    for truths in reading.existing(name):
        for holder in reading.holders(name, _OWN, Object((), node.span), truths):
            served.setdefault(holder.key, []).append((node, holder.truths))
    for key, nodes in served.items():
        yield from _document(reading, label, key, None, nodes)
