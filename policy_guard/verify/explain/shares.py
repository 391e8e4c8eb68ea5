"""Which action of a statement grants which critical permission, where one finding tells of several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policy_guard.iam.policy import Value
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import Pattern, folded
from policy_guard.verify.check import Claim


class Share(NamedTuple):
    """An action as the statement spells it, and the ids of critical entries that it has a part in."""

    action: Value
    ids: tuple[str, ...]


def find_other_shares(claims: Sequence[Claim], actions: Iterable[Value]) -> Iterator[Share]:
    """Return what other actions grant of the entries of the claims, all of one statement, than `actions` do.

    An entry of which `actions` may grant something is told with them.
    """
    statement = claims[0].statement
    values = statement.action.values if statement and not statement.action.negated else ()
    if len(values) < 2:
        return
    told = _language(actions)
    languages = {id(value): _language([value]) for value in values}
    others = [
        (claim.entry.id, _language(claim.critical_set.actions))
        for claim in claims
        if claim.entry and claim.critical_set and claim.critical_set.actions
    ]
    others = [(entry_id, critical) for entry_id, critical in others if critical.is_apart_from(told)]
    for value in values:
        ids = [entry_id for entry_id, critical in others if not critical.is_apart_from(languages[id(value)])]
        if ids:
            yield Share(value, tuple(dict.fromkeys(ids)))


def _language(values: Iterable[Value]) -> Language:
    """Return the texts of the values in lower case, of which it is sooner certain that they are apart."""
    return Language(
        glob(Pattern(tuple(folded(part) if isinstance(part, str) else part for part in value.pattern.parts)))
        for value in values
    )
