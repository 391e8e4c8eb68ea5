"""access-not-granted: no policy grants a critical permission.

Proved over all requests, for each entry of the critical list: the policy allows no request that the entry describes.
An entry with actions only means them on any resource; with resources only, any action on them; with both, any of
the actions on any of the resources. What a Deny of the same policy takes away is not granted.

Bad, where the critical list has "s3:DeleteBucket":

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:*Bucket", "Resource": "*"}}

It says:

    policy.json:2:45: error: grants a critical permission, delete-bucket [access-not-granted]

Good:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}

Some permissions are fine for some, or dangerous only together:

    permissions:
      - id: delete-bucket
        actions: ["s3:DeleteBucket"]
        except: ["s3:DeleteBucketWebsite"]
        unless: {Bool: {"aws:MultiFactorAuthPresent": "true"}}
        principals: {AWS: ["111122223333"]}
        reason: buckets are deleted by people
      - id: pass-role-to-lambda
        all-of:
          - actions: ["iam:PassRole"]
          - actions: ["lambda:CreateFunction"]
        reason: code with a role of somebody else

`unless` is a condition block, or a list of such: requests for which one of them holds are not meant. It is read as in
a policy of Version 2012-10-17. `principals`, written as Principal is in a policy, names the callers that are meant.
An identity policy does not say whose it is: there the entry counts for whoever has it. What follows from Principal is
known: with `unless: [{StringEquals: {"aws:PrincipalAccount": ["111122223333"]}}, {Bool: {"aws:PrincipalIsAWSService":
"true"}}]` an entry means callers of all accounts but that one, and no services. With `all-of` there is a finding only
if something of each set is granted, by the policy or the group of files; one for each statement that has a part in
it. Together they are new unless the old version granted something of each set, too.

Known dangers are shipped: `packs: [privilege-escalation, data-exposure, defence-evasion]` at the top of the list
takes them in, `skip: [ID]` leaves entries out, and `policy-guard list --critical` shows them with their sources.

It does not see other policies of the same principal, unless they are in one group: two that are harmless alone may
not be together.

A critical permission that the old version granted too is reported as `critical-existing` says (a warning). A policy
that needs one: `policy-guard accept` writes it down, to be reviewed and merged first; or limit the entry with `files`,
`except`, `unless` or `principals` in the critical list. It is not asked of the kinds scp and rcp, which grant nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from policy_guard.documents.source import Span
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.symbolic_principal import principal_matches
from policy_guard.iam.policy import Element, Request, Statement, Value, by_effect, leaves_all
from policy_guard.settings.critical import CriticalEntry, RequestSet
from policy_guard.solver.formula import TRUE, Formula, Literal, Member, conjunction, negation
from policy_guard.verify.check import Check, Claim, Combination, Part, Question


class _Meant(NamedTuple):
    """One set of an entry: its actions alone, and all of it, as a formula and for one request."""

    entry: CriticalEntry
    given: RequestSet
    actions: Formula
    formula: Formula

    def is_in(self, request: Request) -> bool:
        return _is_critical(self.entry, self.given, request)


Allowing: TypeAlias = "list[tuple[Statement, Formula]]"
"""Allow statements, each with the actions that it is about."""


def _claims(question: Question) -> Iterator[Claim | Combination]:
    every = [(statement, question.access.action_matches(statement.action)) for statement in by_effect(question.new)[0]]
    for entry in question.critical:
        sets = [_meant(question, entry, given) for given in entry.sets]
        if entry.all_of:
            yield Combination(tuple(_part(question, meant, every) for meant in sets))
            continue
        for statement in _concerned(every, sets[0]):
            yield _claim(question, sets[0], statement, existing=False)
            if question.old is not None:
                yield _claim(question, sets[0], statement, existing=True)


def _part(question: Question, meant: _Meant, every: Allowing) -> Part:
    statements = tuple(_concerned(every, meant))
    granting, fresh = (tuple(_claim(question, meant, s, existing) for s in statements) for existing in (True, False))
    kind, old, access = question.kind, question.old, question.access

    def was_before(request: Request) -> bool:
        return meant.is_in(request) and concrete.allows(old, kind, request)

    before = conjunction([access.allows(old, kind), meant.formula]) if old is not None else None
    return Part(granting, fresh, before, was_before)


def _concerned(every: Allowing, meant: _Meant) -> Iterator[Statement]:
    """The statements that may grant something of the set: a list of hundreds asks little of most policies."""
    return (statement for statement, actions in every if not _surely_apart(actions, meant.actions))


def _surely_apart(one: Formula, two: Formula) -> bool:
    """Whether two conditions on the action alone can surely not hold together."""
    if not isinstance(one, Literal) or not isinstance(two, Literal) or not (one.positive and two.positive):
        return False
    atoms = one.atom, two.atom
    return isinstance(atoms[0], Member) and isinstance(atoms[1], Member) and atoms[0].language.apart(atoms[1].language)


def _claim(question: Question, meant: _Meant, statement: Statement, existing: bool) -> Claim:
    kind, new, old, access = question.kind, question.new, question.old, question.access
    before = TRUE if existing else negation(access.allows(old, kind) if old else negation(TRUE))

    def excess(part: Statement | None) -> Formula:
        applies = access.applies(part) if part else TRUE
        return conjunction([applies, meant.formula, negation(access.denied(new)), before])

    def holds(part: Statement | None, request: Request) -> bool:
        applies = part is None or concrete.applies(part, request)
        fresh = existing or old is None or not concrete.allows(old, kind, request)
        return applies and fresh and meant.is_in(request) and not concrete.denied(new, request)

    allowed, but = by_effect(None if existing else old)
    return Claim(
        statement=statement,
        excess=excess,
        holds=holds,
        entry=meant.entry,
        existing=existing,
        within=meant.formula,
        is_within=meant.is_in,
        denied=by_effect(new)[1],
        before=allowed,
        but=but,
        all_before=not existing and old is not None and leaves_all(old, kind),
        meant=meant.given,
    )


def _meant(question: Question, entry: CriticalEntry, given: RequestSet) -> _Meant:
    access = question.access
    actions = access.action_matches(_element(given.actions)) if given.actions else TRUE
    parts = [
        actions,
        access.resource_matches(_element(given.resources)) if given.resources else TRUE,
        negation(access.action_matches(_element(given.excepted))),
        principal_matches(entry.principals) if entry.principals else TRUE,
        *(negation(access.applies(statement)) for statement in entry.unless),
    ]
    return _Meant(entry, given, actions, conjunction(parts))


def _is_critical(entry: CriticalEntry, given: RequestSet, request: Request) -> bool:
    return (
        (not given.actions or concrete.action_matches(_element(given.actions), request))
        and (not given.resources or concrete.resource_matches(_element(given.resources), request))
        and not concrete.action_matches(_element(given.excepted), request)
        and (entry.principals is None or concrete.principal_matches(entry.principals, request))
        and not any(concrete.applies(statement, request) for statement in entry.unless)
    )


@lru_cache(maxsize=10_000)
def _element(values: tuple[Value, ...]) -> Element:
    return Element(False, values, Span(0, 0))


CHECK = Check(
    id="access-not-granted",
    headline="grants a critical permission",
    advice="take the action or resource out, or have the grant reviewed",
    claims=_claims,
    what="critical",
)
