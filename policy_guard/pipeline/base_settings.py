"""The settings under which CI judges a change: those of the base, to which the change itself may only add."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Hashable
from pathlib import Path

from policy_guard.documents.errors import SetupError
from policy_guard.documents.format import decode
from policy_guard.documents.printable import counted, shortened
from policy_guard.documents.source import Source, Unreadable
from policy_guard.pipeline.repository import File, Repository, names
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.pipeline.repository.ways import MISSING, Tree
from policy_guard.records import NamedTuple
from policy_guard.settings.config import Config, PolicyFiles, load_config
from policy_guard.settings.load import Settings, settings_from, settings_name
from policy_guard.settings.severity import FAIL_ON

_APART = ("path", "added")
_MOST_NAMED = 5
MOST_ADDED = 100
"""Critical entries that a change may add at once: more of them could take minutes."""


def trusted_settings(head_settings: Settings, config: str | None, repository: Repository, base: Revision) -> Settings:
    """The settings of the base, with the critical entries and the policies to look at that are only in `head_settings`.

    A base without settings has the defaults. Raises `SetupError` if those of the base cannot be read, or if `config`
    names a file outside of the repository, which no base has.
    """
    name = settings_name(config, repository.root)
    if name.startswith("../") or not _is_inside(repository.root, config):
        raise SetupError(f"{config} lies outside of the repository, so a change could bring its own. Move it inside.")
    try:
        base_settings = _Files.of(repository, base).settings(name)
    except SetupError as error:
        raise SetupError(
            f"the settings of {base.name} cannot be read: {error}. Have their correction merged."
        ) from None
    base_meanings = {entry.meaning() for entry in base_settings.critical}
    new_entries = tuple(entry for entry in head_settings.critical if entry.meaning() not in base_meanings)
    added = new_entries[:MOST_ADDED]
    merged = base_settings._replace(
        config=_tighten(base_settings.config, head_settings.config),
        critical=(*base_settings.critical, *added),
        doubts=head_settings.doubts,
        old_config=(base.name, base_settings.config),
    )
    if _plain(head_settings) == _plain(base_settings):
        return merged
    entries = counted(len(merged.critical), "critical entry", "critical entries")
    remark = f", {len(added)} of them new" if added else ""
    remark += (
        f"; {len(new_entries) - len(added)} more new ones count once they are merged"
        if len(new_entries) > len(added)
        else ""
    )
    differences = _differences(base_settings, head_settings)
    note = f"the settings change here{differences}; the check ran with those of {base.name}, {entries}{remark}"
    return merged._replace(notes=(*merged.notes, note))


def local_settings(head_settings: Settings, name: str, repository: Repository, base: Revision) -> Settings:
    """The settings of the working tree, with the groups of the base, and what to say of the others that differ.

    A CI system that does not say it is one would judge a change by the settings that the change brings along.
    """
    if base.commit is None:
        return head_settings
    files = _Files.of(repository, base)
    try:
        base_settings = files.settings(name)
    except SetupError:
        base_settings = Settings(files.configuration(name))
    notes = head_settings.notes
    if base_settings.config.groups != head_settings.config.groups:
        notes = (*notes, "the groups changed here; those of the base are judged, and the new ones once they are there")
    config = head_settings.config._replace(groups=base_settings.config.groups)
    differences = _differences(base_settings, head_settings._replace(config=config))
    if differences:
        note = f"the settings change here{differences}, and count here; in CI (CI=true) those of {base.name} do"
        notes = (*notes, note)
    return head_settings._replace(config=config, notes=notes)


def settings_of(name: str, repository: Repository, base: Revision) -> tuple[Source | None, Settings]:
    """The text of the settings under this name at a commit, and the settings, as far as they can be read."""
    files = _Files.of(repository, base)
    try:
        source = files.source(name) if files.data(name) is not None else None
        config = load_config(source)
    except SetupError:
        return None, Settings(Config())
    try:
        return source, files.settings(name)
    except SetupError:
        return source, Settings(config)


def _is_inside(root: Path, config: str | None) -> bool:
    return config is None or Path(os.path.realpath(config)).is_relative_to(os.path.realpath(root))


class _Files(NamedTuple):
    """The files of the base by their paths, with links followed in the base. `files_by_path` is empty without links."""

    repository: Repository
    commit: str
    revision: str
    files_by_path: dict[str, File]

    @classmethod
    def of(cls, repository: Repository, base: Revision) -> _Files:
        assert base.commit is not None
        linked = repository.has_links(base.commit)
        return cls(repository, base.commit, base.name, names(repository.files(base.commit)) if linked else {})

    def settings(self, name: str) -> Settings:
        """The settings under this name, or the defaults. Raises `SetupError` if they cannot be read."""
        return settings_from(self.source(name) if self.data(name) is not None else None, self.source)

    def configuration(self, name: str) -> Config:
        """The configuration under this name, whatever else it names; the defaults if it cannot be read."""
        try:
            return load_config(self.source(name))
        except SetupError:
            return Config()

    def source(self, path: str) -> Source:
        """The text of a file. Raises `SetupError`."""
        data = self.data(path)
        if data is None:
            raise SetupError(f"{path}: there is no such file")
        try:
            return decode(path, data, self.revision)
        except Unreadable as error:
            raise SetupError(f"{path}: {error.problems[0].message}") from None

    def data(self, path: str) -> bytes | None:
        """The bytes of a file; None if there is no such file. Raises `SetupError` if they are not to be had."""
        real: str | None = posixpath.normpath(path)
        if self.files_by_path:
            way = Tree(self.repository, self.files_by_path).way(path)
            if way.path is None and way.kind != MISSING:
                raise SetupError(f"{path}: {way.reason}")
            real = way.path
        file = self.repository.file(self.commit, real) if real is not None else None
        data = self.repository.read(file) if file else None
        if file and data is None:
            raise SetupError(f"{path}: there is no such file")
        return data


def _tighten(base: Config, head: Config) -> Config:
    """The settings of the base, but for what the change tightens."""
    base_rules = set(base.policies)
    return base._replace(
        exclude=tuple(pattern for pattern in base.exclude if pattern in head.exclude),
        added=tuple(PolicyFiles(rule.files) for rule in head.policies if rule not in base_rules),
        require_policies=base.require_policies or head.require_policies,
        fail_on=min(base.fail_on, head.fail_on, key=FAIL_ON.index),
    )


def _differences(base: Settings, head: Settings) -> str:
    """Return which of them, in brackets."""
    names = [n.replace("_", "-") for n in base.config._fields if n not in _APART and _value(base, n) != _value(head, n)]
    ids_by_meaning = [{each.meaning(): str(each.id) for each in settings.critical} for settings in (base, head)]
    ids = sorted(
        {(ids_by_meaning[0] | ids_by_meaning[1])[each] for each in ids_by_meaning[0].keys() ^ ids_by_meaning[1].keys()}
    )
    ending = " and more" if len(ids) > _MOST_NAMED else ""
    entries = [f"critical {shortened(', '.join(ids[:_MOST_NAMED]), 200)}{ending}"] if ids else []
    return f" ({'; '.join([*names, *entries])})" if names or entries else ""


def _value(settings: Settings, name: str) -> object:
    return getattr(settings.config, name)


def _plain(settings: Settings) -> tuple[Hashable, ...]:
    return settings.config._replace(path=None), frozenset(entry.meaning() for entry in settings.critical)
