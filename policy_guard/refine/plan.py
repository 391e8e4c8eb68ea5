"""A policy without what is not used: which of its actions go or are narrowed, and the edits that do it in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from policy_guard.documents.edit import Edit, Layout, as_list, dash_step, rewritten
from policy_guard.documents.globs import glob
from policy_guard.documents.source import Span
from policy_guard.iam.policy import BESIDE_FULL_ACCESS, Element, Policy, Statement, Value, statement_meaning
from policy_guard.records import NamedTuple
from policy_guard.refine.narrow import Narrowing, Scope, as_glob, drop_covered, kept_actions, untracked_actions
from policy_guard.refine.unused_actions import Use
from policy_guard.solver.strings.pattern import Unknown

NOT_ACTION = "NotAction grants all but what it names"
FILLED_IN = "a template fills in a part of it"
UNKNOWN_SERVICE = "the other actions of its service are not known here"
BLANKS = "there are blanks around it"
SHARED = "it is written once for several places"


class Notation(NamedTuple):
    """How a file spells lists: the edits that rewrite one, those that make one, and why a place is not edited."""

    rewritten: Callable[[str, Sequence[Span], Sequence[Sequence[str] | None]], Iterable[Edit]]
    as_list: Callable[[str, Span, Span, Sequence[str], int], Iterable[Edit]]
    obstacle: Callable[[Statement, Value, Narrowing], str | None]


JSON_OR_YAML = Notation(rewritten=rewritten, as_list=as_list, obstacle=lambda statement, value, narrowing: None)


class Narrowed(NamedTuple):
    """One action of a statement, and what takes its place."""

    statement: Statement
    value: Value
    narrowing: Narrowing


class StayingGrant(NamedTuple):
    """A grant of what is not used that stays, and why; `part` is the statement with that grant alone."""

    statement: Statement
    span: Span
    reason: str
    unused: tuple[Use, ...]
    part: Statement


class Plan(NamedTuple):
    """What is to become of a policy. `statements` are those that stay, with their actions as they will be spelled.

    With `empty` nothing would be left of the policy; then there are no edits. `kept_actions` are unused, in lower case,
    and stay because they are to be kept, and `untracked_actions` those that stay because AWS does not record their use.
    """

    policy: Policy
    narrowed: tuple[Narrowed, ...]
    staying_grants: tuple[StayingGrant, ...]
    statements: tuple[tuple[Statement, tuple[str, ...]], ...]
    edits: tuple[Edit, ...]
    empty: bool = False
    kept_actions: tuple[str, ...] = ()
    untracked_actions: tuple[str, ...] = ()


class _Step(NamedTuple):
    """One statement: None in `replacements` for a value that stays, else what takes its place."""

    statement: Statement
    narrowed: tuple[Narrowed, ...] = ()
    staying_grants: tuple[StayingGrant, ...] = ()
    replacements: tuple[tuple[str, ...] | None, ...] = ()

    @property
    def is_removed(self) -> bool:
        return bool(self.replacements) and all(new == () for new in self.replacements)

    def new_actions(self) -> tuple[str, ...]:
        """The actions as they will be."""
        values = self.statement.action.values
        replacements = self.replacements or (None,) * len(values)
        texts = ((value.text,) if new is None else new for value, new in zip(values, replacements, strict=True))
        return tuple(chain.from_iterable(texts))


def plan(policy: Policy, scope: Scope, notation: Notation = JSON_OR_YAML) -> Plan:
    """Return what is to become of a policy. Deny and NotAction are never touched."""
    spans = Counter(value.span for statement in policy.statements for value in statement.action.values)
    steps = [_step(statement, scope, spans, notation) for statement in policy.statements]
    patterns = [as_glob(value.pattern) for value in _granted_values(policy)]
    staying_unused = tuple(sorted({action for text in patterns for action in kept_actions(text, scope)}))
    unrecorded = tuple(sorted({action for text in patterns for action in untracked_actions(text, scope)}))
    if _would_be_empty(policy, steps):
        return Plan(
            policy=policy,
            narrowed=tuple(_narrowed_values(steps)),
            staying_grants=tuple(_staying_grants(steps)),
            statements=(),
            edits=(),
            empty=True,
            kept_actions=staying_unused,
            untracked_actions=unrecorded,
        )
    steps, edits = _edit(policy, steps, notation)
    staying_statements = tuple((step.statement, step.new_actions()) for step in steps if not step.is_removed)
    result = Plan(
        policy=policy,
        narrowed=tuple(_narrowed_values(steps)),
        staying_grants=tuple(_staying_grants(steps)),
        statements=staying_statements,
        edits=edits,
    )
    return result._replace(kept_actions=staying_unused, untracked_actions=unrecorded)


def places(plans: Iterable[Plan]) -> tuple[dict[Span, tuple[str, ...]], frozenset[Span]]:
    """Return where actions change, each with what they will be, and the statements that go."""
    actions: dict[Span, tuple[str, ...]] = {}
    spans: set[Span] = set()
    for policy_plan in plans:
        changed_ids = {id(one.statement) for one in policy_plan.narrowed} if policy_plan.edits else set()
        actions |= {
            statement.action.span: new for statement, new in policy_plan.statements if id(statement) in changed_ids
        }
        staying_ids = {id(statement) for statement, _ in policy_plan.statements}
        spans |= {one.span for one in policy_plan.policy.statements if policy_plan.edits and id(one) not in staying_ids}
    return actions, frozenset(spans)


def as_planned(plan: Plan, new_policy: Policy) -> bool:
    """Tell whether a policy, read back from the edited text, is what was planned, place for place."""
    if len(new_policy.statements) != len(plan.statements):
        return False
    for (old_statement, actions), new_statement in zip(plan.statements, new_policy.statements, strict=True):
        if tuple(value.text for value in new_statement.action.values) != actions:
            return False
        if statement_meaning(replace(new_statement, action=old_statement.action)) != statement_meaning(old_statement):
            return False
    return True


def _step(statement: Statement, scope: Scope, spans: Counter[Span], notation: Notation) -> _Step:
    if statement.effect != "Allow":
        return _Step(statement)
    if statement.action.negated:
        return _Step(statement, staying_grants=tuple(_not_action(statement, scope)))
    narrowed: list[Narrowed] = []
    staying_grants: list[StayingGrant] = []
    for value in statement.action.values:
        narrowing = scope.narrowing(as_glob(value.pattern))
        reason = narrowing and (
            notation.obstacle(statement, value, narrowing) or _obstacle(statement, value, spans, narrowing, scope)
        )
        if narrowing and reason:
            staying_grants.append(_staying_grant(statement, value, reason, narrowing.unused))
        elif narrowing:
            narrowed.append(Narrowed(statement, value, narrowing))
    return _Step(statement, tuple(narrowed), tuple(staying_grants), _replacements(statement, narrowed, staying_grants))


def _granted_values(policy: Policy) -> Iterator[Value]:
    for statement in policy.statements:
        if statement.effect == "Allow" and not statement.action.negated:
            yield from statement.action.values


def _obstacle(
    statement: Statement, value: Value, spans: Counter[Span], narrowing: Narrowing, scope: Scope
) -> str | None:
    if any(isinstance(part, Unknown) for part in value.pattern.parts):
        return FILLED_IN
    if value.padded:
        return BLANKS
    if (
        ("*" in value.text or "?" in value.text)
        and len(narrowing.covered) == 1
        and scope.knows_little(narrowing.covered[0])
    ):
        return UNKNOWN_SERVICE
    inside = statement.span.start <= value.span.start and value.span.end <= statement.span.end
    return None if inside and spans[value.span] == 1 else SHARED


def _replacements(
    statement: Statement, narrowed: Sequence[Narrowed], staying_grants: Sequence[StayingGrant]
) -> tuple[tuple[str, ...] | None, ...]:
    if not narrowed:
        return ()
    by_span = {change.value.span: change for change in narrowed}
    spans = {*by_span, *(grant.span for grant in staying_grants)}
    texts = [value.text for value in statement.action.values if value.span not in spans]
    replacements: list[tuple[str, ...] | None] = []
    for value in statement.action.values:
        change = by_span.get(value.span)
        new = tuple(drop_covered(change.narrowing.patterns, texts)) if change else None
        texts += new or ()
        replacements.append(new)
    return tuple(replacements)


def _staying_grant(statement: Statement, value: Value, reason: str, unused: tuple[Use, ...]) -> StayingGrant:
    part = replace(statement, action=Element(False, (value,), value.span))
    return StayingGrant(statement=statement, span=value.span, reason=reason, unused=unused, part=part)


def _not_action(statement: Statement, scope: Scope) -> Iterator[StayingGrant]:
    exceptions = [glob(as_glob(value.pattern).lower()) for value in statement.action.values]
    narrowing = scope.narrowing("*")
    uses = narrowing.unused if narrowing else ()
    if unused := tuple(use for use in uses if not any(matches(use.action) for matches in exceptions)):
        yield StayingGrant(
            statement=statement, span=statement.action.span, reason=NOT_ACTION, unused=unused, part=statement
        )


def _would_be_empty(policy: Policy, steps: Sequence[_Step]) -> bool:
    staying_statements = [step.statement for step in steps if not step.is_removed]
    if not staying_statements:
        return True
    lost = len(staying_statements) < len(steps) and policy.kind in BESIDE_FULL_ACCESS
    return lost and all(statement.effect == "Deny" for statement in staying_statements)


def _edit(policy: Policy, steps: list[_Step], notation: Notation) -> tuple[list[_Step], tuple[Edit, ...]]:
    """The edits of all steps, and the steps as far as they can be edited."""
    text = policy.source.text
    edits: list[Edit] = []
    dashes = dash_step(text, policy.statements[0].span)
    new_steps = [_lay_out(text, step, edits, dashes, notation) for step in steps]
    if any(step.is_removed for step in new_steps):
        try:
            replacements: list[tuple[str, ...] | None] = [() if step.is_removed else None for step in new_steps]
            edits += notation.rewritten(text, [step.statement.span for step in new_steps], replacements)
        except Layout as error:
            new_steps = [_undo(step, str(error)) if step.is_removed else step for step in new_steps]
    return new_steps, tuple(edits)


def _lay_out(text: str, step: _Step, edits: list[Edit], dashes: int, notation: Notation) -> _Step:
    if not step.replacements or step.is_removed:
        return step
    action = step.statement.action
    spans = [value.span for value in action.values]
    try:
        if spans == [action.span]:
            edits += notation.as_list(text, step.statement.span, spans[0], step.replacements[0] or (), dashes)
        else:
            edits += notation.rewritten(text, spans, step.replacements)
    except Layout as error:
        return _undo(step, str(error))
    return step


def _undo(step: _Step, reason: str) -> _Step:
    """The step undone, and reported."""
    staying_grants = (
        _staying_grant(step.statement, narrowed.value, reason, narrowed.narrowing.unused) for narrowed in step.narrowed
    )
    return _Step(step.statement, staying_grants=(*step.staying_grants, *staying_grants))


def _narrowed_values(steps: Sequence[_Step]) -> Iterator[Narrowed]:
    yield from (narrowed for step in steps for narrowed in step.narrowed)


def _staying_grants(steps: Sequence[_Step]) -> Iterator[StayingGrant]:
    yield from (grant for step in steps for grant in step.staying_grants)
