"""Reads parts of a template under all truths that it leaves open: properties, policies in them, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.documents.containers.choices import (
    Atom,
    ConditionName,
    Impossible,
    Need,
    Outcome,
    Truths,
    guards,
    outcomes,
)
from policy_guard.documents.containers.cloudformation.calls import NO_VALUE, call
from policy_guard.documents.containers.cloudformation.default_policies import with_default
from policy_guard.documents.containers.cloudformation.evaluate import Changes, Evaluator, entries_of
from policy_guard.documents.containers.cloudformation.parts import NOTHING, NoValue, Value, literal, name_of, parts_of
from policy_guard.documents.containers.cloudformation.places import Place
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.containers.cloudformation.texts import is_text, json_in
from policy_guard.documents.containers.memory import Memory
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.source import Array, Entry, Guard, Hole, Node, Object, Scalar
from policy_guard.records import NamedTuple

_ACCOUNT = "the account"
_MOST_STATEMENTS = 1_000
_STEPS = 400_000

_NO_JSON = "this text is no JSON, and so no policy that is read here; write the policy itself"
_LATER = "this is resolved later and is not a policy yet; write the policy here"


class Holder(NamedTuple):
    """Whom a policy serves, under some truths: equal keys are one holder, `label` is for people.

    With `is_resource` it is the resource that holds the policy.
    """

    key: str
    label: str
    truths: Truths
    is_resource: bool = False


class Reading:
    """Reads the policies of a template, beside what is known of the other side of a comparison.

    Resources in `defaulted` have their default policy where the template gives them none. Those in `lasting` are in
    both sides of the comparison, and so are methods of APIs there.
    """

    def __init__(
        self,
        template: Template,
        changes: Changes,
        defaulted: frozenset[str] = frozenset(),
        lasting: frozenset[str] = frozenset(),
    ) -> None:
        self.template = template
        self.lasting = lasting
        self._defaulted = defaulted
        self.changes = changes
        self._steps = [_STEPS]
        self._memory = Memory()
        self._condition_names: dict[Atom, ConditionName] | None = None

    def evaluator(self, truths: Truths, for_names: bool = False) -> Evaluator:
        all_truths = {**dict.fromkeys(self.changes.assumptions, True), **truths}
        return Evaluator(self.template, self.changes, all_truths, self._steps, self._memory, for_names)

    def existing(self, name: str) -> list[Truths]:
        """Under which truths the resource is there."""
        return [outcome.truths for outcome in self._existences(name) if outcome.value]

    def missing(self, name: str) -> list[Truths]:
        """Under which truths the resource is not there."""
        return [outcome.truths for outcome in self._existences(name) if outcome.value is False]

    def _existences(self, name: str) -> list[Outcome[bool]]:
        condition = self.template.resources[name].get("Condition")
        if condition is None:
            return [Outcome({}, True)]
        return outcomes(lambda truths: self._is_there(condition, truths), {}, condition.span)

    def _is_there(self, condition: Node, truths: Truths) -> bool:
        evaluator = self.evaluator(truths)
        return evaluator.condition(condition) if isinstance(condition, Scalar) else evaluator.boolean(condition)

    def properties(self, name: str) -> Object:
        """The properties of a resource; raises `Opaque` if a function makes them."""
        resource = self.template.resources[name]
        node = resource.get("Properties")
        if node is None:
            node = Object((), resource.span)
        if not isinstance(node, Object) or call(node):
            raise Opaque("the properties of the resource come from a function; write them out", node.span)
        node = node._replace(entries=tuple(entries_of(node)))
        return with_default(type_of(resource), node) if name in self._defaulted else node

    def certain(self, node: Node) -> Scalar:
        """The text that a node comes to whatever holds; raises `Opaque` if conditions decide."""
        try:
            return self.evaluator({}).text(node)
        except Need:
            raise Opaque("this value depends on conditions; write it out", node.span) from None

    def guards(self, truths: Truths, denies: bool = False) -> tuple[Guard, ...]:
        """The truths as guards, in the words of the template's conditions.

        What `denies` does so for values, too, that parameters may have on the other side alone: what was granted with
        values that were not allowed is nothing, and not all that some Deny did not keep out.
        """
        if truths and self._condition_names is None:
            self._condition_names = {}
            for name in self.template.conditions:
                self._name(name)
        if denies:
            evaluator = self.evaluator({})
            bounds = {atom for name in self.changes.allowed for atom in evaluator.bounds(name)}
            truths = {atom: truth for atom, truth in truths.items() if atom not in bounds}
        return guards(truths, self._condition_names or {}, self.changes.assumptions, bounded=not denies)

    def _name(self, name: str) -> None:
        """Notes the truth that decides a condition, if it is only one."""
        key = Scalar(name, self.template.root.span)
        try:
            self.evaluator({}).condition(key)
        except Need as need:
            atom = need.atom
        except (Opaque, Impossible):
            return
        else:
            return
        try:
            if_true, if_false = (self.evaluator({atom: truth}).condition(key) for truth in (True, False))
        except (Need, Opaque, Impossible):
            return
        if if_true != if_false and self._condition_names is not None:
            self._condition_names.setdefault(atom, ConditionName(name, if_true))

    # --- the parts of properties

    def texts(self, node: Node | None, truths: Truths) -> Iterator[Outcome[tuple[Scalar, ...]]]:
        """The texts in a property, which is one or a list, in every case; nothing if the property is not there."""
        if node is None:
            yield Outcome(truths, ())
            return
        for outcome in outcomes(lambda case: self._texts(node, case), truths, node.span):
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
        while function_call := call(node):
            argument = function_call.argument
            if function_call.name == "Fn::If" and isinstance(argument, Array) and len(argument.items) == 3:
                truth = self.evaluator(truths).condition(argument.items[0])
                node = argument.items[1 if truth else 2]
            elif function_call.name == "Ref" and isinstance(argument, Scalar) and argument.text == NO_VALUE:
                return NOTHING
            else:
                break
        return node

    def items(self, node: Node, truths: Truths) -> Iterator[tuple[Node, Truths]]:
        """The items of a list, or the only one, each under the truths for which it is there; not yet evaluated."""
        for outcome in outcomes(lambda case: self._items(node, case), truths, node.span):
            for item in outcome.value or ():
                for choice in outcomes(lambda case, item=item: self.resolved(item, case), outcome.truths, item.span):  # type: ignore[misc]
                    if choice.value is not None and not isinstance(choice.value, NoValue):
                        yield choice.value, choice.truths

    def _items(self, node: Node, truths: Truths) -> tuple[Node, ...]:
        value = self.resolved(node, truths)
        if not isinstance(value, NoValue) and (call(value) or isinstance(value, Scalar)):
            value = self.evaluator(truths).value(value)
        if isinstance(value, NoValue):
            return ()
        if isinstance(value, Array):
            return value.items
        if isinstance(value, Scalar) and any(isinstance(part, Hole) for part in parts_of(value)):
            raise Opaque("this value cannot be resolved; write it out", node.span)
        return (value,)

    def property(self, node: Node, path: str, label: str, truths: Truths) -> Iterator[tuple[str, Node, Truths]]:
        """The nodes at a path below a mapping, each with its label and the truths for which it is there."""
        step, _, remaining_path = path.partition(".")
        name = step.removesuffix("[]")
        entries = entries_of(node) if isinstance(node, Object) else ()
        child = next((entry.value for entry in entries if entry.key.text == name), None)
        if child is None:
            return
        label = f"{label}.{name}"
        targets: list[tuple[str, Node, Truths]] = []
        if step.endswith("[]"):
            numbered_items = enumerate(self.items(child, truths))
            targets += ((f"{label}[{number}]", item, case) for number, (item, case) in numbered_items)
        elif remaining_path:
            for outcome in outcomes(lambda case: self.resolved(child, case), truths, child.span):
                if outcome.value is not None and not isinstance(outcome.value, NoValue):
                    targets.append((label, outcome.value, outcome.truths))
        else:
            targets.append((label, child, truths))
        for item_label, value, case in targets:
            if not remaining_path:
                yield item_label, value, case
            elif isinstance(value, Object) and not call(value):
                yield from self.property(value, remaining_path, item_label, case)
            else:
                raise Opaque("this value cannot be resolved; write it out", value.span)

    # --- documents

    def document(self, node: Node, cases: Iterable[Truths]) -> Object | None:
        """The policy that a property holds, its statements under guards; None if there is none in any case.

        Raises `Opaque` and `Unreadable`.
        """
        heads: list[Outcome[Object]] = []
        for truths in cases:
            head_outcomes = outcomes(lambda case: self._head(node, case), truths, node.span)
            heads += (Outcome(o.truths, o.value) for o in head_outcomes if isinstance(o.value, Object))
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
                raise Opaque("this value depends on too many conditions; write it with fewer", node.span)
        return Object(tuple(_with_statements(first, statements)), first.span)

    def _head(self, node: Node, truths: Truths) -> Value:
        """The policy behind conditions, as text or mapping; what is in its statements is not yet evaluated."""
        value = self.resolved(node, truths)
        if isinstance(value, NoValue):
            return value
        function_call = call(value)
        if function_call and function_call.name == "Fn::ToJsonString":
            return self._head(function_call.argument, truths)
        evaluator = self.evaluator(truths)
        if is_text(value):
            value = json_in(evaluator, value)
        elif function_call:
            value = evaluator.value(value)
            if isinstance(value, Scalar):
                value = json_in(evaluator, value)
        if isinstance(value, NoValue):
            return value
        if not isinstance(value, Object):
            is_plain = isinstance(value, Scalar) and isinstance(node, Scalar)
            raise Opaque(_NO_JSON if is_plain else _LATER, node.span)
        entries: list[Entry] = []
        for entry in entries_of(value):
            part: Value = entry.value if entry.key.text == "Statement" else evaluator.value(entry.value)
            if not isinstance(part, NoValue):
                entries.append(Entry(literal(entry.key), part))
        return Object(tuple(entries), node.span)

    def _statements(self, node: Node, truths: Truths) -> Iterator[Node]:
        for item, item_truths in self.items(node, truths):
            for outcome in outcomes(lambda case, item=item: self.evaluator(case).value(item), item_truths, item.span):  # type: ignore[misc]
                if outcome.value is None or isinstance(outcome.value, NoValue):
                    continue
                if isinstance(outcome.value, Object):
                    yield outcome.value._replace(guards=self.guards(outcome.truths, _denies(outcome.value)))
                else:
                    yield outcome.value

    # --- holders

    def own_holder(self, name: str, truths: Truths) -> Holder:
        """A resource as the holder of its own policies."""
        parts = self.evaluator(truths).attribute(name, "Ref", self.template.resources[name].span)
        return Holder(key=name_of(parts), label=name, truths=truths, is_resource=True)

    def holders(self, name: str, place: Place, properties: Object, truths: Truths) -> Iterator[Holder]:
        """Return those whom the policy at a place of a resource serves."""
        if place.account:
            yield Holder(_ACCOUNT, "", truths)
            return
        for outcome in outcomes(lambda case: self._holders_of(name, place, properties, case), truths, properties.span):
            yield from (holder._replace(truths=outcome.truths) for holder in outcome.value or ())

    def _holders_of(self, name: str, place: Place, properties: Object, truths: Truths) -> tuple[Holder, ...]:
        """Return those whom the policy serves; the resource itself if it names nobody."""
        holders = tuple(
            Holder(f"{_noun(key)} {name_of(parts_of(text))}", text.text, {})
            for key in place.holders
            if (node := properties.get(key)) is not None
            for text in self._texts(node, truths)
        )
        return holders or (self.own_holder(name, truths)._replace(truths={}),)


def _denies(statement: Object) -> bool:
    effect = statement.get("Effect")
    return isinstance(effect, Scalar) and parts_of(effect) == ("Deny",)


def _noun(key: str) -> str:
    """The property that names holders, in the singular."""
    return key.removesuffix("Name").removesuffix("s")


def _version(policy: Object | None) -> str | None:
    version = policy.get("Version") if policy is not None else None
    return version.text if isinstance(version, Scalar) else None


def _with_statements(policy: Object, statements: list[Node]) -> Iterator[Entry]:
    """The entries of a policy with these statements in place of its own."""
    replaced = False
    for key, value in policy.entries:
        if key.text != "Statement":
            yield Entry(key, value)
        elif not replaced:
            replaced = True
            yield Entry(key, Array(tuple(statements), value.span))
        else:
            yield Entry(key, value)
