"""Principals that have a document that changed, where they stand in files that did not change themselves."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.pipeline.attached import Attached
from policy_guard.pipeline.judging import Judge, Judgement
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.reader import ATTACHMENTS, Reader
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.repository.changes import Change, Comparison, old_paths


def principals_with_changed_documents(
    repository: Repository, reader: Reader, comparison: Comparison
) -> Iterator[tuple[Change, Pair]]:
    """The principals on both sides, each with its file."""
    paths = old_paths(repository, comparison) if comparison.changes else ()
    if not paths or not (reader.settings.config.policies_by_arn or any(ATTACHMENTS in path for path in paths)):
        return
    from policy_guard.pipeline.pairing.attaching_files import attaching_files, principals_in

    for change in attaching_files(reader, comparison):
        for pair in principals_in(reader, change, comparison):
            yield change, pair


def judgement_of_principal(judge: Judge, attached: Attached, pair: Pair) -> Judgement | None:
    """Return what is to be said of a principal besides what its changed document tells alone; None for nothing."""
    from policy_guard.pipeline.pairing.attaching_files import differing_statements, told_by_principal

    combined = judge.combined_entries()
    if pair.follows and not combined:
        return None
    judgement = judge.judge(attached.pair(pair), comparing=True)
    has_changed = differing_statements(pair) if pair.follows else attached.has_changed
    findings = tuple(told_by_principal(pair, judgement.findings, combined, has_changed))
    return judgement._replace(findings=findings) if findings else None
