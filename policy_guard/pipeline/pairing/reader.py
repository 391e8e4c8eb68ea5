"""Reads the versions of files in a repository by the settings, links followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from policy_guard.documents.containers.revision_files import TEMPLATE_SUFFIXES, RevisionFiles, may_export
from policy_guard.documents.containers.serverless_framework.files import parts
from policy_guard.documents.containers.value_files import (
    NO_NAMES,
    UsedNames,
    has_marks,
    has_names,
    is_value_file,
    may_define_templates,
    may_use_values,
)
from policy_guard.documents.format import decode, sniff
from policy_guard.documents.formats import plain_name, suffixes
from policy_guard.documents.formats.snapshots import SUFFIXES as SNAPSHOTS
from policy_guard.documents.printable import printable
from policy_guard.documents.source import Problem, Source, Span, Unreadable
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository
from policy_guard.pipeline.repository.changes import snapshot
from policy_guard.pipeline.repository.objects import LARGEST, OVERSIZED
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.pipeline.repository.ways import BROKEN, Tree
from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.settings.config import Config, PolicyFiles
from policy_guard.settings.load import Settings

if TYPE_CHECKING:
    from policy_guard.iam.policy import Kind, Policy
from policy_guard.pipeline.pairing.file_version import FileVersion, KindOf, glance_of

ATTACHMENTS = "attachments"
"""What the name of a file has in it that says by their paths which documents principals have."""
TERRAFORM = (".tf", ".tofu", ".tf.json", ".tofu.json")
"""What the names of files end with that hold blocks of Terraform, and are read folder by folder."""
_BY_SHAPE = PolicyFiles(())
# Terraform, "Files and Configuration Structure": these hold blocks, and are read folder by folder.
_OF_TERRAFORM = regex(r"(?:.*/)?[^./][^/]*\.(?:tf|tofu)(?:\.json)?")
_TOO_LARGE = f"the file is larger than {LARGEST >> 20} MB, and larger ones are not read; exclude it"
_MOST_CLOSELY = 1_000
"""Templates in which the names of values are looked for in policies alone, and not anywhere."""
_FEWEST_GLANCES, _MOST_GLANCES = 8, 200
_MOST_KEPT = 1_000_000
"""Versions of files that are kept once they are read: a few, and more while all have no more characters than this."""


class PlainFile(NamedTuple):
    """A file with all that it takes to read it: nothing else of the repository is asked for."""

    data: bytes
    path: str
    revision: str
    configured: bool
    kind: Kind | None


class Reader:
    """Reads versions of files as policies, those of `old` by the settings of the base, others by `settings`."""

    def __init__(self, repository: Repository, settings: Settings, old: Revision | None = None) -> None:
        self._repository = repository
        self.settings = settings
        self._config = settings.config
        self._base_config = settings.old_config[1] if settings.old_config else settings.config
        self._old = old
        self.scope = settings.scope
        self._trees: dict[Revision, Tree] = {}
        self._files: dict[Revision, dict[str, File]] = {}
        self._read: dict[Revision, frozenset[str]] = {}
        self._siblings: dict[Revision, RevisionFiles] = {}
        self._exporters: dict[Revision, tuple[Source, ...]] = {}
        self._names: dict[Revision, UsedNames] = {}
        self._names_by_file: dict[tuple[str, str | None], UsedNames | None] = {}
        self._distrusted: set[tuple[Revision, str | None]] = set()
        self._glances: dict[tuple[Revision, str, str | None, bool], FileVersion] = {}

    def with_files(self, revision: Revision, files: dict[str, File]) -> None:
        """Lets links of this revision be followed."""
        self._trees[revision] = Tree(self._repository, files)

    def distrust(self, revision: Revision, file: File) -> None:
        """Lets a version of a file count as unknown, under whatever name."""
        self._distrusted.add((revision, file.oid))

    def version(self, file: File | None, path: str, revision: Revision) -> FileVersion:
        """Return what the file holds; with no file, nothing. `path` decides what it is configured as."""
        return self.completed(self.glance(file, path, revision))

    def holds_policy(self, file: File, path: str, revision: Revision) -> bool:
        """Tell whether the file holds any policy, or anything that cannot be read."""
        return self.glance(file, path, revision).holds_policy(self._config.placeholders)

    def completed(self, version: FileVersion) -> FileVersion:
        """The version with all that grants access in its template."""
        return version.completed(self._config.placeholders, grants=True)

    def glance(self, file: File | None, path: str, revision: Revision, closely: bool = False) -> FileVersion:
        """Return what the file holds, as in `version`; the policies of a template are not read yet.

        With `closely`, a template is one even if nothing in it looks like a policy.
        """
        version = self._glance(file, path, revision, closely)
        if file is None or file.mode != LINK or not version.problems:
            return version
        tree = self._trees.get(revision) or Tree(self._repository, {})
        target = tree.file(tree.way(file.path))
        return _with_link(version, target.path) if target else version

    def _glance(self, file: File | None, path: str, revision: Revision, closely: bool) -> FileVersion:
        config = self._base_config if revision == self._old else self._config
        rule = config.policy_rule(path)
        empty = Source(path, "", revision.name)
        if file is None or not self.concerned(path, config):
            return FileVersion(empty, {}, examined=False)
        if file.mode == SUBMODULE:
            return FileVersion(
                source=empty,
                policies={},
                problems=(Problem("a submodule is where a policy is configured", Span(0, 0)),) if rule else (),
            )
        if file.mode == LINK:
            tree = self._trees.get(revision) or Tree(self._repository, {})
            way = tree.way(file.path)
            target = tree.file(way)
            if target is None and rule is None and plain_name(path) and way.kind != BROKEN:
                return FileVersion(empty, {}, examined=False)
            if target is None:
                reason = way.reason or "the link leads to a folder and to no file of the repository"
                return FileVersion(source=empty, policies={}, problems=(Problem(reason, Span(0, 0)),))
            file = target
        if (revision, file.oid) in self._distrusted:
            return FileVersion(
                source=empty,
                policies={},
                problems=(Problem("git writes a different file than the one stored under this name", Span(0, 0)),),
            )
        data = self._repository.read(file)
        if data is None:
            return FileVersion(
                source=empty,
                policies={},
                problems=(Problem("there is no file with this name", Span(0, 0)),) if rule else (),
            )
        if data is OVERSIZED and rule is None and (plain_name(path) or path.lower().endswith(SNAPSHOTS)):
            return FileVersion(empty, {}, examined=False, passed_over=f"is larger than {LARGEST >> 20} MB")
        if data is OVERSIZED:
            return FileVersion(source=empty, policies={}, problems=(Problem(_TOO_LARGE, Span(0, 0)),))
        return self._kept(data, file, path, revision, closely)

    def plain_file(self, file: File, path: str, revision: Revision) -> PlainFile | None:
        """Return a file that probably holds policies and can be read elsewhere; None for links and the like."""
        config = self._base_config if revision == self._old else self._config
        is_known = (revision, file.oid) not in self._distrusted and file.mode not in (LINK, SUBMODULE)
        data = self._repository.read(file) if is_known and self.concerned(path, config) else None
        rule = config.policy_rule(path)
        if data is None or data is OVERSIZED or not sniff(data) or (rule is None and config.policy_rules_in(path)):
            return None
        return PlainFile(data, path, revision.name, rule is not None, rule.kind if rule else None)

    def _kept(self, data: bytes, file: File, path: str, revision: Revision, closely: bool) -> FileVersion:
        """Return what the bytes of a file hold, read once for all who look at it one after the other."""
        key = (revision, path, file.oid, closely)
        if key not in self._glances or file.oid is None:
            self._glances[key] = self._examined(data, path, revision, closely)
            while len(self._glances) > _FEWEST_GLANCES and self._are_many_kept():
                del self._glances[next(iter(self._glances))]
        return self._glances[key]

    def _are_many_kept(self) -> bool:
        versions = self._glances.values()
        return len(versions) > _MOST_GLANCES or sum(len(version.source.text) for version in versions) > _MOST_KEPT

    def _examined(self, data: bytes, path: str, revision: Revision, closely: bool) -> FileVersion:
        config = self._base_config if revision == self._old else self._config
        rule = config.policy_rule(path)
        kind: Kind | KindOf | None = rule.kind if rule else None
        if rule is None and config.policy_rules_in(path):
            kind = partial(_kind_at, config, path)
        configured, placeholders = rule is not None, self._config.placeholders
        version = glance_of(data, path, revision.name, configured, kind, placeholders, closely, self.siblings(revision))
        return version if configured else self._as_part(version, path, revision)

    def _as_part(self, version: FileVersion, path: str, revision: Revision) -> FileVersion:
        """The version of a file that need not be a policy by itself, if others read it and are judged with it."""
        is_open = version.problems or version.bare
        if not is_open or version.template is not None or path not in self._parts(revision):
            return version
        policies = {label: policy for label, policy in version.policies.items() if label not in version.bare}
        return version._replace(policies=policies, problems=(), examined=bool(policies) and not version.problems)

    def siblings(self, revision: Revision) -> RevisionFiles:
        """Reads other files of a revision, for what reads them."""
        if revision not in self._siblings:
            self._siblings[revision] = RevisionFiles(
                read=partial(self._text, revision),
                paths=lambda: self.files(revision),
                names=partial(self._names_in_policies, revision),
                exporters=partial(self.exporters, revision),
            )
        return self._siblings[revision]

    def exporters(self, revision: Revision) -> tuple[Source, ...]:
        """The templates of a revision that export something, as far as their bytes tell."""
        if revision not in self._exporters:
            sources = (
                self._text(revision, path)
                for path, file in self.files(revision).items()
                if path.lower().endswith(TEMPLATE_SUFFIXES) and file.mode not in (LINK, SUBMODULE)
                for data in (self._repository.read(file),)
                if data is not None and data is not OVERSIZED and may_export(data)
            )
            self._exporters[revision] = tuple(filter(None, sources))
        return self._exporters[revision]

    def _names_in_policies(self, revision: Revision) -> UsedNames:
        """The names of values that policies of a revision use."""
        if revision not in self._names:
            from policy_guard.documents.containers.used_names import (
                defined_templates,
                joined_names,
                with_included,
                with_values,
            )

            files = self.files(revision)
            several = [self._names_in(revision, path, file) for path, file in files.items() if may_use_values(path)]
            all_names = list(filter(None, several))
            if any(names.included for names in all_names):
                texts = [source.text for source in self._marked_sources(revision, may_define_templates)]
                all_names = with_included(all_names, [each for text in texts for each in defined_templates(text)])
            names = joined_names(all_names, files) if all_names else NO_NAMES
            sources = self._marked_sources(revision, is_value_file) if all_names else ()
            self._names[revision] = with_values(names, sources)
        return self._names[revision]

    def _marked_sources(self, revision: Revision, is_wanted: Callable[[str], bool]) -> Iterator[Source]:
        """The files of a revision with such paths in which names of values may stand."""
        for path, file in self.files(revision).items():
            data = self._repository.read(file) if is_wanted(path) and file.mode not in (LINK, SUBMODULE) else None
            if (
                data is not None
                and data is not OVERSIZED
                and has_marks(data)
                and (source := self._text(revision, path))
            ):
                yield source

    def _names_in(self, revision: Revision, path: str, file: File) -> UsedNames | None:
        """The names that policies of a file use, which most revisions have in common."""
        key = path, file.oid
        if key not in self._names_by_file or file.oid is None:
            self._names_by_file[key] = None
            data = self._repository.read(file) if file.mode not in (LINK, SUBMODULE) else None
            if data is not None and data is not OVERSIZED and has_names(data) and (text := self._text(revision, path)):
                from policy_guard.documents.containers.used_names import used_names

                self._names_by_file[key] = used_names(text, closely=len(self._names_by_file) < _MOST_CLOSELY)
        return self._names_by_file[key]

    def _parts(self, revision: Revision) -> frozenset[str]:
        """The files that need not be policies by themselves, since others read them and are judged with them."""
        if revision not in self._read:
            self._read[revision] = parts(self.siblings(revision))
        return self._read[revision]

    def files(self, revision: Revision) -> Mapping[str, File]:
        """Every file of a revision, by path."""
        if revision not in self._files:
            self._files[revision] = snapshot(self._repository, revision)
        return self._files[revision]

    def _text(self, revision: Revision, path: str) -> Source | None:
        file = self.files(revision).get(path)
        data = self._repository.read(file) if file and file.mode not in (LINK, SUBMODULE) else None
        if data is None or data is OVERSIZED:
            return None
        try:
            return decode(path, data, revision.name)
        except Unreadable:
            return None

    def content(self, file: File) -> bytes | None:
        """The bytes of a file, links not followed."""
        return self._repository.read(file)

    def is_unchanged(self, old: File | None, new: File | None) -> bool:
        """Tell whether nothing changed but what git remembers of the file on disk."""
        if old is None or new is None or new.oid or new.mode == LINK or old[:2] != new[:2]:
            return False
        if not self.concerned(new.path):
            return False
        data = self._repository.read(old)
        return data is not OVERSIZED and data == self._repository.read(new)

    def has_same_rules(self, old_path: str, new_path: str) -> bool:
        """Tell whether a file is judged the same under both paths, the first of them in the base.

        Rules that say the same of different files are one rule, such as those for `.json` and for `.yaml`; one that
        gives no kind and no reference judges its files as those are that no rule names. Into its files none may come
        from elsewhere: there every file is a policy in use.
        """
        old_scope, new_scope = self.scope(old_path), self.scope(new_path)
        if old_scope == new_scope or old_scope[1:] != new_scope[1:]:
            return old_scope == new_scope
        old_rule, new_rule = self._base_config.policy_rule(old_path), self._config.policy_rule(new_path)
        if old_rule is None or not self.concerned(new_path):
            return False
        return old_rule[1:] == (new_rule or _BY_SHAPE)[1:]

    def undistrusted(self, file: File, revision: Revision) -> FileVersion | None:
        """Return what a version holds that counts as unknown, as it is kept; None if it does not count so."""
        if (revision, file.oid) not in self._distrusted:
            return None
        self._distrusted.discard((revision, file.oid))
        version = self.version(file, file.path, revision)
        self._distrusted.add((revision, file.oid))
        return version if not version.problems else None

    def kind_before(self, path: str) -> Kind | None:
        """The kind that the settings of the base give the file, if any."""
        rule = self._base_config.policy_rule(path)
        return rule.kind if rule else None

    def groups(self, path: str, policy: Policy | None = None) -> tuple[str, ...]:
        """The groups that judge the file, or a policy in it."""
        return self._config.scope(path, policy.addresses if policy else ()) if self.grouped(path) else ()

    def alone(self, path: str, kind: Kind | None) -> Reader:
        """Reads one file as policies of a kind, whatever the settings say of it."""
        config = Config(policies=(PolicyFiles((path,), kind),), placeholders=self._config.placeholders)
        reader = Reader(self._repository, Settings(config))
        reader._trees = self._trees
        return reader

    def grouped(self, path: str) -> bool:
        """Tell whether a group may hold the file: what a change wants looked at is no company for what was there."""
        return self.concerned(path, self._base_config)

    def included(self, path: str) -> bool:
        """Tell whether the settings do not exclude the file."""
        return not self._config.is_excluded(path)

    def concerned(self, path: str, config: Config | None = None) -> bool:
        """Tell whether the name alone makes the file one to look at."""
        config = config or self._config
        if _OF_TERRAFORM.fullmatch(path):
            return False
        by_name = path.lower().endswith(suffixes()) or plain_name(path)
        return config.policy_rule(path) is not None or (by_name and not config.is_excluded(path))


def _kind_at(config: Config, path: str, label: str) -> Kind | None:
    from policy_guard.solver.strings.pattern import HIDDEN

    rule = config.policy_rule(path, (label.partition(HIDDEN)[0],))
    return rule.kind if rule else None


def _with_link(version: FileVersion, target: str) -> FileVersion:
    """The version of a file behind a link: what is wrong with it may be the name that the link gives it."""
    words = f"; this name is a link to {printable(target)}, and decides how that is read"
    return version._replace(
        problems=tuple(problem._replace(message=f"{problem.message}{words}") for problem in version.problems)
    )
