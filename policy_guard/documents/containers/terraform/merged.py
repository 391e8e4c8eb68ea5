"""How the statements of several documents become those of one, where conditions decide which of them are there.

Source: terraform-provider-aws, internal/service/iam/policy_document_data_source.go and policy_model.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from policy_guard.documents.containers.choices import Need, Outcome, Truths, asked_by, free, guards, outcomes, settle
from policy_guard.documents.containers.memory import Written
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.elsewhere import unread_statements
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.values import label_of, name_of, parts, single, surely_differ
from policy_guard.documents.hcl.syntax import Block, Expression
from policy_guard.documents.source import Guard, Node, Object, Scalar, Span
from policy_guard.records import NamedTuple


class Item(NamedTuple):
    """A statement, or a document of which nothing is known, and what has to be so for it to be there.

    The provider refuses two statements of one Sid in a `group`.
    """

    node: Object | Scalar
    guards: tuple[Guard, ...] = ()
    group: str = ""

    @property
    def sid(self) -> Node | None:
        """Return the Sid of a statement that has one."""
        return self.node.get("Sid") if isinstance(self.node, Object) else None


def items_apart(
    evaluator: Evaluator, node: Block | Expression, work: Callable[[Evaluator], Sequence[Item]]
) -> list[Item]:
    """The items that `work` makes of a node, each with what has to be so for it, and not for what stands beside them.

    They are worked out once for all truths, if they can be. Raises `Opaque` if they depend on too much.
    """
    memory = evaluator.scope.memory
    names = tuple(sorted((name, name_of(value)) for name, value in evaluator.names.items()))

    def everywhere() -> list[Item] | None:
        try:
            return memory.apart(lambda: list(_explored(evaluator.under({}), work, node.span)))
        except Opaque:
            return None

    items = memory.value((evaluator.scope, "items", Written(node), names), {}, everywhere)
    if items is None:
        return list(_explored(evaluator, work, node.span))
    return [settled for item in items if (settled := _settled(evaluator, item)) is not None]


def _settled(evaluator: Evaluator, item: Item) -> Item | None:
    """The item as the truths of an evaluator leave it; None if they exclude it."""
    open_guards: list[Guard] = []
    for guard in item.guards:
        atom = asked_by(guard)
        truth = settle(atom, evaluator.truths)
        evaluator.scope.memory.note(atom, truth)
        if truth is None:
            open_guards.append(guard)
        elif truth == guard.negated:
            return None
    return item._replace(guards=tuple(open_guards))


def _explored(evaluator: Evaluator, work: Callable[[Evaluator], Sequence[Item]], span: Span) -> Iterator[Item]:
    """The items that `work` gives under all truths that it asks for."""
    outer_truths = evaluator.truths

    def run(truths: Truths) -> tuple[Item, ...]:
        return evaluator.scope.memory.aside(outer_truths, lambda: tuple(work(evaluator.under(truths))))

    all_outcomes = outcomes(run, outer_truths, span)
    common = set.intersection(*({_name(item) for item in outcome.value or ()} for outcome in all_outcomes))
    names: set[str] = set()
    for outcome in all_outcomes:
        for item in outcome.value or ():
            if _name(item) not in common:
                yield item._replace(guards=(*_guards(outcome, outer_truths), *item.guards))
            elif _name(item) not in names:
                names.add(_name(item))
                yield item


def _name(item: Item) -> str:
    return f"{name_of(item.node)} {item.guards!r}"


def _guards(outcome: Outcome[tuple[Item, ...]], outer_truths: Truths) -> tuple[Guard, ...]:
    return guards({atom: truth for atom, truth in outcome.truths.items() if atom not in outer_truths}, {})


def merged_statements(evaluator: Evaluator, items: Sequence[Item], is_apart: bool) -> tuple[Object, ...]:
    """The statements of items in their order: one with a Sid stands in place of the earlier one with that Sid.

    Unless they stand apart, nothing but the truths of the evaluator decides which are there. Raises `Need`.
    """
    standing: list[Item] = []
    for number, item in enumerate(items):
        evaluator.spend(item.node.span)
        if isinstance(item.node, Scalar):
            later = [
                (name_of(each.sid or each.node), each.guards) for each in items[number + 1 :] if _may_replace(each)
            ]
            standing = list(_kept(evaluator, standing, item, is_apart))
            standing += (item._replace(node=each) for each in unread_statements(item.node, later))
            continue
        replaced = [at for at, earlier in enumerate(standing) if _replaces(evaluator, item, earlier)]
        if replaced and item.guards:
            raise Need(asked_by(item.guards[0]))
        at = replaced[0] if replaced else len(standing)
        later_items = (each for place, each in enumerate(standing) if place > at and place not in replaced)
        standing = [*standing[:at], item, *later_items]
    return tuple(each.node._replace(guards=each.guards) for each in standing if isinstance(each.node, Object))


def _may_replace(item: Item) -> bool:
    return item.sid is not None or isinstance(item.node, Scalar)


def _replaces(evaluator: Evaluator, item: Item, earlier: Item) -> bool:
    """Tell whether a statement has the Sid of an earlier one, which it then replaces. Raises `Need`."""
    if not isinstance(item.sid, Scalar) or not isinstance(earlier.sid, Scalar):
        return False
    is_equal = parts(item.sid) == parts(earlier.sid)
    if _share_group(item, earlier) and (item.guards or earlier.guards or not is_equal):
        return False
    if is_equal or surely_differ(parts(item.sid), parts(earlier.sid)):
        return is_equal
    key = "".join(sorted((name_of(single(item.sid)), name_of(single(earlier.sid)))))
    return evaluator.truth(free(f"{label_of(item.sid)} is {label_of(earlier.sid)}", f"terraform equal {key}"))


def _share_group(one: Item, other: Item) -> bool:
    return one.group == other.group != ""


def _kept(evaluator: Evaluator, standing: Sequence[Item], document: Item, is_apart: bool) -> Iterator[Item]:
    """The statements that a document of which nothing is known does not replace. Raises `Need`."""
    for item in standing:
        if item.sid is None or _share_group(item, document):
            yield item
            continue
        words = f"{label_of(document.node)} leaves the statement {label_of(item.sid)}"
        presence = [guard[:3] for guard in document.guards]
        atom = free(words, f"terraform keeps {name_of(document.node)} {presence!r} {name_of(item.sid)}")
        if is_apart:
            yield item._replace(guards=(*item.guards, *guards({atom: True}, {})))
        elif evaluator.truth(atom):
            yield item
