"""Judges every policy of a repository by itself, and gathers what an overview shows of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from policy_guard.iam import catalog
from policy_guard.iam.policy import SHARING, Policy
from policy_guard.iam.principal import principal_ref
from policy_guard.pipeline.check import Alone, Options, check
from policy_guard.pipeline.ci import in_ci
from policy_guard.pipeline.extent import extent, visible_holder, visible_text
from policy_guard.pipeline.judging import Judgement
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.repository.refs import revision
from policy_guard.pipeline.repository.revisions import WORKING_TREE, Revision, head_with_itself
from policy_guard.pipeline.repository.web import web_address
from policy_guard.pipeline.results import Progress
from policy_guard.refine.unused_access import UNUSED
from policy_guard.report.overview import Entry, Overview, Place, Remark, Review, Row
from policy_guard.report.report import Report
from policy_guard.settings.load import Settings, load_settings
from policy_guard.solver.strings.pattern import Wildcard
from policy_guard.verify.checks.access_not_granted import CHECK as ACCESS_NOT_GRANTED
from policy_guard.verify.checks.no_public_access import CHECK as NO_PUBLIC_ACCESS
from policy_guard.verify.explain.without_document import access
from policy_guard.verify.finding import Finding

if TYPE_CHECKING:
    from policy_guard.iam.policy import Statement

_ADMINISTRATORS = "administrators"
_OPEN = ("undecided", "unsupported")


def overview(
    options: Options, folder: Path, environ: Mapping[str, str], progress: Progress = lambda step: None
) -> Overview:
    """The overview of the working tree, beside that of `options.base` if it is given. Raises `SetupError`.

    In CI it is that of the commit under test.
    """
    repository = Repository(folder, environ)
    try:
        settings = load_settings(repository.root, options.config)
        base = _base(repository, options.base)
        now = head_with_itself(repository)[1] if in_ci(environ) else WORKING_TREE
        reviews = tuple(_reviews(repository, settings, options))
        address = web_address(repository, environ)
    finally:
        repository.close()
    options = options._replace(all_policies=True, verbose=True, base=None)
    before = _gathered(options, base, settings, folder, environ, progress) if base else None
    gathered = _gathered(options, now, settings, folder, environ, progress)
    return gathered._replace(reviews=reviews, address=address, before=before)


def _base(repository: Repository, name: str | None) -> Revision | None:
    if name is None:
        return None
    commit = revision(repository, name, False)
    return Revision(name=f"{name}@{commit[:7]}", commit=commit, tree=commit)


def _gathered(
    options: Options,
    revision: Revision,
    settings: Settings,
    folder: Path,
    environ: Mapping[str, str],
    progress: Progress,
) -> Overview:
    rows: list[Row] = []
    ids = {entry.id for entry in settings.critical}

    def watch(name: str, pair: Pair, judgement: Judgement) -> None:
        if pair.new:
            rows.append(_row(name, pair.new, judgement, ids))

    options = options._replace(alone=Alone(revision, (_ADMINISTRATORS,)))
    report = check(options, folder, environ, progress, watch)
    default = settings.config.severity(ACCESS_NOT_GRANTED.id) or ACCESS_NOT_GRANTED.default
    return Overview(
        revision=revision.name,
        day=options.today.isoformat(),
        catalogue=catalog.source(),
        rows=tuple(rows),
        entries=tuple(Entry(entry.id, entry.severity or default, entry.reason) for entry in settings.critical),
        unreadable=tuple(_unreadable(report)),
        skipped=tuple(Remark(Place(skipped.path, 1), skipped.reason) for skipped in report.skipped),
        notes=report.notes,
        address="",
        reviews=(),
        policies=report.policies,
    )


def _unreadable(report: Report) -> Iterator[Remark]:
    for finding in report.findings:
        if finding.outcome == "unreadable":
            yield Remark(_place(finding), finding.message)


def _reviews(repository: Repository, settings: Settings, options: Options) -> Iterator[Review]:
    """The acceptances of the working tree, the first to expire first."""
    from policy_guard.pipeline.acceptances import load_acceptances

    acceptances = load_acceptances(repository, settings.config, WORKING_TREE, WORKING_TREE, options.today)
    for acceptance in sorted(acceptances.new_side, key=lambda each: each.expires):
        yield Review(
            policy=str(acceptance.policy),
            checks=acceptance.checks,
            reason=acceptance.reason,
            file=acceptance.source.path,
            expires=acceptance.expires.isoformat(),
            expired=acceptance.expires < options.today,
        )


def _row(name: str, policy: Policy, judgement: Judgement, entries: set[str]) -> Row:
    granted = [id_ for finding in judgement.findings for id_ in _ids(finding)]
    checks = {finding.check for finding in judgement.findings if finding.outcome == "violated"}
    return Row(
        name=name,
        place=Place(policy.source.path, policy.source.position(policy.span.start).line),
        address=visible_text(policy.label),
        holder=visible_holder(policy),
        kind=policy.kind,
        extent=extent(policy),
        statements=len(policy.statements),
        critical=tuple(dict.fromkeys(id_ for id_ in granted if id_ in entries)),
        administrator=tuple(dict.fromkeys(id_ for id_ in granted if id_.startswith(f"{_ADMINISTRATORS}/"))),
        public=NO_PUBLIC_ACCESS.id in checks,
        callers=tuple(dict.fromkeys(_callers(policy))),
        wildcards=tuple(dict.fromkeys(_wildcards(policy))),
        levels=_levels(policy),
        unused=tuple(_unused(judgement)),
        grants=tuple(dict.fromkeys(_grants(policy))),
        undecided=tuple(finding.message for finding in judgement.findings if finding.outcome in _OPEN),
    )


def _ids(finding: Finding) -> tuple[str, ...]:
    return finding.critical_ids if finding.outcome == "violated" and finding.severity != "off" else ()


def _allow_statements(policy: Policy) -> Iterator[Statement]:
    return (statement for statement in policy.statements if statement.effect == "Allow")


def _callers(policy: Policy) -> Iterator[str]:
    """Return whom the policy lets in, by the texts of its Allow statements."""
    if policy.kind not in SHARING:
        return
    for statement in _allow_statements(policy):
        principals = statement.principals
        for entry in principals.entries if principals else ():
            text = "everyone" if principal_ref(entry).kind == "everyone" else entry.value.text
            yield f"all but {text}" if principals and principals.negated else text


def _wildcards(policy: Policy) -> Iterator[str]:
    for statement in _allow_statements(policy):
        if statement.action.negated:
            yield f"all but {', '.join(value.text for value in statement.action.values)}"
            continue
        for value in statement.action.values:
            if any(isinstance(part, Wildcard) for part in value.pattern.parts):
                yield value.text


def _levels(policy: Policy) -> dict[str, dict[str, int]]:
    """Return how many actions of each service and access level the policy allows, before what is denied."""
    actions: set[str] = set()
    for statement in _allow_statements(policy):
        covered = {name for value in statement.action.values for name in _covered(value.text)}
        actions |= _all_actions() - covered if statement.action.negated else covered
    numbers: dict[str, dict[str, int]] = {}
    for (service, level), number in sorted(Counter(map(_service_and_level, actions)).items()):
        numbers.setdefault(service, {})[level] = number
    return numbers


@cache
def _covered(pattern: str) -> tuple[str, ...]:
    return catalog.matching(pattern.strip())


@cache
def _all_actions() -> frozenset[str]:
    return frozenset(catalog.matching("*"))


@cache
def _service_and_level(action: str) -> tuple[str, str]:
    """The service of an action, and its first access level."""
    return action.partition(":")[0], next(iter(catalog.described(action).levels), "Write")


def _grants(policy: Policy) -> Iterator[str]:
    """Each action pattern with the resources of its statement, as written."""
    for statement in policy.statements:
        resources = statement.resource
        on = ", ".join(value.text for value in resources.values) if resources else ""
        words = f" on {'all but ' if resources and resources.negated else ''}{on}" if on else ""
        words += " under conditions" if statement.conditions else ""
        verb = f"{statement.effect} {'all but ' if statement.action.negated else ''}"
        for value in statement.action.values:
            spoken = access(value.text, on)
            yield f"{verb}{spoken}" if spoken else f"{verb}{value.text}{words}"


def _unused(judgement: Judgement) -> Iterator[str]:
    for finding in judgement.findings:
        if finding.check == UNUSED:
            yield from finding.actions


def _place(finding: Finding) -> Place:
    return Place(finding.source.path, finding.source.position(finding.span.start).line)
