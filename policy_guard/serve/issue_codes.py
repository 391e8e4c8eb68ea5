"""How AWS grades what it finds in policies (IAM User Guide, access-analyzer-reference-policy-checks)."""

from __future__ import annotations

from typing import Literal, TypeAlias

FindingType: TypeAlias = Literal["ERROR", "SECURITY_WARNING", "SUGGESTION", "WARNING"]

_SUGGESTIONS = (
    *("EMPTY_ARRAY_", "EMPTY_OBJECT_", "EMPTY_SID_VALUE", "IMPROVE_IP_RANGE", "NULL_WITH_QUALIFIER", "REDUNDANT_"),
    *("PRIVATE_IP_ADDRESS_SUBSET", "PRIVATE_NOT_IP_ADDRESS_SUBSET", "WILDCARD_IN_SERVICE_NAME"),
)
_WARNINGS = (
    *("CREATE_SLR_WITH_", "INVALID_DATE_VALUE", "INVALID_ROLE_REFERENCE", "INVALID_USER_REFERENCE", "MISSING_VERSION"),
    *("POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", "TYPE_MISMATCH", "UNIQUE_SIDS_RECOMMENDED"),
    "WILDCARD_WITHOUT_LIKE_OPERATOR",
)
_SECURITY_WARNINGS = ("ALLOW_WITH_NOT_PRINCIPAL", "FORALLVALUES_WITH_SINGLE_VALUED_KEY", "PASS_ROLE_WITH_")


def finding_type(code: str) -> FindingType:
    """The type of the findings with one of AWS's issue codes; most are errors."""
    if code.startswith(_SUGGESTIONS):
        return "SUGGESTION"
    if code.startswith(_WARNINGS):
        return "WARNING"
    return "SECURITY_WARNING" if code.startswith(_SECURITY_WARNINGS) else "ERROR"
