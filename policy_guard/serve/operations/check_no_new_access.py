"""CheckNoNewAccess: does the new policy allow anything that the existing one does not?

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CheckNoNewAccess.html
"""

from __future__ import annotations

from typing import Any

from policy_guard.api import check_no_new_access
from policy_guard.serve.answers import answered, policy_text
from policy_guard.serve.operation import POLICY, Asked, Operation, request_schema


def _answer(asked: Asked) -> dict[str, Any]:
    new = policy_text(asked.body["newPolicyDocument"], "newPolicyDocument")
    existing = policy_text(asked.body["existingPolicyDocument"], "existingPolicyDocument")
    return answered(
        lambda: check_no_new_access(new, existing, asked.body["policyType"]),
        passed="The modified permissions do not grant new access compared to your existing policy.",
        failed="The modified permissions grant new access compared to your existing policy.",
        described="New access in the",
        details=asked.details,
    )


OPERATION = Operation(
    name="CheckNoNewAccess",
    path="/policy/check-no-new-access",
    schema=request_schema(
        newPolicyDocument=POLICY,
        existingPolicyDocument=POLICY,
        policyType={"enum": ["IDENTITY_POLICY", "RESOURCE_POLICY"]},
    ),
    answer=_answer,
)
