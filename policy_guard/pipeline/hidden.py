"""What a change puts where no policy is looked for: behind links, in submodules, in other files, under other names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from policy_guard.pipeline.pairing import FileResult
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import LINK, SUBMODULE
from policy_guard.pipeline.repository.changes import Change, snapshot
from policy_guard.pipeline.stages import Run

if TYPE_CHECKING:
    from policy_guard.pipeline.pairing.beyond import Remark
    from policy_guard.verify.finding import Finding


def look_for_hidden(run: Run, all_policies: bool) -> None:
    """Keep what the change puts where it is not looked at as findings, notes and skipped files."""
    for path, remark in _link_remarks(run):
        if remark.unread:
            run.session.results.add_skipped(path, remark.unread)
        else:
            run.session.results.note(remark.sentence)
        if remark.gone:
            run.session.results.add_gone(remark.gone, remark.findings)
        else:
            run.session.results.outcome(path, FileResult((), remark.findings), is_common=True)
    for finding in _hidden_findings(run, all_policies):
        run.session.results.outcome(finding.source.path, FileResult((), (finding,)), is_common=True)


def _link_remarks(run: Run) -> Iterator[tuple[str, Remark]]:
    """Return what is said of changed links and submodules."""
    changes = [change for change in run.comparison.changes if change.new and change.new.mode in (LINK, SUBMODULE)]
    if not changes:
        return
    from policy_guard.pipeline.pairing.beyond import Beyond

    beyond = Beyond(run.repository, run.reader, run.sides, run.comparison)
    for change in changes:
        if remark := beyond.remark(change):
            yield change.path, remark


def _hidden_findings(run: Run, all_policies: bool) -> Iterator[Finding]:
    """The policies that the change puts where they are not seen. Most changes have nothing that could do so."""
    if _may_hide_one(run.reader, run.comparison.changes):
        from policy_guard.pipeline.pairing.evasion import policies_out_of_sight

        yield from policies_out_of_sight(run.reader, run.comparison, run.sides)
    yield from _name_collisions(run)
    if all_policies or _may_be_rewritten(run):
        from policy_guard.pipeline.pairing.attributes import Question, rewrite_findings

        question = Question(
            repository=run.repository,
            reader=run.reader,
            comparison=run.comparison,
            sides=run.sides,
        )
        yield from rewrite_findings(question, all_policies, run.session.results.note)


def _name_collisions(run: Run) -> Iterator[Finding]:
    """The names that came and are one with others on some systems. Before a commit only those of policies count."""
    plainly_none = run.comparison.new.commit is None and not run.sides
    if not any(
        change.new and (not plainly_none or run.reader.concerned(change.new.path)) for change in run.comparison.changes
    ):
        return
    from policy_guard.pipeline.pairing.collisions import added_files, collisions

    if new_files := added_files(run.comparison.changes):
        all_files = run.sides.after.files if run.sides else snapshot(run.repository, run.comparison.new)
        reached = run.sides.after.under(run.reader.concerned) if run.sides else frozenset[str]()
        yield from collisions(
            new_files, all_files, lambda path: path in reached or run.reader.concerned(path), run.comparison.new.name
        )


def _may_be_rewritten(run: Run) -> bool:
    """Tell whether the change is about a file that may be a policy, or about attributes of files."""
    paths = [file.path for change in run.comparison.changes for file in (change.old, change.new) if file]
    return any(run.reader.concerned(path) or path.lower().endswith(".gitattributes") for path in paths)


def _may_hide_one(reader: Reader, changed: Collection[Change]) -> bool:
    """Tell whether a file where policies are looked for changes or goes, beside another that may take one in."""
    return len(changed) > 1 and any(change.old and reader.concerned(change.old.path) for change in changed)
