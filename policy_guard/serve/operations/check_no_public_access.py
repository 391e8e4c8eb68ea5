"""CheckNoPublicAccess: does the resource's policy let in a stranger?

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CheckNoPublicAccess.html
"""

from __future__ import annotations

from typing import Any

from policy_guard.api import RESOURCE_TYPES, check_no_public_access
from policy_guard.serve.answers import answered, policy_text
from policy_guard.serve.operation import POLICY, ApiRequest, Operation, request_schema


def _answer(request: ApiRequest) -> dict[str, Any]:
    text = policy_text(request.body["policyDocument"], "policyDocument")
    return answered(
        lambda: check_no_public_access(text, request.body["resourceType"]),
        passed="The resource policy does not grant public access for the given resource type.",
        failed="The resource policy grants public access for the given resource type.",
        described="Public access granted in the following",
        details=request.details,
    )


OPERATION = Operation(
    name="CheckNoPublicAccess",
    path="/policy/check-no-public-access",
    schema=request_schema(policyDocument=POLICY, resourceType={"enum": list(RESOURCE_TYPES)}),
    answer=_answer,
)
