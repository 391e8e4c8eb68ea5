"""Files that did not change themselves, and attach a document that did: there a principal has it beside others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from policy_guard.documents.format import ATTACHMENTS_KEY
from policy_guard.pipeline.pairing import Pair, pair_policies
from policy_guard.pipeline.pairing.reader import ATTACHMENTS, Reader
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.objects import OVERSIZED
from policy_guard.verify.finding import Finding

if TYPE_CHECKING:
    from policy_guard.iam.policy import Statement

_TERRAFORM = (".tf", ".tofu")


def attaching_files(reader: Reader, comparison: Comparison) -> Iterator[Change]:
    """The files that attach a document that changed."""
    changed = {file.path for change in comparison.changes for file in (change.old, change.new) if file}
    ends = set(_ends_of_arns(reader.settings.config.policies_by_arn, changed))
    old, new = (reader.files(revision) for revision in comparison[:2])
    for path in sorted(old.keys() & new.keys() - changed):
        is_named = ATTACHMENTS in path.rpartition("/")[2]
        if not (ends or is_named) or path.endswith(_TERRAFORM) or not reader.concerned(path):
            continue
        data = reader.content(new[path])
        if data is None or data is OVERSIZED:
            continue
        names_path = is_named and ATTACHMENTS_KEY.encode() in data and any(each.encode() in data for each in changed)
        if names_path or any(end in data for end in ends):
            yield Change(old[path], new[path], "reads")


def _ends_of_arns(places: Iterable[tuple[str, str]], changed: Collection[str]) -> Iterator[bytes]:
    """The ends of the ARNs whose documents changed."""
    for arn, place in places:
        path, end = place.partition("#")[0], arn.rpartition(":")[2]
        start, star, suffix = path.partition("*")
        if not star and path in changed:
            yield end.encode()
        for name in changed if star else ():
            if name.startswith(start) and name.endswith(suffix) and len(name) > len(start) + len(suffix):
                yield end.replace("*", name[len(start) : len(name) - len(suffix)]).encode()


def principals_in(reader: Reader, change: Change, comparison: Comparison) -> Iterator[Pair]:
    """The principals in a file on both sides."""
    sides = zip((change.old, change.new), comparison[:2], strict=True)
    old, new = (reader.completed(reader.glance(file, change.path, revision)) for file, revision in sides)
    yield from pair_policies(change.path, old, new)


def told_by_principal(
    pair: Pair, findings: Iterable[Finding], combined: Collection[str], has_changed: Callable[[Statement], bool]
) -> Iterator[Finding]:
    """The findings that the document alone does not tell: what it allows beside others, and what it no longer denies.

    `combined` are the critical entries of several sets, and `has_changed` tells whether what a statement attaches did.
    """
    statements = pair.new.statements if pair.new else ()
    of_documents = [each for each in statements if has_changed(each)]
    of_others = [each for each in statements if not has_changed(each)]
    for finding in findings:
        is_standing = finding.acceptable is not None and finding.acceptable.standing
        is_combined = any(each in combined for each in finding.critical_ids)
        is_repeated = _is_about(finding, of_documents) and not _is_about(finding, of_others)
        if finding.check != "no-lost-deny" and not is_standing and (is_combined or not is_repeated):
            yield finding


def _is_about(finding: Finding, statements: Iterable[Statement]) -> bool:
    """Tell whether a finding is about one of these statements, and stands in it."""
    return any(
        finding.statement is not None
        and each.index == finding.statement[0]
        and each.source == finding.source
        and each.span.start <= finding.span.start < each.span.end
        for each in statements
    )


def differing_statements(pair: Pair) -> Callable[[Statement], bool]:
    """Tell of a statement whether the old version has none that means the same."""
    from policy_guard.iam.policy import statement_meaning

    meanings = {statement_meaning(each) for each in pair.old.statements} if pair.old else set()
    return lambda statement: statement_meaning(statement) not in meanings
