"""A finding as a title and as sentences, for readers who do not see its lines."""

from __future__ import annotations

from policy_guard.documents.printable import ELLIPSIS, printable, shortened
from policy_guard.report.report import place
from policy_guard.verify.finding import Finding, Related

LONGEST_FACT = 700
_TITLES = {
    "no-new-access": "New access",
    "no-lost-deny": "Lost Deny",
    "access-not-granted": "Critical permission",
    "no-public-access": "Public access",
    "no-new-direct-grant": "Direct grant",
}
_VERBS = {
    "no-new-access": "now allows",
    "access-not-granted": "allows",
    "no-public-access": "allows",
    "no-new-direct-grant": "allows directly",
}


def title(finding: Finding) -> str:
    """What is wrong in a few words; text of the policy in it is as it was written."""
    facts = dict(finding.facts)
    granted = facts.get("new") or facts.get("public") or facts.get("direct")
    if finding.outcome == "violated" and finding.check in _TITLES and granted:
        return f"{_TITLES[finding.check]}: {granted}"
    return finding.message[:1].upper() + finding.message[1:]


def sentences(finding: Finding) -> str:
    """The finding in sentences on lines of their own: what is wrong, then one fact a line."""
    facts = dict(finding.facts)
    verb = _VERBS.get(finding.check) if finding.outcome == "violated" else None
    example = facts.pop("example", None) if verb else None
    who, said = _who(finding), shortened(finding.message, LONGEST_FACT)
    if example:
        lead = f"{who or 'This'} {verb}, for example, {shortened(example, LONGEST_FACT)}."
        lead = lead if finding.check == "no-new-access" else f"{_sentence(said)} {lead}"
    else:
        lead = _sentence(f"{who}: {said}" if who else said)
    told = (*facts.items(), *(("see", see(related)) for related in finding.related))
    lines = (f"{_upper(printable(name))}: {shortened(value, LONGEST_FACT)}" for name, value in told)
    return "\n".join((lead, *lines))


def see(related: Related) -> str:
    """Where the other place is, at which revision, and what is there."""
    start = place(related.source, related.span).start
    at = f" at {related.source.revision}" if related.source.revision else ""
    return f"{related.source.path}:{start.line}:{start.column}{at}: {related.message}"


def _who(finding: Finding) -> str:
    if finding.statement is None:
        return ""
    index, sid = finding.statement
    return f"Statement {index}" if sid is None else f"Statement {index} ({shortened(sid, 64)})"


def _sentence(text: str) -> str:
    return _upper(text) if text.endswith((".", "!", "?", ELLIPSIS)) else _upper(text) + "."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
