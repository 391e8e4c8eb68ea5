"""The readings: where AWS's pages are unclear, both ways of reading them, as one free choice each."""

from __future__ import annotations

from policy_guard.records import NamedTuple


class Reading(NamedTuple):
    """`sentence` completes "true only if ..." where the choice is true, `otherwise` where it is false.

    `page` is where AWS leaves it open.
    """

    name: str
    sentence: str
    otherwise: str
    page: str


PARTIAL_CHAIN_EXEMPT = Reading(
    "partial-chain-exempt",
    "NotPrincipal exempts a caller of whose account, role and session only some are listed",
    "NotPrincipal exempts nobody of whose account, role and session only some are listed",
    "IAM User Guide, reference_policies_elements_notprincipal",
)
ACCOUNT_EXEMPTS_ROOT_ALONE = Reading(
    "account-exempts-root-alone",
    "NotPrincipal with an account, and none of its users and roles, exempts the root user of the account alone",
    "NotPrincipal with an account, and none of its users and roles, exempts everyone of the account",
    "IAM User Guide, reference_policies_elements_notprincipal",
)
VARIABLES_ONLY_AFTER_FIFTH_COLON = Reading(
    "variables-only-after-fifth-colon",
    "a policy variable before the fifth colon of a resource is not filled in",
    "a policy variable before the fifth colon of a resource is filled in",
    "IAM User Guide, reference_policies_variables, Resource element",
)
NO_VALUES_NEVER_HOLD = Reading(
    "no-values-never-hold",
    "a negated condition without values never holds for a key that is there",
    "a negated condition without values always holds for a key that is there",
    "IAM User Guide, access-analyzer-reference-policy-checks, Empty array condition",
)
NULL_BY_VALUES = Reading(
    "null-by-values",
    "a set operator before Null tests each value of the key",
    "a set operator before Null changes nothing",
    "IAM User Guide, access-analyzer-reference-policy-checks, Null with if exists",
)
ANY_VALUE_IF_EXISTS = Reading(
    "any-value-if-exists",
    "ForAnyValue with IfExists holds for a key that is absent",
    "ForAnyValue with IfExists does not hold for a key that is absent",
    "IAM User Guide, reference_policies_condition-single-vs-multi-valued-context-keys",
)
UNRESOLVED_DROPS_STATEMENT = Reading(
    "unresolved-drops-statement",
    "a statement with a policy variable that has no value does not apply at all",
    "a policy variable that has no value matches nothing, and its statement applies nonetheless",
    "IAM User Guide, reference_policies_variables",
)
PLACEHOLDER_IS_UNRESOLVED = Reading(
    "placeholder-is-unresolved",
    "a placeholder is filled in with a policy variable that has no value",
    "no placeholder is filled in with a policy variable that has no value",
    "IAM User Guide, reference_policies_variables",
)
PLAIN_NEEDS_ALL_VALUES = Reading(
    "plain-needs-all-values",
    "an operator without ForAllValues or ForAnyValue on a key with several values looks at all of them",
    "an operator without ForAllValues or ForAnyValue is content with one of several values",
    "IAM User Guide, reference_policies_condition-single-vs-multi-valued-context-keys",
)
WILDCARDS_CROSS_AT_ENDS = Reading(
    "wildcards-cross-at-ends",
    "of the wildcards in the first five parts of a resource ARN, only a * that ends its part stands for colons too",
    "a wildcard in a resource ARN stands for colons too wherever it is",
    "IAM User Guide, reference_policies_elements_resource",
)
SHORT_ARN_PATTERNS_MATCH_NOTHING = Reading(
    "short-arn-patterns-match-nothing",
    "a pattern with fewer than six parts, given to an ARN operator, matches no ARN at all",
    "a pattern with fewer than six parts, given to an ARN operator, matches any ARN that it covers as text",
    "IAM User Guide, reference_policies_elements_condition_operators, Conditions_ARN",
)
FOUR_DIGITS_ARE_SECONDS = Reading(
    "four-digits-are-seconds",
    "a date of four digits counts seconds since 1970, and is no year",
    "a date of four digits is a year",
    "IAM User Guide, reference_policies_elements_condition_operators, Conditions_Date",
)
BLANKS_AROUND_ACTIONS_COUNT = Reading(
    "blanks-around-actions-count",
    "an action written with blanks around it or its colon matches no action at all",
    "blanks around an action or its colon do not count",
    "IAM User Guide, reference_policies_elements_action",
)
WILDCARDS_STAY_IN_ARN_PARTS = Reading(
    "wildcards-stay-in-arn-parts",
    "a wildcard in one of the first five parts of a resource ARN does not stand for a colon",
    "a wildcard in a resource ARN also stands for colons",
    "IAM User Guide, reference_policies_elements_resource",
)
EMPTY_TEXT_IS_NO_VALUE = Reading(
    "empty-text-is-no-value",
    "an empty text counts as no value under ForAllValues and ForAnyValue",
    "an empty text counts as a value under ForAllValues and ForAnyValue",
    "IAM User Guide, reference_policies_condition-single-vs-multi-valued-context-keys",
)
WILDCARDS_IN_PRINCIPALS_MATCH_NOBODY = Reading(
    "wildcards-in-principals-match-nobody",
    "a wildcard inside the name of a principal is no more than that character, which no name has",
    "a wildcard inside the name of a principal stands for other characters",
    "IAM User Guide, reference_policies_elements_principal",
)
ID_NAMES_THE_CALLER = Reading(
    "id-names-the-caller",
    "an id in Principal or NotPrincipal is that of the caller",
    "an id in Principal or NotPrincipal is not that of the caller",
    "IAM User Guide, reference_policies_elements_principal",
)
SERVICE_HAS_ANOTHER_NAME = Reading(
    "service-has-another-name",
    "the service that calls also goes by the name in Principal or NotPrincipal, which begins alike",
    "the service that calls does not go by the name in Principal or NotPrincipal, though that begins alike",
    "IAM User Guide, reference_policies_condition-keys, aws:PrincipalServiceNamesList",
)
PROVIDER_MADE_THE_SESSION = Reading(
    "provider-made-the-session",
    "the role session that calls was made by the identity provider in Principal or NotPrincipal",
    "the role session that calls was made by no identity provider in Principal or NotPrincipal",
    "IAM User Guide, reference_policies_elements_principal, OIDC and SAML federated principals",
)
BOUNDARY_UNDOES_NOT_PRINCIPAL = Reading(
    "boundary-undoes-not-principal",
    "the caller has a permissions boundary, and NotPrincipal exempts nobody who has one",
    "the caller has no permissions boundary",
    "IAM User Guide, access_policies_boundaries",
)
BARE_IPV6_IS_A_BLOCK = Reading(
    "bare-ipv6-is-a-block",
    "an IPv6 address without a prefix length stands for its whole /32 block",
    "an IPv6 address without a prefix length is that address alone",
    "IAM User Guide, reference_policies_elements_condition_operators, Conditions_IPAddress",
)
ARN_PARTS_STAY = Reading(
    "arn-parts-stay",
    "the wildcards in a pattern whose ARN parts a template or variable leaves open do not stand for colons",
    "the wildcards in a pattern whose ARN parts a template or variable leaves open stand for colons too",
    "IAM User Guide, reference_policies_elements_condition_operators, Conditions_ARN",
)

READINGS = {
    reading.name: reading
    for reading in (
        PARTIAL_CHAIN_EXEMPT,
        ACCOUNT_EXEMPTS_ROOT_ALONE,
        ANY_VALUE_IF_EXISTS,
        UNRESOLVED_DROPS_STATEMENT,
        PLACEHOLDER_IS_UNRESOLVED,
        PLAIN_NEEDS_ALL_VALUES,
        SHORT_ARN_PATTERNS_MATCH_NOTHING,
        FOUR_DIGITS_ARE_SECONDS,
        BLANKS_AROUND_ACTIONS_COUNT,
        WILDCARDS_STAY_IN_ARN_PARTS,
        WILDCARDS_CROSS_AT_ENDS,
        EMPTY_TEXT_IS_NO_VALUE,
        WILDCARDS_IN_PRINCIPALS_MATCH_NOBODY,
        ID_NAMES_THE_CALLER,
        SERVICE_HAS_ANOTHER_NAME,
        PROVIDER_MADE_THE_SESSION,
        BOUNDARY_UNDOES_NOT_PRINCIPAL,
        BARE_IPV6_IS_A_BLOCK,
        ARN_PARTS_STAY,
        VARIABLES_ONLY_AFTER_FIFTH_COLON,
        NO_VALUES_NEVER_HOLD,
        NULL_BY_VALUES,
    )
}


def reading(choice: str) -> Reading | None:
    """The reading that a choice belongs to; where one is needed for each of several texts, the text follows it."""
    return READINGS.get(choice.partition(" ")[0])
