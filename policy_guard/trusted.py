"""The settings under which CI judges a change: those of the base, to which the change itself may only add."""

from __future__ import annotations

from collections.abc import Hashable

from policy_guard.base import Base
from policy_guard.changes import file_of
from policy_guard.config import FAIL_ON, Config, PolicyFiles
from policy_guard.errors import UserError
from policy_guard.format import decode
from policy_guard.git import LINK, Repository, names
from policy_guard.printable import shortened
from policy_guard.settings import Settings, settings_from, settings_name
from policy_guard.source import Source, Unreadable

_APART = ("path", "added")
_MOST_NAMED = 5
MOST_ADDED = 100
"""Critical entries that a change may add at once: more of them could take minutes."""


def trusted(here: Settings, config: str | None, repository: Repository, base: Base) -> Settings:
    """The settings of the base, with the critical entries and the policies to look at that are only `here`.

    A base without settings has the defaults. Raises `UserError` if those of the base cannot be read, or if `config`
    names a file outside of the repository, which no base has.
    """
    name = settings_name(config, repository.root)
    if name.startswith(".."):
        raise UserError(f"{config} lies outside of the repository, so a change could bring its own. Move it inside.")
    try:
        before = _of_the_base(name, repository, base)
    except UserError as error:
        raise UserError(f"the settings of {base.name} cannot be read: {error}. Have their correction merged.") from None
    known = {each.meaning() for each in before.critical}
    late = tuple(each for each in here.critical if each.meaning() not in known)
    added = late[:MOST_ADDED]
    together = before._replace(
        config=_tightened(before.config, here.config),
        critical=(*before.critical, *added),
        findings=here.findings,
        before=(base.name, before.config),
    )
    if _plain(here) == _plain(before):
        return together
    entries = len(together.critical)
    counted = f"{entries} critical {'entry' if entries == 1 else 'entries'}"
    new = f", {len(added)} of them new" if added else ""
    new += f"; {len(late) - len(added)} more new ones count once they are merged" if len(late) > len(added) else ""
    note = f"the settings change here{_what(before, here)}; the check ran with those of {base.name}, {counted}{new}"
    return together._replace(notes=(*together.notes, note))


def _of_the_base(name: str, repository: Repository, base: Base) -> Settings:
    assert base.commit is not None
    commit = base.commit

    def source(path: str) -> Source:
        file = repository.file(commit, path)
        if file is not None and file.mode == LINK:
            data = file_of(repository, names(repository.files(commit)), path)
        else:
            data = repository.read(file) if file else None
        if data is None:
            raise UserError(f"{path}: there is no such file")
        try:
            return decode(path, data, base.name)
        except Unreadable as error:
            raise UserError(f"{path}: {error.problems[0].message}") from None

    return settings_from(source(name) if repository.file(commit, name) else None, source)


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
    """Which of them, in brackets."""
    names = [n.replace("_", "-") for n in before.config._fields if n not in _APART and _of(before, n) != _of(here, n)]
    meant = [{each.meaning(): str(each.id) for each in given.critical} for given in (before, here)]
    ids = sorted({(meant[0] | meant[1])[each] for each in meant[0].keys() ^ meant[1].keys()})
    more = " and more" if len(ids) > _MOST_NAMED else ""
    entries = [f"critical {shortened(', '.join(ids[:_MOST_NAMED]), 200)}{more}"] if ids else []
    return f" ({'; '.join([*names, *entries])})" if names or entries else ""


def _of(given: Settings, name: str) -> object:
    return getattr(given.config, name)


def _plain(given: Settings) -> tuple[Hashable, ...]:
    return given.config._replace(path=None), frozenset(each.meaning() for each in given.critical)
