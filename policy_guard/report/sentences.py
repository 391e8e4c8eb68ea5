"""A finding as a title and as sentences, for readers who do not see its lines."""

from __future__ import annotations

from policy_guard.documents.printable import ELLIPSIS, printable, shortened
from policy_guard.verify.finding import Finding, Related

LONGEST_FACT = 700


def title(finding: Finding) -> str:
    """Return the finding in a few words; text of the policy in it is as it was written."""
    from policy_guard.verify.checks import check

    kind = check(finding.check)
    granted = dict(finding.facts).get(kind.what)
    if finding.outcome == "violated" and kind.title and granted:
        return f"{kind.title}: {granted}"
    return finding.message[:1].upper() + finding.message[1:]


def sentences(finding: Finding) -> str:
    """Return the finding in sentences on lines of their own: the problem, then one fact a line."""
    from policy_guard.verify.checks import check

    facts, kind = dict(finding.facts), check(finding.check)
    verb = kind.verb if finding.outcome == "violated" else ""
    example = facts.pop("example", None) if verb else None
    subject, message = _subject(finding), shortened(finding.message, LONGEST_FACT)
    if example:
        lead = f"{subject or 'This'} {verb}, for example, {shortened(example, LONGEST_FACT)}."
        lead = lead if kind.compares else f"{_sentence(message)} {lead}"
    else:
        lead = _sentence(f"{subject}: {message}" if subject else message)
    pairs = (*facts.items(), *(("see", see(related)) for related in finding.related))
    lines = (f"{_upper(printable(name))}: {shortened(value, LONGEST_FACT)}" for name, value in pairs)
    return "\n".join((lead, *lines))


def see(related: Related) -> str:
    """Return the other place, its revision, and its meaning for the finding."""
    return f"{related.source.at(related.span.start)}{at(related)}: {related.message}"


def at(related: Related) -> str:
    """Return the revision of the other place as it follows a text, such as " at main" or " in the index"."""
    revision = related.source.revision
    return f" {'in' if revision.startswith('the ') else 'at'} {revision}" if revision else ""


def _subject(finding: Finding) -> str:
    if finding.statement is None:
        return ""
    index, sid = finding.statement
    return f"Statement {index}" if sid is None else f"Statement {index} ({shortened(sid, 64)})"


def _sentence(text: str) -> str:
    return _upper(text) if text.endswith((".", "!", "?", ELLIPSIS)) else _upper(text) + "."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
