"""The last line of a run: what was compared with what, and the result."""

from __future__ import annotations

from policy_guard.documents.printable import counted, printable
from policy_guard.report.report import Relation, Report

_MOST_PATHS = 3
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
    if report.part is not None:
        return f"shard {report.part.number} of {report.part.total}: {summary(report._replace(part=None))}"
    shown = any(finding.severity != "off" for finding in report.findings)
    if not _total(report) and not shown:
        return _no_policy(report) + _skipped(report) + _relation(report)
    verdict = _counts(report) if shown else _claims(report)
    if report.accepted:
        acceptances = f". {_files(report)} accepted some of it"
        verdict += acceptances if shown else f", but for what {_files(report)} accepted"
    verdict += _without_old_version(report) + _not_asked(report)
    end = f". {report.seconds:.2f} s" if report.seconds is not None else ""
    return f"{_subject(report)}: {verdict}{_skipped(report)}{_relation(report)}{end}"


def _relation(report: Report) -> str:
    if not report.relation:
        return ""
    return f". {_RELATIONS[report.relation]}" + (f", so {report.unmet} fails" if report.unmet else "")


def _total(report: Report) -> int:
    # A file that is no longer a policy can be refused without having been judged.
    return max(report.policies, report.refused + report.warned)


def _no_policy(report: Report) -> str:
    if report.mode == "all":
        lead = f"no policy found{_restriction(report)}"
        return lead if report.base else f"{lead}, and nothing compared with an old version"
    if report.mode == "compare":
        return f"no policy differs from {printable(report.base)}"
    lead = ("no policy checked" if report.skipped else "no policy changed") + _restriction(report)
    return f"{lead} since {printable(report.base)}" if report.base else lead


def _subject(report: Report) -> str:
    """Return which policies were judged."""
    total, base = _total(report), printable(report.base)
    suffix = f" changed{_restriction(report)}" + (f" since {base}" if base else "")
    if report.mode == "changes":
        changed = _changed_alone(total - report.planned, report.unchanged, suffix)
        return f"{changed}, {report.planned} by the plan {printable(report.plan)}" if report.planned else changed
    policies = counted(total, "policy", "policies") + (_restriction(report) if report.mode == "all" else "")
    if report.mode == "compare":
        return f"{policies} compared with {base}"
    if not base:
        return f"{policies}, compared with no old version"
    if total == 1 and not report.changed:
        return f"{policies}, not{suffix}"
    return f"{policies}, {report.changed or 'none'} of them{suffix}"


def _changed_alone(total: int, unchanged: int, suffix: str) -> str:
    """Return how many policies changed, beside those that share a file with what changed."""
    if total == unchanged == 1:
        return f"1 policy, not itself{suffix}"
    if total and unchanged:
        return f"{counted(total, 'policy', 'policies')}, {total - unchanged or 'none'} of them{suffix}"
    return f"{counted(total, 'policy', 'policies') if total else 'no policy'}{suffix}"


def _skipped(report: Report) -> str:
    """Return how many files hold policies that were not checked: the line must not claim anything about those."""
    unread, excluded, outside = len(report.skipped) - report.excluded, report.excluded, report.outside
    text = f"; {counted(unread, 'file')} not checked" if unread else ""
    text += f"; {counted(excluded, 'changed file')} excluded, not checked" if excluded else ""
    return text + (f"; {counted(outside, 'file')} changed elsewhere, not checked" if outside else "")


def _restriction(report: Report) -> str:
    """Return where alone policies were looked at, if not everywhere."""
    paths = report.paths
    if len(paths) > _MOST_PATHS:
        return f" in {len(paths)} files or folders"
    return f" in {' and '.join(map(printable, paths))}" if paths else ""


def _without_old_version(report: Report) -> str:
    """Return how many new policies only cap what others grant, where another kind might fail, or have a reference."""
    text = ""
    if report.caps:
        text = f". {counted(report.caps, 'policy is a new cap', 'policies are new caps')}, and a cap grants nothing"
    if report.by_reference:
        words = (
            "policy is new and was compared with its reference",
            "policies are new and were compared with references",
        )
        text += f". {counted(report.by_reference, *words)}"
    return text


def _not_asked(report: Report) -> str:
    """Return the checks whose answers the settings do not want to hear, each with the setting."""
    texts = (
        f"{each.check} {f'of {each.policies} of them ' if each.policies < _total(report) else ''}({each.setting}: off)"
        for each in report.not_asked
    )
    text = ", ".join(texts)
    return f". Not asked: {text}" if text else ""


def _claims(report: Report) -> str:
    """Return what a run without findings proved: only checks that ran, and on some policy."""
    from policy_guard.verify.checks import check

    compared = report.mode != "all" or report.changed > 0
    checks = [check(name) for name in report.checks]
    silenced = {each.check for each in report.not_asked}
    checks = [each for each in checks if each.id not in silenced]
    claims = [each.assurance for each in checks if each.assurance and (compared or not each.compares)]
    if report.critical > report.critical_elsewhere and any(each.by_entry for each in checks):
        claims.append("not the one critical permission" if report.critical == 1 else _none_of(report))
    return ", ".join(claims) or "readable, nothing else was asked"


def _files(report: Report) -> str:
    files = {reviewed.file for reviewed in report.accepted}
    return counted(len(files), "file has", "files have")


def _none_of(report: Report) -> str:
    elsewhere = report.critical_elsewhere
    others = f" ({elsewhere} more {'is' if elsewhere == 1 else 'are'} only about other files)" if elsewhere else ""
    return f"none of {counted(report.critical - elsewhere, 'critical permission')}{others}"


def _counts(report: Report) -> str:
    proofs = max(0, report.policies - report.refused - report.warned - report.withheld)
    counts = f"{proofs} proved, {report.refused} failed" if _total(report) else "nothing proved"
    if report.warned:
        counts += f", {report.warned} with findings that do not fail"
    if report.withheld:
        counts += f", {report.withheld} with findings that the settings leave out"
    if report.beside:
        counts += f"; {counted(report.beside, 'other finding fails', 'other findings fail')}"
    if report.critical:
        counts += f". {counted(report.critical, 'critical entry', 'critical entries')}"
    return counts
