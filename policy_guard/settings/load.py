"""The settings that hold for a run: the configuration file and the critical list that it names."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from policy_guard.documents.errors import SetupError
from policy_guard.documents.format import MAX_BYTES, decode
from policy_guard.documents.source import Source, Span, Unreadable
from policy_guard.records import NamedTuple
from policy_guard.settings.config import NAME, Config, load_config

if TYPE_CHECKING:
    from policy_guard.settings.critical import CriticalEntry, CriticalList


class Doubt(NamedTuple):
    """An entry of the critical list that protects less than it seems to, and what to do."""

    entry: str
    message: str
    remedy: str
    source: Source
    span: Span


class Settings(NamedTuple):
    """`notes` and `doubts` are what is to be said about the settings themselves.

    `old_config` are the settings that old versions are read with, and their revision: what a change adds to the
    settings of the base does not make its old files policies.
    """

    config: Config
    critical: tuple[CriticalEntry, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    old_config: tuple[str, Config] | None = None

    def scope(self, path: str) -> tuple[object, ...]:
        """All that decides how a file is judged: two paths with one scope are judged alike."""
        entries = tuple(entry.meaning() for entry in self.critical if entry.reaches(path))
        groups = tuple(group.name for group in self.config.groups if group.reaches(path))
        return self.config.policy_rule(path), self.config.policy_rules_in(path), groups, entries


def load_settings(root: Path, config: str | None) -> Settings:
    """The settings of a repository, or those of the file `config`. Raises `SetupError`."""
    source = settings_source(root, config)
    settings = settings_from(source, lambda path: _named_file(root, path))
    for arn, place in settings.config.policies_by_arn:
        path = place.partition("#")[0]
        if not ((root / path).parent.is_dir() if "*" in path else (root / path).is_file()):
            words = "write the file of its document, or remove the entry"
            raise SetupError(f"{settings.config.path}: policies-by-arn: {arn}: there is no {path}; {words}")
    return settings


def settings_from(source: Source | None, file: Callable[[str], Source]) -> Settings:
    """The settings in a file, where `file` gives other files that it names. Raises `SetupError`."""
    config = load_config(source)
    if config.critical is None:
        return Settings(config)
    from policy_guard.settings.critical import load_critical

    critical_list = load_critical(file(config.critical))
    return Settings(config=config, critical=critical_list.entries, notes=(), doubts=tuple(_doubts(critical_list)))


def settings_name(config: str | None, root: Path) -> str:
    """The path of the settings from the root of a repository, as it is given; it begins with `..` outside of it.

    No link is followed: where one leads is for each revision to say.
    """
    if config is None:
        return NAME
    parts = Path(_working_folder(), config).parts
    top = os.path.realpath(root)
    depths = (at for at in range(1, len(parts)) if os.path.realpath(Path(*parts[:at])) == top)
    at = next(depths, None)
    return "/".join(parts[at:]) if at is not None else f"../{config}"


def _working_folder() -> str:
    """The working folder by the name under which it was entered, as `pwd` says it: a link may have led there."""
    folder, entered = os.getcwd(), os.environ.get("PWD", "")
    return entered if os.path.isabs(entered) and os.path.realpath(entered) == os.path.realpath(folder) else folder


def may_differ(root: Path, name: str, changed: Collection[str]) -> bool:
    """Tell whether a file may be another one than before: it changed, a folder above it did, or a link leads to it."""
    plain = os.path.normpath(name).replace(os.sep, "/")
    if os.path.realpath(root / name) != os.path.join(os.path.realpath(root), *plain.split("/")):
        return True
    folders = plain.split("/")
    return any("/".join(folders[:at]) in changed for at in range(1, len(folders) + 1))


def settings_source(root: Path, config: str | None) -> Source | None:
    """The configuration file of a repository, or the file `config`; None if there is none. Raises `SetupError`."""
    if config is None and not os.path.lexists(root / NAME):
        misnamed = NAME.replace(".yaml", ".yml")
        if os.path.lexists(root / misnamed):
            raise SetupError(f"{misnamed} is not read; rename it to {NAME}")
        return None
    if config is None and not Path(os.path.realpath(root / NAME)).is_relative_to(os.path.realpath(root)):
        raise SetupError(f"{NAME} is a link that leads out of the repository; put the file itself there")
    return text_file(Path(config) if config else root / NAME, config or NAME)


def _named_file(root: Path, path: str) -> Source:
    """A file that the settings name by its path from the root."""
    if not Path(os.path.realpath(root / path)).is_relative_to(os.path.realpath(root)):
        raise SetupError(f"{path} is a link that leads out of the repository; put the file itself there")
    return text_file(root / path, path)


def text_file(path: Path, name: str) -> Source:
    """A file of the set-up, called `name` in messages. Raises `SetupError`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SetupError(f"{name}: this is not a regular file")
        with path.open("rb") as file:
            return decode(name, file.read(MAX_BYTES + 1), "")
    except OSError as error:
        raise SetupError(f"{name}: {error.strerror}") from None
    except Unreadable as error:
        raise SetupError(f"{name}: {error.problems[0].message}") from None


def _doubts(critical_list: CriticalList) -> Iterator[Doubt]:
    """Actions in the critical list that AWS does not have, and entries that except all that they cover."""
    from policy_guard.settings.critical import checkable_part, covered_actions, unknown_actions

    assert critical_list.source is not None
    checked_part, cutoff = checkable_part(critical_list)
    for entry, value, nearest in unknown_actions(checked_part):
        verb = "excepts" if any(value in each.excepted for each in entry.sets) else "names"
        message = f"the critical entry {entry.id} {verb} {value.text}, and AWS has no such action"
        remedy = f"did you mean {nearest}?" if nearest else "look the action up in the service's reference"
        yield Doubt(entry=entry.id, message=message, remedy=remedy, source=critical_list.source, span=value.span)
    if cutoff:
        message = (
            f"from the critical entry {cutoff.id} on no action is looked up, because the list has too many patterns"
        )
        remedy = "name services in place of wildcards"
        yield Doubt(entry=cutoff.id, message=message, remedy=remedy, source=critical_list.source, span=cutoff.span)
    for entry in checked_part.entries:
        if entry.is_own and any(each.excepted and not covered_actions(each) for each in entry.sets):
            message = f"the critical entry {entry.id} protects nothing: every action that it covers is excepted"
            yield Doubt(
                entry=entry.id,
                message=message,
                remedy='narrow "except", or remove the entry',
                source=critical_list.source,
                span=entry.span,
            )
