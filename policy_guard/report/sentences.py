"""A block of findings as a title and as sentences, for readers who do not see its lines."""

from __future__ import annotations

from policy_guard.documents.printable import ELLIPSIS, printable, shortened
from policy_guard.report.blocks import Block
from policy_guard.report.report import path_from
from policy_guard.verify.finding import Finding, Related

LONGEST_FACT = 700


def title(block: Block) -> str:
    """Return a block in a few words; text of the policy in it is as it was written."""
    return "; ".join((_title(block.first), *block.headlines[1:]))


def _title(finding: Finding) -> str:
    from policy_guard.verify.checks import check

    kind = check(finding.check)
    access = dict(finding.facts).get(kind.label)
    if finding.outcome == "violated" and kind.title and access:
        return f"{kind.title}: {access}"
    return _capitalize(finding.message)


def sentences(block: Block) -> str:
    """Return a block in sentences on lines of their own: the problem, then one fact a line."""
    from policy_guard.verify.checks import check

    finding, facts = block.first, list(block.facts)
    kind = check(finding.check)
    verb = kind.verb if finding.outcome == "violated" else ""
    example = dict(facts).get("example") if verb else None
    subject, message = _subject(finding), shortened(block.message, LONGEST_FACT)
    if example:
        lead = f"{subject or 'This'} {verb}, for example, {shortened(example, LONGEST_FACT)}."
        lead = lead if kind.compares and len(block.findings) == 1 else f"{_sentence(message)} {lead}"
        facts = [fact for fact in facts if fact[0] != "example"]
    else:
        lead = _sentence(f"{subject}: {message}" if subject else message)
    pairs = (*facts, *(("see", see(related, finding)) for related in block.related))
    lines = (f"{_capitalize(printable(name))}: {shortened(value, LONGEST_FACT)}" for name, value in pairs)
    return "\n".join((lead, *lines))


def see(related: Related, finding: Finding, folder: str = "") -> str:
    """Return the other place as it is seen from a folder, its revision, and its meaning for the finding."""
    place = path_from(folder, related.source.at(related.span.start))
    return f"{place}{revision_suffix(related, finding)}: {related.message}"


def revision_suffix(related: Related, finding: Finding) -> str:
    """Return the revision of another place as it follows a text, such as " at main"; empty if it is the finding's."""
    return "" if related.source.revision in (finding.source.revision, related.source.path) else revision(related)


def revision(place: Related | Finding) -> str:
    """Return the revision of a place as it follows a text."""
    name = place.source.revision
    return f" {'in' if name.startswith('the ') else 'at'} {name}" if name else ""


def _subject(finding: Finding) -> str:
    if finding.statement is None:
        return ""
    index, sid = finding.statement
    return f"Statement {index}" if sid is None else f"Statement {index} ({shortened(sid, 64)})"


def _sentence(text: str) -> str:
    return _capitalize(text) if text.endswith((".", "!", "?", ELLIPSIS)) else _capitalize(text) + "."


def _capitalize(text: str) -> str:
    """The text with a capital letter, unless it begins with a name from a program."""
    first = text.partition(" ")[0]
    return text if "_" in first or "." in first.rstrip(".") else text[:1].upper() + text[1:]
