"""Checks as data: a set of requests that must be empty, divided among the statements that grant it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from policy_guard.records import NamedTuple
from policy_guard.solver.formula import TRUE, Formula

if TYPE_CHECKING:
    from policy_guard.documents.source import Span
    from policy_guard.iam.meaning.symbolic import Access
    from policy_guard.iam.policy import Kind, Policy, Request, Statement
    from policy_guard.settings.acceptance import Accepted
    from policy_guard.settings.critical import CriticalEntry, RequestSet
    from policy_guard.settings.severity import CheckId, Severity


class Facts(NamedTuple):
    """Facts about a policy that decide which checks are asked about it; None is no policy.

    `changed` tells that its versions are compared and differ in meaning. `critical` are the entries of the critical
    list that concern its files; `listed` tells that the list has entries for policies of its kind. `within`
    is as in a question.
    """

    kind: Kind
    new: Policy | None
    old: Policy | None
    changed: bool
    listed: bool
    critical: tuple[CriticalEntry, ...]
    reference: Policy | None
    within: Policy | None = None


class Circumstances(NamedTuple):
    """Circumstances that may change the severity of a finding from the one configured for its check.

    `fresh` tells that the file had no old version; `is_guard` tells whether the old version is there to deny. `of_kind`
    is what is configured for the kind of the finding.
    """

    configured: Severity | None
    new_files: Severity
    fresh: bool
    is_guard: Callable[[], bool]
    of_kind: Severity | None = None


class Question(NamedTuple):
    """The subject of a check: the new and old version of one policy; None is no policy. `kind` is that of both.

    `accepted` are the acceptances that count for the policy. `reference` is the policy that bounds every version, if
    there is one. `access` knows all statements. With `by_reference` the policy is new, and the old version is that of
    its reference. What the new version allows counts only `within` what another policy does, if there is one: of what a
    principal has what its boundary leaves, and of its boundary what it has.
    """

    kind: Kind
    new: Policy | None
    old: Policy | None
    critical: tuple[CriticalEntry, ...]
    access: Access
    accepted: tuple[Accepted, ...] = ()
    reference: Policy | None = None
    by_reference: bool = False
    within: Policy | None = None


class Claim(NamedTuple):
    """One statement's part in the set that must be empty.

    `excess` gives that part for the statement as it stands, or for a part of it; `holds` decides the same for one
    request. `statement` is None if the access is granted by the lack of a statement. `existing` marks access that the
    old version granted too.

    The set is what the statement applies to within the formula `bounds` (`is_within` for one request), without what
    some statement of `denied` applies to, and without what some statement of `before`, or with `all_before` everything,
    and none of `but` applies to. Requests to which some statement of `accepted` and none of `unaccepted` applies are
    left out. With `within` it is only what some of those statements apply to. `critical_set` is the set of the critical
    entry that the claim is about. `at` is the place to look at, if it is neither an action nor a resource. `advice` is
    what to do about a statement that AWS writes itself.
    """

    statement: Statement | None
    excess: Callable[[Statement | None], Formula]
    holds: Callable[[Statement | None, Request], bool]
    entry: CriticalEntry | None = None
    existing: bool = False
    bounds: Formula = TRUE
    is_within: Callable[[Request], bool] = lambda request: True
    denied: tuple[Statement, ...] = ()
    before: tuple[Statement, ...] = ()
    but: tuple[Statement, ...] = ()
    all_before: bool = False
    accepted: tuple[Statement, ...] = ()
    unaccepted: tuple[Statement, ...] = ()
    within: tuple[Statement, ...] | None = None
    critical_set: RequestSet | None = None
    at: Span | None = None
    advice: str = ""


class Part(NamedTuple):
    """One of the sets of a combination: the claims of all statements that may grant something of it.

    `granting` are those whatever the old version granted, `fresh`, in the same order, what it did not grant. `before`
    is all of the set that the old version granted (`was_before` for one request); None where there is no old version.
    """

    granting: tuple[Claim, ...]
    fresh: tuple[Claim, ...]
    before: Formula | None
    was_before: Callable[[Request], bool]


class Combination(NamedTuple):
    """Sets that are dangerous only if something of each is granted."""

    parts: tuple[Part, ...]


class Check(NamedTuple):
    """A check, registered as the constant `CHECK` of a module in `checks/`.

    The docstring of the module is the manual page.

    The question: `claims` are the sets that must be empty. `applies` tells whether the check is asked of a policy, and
    `is_clear` whether a glance shows the sets to be empty; the claims speak of `extra_statements` besides those of the
    policies. Checks are asked in their `order`. One that `compares` is asked of every change, whatever `applies` says,
    and holds for what did not change. One that is `by_entry` is asked of each entry of the critical list. Only an
    `always_asked` one is asked if its severity is off: what it cannot decide fails all the same. `of_old` tells that
    the statements are those of the old version.

    `kind_of` names the kind of a finding, if the check tells kinds apart that are graded one by one.

    The severity is what `severity` gives, else what is configured, else the `default`. What an `advisory` check cannot
    decide is as severe as what it finds, and no error. `acceptable` tells whether findings can be accepted: for one
    change, or for all until a day. `security` is the `security-severity` in SARIF: to GitHub
    over 9.0 is critical, from 7.0 high, from 4.0 medium, and less is low.

    The words: `headline` says what a finding means, `headlines` what one about a number of critical entries means,
    `advice` what to do about it, unless `advice_on` knows better for the request of an example; `of_new` is the advice
    for a policy without an old version, and `by_reference` are headline and advice for one that is compared with a
    reference. `label` says in a word what the requests of the set are. `title` and `verb` begin sentences about a
    finding ("New access: ...", "Statement 0 now allows ..."); `assurance` ends the line about a run without findings.
    """

    id: CheckId
    headline: str
    advice: str
    advice_on: Callable[[Request], str] = lambda request: ""
    by_reference: tuple[str, str] = ("", "")
    of_new: str = ""
    headlines: str = ""
    claims: Callable[[Question], Iterator[Claim | Combination]] = lambda question: iter(())
    applies: Callable[[Facts], bool] = lambda facts: False
    is_clear: Callable[[Facts], bool] = lambda facts: False
    extra_statements: Callable[[Policy], Iterable[Statement]] = lambda policy: ()
    kind_of: Callable[[Claim], str] = lambda claim: ""
    order: int = 100
    compares: bool = False
    by_entry: bool = False
    always_asked: bool = False
    of_old: bool = False
    severity: Callable[[Circumstances], Severity | None] = lambda circumstances: None
    default: Severity = "error"
    advisory: bool = False
    acceptable: Literal["change", "standing"] | None = None
    security: str = "8.0"
    label: str = "new"
    title: str = ""
    verb: str = ""
    assurance: str = ""
