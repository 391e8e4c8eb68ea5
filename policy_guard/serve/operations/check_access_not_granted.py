"""CheckAccessNotGranted: does the policy allow any of the listed actions on any of the listed resources?

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CheckAccessNotGranted.html
"""

from __future__ import annotations

import re
from typing import Any

from policy_guard.api import check_access_not_granted
from policy_guard.serve.answers import answered, policy_text
from policy_guard.serve.operation import POLICY, ApiRequest, Operation, Refused, request_schema

_ACTION = re.compile(r"\*|[A-Za-z0-9_*?-]+:[A-Za-z0-9_*?-]+")
_ARN = re.compile(r"\*|arn:[a-z0-9*?-]+:[^:]*:[^:]*:[^:]*:.+", re.DOTALL)


def _answer(request: ApiRequest) -> dict[str, Any]:
    text = policy_text(request.body["policyDocument"], "policyDocument")
    access = [
        {name: item[name] for name in ("actions", "resources") if item.get(name)} for item in request.body["access"]
    ]
    if not any(access):
        raise _refused("access", "Name actions, resources or both")
    _refuse_unlike(access[0].get("actions", ()), _ACTION, "access.actions", "Invalid action")
    _refuse_unlike(access[0].get("resources", ()), _ARN, "access.resources", "Invalid ARN")
    words, described = _WORDS["actions" in access[0], "resources" in access[0]]
    return answered(
        lambda: check_access_not_granted(text, access, request.body["policyType"]),
        passed=f"The policy document does not grant access to {words}.",
        failed=f"The policy document grants access to {words}.",
        described=f"One or more of the listed {described} in the",
        details=request.details,
    )


_WORDS = {
    (True, False): ("perform one or more of the listed actions", "actions"),
    (False, True): ("one or more of the listed resources", "resources"),
    (True, True): ("one or more listed resources to perform one or more listed actions", "actions and/or resources"),
}


def _refuse_unlike(texts: list[str], expression: re.Pattern[str], field: str, message: str) -> None:
    for text in texts:
        if not expression.fullmatch(text):
            raise _refused(field, message)


def _refused(field: str, message: str) -> Refused:
    fields = [{"name": field, "message": message}]
    return Refused(400, "ValidationException", message, reason="fieldValidationFailed", fieldList=fields)


_TEXTS = {"type": "array", "maxItems": 100, "items": {"type": "string", "maxLength": 2048}}

OPERATION = Operation(
    name="CheckAccessNotGranted",
    path="/policy/check-access-not-granted",
    schema=request_schema(
        policyDocument=POLICY,
        access={
            "type": "array",
            "maxItems": 1,
            "items": {"type": "object", "properties": {"actions": _TEXTS, "resources": _TEXTS}},
        },
        policyType={"enum": ["IDENTITY_POLICY", "RESOURCE_POLICY"]},
    ),
    answer=_answer,
)
