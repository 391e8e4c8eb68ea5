"""Changed files become pairs of policies, old and new, or the findings that say why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from policy_guard.documents.format import sniff
from policy_guard.documents.source import Source, Spot
from policy_guard.pipeline.repository import File
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.records import NamedTuple
from policy_guard.settings.config import Config
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable_findings, vanished_finding

if TYPE_CHECKING:
    from policy_guard.iam.policy import Policy, PolicyId
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.pairing.reader import Reader

_AS_TWO = "checked as one policy removed and one added"


class Pair(NamedTuple):
    """One policy, old and new; None is no policy. `fresh` tells that its file had no old version at all.

    `reference` is what every version is held against, if anything, and `unbounded` says why that cannot be had.
    `instead_of` is what stood there before, of another kind or holder, and counts as gone. `changed` are places that
    changed and on which the new version depends, and `moved` tells that the old one had another holder.
    With `follows` it differs in documents alone that are judged by themselves, and that deny what they did.
    With `leads_to_changes` all that decides the new version was followed, so that `changed` holds all that changed.
    `within` is what counts together with the new version, as in a question, unless another file has one of the texts in
    `named`, by which it may be given something.
    """

    path: str
    old: Policy | None
    new: Policy | None
    fresh: bool = False
    reference: Policy | None = None
    unbounded: Finding | None = None
    instead_of: Policy | None = None
    changed: tuple[Spot, ...] = ()
    moved: bool = False
    follows: bool = False
    leads_to_changes: bool = False
    within: Policy | None = None
    named: tuple[str, ...] = ()

    @property
    def policy(self) -> Policy:
        """The new version, or the old one of a policy that is gone."""
        policy = self.new or self.old
        assert policy is not None
        return policy

    @property
    def id(self) -> PolicyId:
        """The policy, under its new path."""
        return self.policy.id._replace(unit=self.path)

    @property
    def differs(self) -> bool:
        """Tell whether anything of the policy changed, be it only its layout or the name of its file."""
        from policy_guard.iam.policy import meaning

        if self.old is None or self.new is None or self.fresh or self.policy.group:
            return True
        old_text, new_text = (side.source.text[slice(*side.span)] for side in (self.old, self.new))
        is_moved = self.old.source.path != self.new.source.path
        return is_moved or old_text != new_text or meaning(self.old) != meaning(self.new)

    @property
    def predecessor(self) -> Policy | None:
        """Return what stood there before."""
        return self.old or self.instead_of

    @property
    def origin(self) -> str:
        """The digest of what stood under this very name before."""
        from policy_guard.settings.acceptance import digest

        predecessor = self.predecessor
        keeps_name = (
            predecessor is not None and (predecessor.group or predecessor.source.path == self.path) and not self.fresh
        )
        return digest(predecessor if keeps_name else None)


class FileResult(NamedTuple):
    """What came of one changed file. `unread` says why policies in it are not read.

    With `in_template` the pairs are those of a template that may hand policies on to another one, with `in_manifest`
    those of a manifest that is new or gone as a whole, and keeps nothing out.
    """

    pairs: tuple[Pair, ...]
    findings: tuple[Finding, ...]
    embedded: int = 0
    notes: tuple[str, ...] = ()
    unread: str = ""
    in_template: bool = False
    in_manifest: bool = False


def compare_templates(path: str, old: FileVersion, new: FileVersion, config: Config) -> FileResult:
    """Return what comes of comparing two versions of a template."""
    assert old.template is not None and new.template is not None
    from policy_guard.pipeline.pairing.templates import ResourceChanges, compared_policies
    from policy_guard.pipeline.pairing.unknown import LOST, may_have_lost

    policy_pairs = compared_policies(old.template, new.template, config.placeholders, config.by_principal)
    findings = [*unreadable_findings(new.source, policy_pairs.new)]
    if policy_pairs.old and not policy_pairs.new:
        severity = config.severity(LOST)
        findings += may_have_lost(old.source, policy_pairs.old[0], (), None, severity, new.source)
    changes = ResourceChanges(old.template, new.template)
    pairs = [
        part._replace(
            changed=changes.about(part.new) if part.new else (),
            within=within.policy if within else None,
            named=within.named if within else (),
        )
        for old_policy, new_policy in policy_pairs.pairs
        for part in split_pair(Pair(path=path, old=old_policy, new=new_policy))
        for within in (policy_pairs.within.get(part.new.holder) if part.new else None,)
    ]
    notes = tuple(f"{path}: {sentence}" for sentence in policy_pairs.notes) if pairs or findings else ()
    return FileResult(tuple(pairs), tuple(findings), notes=notes)


def pairs(reader: Reader, change: Change, comparison: Comparison) -> FileResult:
    """The pairs of one changed file."""
    return unless_others_name(reader, comparison.new, _pairs_of_file(reader, change, comparison))


def unless_others_name(reader: Reader, revision: Revision, result: FileResult) -> FileResult:
    """The result; boundaries count by themselves whose principals other files name."""
    if not reader.settings.config.divides_boundaries or not any(pair.named for pair in result.pairs):
        return result
    from policy_guard.pipeline.pairing.named_elsewhere import unless_named_elsewhere

    return result._replace(pairs=tuple(unless_named_elsewhere(reader, revision, result.pairs)))


def _pairs_of_file(reader: Reader, change: Change, comparison: Comparison) -> FileResult:
    """The pairs of one changed file, whatever other files say.

    A rename into a place where other settings hold counts as one file deleted and one new.
    """
    old_file, new_file = change.old, change.new
    if (
        old_file
        and new_file
        and old_file.path != new_file.path
        and not reader.has_same_rules(old_file.path, new_file.path)
    ):
        return _pairs_of_two_files(reader, old_file, new_file, comparison)
    if change.relation != "reads" and reader.is_unchanged(old_file, new_file):
        return FileResult((), ())
    old, new = _glances(reader, change, comparison)
    if any(side is not None and side.snapshots is not None for side in (old, new)):
        from policy_guard.pipeline.pairing.snapshots import compare_snapshots

        if not any(side is not None and side.problems for side in (old, new)):
            return compare_snapshots(reader.settings.config, change.path, old, new)
    if old and new and old.template and new.template:
        outcome = compare_templates(change.path, old, new, reader.settings.config)
        outcome = outcome._replace(notes=(*_notes(change, old, new), *outcome.notes))
        return _of_templates(outcome, (old, new))
    old = reader.completed(old) if old else None
    new = with_template_problems(reader.completed(new)).with_unresolved(old) if new else None
    new = new.with_lost_limits(old) if new and old else new
    notes = tuple(_notes(change, old, new))
    findings = (*_findings(old, new), *_unreadable_old_version(reader, change, comparison.old, (old, new)))
    if new and new.problems:
        return FileResult((), findings, new.embedded, notes)
    policy_pairs = tuple(pair_policies(change.path, old, new))
    if new and reader.settings.config.by_principal:
        policy_pairs = tuple(_within_account(pair, new.policies) for pair in policy_pairs)
    result = FileResult(
        policy_pairs, findings, new.embedded if new else 0, notes, unread=new.passed_over if new else ""
    )
    return _of_templates(result, (old, new))


def _pairs_of_two_files(reader: Reader, old_file: File, new_file: File, comparison: Comparison) -> FileResult:
    """The pairs of a renamed file of which other settings hold now, as of one deleted and one new."""
    joined = _join_results(
        _pairs_of_file(reader, Change(old_file, None), comparison),
        _pairs_of_file(reader, Change(None, new_file), comparison),
        old_file,
        new_file,
    )
    return joined._replace(findings=(*joined.findings, *_policy_out_of_sight(reader, old_file, new_file, comparison)))


def _glances(reader: Reader, change: Change, comparison: Comparison) -> tuple[FileVersion | None, FileVersion | None]:
    """Both versions of a file; one beside a template or a manifest is looked at closely, since it may be one, too."""
    old_file, new_file = change.old, change.new
    old = reader.glance(old_file, old_file.path, comparison.old) if old_file else None
    new = reader.glance(new_file, new_file.path, comparison.new) if new_file else None
    if old_file and new_file and old and new and (_is_of_templates(old) or _is_of_templates(new)):
        old = old if _is_of_templates(old) else reader.glance(old_file, old_file.path, comparison.old, closely=True)
        new = new if _is_of_templates(new) else reader.glance(new_file, new_file.path, comparison.new, closely=True)
    if new_file and old and new and old.manifest and not new.examined:
        new = reader.glance(new_file, new_file.path, comparison.new, closely=True)
    return old, new


def _of_templates(result: FileResult, versions: tuple[FileVersion | None, FileVersion | None]) -> FileResult:
    """The result with whether it is of templates or manifests that may hand policies on to others."""
    if not any(version is not None and version.template is not None for version in versions):
        sides = [version for version in versions if version is not None]
        return result._replace(in_manifest=len(sides) == 1 and _hands_on(sides[0]))
    from policy_guard.pipeline.pairing.departures import hands_on

    templates = [
        version.template for version in versions if version is not None and (version.template or version.policies)
    ]
    return result._replace(in_template=all(template is not None and hands_on(template) for template in templates))


def _hands_on(version: FileVersion) -> bool:
    """Tell whether a manifest keeps nothing out that has to come along with its resources."""
    return version.manifest and not (version.limits and version.limits.by_label)


def _is_of_templates(version: FileVersion) -> bool:
    """Tell whether a version is a template, or holds some as snapshots."""
    return version.template is not None or version.snapshots is not None


def with_template_problems(version: FileVersion) -> FileVersion:
    """The version with what keeps a template that was none before from being judged as a whole."""
    if not _is_of_templates(version):
        return version
    from policy_guard.pipeline.pairing.templates import problems_of_new

    versions = (version, *(version.snapshots or {}).values())
    new_problems = (problem for each in versions if each.template for problem in problems_of_new(each.template))
    problems = tuple(dict.fromkeys((*version.problems, *new_problems)))
    return version._replace(problems=problems, examined=version.examined or bool(problems))


def _policy_out_of_sight(reader: Reader, old_file: File, new_file: File, comparison: Comparison) -> Iterator[Finding]:
    """A policy that moves to where no policy is looked for, and is still one."""
    old = reader.version(old_file, old_file.path, comparison.old)
    if old.policies and not reader.concerned(new_file.path) and (data := reader.content(new_file)) and sniff(data):
        yield vanished_finding(
            Source(new_file.path, "", comparison.new.name), old.source, "files with this name are not checked"
        )


def _join_results(deletion: FileResult, addition: FileResult, old_file: File, new_file: File) -> FileResult:
    note = f"{old_file.path} was renamed to {new_file.path}, where other settings apply; {_AS_TWO}"
    return FileResult(
        (*deletion.pairs, *addition.pairs),
        (*deletion.findings, *addition.findings),
        addition.embedded,
        (*deletion.notes, *addition.notes, *([note] if deletion.pairs or addition.pairs or addition.findings else [])),
        addition.unread,
    )


def _findings(old: FileVersion | None, new: FileVersion | None) -> Iterator[Finding]:
    if new is None:
        return
    was_policy = bool(old and (old.documents or old.problems))
    if new.problems:
        yield from unreadable_findings(new.source, new.problems)
    elif (
        was_policy and old and not (old.manifest and new.manifest) and (not new.documents or _may_be_replaced(old, new))
    ):
        yield vanished_finding(new.source, old.source, "no policy is read from this file")


def _unreadable_old_version(
    reader: Reader, change: Change, revision: Revision, sides: tuple[FileVersion | None, FileVersion | None]
) -> Iterator[Finding]:
    """A finding if an old version cannot be read that may have denied something. Groups have one of their own."""
    old, new = sides
    if old is None or change.old is None or (new and new.problems) or reader.groups(change.old.path):
        return
    resolved_old = old.with_unresolved(new) if new else old
    if not resolved_old.problems:
        return
    from policy_guard.pipeline.pairing.unknown import LOST, keeps_every_deny, may_have_lost

    version = reader.undistrusted(change.old, revision)
    if new and version and keeps_every_deny(iter(version.policies.values()), iter(new.policies.values())):
        return
    texts = resolved_old.unread if len(resolved_old.problems) == len(old.problems) else ()
    severity = reader.settings.config.severity(LOST)
    source = new.source if new else None
    yield from may_have_lost(
        old.source, resolved_old.problems[0], texts, reader.kind_before(change.old.path), severity, source
    )


def _may_be_replaced(old: FileVersion, new: FileVersion) -> bool:
    """Tell whether one of several policies went, and what stands there or lies deeper may be one still."""
    removed_labels = old.documents - new.policies.keys()
    return bool(removed_labels and new.embedded) or any(_stands_for(label, new.candidates) for label in removed_labels)


def _stands_for(label: str, candidates: frozenset[str]) -> bool:
    """Tell whether at a label, at what it lies in or in the same list something stands that may become a policy."""
    ends = (at for at, symbol in enumerate(f"{label}.") if symbol in ".[")
    return "" in candidates or any(label[:at] in candidates or label[: at + 1] in candidates for at in ends)


def _notes(change: Change, old: FileVersion | None, new: FileVersion | None) -> Iterator[str]:
    if (
        change.old
        and change.new
        and change.old.path != change.new.path
        and ((old and old.examined) or (new and new.examined))
    ):
        yield f"{change.new.path} is compared with {change.old.path} ({change.relation})"
    for label, policy in new.policies.items() if old and new else ():
        if old and label in old.policies and not _has_one_holder(old.policies[label], policy):
            yield f"{change.path} {label} now belongs to a different principal; {_AS_TWO}"
    if old and old.problems and new and new.policies:
        yield f"the old version of {change.path} cannot be read, so all of the new version counts as new"


def pair_policies(path: str, old: FileVersion | None, new: FileVersion | None) -> Iterator[Pair]:
    olds, news = (old.policies if old else {}), (new.policies if new else {})
    for label in [*news, *(label for label in olds if label not in news)]:
        yield from split_pair(Pair(path=path, old=olds.get(label), new=news.get(label), fresh=old is None))


def _within_account(pair: Pair, policies: Mapping[str, Policy]) -> Pair:
    """The pair with the boundary of its principal, if its file is a saved account."""
    if not pair.policy.holder.startswith(("role ", "user ")):
        return pair
    from policy_guard.pipeline.pairing.within import within_account

    within = within_account(policies, pair.policy)
    return pair._replace(within=within.policy, named=within.named) if within else pair


def split_pair(pair: Pair) -> tuple[Pair, ...]:
    """The pair, or where kind or holder changed one for the policy that went and one for the policy that came."""
    from policy_guard.iam.policy import of_one_kind

    old, new = pair.old, pair.new
    if old and new and not (of_one_kind(old, new) and _has_one_holder(old, new)):
        return pair._replace(new=None), pair._replace(old=None, instead_of=pair.old, moved=of_one_kind(old, new))
    return (pair,)


def _has_one_holder(old: Policy, new: Policy) -> bool:
    """Tell whether both are one holder's; a version that counts no more gives nobody anything."""
    from policy_guard.documents.containers.holders import DEFAULT

    return new.holder in (old.holder, old.holder.removesuffix(DEFAULT))
