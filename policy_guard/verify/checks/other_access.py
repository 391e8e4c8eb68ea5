"""other-access: a change gives no access that a policy cannot express.

Some access is no request to AWS that a policy could speak of: the URL of a function that asks nobody, a block of
public access that goes, a share of AWS RAM, a snapshot for another account, a permission of AWS Lake Formation, an
assignment of IAM Identity Center, an access entry of Amazon EKS. Templates of CloudFormation, AWS SAM and the
Serverless Framework, files and plans of Terraform, and manifests are searched for it. It is known by its text: another
text is new access, and a part that goes is none. docs/grants.md lists the kinds, each with its forms and AWS's page.

Bad, held against a template without the share:

    Share:
      Type: AWS::RAM::ResourceShare
      Properties: {Name: rules, Principals: ['111122223333'], ResourceArns: [!Ref Rules]}

It says:

    template.yaml:9:44: error: shares resources through AWS RAM [other-access]

Good: what the old version gave already, or less of it.

It does not see what the access is good for: a role may still refuse whom the entry of a cluster lets in. What a policy
can express is judged as one, by no-new-access: permissions of functions, grants of keys, queues, topics and buses.

Legitimate new access: `policy-guard accept`, as for no-new-access. `other-access` in the settings grades each kind:

    other-access: {snapshot: error, nested-template: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.settings.severity import CheckId, Severity
from policy_guard.verify.check import Check, Circumstances, Claim, Facts, Question
from policy_guard.verify.checks.no_new_access import new_claims


def _claims(question: Question) -> Iterator[Claim]:
    from policy_guard.verify.explain.without_document import is_other_access

    return (claim for claim in new_claims(question) if claim.statement and is_other_access(claim.statement))


def _is_clear(facts: Facts) -> bool:
    from policy_guard.verify.explain.without_document import is_other_access

    return facts.new is None or not any(map(is_other_access, facts.new.statements))


def _kind(claim: Claim) -> str:
    from policy_guard.verify.explain.without_document import kind_name

    return kind_name(claim.statement) if claim.statement else ""


def _severity(circumstances: Circumstances) -> Severity | None:
    """That of its kind; in a new file that of new files, unless it is off."""
    configured = circumstances.of_kind or circumstances.configured
    return circumstances.new_files if circumstances.fresh and configured != "off" else circumstances.of_kind


CHECK = Check(
    id=CheckId("other-access"),
    headline="gives access that no policy can express",
    advice="look at what it gives to whom, and have it reviewed",
    by_reference=(
        "gives access that its reference does not",
        "take it out, or have the new access reviewed",
    ),
    claims=_claims,
    is_clear=_is_clear,
    kind_of=_kind,
    order=15,
    compares=True,
    always_asked=True,
    severity=_severity,
    acceptable="change",
    title="Other access",
    verb="now gives",
)
