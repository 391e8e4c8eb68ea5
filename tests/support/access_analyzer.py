"""A finding of Access Analyzer, as its commands print it."""

from __future__ import annotations

from typing import Any

ROLE = "arn:aws:iam::111122223333:role/team/Orders"


def finding(*actions: str, service: str = "s3", **more: Any) -> dict[str, Any]:
    details = {"serviceNamespace": service, **({"actions": [{"action": each} for each in actions]} if actions else {})}
    return {
        "id": "1",
        "findingType": "UnusedPermission",
        "resource": ROLE,
        "resourceType": "AWS::IAM::Role",
        "status": "ACTIVE",
        "analyzedAt": "2026-11-01T10:00:00+00:00",
        "updatedAt": "2026-11-01T10:00:00+00:00",
        "findingDetails": [{"unusedPermissionDetails": details}],
        **more,
    }
