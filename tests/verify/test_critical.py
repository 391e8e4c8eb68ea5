"""Which entries of a critical list are asked of a policy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.source import Source
from policy_guard.iam.meaning import concrete
from policy_guard.iam.policy import Element, Request, Statement, by_effect
from policy_guard.settings.critical import load_critical
from policy_guard.settings.critical.entry import RequestSet
from policy_guard.verify.critical import critical_index
from tests.support.policies import policy

LIST = """\
version: 1
packs: [privilege-escalation, data-exposure, defence-evasion, administrators]
permissions:
  - {id: anything, actions: ["*"], resources: ["arn:aws:s3:::secret/*"], reason: r}
  - {id: some-service, actions: ["?am:Get*", "s*:Put*"], reason: r}
  - {id: queues, actions: ["sqs:SendMessage"], reason: r}
  - id: both
    all-of:
      - actions: ["ec2:RunInstances", "lambda:*"]
      - actions: ["iam:PassRole", "*:Tag*"]
    reason: r
"""
ENTRIES = load_critical(Source("critical.yaml", LIST)).entries
PATTERNS = """
* iam:* iam:PassRole IAM:passrole ?am:Get* *:TagRole s3:Put* sqs:SendMessage ec2:R* lambda:CreateFunction kms:Decrypt
s*:PutObject sts:AssumeRole iam${x}:* logs:DeleteLogGroup
"""
NAMES = """
iam:passrole iam:tagrole iam:getrole s3:putobject sqs:sendmessage ec2:runinstances lambda:createfunction kms:decrypt
sts:assumerole logs:deleteloggroup made:up s3x:putobject
"""
ACTIONS = st.sampled_from([*PATTERNS.split(), " sqs:SendMessage "])
REQUESTS = [Request(None, action, "*", {}, {"x": "tag"}) for action in NAMES.split()]
STATEMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
            "Resource": st.just("*"),
        }
    ).flatmap(
        lambda rest: st.tuples(st.sampled_from(["Action", "Action", "NotAction"]), st.lists(ACTIONS, min_size=1)).map(
            lambda actions: {**rest, actions[0]: actions[1]}
        )
    ),
    min_size=1,
    max_size=4,
)


@given(STATEMENTS)
def test_no_entry_is_left_out_of_which_an_action_is_allowed(statements: list[dict[str, object]]) -> None:
    allow_statements = by_effect(policy({"Version": "2012-10-17", "Statement": statements}))[0]
    concerned = {entry.id: sets for entry, sets in critical_index(ENTRIES).concerned(allow_statements)}
    for entry in ENTRIES:
        granting = [[s for s in allow_statements if _meet(s, requests)] for requests in entry.sets]
        if all(granting):
            for expected, asked in zip(granting, concerned[entry.id], strict=True):
                assert {s.index for s in expected} <= {s.index for s in asked.statements}, entry.id


def test_a_policy_of_one_service_is_asked_little() -> None:
    statements = policy({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})
    ids = [entry.id for entry, _ in critical_index(ENTRIES).concerned(by_effect(statements)[0])]
    assert "anything" in ids and "queues" in ids and len(ids) < len(ENTRIES) // 10


def _meet(statement: Statement, requests: RequestSet) -> bool:
    """Tell whether one of some actions is in both: an example, and so no proof that there is none."""
    element = Element(False, requests.actions, statement.span)
    return any(
        concrete.action_matches(statement.action, each)
        and (not requests.actions or concrete.action_matches(element, each))
        for each in REQUESTS
    )
