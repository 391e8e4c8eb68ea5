"""Changed files become pairs of policies, old and new, or the findings that say why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from policy_guard.documents.format import MAX_BYTES, decode, in_json, in_utf_8, is_short_text, salvage, sniff, whole
from policy_guard.documents.formats import plain_name, suffixes
from policy_guard.documents.source import Node, Object, Problem, Scalar, Source, Span, Unreadable
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.objects import LARGEST, OVERSIZED
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.pipeline.repository.ways import BROKEN, Tree
from policy_guard.settings.config import Config
from policy_guard.settings.load import Settings
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable, vanished

if TYPE_CHECKING:
    from policy_guard.documents.containers.cloudformation.template import Template
    from policy_guard.documents.containers.plain import Reading
    from policy_guard.documents.containers.unresolved import Unresolved
    from policy_guard.iam.policy import Kind, Policy

LFS = re.compile(
    rb"\s*version (?:https://git-lfs\.github\.com/spec|https://hawser\.github\.com/spec|http://git-media\.io)/"
)
"""Source: git-lfs, docs/spec.md and lfs/pointer.go, which also takes blanks before it and the two older names."""
_OF_FILE, _OF_SCRIPT = 0.25, 0.9
_OTHER_TEMPLATES = (".tf", ".sh", ".bash", ".ps1", ".py", ".rb", ".js", ".ts", ".go", ".md", ".txt", ".html", ".rst")
_TOO_LARGE = f"the file is larger than {LARGEST >> 20} MB, and larger ones are not read; exclude it"


class Side(NamedTuple):
    """What one version of a file holds: policies by label, what is wrong with it, and how many lie deeper.

    `others` are labels of what may become a policy.

    `looked` is False where the file was passed over as no policy at all. `unread` are the texts of the policies that
    cannot be read, as far as there are texts. `template` is there if the file is one, of which policies are read when
    it is `completed`.
    """

    source: Source
    policies: dict[str, Policy]
    problems: tuple[Problem, ...] = ()
    deeper: int = 0
    looked: bool = True
    note: str = ""
    others: frozenset[str] = frozenset()
    unresolved: tuple[Unresolved, ...] = ()
    unread: tuple[str, ...] = ()
    template: Template | None = None

    def completed(self, placeholders: tuple[str, ...], grants: bool = False) -> Side:
        """This side with all policies of its template, and with `grants` what grants access without a document."""
        if self.template is None:
            return self
        from policy_guard.pipeline.pairing.templates import all_of

        found = all_of(self.template, placeholders, grants)
        problems = (*self.template.repeated, *found.every_problem)
        policies = {_unique(key, policy, found.policies): policy for key, policy in found.policies.items()}
        return self._replace(policies=policies, problems=problems, looked=bool(policies or problems))

    def after(self, before: Side | None = None) -> Side:
        """This side with what is wrong with what is filled in later, beside the policies that there are and were."""
        labels = {*self.policies, *(before.policies if before else ())}
        from policy_guard.documents.containers.unresolved import problems

        more = tuple(problems(self.unresolved, labels))
        return self._replace(problems=(*self.problems, *more), looked=self.looked or bool(more)) if more else self


def _unique(key: tuple[str, str], policy: Policy, every: Mapping[tuple[str, str], Policy]) -> str:
    """The label of a policy; that of several at one place tells whose it is."""
    alike = sum(other.label == policy.label for other in every.values())
    return policy.label if alike == 1 else f"{policy.label} of {key[1]}"


class Pair(NamedTuple):
    """One policy, old and new; None is no policy. `fresh` tells that its file had no old version at all.

    `reference` is what every version is held against, if anything, and `unbounded` says why that cannot be had.
    `instead_of` is what stood there before, of another kind or holder, and counts as gone.
    """

    path: str
    old: Policy | None
    new: Policy | None
    fresh: bool = False
    reference: Policy | None = None
    unbounded: Finding | None = None
    instead_of: Policy | None = None

    @property
    def before(self) -> Policy | None:
        """What stood there before."""
        return self.old or self.instead_of

    @property
    def origin(self) -> str:
        """The digest of what stood under this very name before."""
        from policy_guard.settings.acceptance import digest

        before = self.before
        own = before is not None and (before.group or before.source.path == self.path) and not self.fresh
        return digest(before if own else None)


class Outcome(NamedTuple):
    """What came of one changed file."""

    pairs: tuple[Pair, ...]
    findings: tuple[Finding, ...]
    deeper: int = 0
    notes: tuple[str, ...] = ()


class Reader:
    """Reads versions of files as policies, those of `old` by the settings of the base. `given` are the settings."""

    def __init__(self, repository: Repository, given: Settings, old: Revision | None = None) -> None:
        self._repository = repository
        self.given = given
        self._config = given.config
        self._before = given.before[1] if given.before else given.config
        self._old = old
        self.scope = given.scope
        self._trees: dict[Revision, Tree] = {}
        self._distrusted: set[tuple[Revision, str | None]] = set()

    def with_files(self, revision: Revision, files: dict[str, File]) -> None:
        """Lets links of this revision be followed."""
        self._trees[revision] = Tree(self._repository, files)

    def distrust(self, revision: Revision, file: File) -> None:
        """Lets a version of a file count as unknown, under whatever name."""
        self._distrusted.add((revision, file.oid))

    def side(self, file: File | None, path: str, revision: Revision) -> Side:
        """What the file holds; with no file, nothing. `path` decides what it is configured as."""
        return self.glance(file, path, revision).completed(self._config.placeholders)

    def compared(self, path: str, old: Side, new: Side) -> Outcome:
        """The policies of two versions of a template that differ."""
        return of_templates(path, old, new, self._config.placeholders, self.given.config)

    def completed(self, side: Side) -> Side:
        """The side with all that grants access in its template."""
        return side.completed(self._config.placeholders, grants=True)

    def glance(self, file: File | None, path: str, revision: Revision, closely: bool = False) -> Side:
        """What the file holds, as in `side`; the policies of a template are not read yet.

        With `closely`, a template is one even if nothing in it looks like a policy.
        """
        config = self._before if revision == self._old else self._config
        rule = config.policy_rule(path)
        empty = Source(path, "", revision.name)
        if file is None or not self.concerned(path, config):
            return Side(empty, {}, looked=False)
        if file.mode == SUBMODULE:
            return Side(
                source=empty,
                policies={},
                problems=(Problem("a submodule stands where a policy is configured", Span(0, 0)),) if rule else (),
            )
        if file.mode == LINK:
            tree = self._trees.get(revision) or Tree(self._repository, {})
            way = tree.way(file.path)
            target = tree.file(way)
            if target is None and rule is None and plain_name(path) and way.kind != BROKEN:
                return Side(empty, {}, looked=False)
            if target is None:
                reason = way.reason or "the link leads to a folder and to no file of the repository"
                return Side(source=empty, policies={}, problems=(Problem(reason, Span(0, 0)),))
            file = target
        if (revision, file.oid) in self._distrusted:
            return Side(
                source=empty,
                policies={},
                problems=(Problem("git wrote another file than is kept under this name", Span(0, 0)),),
            )
        data = self._repository.read(file)
        if data is None:
            return Side(
                source=empty,
                policies={},
                problems=(Problem("there is no file to read under this name", Span(0, 0)),) if rule else (),
            )
        if data is OVERSIZED and rule is None and plain_name(path):
            return Side(
                empty, {}, looked=False, note=f"{path} is larger than {LARGEST >> 20} MB, and is not looked into"
            )
        if data is OVERSIZED:
            return Side(source=empty, policies={}, problems=(Problem(_TOO_LARGE, Span(0, 0)),))
        kind = rule.kind if rule else None
        return glance_of(data, path, revision.name, rule is not None, kind, self._config.placeholders, closely)

    def content(self, file: File) -> bytes | None:
        """The bytes of a file, links not followed."""
        return self._repository.read(file)

    def same(self, before: File | None, after: File | None) -> bool:
        """Whether nothing changed but what git remembers of the file on disk."""
        if before is None or after is None or after.oid or after.mode == LINK or before[:2] != after[:2]:
            return False
        if not self.concerned(after.path):
            return False
        data = self._repository.read(before)
        return data is not OVERSIZED and data == self._repository.read(after)

    def alike(self, before: str, after: str) -> bool:
        """Whether a file is judged the same under both paths, the first of them in the base.

        A rule of the base that the change writes for another folder is one rule, if it says the same.
        """
        here, there = self.scope(before), self.scope(after)
        if here == there or here[1:] != there[1:]:
            return here == there
        old, new = self._before.policy_rule(before), self._config.policy_rule(after)
        return old is not None and new in self._config.added and new is not None and old[1:] == new[1:]

    def undistrusted(self, file: File, revision: Revision) -> Side | None:
        """What a version holds that counts as unknown, as it is kept; None if it does not count so."""
        if (revision, file.oid) not in self._distrusted:
            return None
        self._distrusted.discard((revision, file.oid))
        side = self.side(file, file.path, revision)
        self._distrusted.add((revision, file.oid))
        return side if not side.problems else None

    def kind_before(self, path: str) -> Kind | None:
        """The kind that the settings of the base give the file, if any."""
        rule = self._before.policy_rule(path)
        return rule.kind if rule else None

    def groups(self, path: str) -> tuple[str, ...]:
        """The groups that judge the file."""
        return self._config.scope(path) if self.grouped(path) else ()

    def grouped(self, path: str) -> bool:
        """Whether a group may hold the file: what a change wants looked at is no company for what was there."""
        return self.concerned(path, self._before)

    def concerned(self, path: str, config: Config | None = None) -> bool:
        """Whether the name alone makes the file one to look at."""
        config = config or self._config
        by_name = path.lower().endswith(suffixes()) or plain_name(path)
        return config.policy_rule(path) is not None or (by_name and not config.excluded(path))


def side_of(
    data: bytes, path: str, revision: str, configured: bool, kind: Kind | None, placeholders: tuple[str, ...] = ()
) -> Side:
    """What the bytes of a file hold. With `configured` they have to be a policy; `placeholders` are of the settings."""
    return glance_of(data, path, revision, configured, kind, placeholders).completed(placeholders)


def glance_of(
    data: bytes,
    path: str,
    revision: str,
    configured: bool,
    kind: Kind | None,
    placeholders: tuple[str, ...] = (),
    closely: bool = False,
) -> Side:
    """What the bytes of a file hold, as in `side_of`; the policies of a template are not read yet.

    With `closely`, bytes are read that do not look like a policy, since they may be a template without one.
    """
    if LFS.match(data) and not sniff(data):
        problem = Problem("an LFS pointer stands here, and the policy is elsewhere; keep it in git", Span(0, 0))
        note = "" if configured else f"{path} is an LFS pointer, which is not looked behind"
        return Side(
            source=salvage(path, data, revision),
            policies={},
            problems=(problem,) if configured else (),
            looked=configured,
            note=note,
        )
    by_content = not configured and plain_name(path)
    if not configured and not closely and not sniff(data):
        return Side(Source(path, "", revision), {}, looked=False)
    if by_content and not in_json(data) and not is_short_text(data):
        return _too_long(data, path, revision)
    from policy_guard.documents.containers.plain import policies_in
    from policy_guard.documents.formats import read

    try:
        source = decode(path, data, revision)
        documents = read(source)
        if any(map(_is_template, documents)):
            return _of_template(source, documents)
        reading = policies_in(source, documents)
    except Unreadable as error:
        source = salvage(path, data, revision)
        blamed = configured or _seems_meant(data, path, revision, by_content)
        unread = (source.text,) if len(data) <= MAX_BYTES else ()
        wrong = error.problems if blamed else ()
        return Side(source=source, policies={}, problems=wrong, looked=blamed, unread=unread)
    if by_content and not reading.policies and not in_json(data):
        return _without_policy(data, source, reading.deeper)
    return _parsed(source, reading, kind, configured, placeholders)


def _is_template(document: Node) -> bool:
    """Whether a document is a template; most are seen at once to be none, before anything is imported."""
    if not isinstance(document, Object) or document.get("Resources") is None:
        return False
    from policy_guard.documents.containers.cloudformation.template import is_template

    return is_template(document)


def _of_template(source: Source, documents: Sequence[Node]) -> Side:
    from policy_guard.documents.containers.cloudformation.template import read_template

    (document, *others) = documents
    if others or not isinstance(document, Object):
        words = (
            "a template stands beside other documents, and readers differ in which counts; give it a file of its own"
        )
        return Side(source=source, policies={}, problems=(Problem(words, Span(0, 1)),))
    return Side(source=source, policies={}, template=read_template(source, document))


def of_templates(path: str, old: Side, new: Side, placeholders: tuple[str, ...], config: Config) -> Outcome:
    """What comes of comparing two versions of a template."""
    assert old.template is not None and new.template is not None
    from policy_guard.pipeline.pairing.templates import compared
    from policy_guard.pipeline.pairing.unknown import LOST, may_have_lost

    found = compared(old.template, new.template, placeholders)
    findings = [*unreadable(new.source, found.new)]
    if found.old and not found.new:
        severity = config.severity(LOST)
        findings += may_have_lost(old.source, found.old[0], (), None, severity, new.source)
    pairs = [part for before, after in found.pairs for part in apart(Pair(path=path, old=before, new=after))]
    notes = tuple(f"{path}: {sentence}" for sentence in found.notes) if pairs or findings else ()
    return Outcome(tuple(pairs), tuple(findings), notes=notes)


def _seems_meant(data: bytes, path: str, revision: str, by_content: bool) -> bool:
    """Whether what cannot be read seems to be a policy: by its words, or by what most of it is if no name tells."""
    from policy_guard.documents.containers.plain import holds_one_apart, looks_like_policy_text
    from policy_guard.pipeline.pairing.disguise import shows_policy

    text = whole(path, data, revision)
    if not by_content or in_json(data):
        return looks_like_policy_text(text)
    return shows_policy(data, _least_share(data, path)) or holds_one_apart(text)


def _least_share(data: bytes, path: str) -> float:
    """How much of such a file has to be a policy's: a script may hold one, and a policy's template nothing else.

    With another suffix before that of the template, as in `main.tf.tpl`, it is a template of something else; with an
    underscore before its name, it is a part that other templates include.
    """
    name = path.lower().rpartition("/")[2]
    inner = name.rpartition(".")[0].rpartition(".")[2]
    if data.startswith(b"#!") or name.startswith("_") or f".{inner}" in _OTHER_TEMPLATES:
        return _OF_SCRIPT
    return 0.0 if "." in name.lstrip(".") else _OF_FILE


def _without_policy(data: bytes, source: Source, deeper: int) -> Side:
    """A file without a policy's name that is YAML for a reader: a template before JSON makes one text of all of it."""
    path, revision = source.path, source.revision
    if not _seems_meant(data, path, revision, True) or (deeper and not _is_one_text(source)):
        return Side(Source(path, "", revision), {}, looked=False)
    words = "the file reads as a policy, and is none in JSON or YAML; take out what stands around it, or exclude it"
    return Side(source=salvage(path, data, revision), policies={}, problems=(Problem(words, Span(0, 1)),))


def _is_one_text(source: Source) -> bool:
    from policy_guard.documents.formats import read

    return all(isinstance(document, Scalar) for document in read(source))


def _too_long(data: bytes, path: str, revision: str) -> Side:
    """A file without a policy's name that is too long to be read, or in another encoding, and may be one."""
    if b"\0" in data and in_utf_8(data):
        return Side(Source(path, "", revision), {}, looked=False)
    from policy_guard.pipeline.pairing.disguise import shows_policy

    if not shows_policy(data[:MAX_BYTES], max(_OF_FILE, _least_share(data, path))):
        return Side(Source(path, "", revision), {}, looked=False)
    words = "the file reads as a policy, and is too long or not in UTF-8; save it as UTF-8, and give it a suffix"
    return Side(source=salvage(path, data, revision), policies={}, problems=(Problem(words, Span(0, 0)),))


def _parsed(
    source: Source, reading: Reading, kind: Kind | None, configured: bool, placeholders: tuple[str, ...]
) -> Side:
    from policy_guard.iam.parse import parse

    found: dict[str, Policy] = {}
    wrong: list[Problem] = []
    unread: list[str] = []
    for each in reading.policies:
        try:
            found[each.label] = parse(each, kind, placeholders)
        except Unreadable as error:
            wrong += error.problems
            unread.append(source.text[slice(*each.node.span)])
    if configured and not reading.policies:
        wrong.append(Problem("the file is configured as a policy and holds none", Span(0, min(1, len(source.text)))))
    looked = bool(reading.policies or configured)
    return Side(
        source=source,
        policies=found,
        problems=tuple(wrong),
        deeper=reading.deeper,
        looked=looked,
        others=reading.others,
        unresolved=reading.unresolved,
        unread=tuple(unread),
    )


def pairs(reader: Reader, change: Change, comparison: Comparison) -> Outcome:
    """The pairs of one changed file.

    A rename into a place where other settings hold counts as one file deleted and one new.
    """
    before, after = change.old, change.new
    if before and after and before.path != after.path and not reader.alike(before.path, after.path):
        gone, came = change._replace(new=None), change._replace(old=None)
        joined = _joined(pairs(reader, gone, comparison), pairs(reader, came, comparison), before, after)
        return joined._replace(findings=(*joined.findings, *_out_of_sight(reader, before, after, comparison)))
    if reader.same(before, after):
        return Outcome((), ())
    old = reader.glance(before, before.path, comparison.old) if before else None
    new = reader.glance(after, after.path, comparison.new) if after else None
    if before and after and old and new and (old.template or new.template):
        old = old if old.template else reader.glance(before, before.path, comparison.old, closely=True)
        new = new if new.template else reader.glance(after, after.path, comparison.new, closely=True)
    if old and new and old.template and new.template:
        outcome = reader.compared(change.path, old, new)
        return outcome._replace(notes=(*_notes(change, old, new), *outcome.notes))
    old = reader.completed(old) if old else None
    new = _as_new(reader.completed(new)).after(old) if new else None
    notes = tuple(_notes(change, old, new))
    findings = (*_findings(old, new), *_unknown(reader, change, comparison.old, (old, new)))
    if new and new.problems:
        return Outcome((), findings, new.deeper, notes)
    return Outcome(tuple(_paired(change.path, old, new)), findings, new.deeper if new else 0, notes)


def _as_new(side: Side) -> Side:
    """The side with what keeps a template that was none before from being judged as a whole."""
    if side.template is None:
        return side
    from policy_guard.pipeline.pairing.templates import problems_of_new

    problems = tuple(dict.fromkeys((*side.problems, *problems_of_new(side.template))))
    return side._replace(problems=problems, looked=side.looked or bool(problems))


def _out_of_sight(reader: Reader, before: File, after: File, comparison: Comparison) -> Iterator[Finding]:
    """A policy that moves to where no policy is looked for, and is still one."""
    old = reader.side(before, before.path, comparison.old)
    if old.policies and not reader.concerned(after.path) and (found := reader.content(after)) and sniff(found):
        yield vanished(
            Source(after.path, "", comparison.new.name), old.source, "no policy is looked for under this name"
        )


def _joined(gone: Outcome, came: Outcome, before: File, after: File) -> Outcome:
    note = f"{before.path} was renamed to {after.path}, where other settings hold: judged as one deleted, one new"
    return Outcome(
        (*gone.pairs, *came.pairs),
        (*gone.findings, *came.findings),
        came.deeper,
        (*gone.notes, *came.notes, *([note] if gone.pairs or came.pairs or came.findings else [])),
    )


def _findings(old: Side | None, new: Side | None) -> Iterator[Finding]:
    if new is None:
        return
    was = bool(old and (old.policies or old.problems))
    if new.problems:
        yield from unreadable(new.source, new.problems)
    elif was and old and (not new.policies or _replaced(old, new)):
        yield vanished(new.source, old.source, "no policy is found under this name")


def _unknown(
    reader: Reader, change: Change, revision: Revision, sides: tuple[Side | None, Side | None]
) -> Iterator[Finding]:
    """A finding if an old version cannot be read that may have denied something. Groups have one of their own."""
    old, new = sides
    if old is None or change.old is None or (new and new.problems) or reader.groups(change.old.path):
        return
    known = old.after(new) if new else old
    if not known.problems:
        return
    from policy_guard.pipeline.pairing.unknown import LOST, keeps_every_deny, may_have_lost

    kept = reader.undistrusted(change.old, revision)
    if new and kept and keeps_every_deny(iter(kept.policies.values()), iter(new.policies.values())):
        return
    texts = known.unread if len(known.problems) == len(old.problems) else ()
    given = reader.given.config.severity(LOST)
    source = new.source if new else None
    yield from may_have_lost(old.source, known.problems[0], texts, reader.kind_before(change.old.path), given, source)


def _replaced(old: Side, new: Side) -> bool:
    """Whether one of several policies went, and what stands there or lies deeper may be one still."""
    gone = old.policies.keys() - new.policies.keys()
    return bool(gone and new.deeper) or any(_stands_for(label, new.others) for label in gone)


def _stands_for(label: str, others: frozenset[str]) -> bool:
    """Whether at a label, at what it lies in or in the same list something stands that may become a policy."""
    ends = (at for at, symbol in enumerate(f"{label}.") if symbol in ".[")
    return "" in others or any(label[:at] in others or label[: at + 1] in others for at in ends)


def _notes(change: Change, old: Side | None, new: Side | None) -> Iterator[str]:
    if (
        change.old
        and change.new
        and change.old.path != change.new.path
        and ((old and old.looked) or (new and new.looked))
    ):
        yield f"{change.new.path} is held against {change.old.path} ({change.how})"
    if new and new.note:
        yield new.note
    for label, policy in new.policies.items() if old and new else ():
        if old and label in old.policies and not _of_one_holder(old.policies[label], policy):
            yield f"{change.path} {label} is another's now: judged as one deleted, one new"
    if old and old.problems and new and new.policies:
        yield f"the old version of {change.path} cannot be read, so everything in the new one counts as new"


def _paired(path: str, old: Side | None, new: Side | None) -> Iterator[Pair]:
    olds, news = (old.policies if old else {}), (new.policies if new else {})
    for label in [*news, *(label for label in olds if label not in news)]:
        yield from apart(Pair(path=path, old=olds.get(label), new=news.get(label), fresh=old is None))


def apart(pair: Pair) -> tuple[Pair, ...]:
    """The pair, or where kind or holder changed one for the policy that went and one for the policy that came."""
    from policy_guard.iam.policy import of_one_kind

    old, new = pair.old, pair.new
    if old and new and not (of_one_kind(old, new) and _of_one_holder(old, new)):
        return pair._replace(new=None), pair._replace(old=None, instead_of=pair.old)
    return (pair,)


def _of_one_holder(old: Policy, new: Policy) -> bool:
    """Whether both are one holder's; a version that counts no more gives nobody anything."""
    from policy_guard.documents.containers.plain import DEFAULT

    return new.holder in (old.holder, old.holder.removesuffix(DEFAULT))
