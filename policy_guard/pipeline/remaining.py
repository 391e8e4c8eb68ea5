"""Judges the files that did not change, each by itself, and tells what the settings name that is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from operator import itemgetter

from policy_guard.documents.printable import shortened
from policy_guard.pipeline.ahead import Expected
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.repository import File
from policy_guard.pipeline.repository.changes import Change
from policy_guard.pipeline.repository.objects import OVERSIZED
from policy_guard.pipeline.stages import Run, touches, unread_remark
from policy_guard.settings.addresses import parted
from policy_guard.settings.config import unmatched


def judge_the_rest(run: Run) -> None:
    """The files that did not change and belong to no group, by themselves."""
    assert run.sides is not None
    changed_paths = {
        change.new.path for change in run.comparison.changes if change.new and not _is_touched(run, change)
    }
    files = run.sides.after.files_to_judge(run.reader)
    for pattern in run.config.unmatched_patterns(files):
        run.session.results.note(f"{pattern} names no file here")
    for ignore in run.config.ignores:
        if not _has_line(run, files.get(ignore.file), ignore.line):
            line = shortened(ignore.line.strip(), 60)
            sentence = f"ignore-unreadable: {ignore.file} has no line that reads {line}; remove the entry"
            run.session.results.note(sentence)
    for entry in run.reader.settings.critical:
        if entry.files and not any(map(entry.reaches, files)):
            run.session.results.note(f"the critical entry {entry.id} is about no file here: {', '.join(entry.files)}")
            continue
        for pattern in unmatched((parted(pattern)[0] for pattern in entry.files), files):
            run.session.results.note(f"the critical entry {entry.id}: {pattern} names no file here")
    _judge_remaining(run, files, changed_paths)


def _is_touched(run: Run, change: Change) -> bool:
    """Tell whether a file was only written anew as it was, which git takes for a change until it looks into it."""
    return run.reader.is_unchanged(change.old, change.new)


def _in_advance(run: Run, files: Iterable[tuple[str, File]]) -> Iterator[tuple[str, File]]:
    """The files, read and judged already where that pays and takes nothing but the bytes of each."""

    def expected(item: tuple[str, File]) -> Iterator[Expected]:
        path, file = item
        if _is_bound_or_shared(run, path):
            return
        if plain_file := run.reader.plain_file(file, path, run.comparison.new):
            yield Expected(file, lambda: plain_file, len(plain_file.data))

    return run.session.ahead.in_advance(files, expected)


def _is_bound_or_shared(run: Run, path: str) -> bool:
    """Tell whether the settings may say of a single policy of the file with what or where it is judged."""
    rule = run.config.policy_rule(path) if run.references else None
    is_bound = run.references and ((rule and rule.reference) or run.config.policy_rules_in(path))
    return bool(is_bound) or any(group.reaches(path) for group in run.config.groups)


def _has_line(run: Run, file: File | None, text: str) -> bool:
    data = run.reader.content(file) if file else None
    wanted = text.strip().encode()
    return data is not None and data is not OVERSIZED and any(line.strip() == wanted for line in data.splitlines())


def _judge_remaining(run: Run, files: Mapping[str, File], changed_paths: Collection[str]) -> None:
    remaining_files = [
        (path, file)
        for path, file in files.items()
        if path not in changed_paths
        and not run.reader.groups(path)
        and touches(Change(None, file), run.paths)
        and run.shard.holds(path)
    ]
    unreadable: dict[str, tuple[FileVersion, str]] = {}
    steps = run.session.results.stepwise(remaining_files, "files", itemgetter(0))
    for (path, file), _ in zip(steps, _in_advance(run, remaining_files), strict=True):
        if judged := run.session.ahead.judged_file(file):
            remark = unread_remark(run.reader, file, path, changed=False)
            run.session.results.add_skipped(path, remark or judged.passed_over)
            run.session.judged_file(path, judged)
            continue
        version = run.reader.version(file, path, run.comparison.new)
        remark = unread_remark(run.reader, file, path, changed=False) or version.passed_over
        if version.problems and not version.policies and not run.paths:
            unreadable[path] = version, remark
            continue
        run.session.results.add_skipped(path, remark)
        run.session.version(version, run.as_it_is)
    # A template is judged with what its reader fills in, where Terraform reads it.
    for path in sorted(unreadable.keys() - run.read_by_terraform(unreadable, run.comparison.new)):
        version, remark = unreadable[path]
        run.session.results.add_skipped(path, remark)
        run.session.version(version, run.as_it_is)
