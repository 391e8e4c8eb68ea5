"""The settings under which CI judges a change: those of the base, to which the change itself may only add."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Hashable
from pathlib import Path
from typing import NamedTuple

from policy_guard.documents.errors import SetupError
from policy_guard.documents.format import decode
from policy_guard.documents.printable import counted, shortened
from policy_guard.documents.source import Source, Unreadable
from policy_guard.pipeline.repository import File, Repository, names
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.pipeline.repository.ways import MISSING, Tree
from policy_guard.settings.config import Config, PolicyFiles, load_config
from policy_guard.settings.load import Settings, settings_from, settings_name
from policy_guard.settings.severity import FAIL_ON

_APART = ("path", "added")
_MOST_NAMED = 5
MOST_ADDED = 100
"""Critical entries that a change may add at once: more of them could take minutes."""


def trusted(here: Settings, config: str | None, repository: Repository, base: Revision) -> Settings:
    """The settings of the base, with the critical entries and the policies to look at that are only `here`.

    A base without settings has the defaults. Raises `SetupError` if those of the base cannot be read, or if `config`
    names a file outside of the repository, which no base has.
    """
    name = settings_name(config, repository.root)
    if name.startswith("../") or not _is_inside(repository.root, config):
        raise SetupError(f"{config} lies outside of the repository, so a change could bring its own. Move it inside.")
    try:
        before = _Files.of(repository, base).settings(name)
    except SetupError as error:
        raise SetupError(
            f"the settings of {base.name} cannot be read: {error}. Have their correction merged."
        ) from None
    known = {entry.meaning() for entry in before.critical}
    late = tuple(entry for entry in here.critical if entry.meaning() not in known)
    added = late[:MOST_ADDED]
    together = before._replace(
        config=_tightened(before.config, here.config),
        critical=(*before.critical, *added),
        doubts=here.doubts,
        old_config=(base.name, before.config),
    )
    if _plain(here) == _plain(before):
        return together
    entries = counted(len(together.critical), "critical entry", "critical entries")
    new = f", {len(added)} of them new" if added else ""
    new += f"; {len(late) - len(added)} more new ones count once they are merged" if len(late) > len(added) else ""
    note = f"the settings change here{_what(before, here)}; the check ran with those of {base.name}, {entries}{new}"
    return together._replace(notes=(*together.notes, note))


def at_home(here: Settings, name: str, repository: Repository, base: Revision) -> Settings:
    """The settings of the working tree, with the groups of the base, and what to say of the others that differ.

    A CI system that does not say it is one would judge a change by the settings that the change brings along.
    """
    if base.commit is None:
        return here
    files = _Files.of(repository, base)
    try:
        before = files.settings(name)
    except SetupError:
        before = Settings(files.configuration(name))
    notes = here.notes
    if before.config.groups != here.config.groups:
        notes = (*notes, "the groups changed here; those of the base are judged, and the new ones once they are there")
    told = _what(before, here._replace(config=here.config._replace(groups=before.config.groups)))
    if told:
        note = f"the settings change here{told}, and count here; CI counts those of {base.name}. In CI, set CI=true"
        notes = (*notes, note)
    return here._replace(config=here.config._replace(groups=before.config.groups), notes=notes)


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
    """The files of the base by their paths, links followed as they lead there. `listed` is empty without links."""

    repository: Repository
    commit: str
    revision: str
    listed: dict[str, File]

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
        if self.listed:
            way = Tree(self.repository, self.listed).way(path)
            if way.path is None and way.kind != MISSING:
                raise SetupError(f"{path}: {way.reason}")
            real = way.path
        file = self.repository.file(self.commit, real) if real is not None else None
        data = self.repository.read(file) if file else None
        if file and data is None:
            raise SetupError(f"{path}: there is no such file")
        return data


def _tightened(before: Config, here: Config) -> Config:
    """The settings of the base, but for what the change tightens."""
    known = set(before.policies)
    return before._replace(
        exclude=tuple(pattern for pattern in before.exclude if pattern in here.exclude),
        added=tuple(PolicyFiles(rule.files) for rule in here.policies if rule not in known),
        require_policies=before.require_policies or here.require_policies,
        fail_on=min(before.fail_on, here.fail_on, key=FAIL_ON.index),
    )


def _what(before: Settings, here: Settings) -> str:
    """Return which of them, in brackets."""
    names = [n.replace("_", "-") for n in before.config._fields if n not in _APART and _of(before, n) != _of(here, n)]
    meant = [{each.meaning(): str(each.id) for each in settings.critical} for settings in (before, here)]
    ids = sorted({(meant[0] | meant[1])[each] for each in meant[0].keys() ^ meant[1].keys()})
    more = " and more" if len(ids) > _MOST_NAMED else ""
    entries = [f"critical {shortened(', '.join(ids[:_MOST_NAMED]), 200)}{more}"] if ids else []
    return f" ({'; '.join([*names, *entries])})" if names or entries else ""


def _of(given: Settings, name: str) -> object:
    return getattr(given.config, name)


def _plain(given: Settings) -> tuple[Hashable, ...]:
    return given.config._replace(path=None), frozenset(entry.meaning() for entry in given.critical)
