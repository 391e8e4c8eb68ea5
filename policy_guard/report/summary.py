"""The last line of a run: what was compared with what, and the result."""

from __future__ import annotations

from policy_guard.documents.printable import counted, printable
from policy_guard.report.report import Relation, Report

ERROR_PREFIX = "no policy was checked: "
_RELATIONS: dict[Relation, str] = {
    "same": "Both mean the same",
    "narrower": "The new version is narrower",
    "wider": "The new version is wider",
    "neither": "Neither is narrower: each version allows more, or denies less, than the other",
    "unknown": "How they relate is not known",
}


def error_line(error: str) -> str:
    """The one line about a set-up error."""
    safe = printable(error)
    return safe if safe.startswith(ERROR_PREFIX) else ERROR_PREFIX + safe


def summary(report: Report) -> str:
    """The verdict in one line, in plain words, with counts, base and seconds."""
    if report.error is not None:
        return error_line(report.error)
    if not _total(report) and not report.findings:
        return _no_policy(report) + _skipped(report) + _relation(report)
    verdict = _counts(report) if report.findings else _claims(report)
    if report.accepted:
        acceptances = f". {_files(report)} accepted some of it"
        verdict += acceptances if report.findings else f", but for what {_files(report)} accepted"
    end = f". {report.seconds:.2f} s" if report.seconds is not None else ""
    return f"{_subject(report)}: {verdict}{_skipped(report)}{_relation(report)}{end}"


def _relation(report: Report) -> str:
    return f". {_RELATIONS[report.relation]}" if report.relation else ""


def _total(report: Report) -> int:
    # A file that is no longer a policy can be refused without having been judged.
    return max(report.policies, report.refused + report.warned)


def _no_policy(report: Report) -> str:
    if report.mode == "all":
        return "no policy found" if report.base else "no policy found, and nothing compared with an old version"
    if report.mode == "compare":
        return f"no policy differs from {printable(report.base)}"
    lead = "no policy checked" if report.skipped else "no policy changed"
    return f"{lead} since {printable(report.base)}" if report.base else lead


def _subject(report: Report) -> str:
    """Return which policies were judged."""
    total, base = _total(report), printable(report.base)
    suffix = f" changed since {base}" if base else " changed"
    if report.mode == "changes":
        changed = _changed_alone(total - report.planned, report.unchanged, suffix)
        return f"{changed}, {report.planned} by the plan {printable(report.plan)}" if report.planned else changed
    policies = counted(total, "policy", "policies")
    if report.mode == "compare":
        return f"{policies} compared with {base}"
    if not base:
        return f"{policies}, compared with no old version"
    return f"{policies}, {report.changed or 'none'} of them{suffix}"


def _changed_alone(total: int, unchanged: int, suffix: str) -> str:
    """Return how many policies changed, beside those that share a file with what changed."""
    if total and unchanged:
        return f"{counted(total, 'policy', 'policies')}, {total - unchanged or 'none'} of them{suffix}"
    return f"{counted(total, 'policy', 'policies') if total else 'no policy'}{suffix}"


def _skipped(report: Report) -> str:
    """Return how many files hold policies that were not checked: the line must not claim anything about those."""
    return f"; {counted(len(report.skipped), 'file')} not checked" if report.skipped else ""


def _claims(report: Report) -> str:
    """Return what a run without findings proved: only checks that ran, and on some policy."""
    from policy_guard.verify.checks import check

    compared = report.mode != "all" or report.changed > 0
    checks = [check(name) for name in report.checks]
    claims = [each.assurance for each in checks if each.assurance and (compared or not each.compares)]
    if report.critical and any(each.by_entry for each in checks):
        claims.append("not the one critical permission" if report.critical == 1 else _none_of(report.critical))
    return ", ".join(claims) or "readable, nothing else was asked"


def _files(report: Report) -> str:
    files = {reviewed.file for reviewed in report.accepted}
    return counted(len(files), "file has", "files have")


def _none_of(critical: int) -> str:
    return f"none of {critical} critical permissions"


def _counts(report: Report) -> str:
    from policy_guard.verify.checks import checks

    proofs = max(0, report.policies - report.refused - report.warned)
    counts = f"{proofs} proved, {report.refused} failed" if _total(report) else "nothing proved"
    if report.warned:
        counts += f", {report.warned} with findings that do not fail"
    if report.beside:
        counts += f"; {counted(report.beside, 'other finding fails', 'other findings fail')}"
    if switched_off := [each.id for each in checks() if each.compares and each.id not in report.checks]:
        counts += f". Not asked: {', '.join(switched_off)}"
    if report.critical:
        counts += f". {counted(report.critical, 'critical entry', 'critical entries')}"
    return counts
