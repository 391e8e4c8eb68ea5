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
if something of each set is granted, by the policy, by all that one principal has, or by the group of files; one for
each statement that has a part in it. Together they are new unless the old version granted something of each set, too.

Known dangers are shipped: `packs: [privilege-escalation, data-exposure, defence-evasion, administrators]` at the top of
the list takes them in, `skip: [ID]` leaves entries out, and `policy-guard list --critical` shows them with their
sources.

The policies of one principal are one question where the files say whose they are: in templates, Terraform, plans and
files of attachments, inline and attached, with those of its groups. It does not see others, such as what is attached
elsewhere, what manifests say in several resources, and bare policies that no group and no such file puts together.

A critical permission that the old version granted too is reported as `critical-existing` says (a warning). A policy
that needs one: `policy-guard accept` writes it down, to be reviewed and merged first; or limit the entry with `files`,
`except`, `unless` or `principals` in the critical list. It is not asked of the kinds scp and rcp, which grant nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING

from policy_guard.iam.policy import Request, Statement, by_effect, leaves_all
from policy_guard.settings.severity import CheckId
from policy_guard.solver.formula import TRUE, Formula, conjunction
from policy_guard.solver.strings.pattern import Wildcard
from policy_guard.verify.check import Check, Claim, Combination, Part, Question

if TYPE_CHECKING:
    from policy_guard.verify.critical import Critical

_OF_KEYS = "leave it, and have it reviewed if it is new: AWS writes it into key policies, so that keys can be managed"


def _claims(question: Question) -> Iterator[Claim | Combination]:
    from policy_guard.verify.critical import critical, critical_index

    for entry, sets in critical_index(question.critical).concerned(by_effect(question.new)[0]):
        parts = [(critical(entry, requests, question.access), statements) for requests, statements in sets]
        if entry.all_of:
            yield Combination(tuple(starmap(partial(_part, question), parts)))
            continue
        for each, statements in parts:
            for statement in statements:
                # A version that is held against itself grants nothing new.
                if question.old is not question.new:
                    yield _claim(question, each, statement, existing=False)
                if question.old is not None:
                    yield _claim(question, each, statement, existing=True)


def _part(question: Question, critical: Critical, statements: tuple[Statement, ...]) -> Part:
    from policy_guard.iam.meaning import concrete

    changed = question.old is not question.new
    granting, fresh = (
        tuple(_claim(question, critical, s, existing) for s in statements if existing or changed)
        for existing in (True, False)
    )
    kind, old, access = question.kind, question.old, question.access

    def was_before(request: Request) -> bool:
        return critical.holds(request) and concrete.allows(old, kind, request)

    old_grants = conjunction([access.allows(old, kind), critical.formula]) if old is not None else None
    return Part(granting, fresh, old_grants, was_before)


def _claim(question: Question, critical: Critical, statement: Statement, existing: bool) -> Claim:
    from policy_guard.iam.meaning import concrete

    kind, new, old, access = question.kind, question.new, question.old, question.access

    def excess(part: Statement | None) -> Formula:
        applies = access.applies(part) if part else TRUE
        requests = access.undenied(conjunction([applies, critical.formula]), new)
        return requests if existing or old is None else access.disallowed(requests, old, kind)

    def holds(part: Statement | None, request: Request) -> bool:
        applies = part is None or concrete.applies(part, request)
        fresh = existing or old is None or not concrete.allows(old, kind, request)
        return applies and fresh and critical.holds(request) and not concrete.denied(new, request)

    old_allow_statements, old_deny_statements = by_effect(None if existing else old)
    return Claim(
        statement=statement,
        excess=excess,
        holds=holds,
        entry=critical.entry,
        existing=existing,
        bounds=critical.formula,
        is_within=critical.holds,
        denied=by_effect(new)[1],
        before=old_allow_statements,
        but=old_deny_statements,
        all_before=not existing and old is not None and leaves_all(old, kind),
        critical_set=critical.requests,
        advice=_OF_KEYS if question.kind == "resource" and _leaves_key_to_account(statement, question) else "",
    )


def _leaves_key_to_account(statement: Statement, question: Question) -> bool:
    """Tell whether a statement is the one that AWS writes into every key policy, and no other account has the like.

    Source: KMS Developer Guide, key-policy-default, "Allows access to the AWS account and enables IAM policies".
    """
    allow_statements = by_effect(question.new)[0]
    return _names_account_alone(statement) and sum(map(_names_account_alone, allow_statements)) == 1


def _names_account_alone(statement: Statement) -> bool:
    from policy_guard.iam.principal import principal_ref

    principals, resource, action = statement.principals, statement.resource, statement.action
    if principals is None or principals.negated or len(principals.entries) != 1 or statement.conditions:
        return False
    covers_key = not action.negated and [value.text for value in action.values] == ["kms:*"]
    on_key = resource is not None and not resource.negated and [value.text for value in resource.values] == ["*"]
    account = principal_ref(principals.entries[0])
    is_one = account.kind == "account" and not any(isinstance(part, Wildcard) for part in account.account.parts)
    return covers_key and on_key and is_one


CHECK = Check(
    id=CheckId("access-not-granted"),
    headline="grants a critical permission",
    headlines="grants {} critical permissions",
    advice="remove the action or resource, or have the grant reviewed",
    claims=_claims,
    applies=lambda facts: facts.listed,
    is_clear=lambda facts: not facts.critical or facts.new is None,
    order=30,
    by_entry=True,
    always_asked=True,
    acceptable="standing",
    security="9.1",
    label="critical",
    verb="allows",
)
