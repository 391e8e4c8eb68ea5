"""Sets up the prover of a question: what is known of its callers, and what judging a request costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

from policy_guard.iam import catalog
from policy_guard.iam.meaning.caller_facts import partitions, role_names
from policy_guard.iam.meaning.prover import Prover
from policy_guard.iam.policy import Statement, by_effect
from policy_guard.settings.critical import exceptions
from policy_guard.solver.budget import Budgets
from policy_guard.solver.formula import conjunction
from policy_guard.verify.check import Question


def prover_for(
    question: Question, budgets: Budgets | None = None, extra_statements: Iterable[Statement] = ()
) -> Prover:
    """A prover that gives its witnesses a principal where the policies or the critical entries speak of one.

    `extra_statements` are asked about besides those of the question. A key counts as true or false if AWS lists it so
    and neither compares it as anything else: for a few keys the list is wrong.
    """
    old_statements = [s for policy in (question.old, question.reference) if policy for s in policy.statements]
    new_statements = [*(question.new.statements if question.new else ())]
    new_statements += question.within.statements if question.within else ()
    new_statements += [*(s for each in question.accepted for s in (*each.statements, *each.without)), *extra_statements]
    principalses = [entry.principals for entry in question.critical if entry.principals]
    names_principals = any(each.principals for each in (*old_statements, *new_statements)) or bool(principalses)
    new_statements += exceptions(question.critical)
    statements = [*old_statements, *new_statements]
    conditions = [condition for statement in statements for condition in statement.conditions]
    compared_keys = {condition.key for condition in conditions if condition.operator not in ("Bool", "Null")}
    keys = {condition.key for condition in conditions} - compared_keys
    booleans = {key for key in keys if (key_type := catalog.key_type(key)) and key_type.type == "Bool"}
    allow_statements, deny_statements = by_effect(question.new)
    common_statements = [
        *old_statements,
        *(question.within.statements if question.within else ()),
        *deny_statements,
        *exceptions(question.critical),
    ]
    steps = cache(lambda: _steps_to_judge(common_statements) + max(map(_steps_for_length, allow_statements), default=0))
    caller_partitions = partitions(old_statements, new_statements, principalses) if names_principals else frozenset()
    facts = [question.access.facts(), role_names(old_statements, statements)]
    return Prover(
        places=("action", "resource", "principal") if names_principals else ("action", "resource"),
        booleans=booleans,
        budgets=budgets,
        partitions=caller_partitions,
        steps_a_replay=steps,
        facts=conjunction(facts),
    )


_STEPS_A_MATCH = 10
"""What it costs to hold a text against a pattern."""
_LONG = 100
"""From how many characters on a pattern takes more than that."""


def _steps_to_judge(statements: Iterable[Statement]) -> int:
    """Return the cost of judging one request: most statements are ruled out by the beginning of their actions."""
    steps, head_counts = 1, Counter[str]()
    for statement in statements:
        heads = [head[: head.find(":") + 4] if ":" in head else "" for head, _ in statement.action.heads]
        head_counts.update(heads)
        values = len(statement.resource.other_values) if statement.resource else 1
        values += sum(len(condition.values) for condition in statement.conditions)
        steps += _steps_for_length(statement)
        any_service = statement.action.negated or "" in heads
        steps += _STEPS_A_MATCH * (1 + values) if any_service else 1 + (len(heads) + values) // 4
    return steps + _STEPS_A_MATCH * (head_counts.pop("", 0) + max(head_counts.values(), default=0))


def _steps_for_length(statement: Statement) -> int:
    """Return the extra cost of long patterns; the texts that they are compared with are likely to be long, too."""
    texts = [value.text for value in statement.resource.values] if statement.resource else []
    texts += [value.text for condition in statement.conditions for value in condition.values]
    return _STEPS_A_MATCH * sum(len(text) // _LONG * (1 + len(text) // (10 * _LONG)) for text in texts)
