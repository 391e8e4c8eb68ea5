"""CheckNoNewAccess: does the new policy allow anything that the existing one does not?

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CheckNoNewAccess.html
"""

from __future__ import annotations

from typing import Any

from policy_guard.api import check_no_new_access
from policy_guard.serve.answers import answered, policy_text
from policy_guard.serve.operation import POLICY, ApiRequest, Operation, request_schema


def _answer(request: ApiRequest) -> dict[str, Any]:
    new = policy_text(request.body["newPolicyDocument"], "newPolicyDocument")
    existing = policy_text(request.body["existingPolicyDocument"], "existingPolicyDocument")
    return answered(
        lambda: check_no_new_access(new, existing, request.body["policyType"]),
        passed="The modified permissions do not grant new access compared to your existing policy.",
        failed="The modified permissions grant new access compared to your existing policy.",
        described="New access in the",
        details=request.details,
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
