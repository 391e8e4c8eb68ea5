"""The readings: where AWS's pages are unclear, both ways of reading them, as one free choice each."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """`sentence` completes "true only if ..." for people; `page` is where AWS leaves it open."""

    name: str
    sentence: str
    page: str


PARTIAL_CHAIN_EXEMPT = Reading(
    "partial-chain-exempt",
    "NotPrincipal exempts a caller of whose account, role and session only some are listed",
    "IAM User Guide, reference_policies_elements_notprincipal",
)
ANY_VALUE_IF_EXISTS = Reading(
    "any-value-if-exists",
    "ForAnyValue with IfExists holds for a key that is absent",
    "IAM User Guide, reference_policies_condition-single-vs-multi-valued-context-keys",
)
UNRESOLVED_DROPS_STATEMENT = Reading(
    "unresolved-drops-statement",
    "a statement with a policy variable that has no value does not apply at all",
    "IAM User Guide, reference_policies_variables",
)
PLAIN_NEEDS_ALL_VALUES = Reading(
    "plain-needs-all-values",
    "an operator without ForAllValues or ForAnyValue on a key with several values looks at all of them",
    "IAM User Guide, reference_policies_condition-single-vs-multi-valued-context-keys",
)

READINGS = {
    reading.name: reading
    for reading in (
        PARTIAL_CHAIN_EXEMPT,
        ANY_VALUE_IF_EXISTS,
        UNRESOLVED_DROPS_STATEMENT,
        PLAIN_NEEDS_ALL_VALUES,
    )
}
