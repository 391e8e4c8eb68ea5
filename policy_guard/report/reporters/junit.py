"""For test reports: a suite with a case for each policy, failed by its findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from policy_guard.documents.printable import defused, printable, well_formed
from policy_guard.report.blocks import Block
from policy_guard.report.report import Report, Reporter, Style, in_order
from policy_guard.report.sentences import sentences, title
from policy_guard.report.summary import error_line, summary
from policy_guard.settings.severity import SEVERITIES, FailOn
from policy_guard.verify.finding import Finding


def render(report: Report, style: Style) -> str:
    """The XML that Jenkins and GitLab read: https://llg.cubic.org/docs/junit/ describes it."""
    suites = Element("testsuites", name="policy-guard")
    suite = SubElement(suites, "testsuite", name="policy-guard", errors="0", skipped="0")
    if report.error is not None:
        case = SubElement(suite, "testcase", classname="policy-guard", name="set-up")
        SubElement(case, "error", message=error_line(report.error), type="set-up")
        suite.set("errors", "1")
    for name, findings in _cases(report):
        _case(suite, name, findings, report.fail_on)
    if report.unmet:
        case = SubElement(suite, "testcase", classname="policy-guard", name=report.unmet)
        SubElement(case, "failure", message="the two versions do not mean the same", type="relation")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("./testcase/failure"))))
    SubElement(suite, "system-out").text = "\n".join(
        [*(_safe(f"accepted: {each}") for each in report.accepted), str(well_formed(summary(report)))]
    )
    indent(suites)
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"
    return defused(text) if style.environ.get("GITHUB_ACTIONS") == "true" else text


def _cases(report: Report) -> Iterator[tuple[str, list[Finding]]]:
    """Each policy with its findings, and each other place of a finding with those there."""
    findings = in_order(report)
    policies = report.by_policy if len(report.by_policy) == len(report.judged) else ()
    told: set[int] = set()
    for name, own in zip(report.judged, policies or [()] * len(report.judged), strict=True):
        ids = {id(finding) for finding in own}
        told |= ids
        yield name, [each for each in findings if id(each) in ids or (not policies and _is_about(each, name))]
    others = [finding for finding in findings if id(finding) not in told]
    for path in dict.fromkeys(finding.source.path for finding in others):
        if policies or not any(path == name or name.startswith(f"{path} ") for name in report.judged):
            yield path, [finding for finding in others if finding.source.path == path]


def _is_about(finding: Finding, name: str) -> bool:
    return name == finding.source.path or name.startswith(f"{finding.source.path} ")


def _case(suite: Element, path: str, findings: Sequence[Finding], fail_on: FailOn) -> None:
    case = SubElement(suite, "testcase", classname="policy-guard", name=_safe(path))
    failing_findings = [finding for finding in findings if _fails(finding, fail_on)]
    if failing_findings:
        attributes = {"message": _safe(title(Block((failing_findings[0],)))), "type": failing_findings[0].check}
        SubElement(case, "failure", attributes).text = "\n\n".join(map(_text, failing_findings))
    if minor_findings := [finding for finding in findings if finding not in failing_findings]:
        SubElement(case, "system-out").text = "\n\n".join(map(_text, minor_findings))


def _fails(finding: Finding, fail_on: FailOn) -> bool:
    return fail_on in SEVERITIES and SEVERITIES.index(finding.severity) <= SEVERITIES.index(fail_on)


def _text(finding: Finding) -> str:
    place = f"{finding.source.at(finding.span.start)}: {finding.severity} [{finding.check}]"
    return "\n".join(map(_safe, (place, *sentences(Block((finding,))).split("\n"))))


def _safe(text: str) -> str:
    return str(well_formed(printable(text)))


REPORTER = Reporter("junit", render)
