"""The acceptances of a run: those that count, those that do not count yet, and what is to be said about them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from policy_guard.documents.errors import SetupError
from policy_guard.documents.format import decode
from policy_guard.documents.source import Source, Span, Unreadable
from policy_guard.pipeline.repository import LINK, File, Repository
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.records import NamedTuple
from policy_guard.settings.codeowners import MOST_BYTES, PLACES, owners
from policy_guard.settings.config import Config

if TYPE_CHECKING:
    from policy_guard.settings.acceptance import Acceptance

SUFFIXES = (".yaml", ".yml")
MOST = 1000


class Wrong(NamedTuple):
    """A file that cannot be read as an acceptance, and where it is amiss."""

    source: Source
    message: str
    span: Span = Span(0, 0)


class Acceptances(NamedTuple):
    """`counting` are those that are judged with, `new_side` those of the new side, whether they count or not.

    `wrong` are files of the new side that cannot be read; `notes` are to be said once where any of them matters.
    """

    counting: tuple[Acceptance, ...] = ()
    new_side: tuple[Acceptance, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    notes: tuple[str, ...] = ()
    base: str = ""

    def waiting(self) -> Iterator[Acceptance]:
        """Return those of the new side that do not count yet."""
        counting_keys = {(acceptance.source.path, acceptance.source.text) for acceptance in self.counting}
        yield from (
            acceptance
            for acceptance in self.new_side
            if (acceptance.source.path, acceptance.source.text) not in counting_keys
        )


def load_acceptances(repository: Repository, config: Config, old: Revision, new: Revision, today: date) -> Acceptances:
    """The acceptances of both sides; those of the base count, or those of the new side where the settings let them."""
    old_files = _files_of(repository, old.tree, config.accepted)
    new_files = _new_files(repository, config.accepted, new)
    if not old_files and not new_files:
        return Acceptances()
    merged, _ = _read(repository, old_files, old.name, today)
    acceptances, wrong = _read(repository, new_files, new.name, today)
    if config.accepted_from != "head":
        return Acceptances(counting=merged, new_side=acceptances, wrong=wrong, notes=(), base=old.name)
    unowned = _reason_of_unowned(repository, old, new_files)
    if unowned is not None:
        return Acceptances(counting=merged, new_side=acceptances, wrong=wrong, notes=(unowned,), base=old.name)
    return Acceptances(counting=acceptances, new_side=acceptances, wrong=wrong, notes=(), base=old.name)


def _files_of(repository: Repository, tree: str, folder: str) -> list[File]:
    return _acceptances(repository.folder(tree, folder))


def _new_files(repository: Repository, folder: str, new: Revision) -> list[File]:
    if new.commit is not None:
        return _files_of(repository, new.commit, folder)
    place = repository.root / folder
    if not place.is_dir():
        return []
    if new.staged:
        return _acceptances(file for file in repository.files(None) if os.path.dirname(file.path) == folder)
    names = sorted(os.listdir(place))
    return _acceptances(File(f"{folder}/{name}", repository.mode(f"{folder}/{name}"), None) for name in names)


def _acceptances(files: Iterable[File]) -> list[File]:
    acceptance_files = [file for file in files if file.path.endswith(SUFFIXES)]
    if len(acceptance_files) > MOST:
        raise SetupError(
            f"there are more than {MOST} acceptances. policy-guard accept --prune removes what is not needed."
        )
    return acceptance_files


def _read(
    repository: Repository, files: Iterable[File], revision: str, today: date
) -> tuple[tuple[Acceptance, ...], tuple[Wrong, ...]]:
    from policy_guard.settings.acceptance import load_acceptance

    acceptances: list[Acceptance] = []
    wrong: list[Wrong] = []
    for file in files:
        empty = Source(file.path, "", revision)
        data = repository.read(file) if file.mode != LINK else None
        if data is None:
            wrong.append(Wrong(empty, "this is not a regular file"))
            continue
        try:
            source = decode(file.path, data, revision)
            acceptances.append(load_acceptance(source, today))
        except SetupError as error:
            wrong.append(Wrong(source, error.message, error.span or Span(0, 0)))
        except Unreadable as error:
            wrong.append(Wrong(empty, error.problems[0].message))
    return tuple(acceptances), tuple(wrong)


def _reason_of_unowned(repository: Repository, old: Revision, files: Iterable[File]) -> str | None:
    """Return why acceptances that travel with a change do not count; None if the base names an owner for each."""
    reason = f'"accepted-from: head" does not count: in {old.name}'
    for place in PLACES:
        file = repository.file(old.tree, place)
        data = repository.read(file) if file and file.mode != LINK else None
        if data is None:
            continue
        text = data.decode(errors="replace") if len(data) <= MOST_BYTES else ""
        nobody = next((each.path for each in files if not owners(text, each.path)), None)
        return f"{reason} {place} names no owner for {nobody}" if nobody else None
    return f"{reason} there is no CODEOWNERS; those of the base count"
