"""`policy-guard list --critical` and `catalog`: what the critical list and a pattern mean today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import counted, printable
from policy_guard.iam import catalog
from policy_guard.iam.policy import in_words
from policy_guard.pipeline.repository import Repository
from policy_guard.settings.critical import CriticalEntry, RequestSet, covered_actions
from policy_guard.settings.load import load_settings

_MOST_ACTIONS = 200


def critical(config: str | None, folder: Path, environ: Mapping[str, str]) -> str:
    """Return what each entry of the critical list matches today."""
    repository = Repository(folder, environ)
    repository.close()
    settings = load_settings(repository.root, config)
    if settings.config.critical is None:
        raise SetupError('the configuration names no critical list. Add "critical: critical-permissions.yaml".')
    entries = counted(len(settings.critical), "entry", "entries")
    lines = [f"{entries}; actions of {catalog.source()}"]
    for entry in settings.critical:
        lines += _entry(entry)
        lines += (f"  {doubt.message}; {doubt.remedy}" for doubt in settings.doubts if doubt.entry == entry.id)
    return "".join(f"{printable(line)}\n" for line in lines)


def _entry(entry: CriticalEntry) -> Iterator[str]:
    sets = entry.sets if entry.all_of else ()
    yield f"{entry.id}: {f'{len(sets)} sets, dangerous together' if sets else _size(entry.sets[0])}"
    for statement in entry.unless:
        yield f"  unless {' and '.join(map(in_words, statement.conditions))}"
    if entry.principals:
        yield f"  for {', '.join(f'{principal.type} {principal.value.text}' for principal in entry.principals.entries)}"
    if entry.kinds:
        yield f"  in policies of kind {', '.join(entry.kinds)}"
    if entry.files:
        yield f"  in {', '.join(entry.files)}"
    yield f"  reason {entry.reason}"
    if entry.page:
        yield f"  source {entry.page}"
    for number, request_set in enumerate(sets, 1):
        yield f"  set {number}: {_size(request_set)}"
        yield from (f"  {line}" for line in _covered(request_set))
    if not sets:
        yield from _covered(entry.sets[0])


def _size(request_set: RequestSet) -> str:
    number = len(covered_actions(request_set))
    resources = f" on {', '.join(value.text for value in request_set.resources)}" if request_set.resources else ""
    return f"{counted(number, 'action')}{resources}"


def _covered(request_set: RequestSet) -> Iterator[str]:
    names = covered_actions(request_set)
    yield from (f"  {action}" for action in names[:_MOST_ACTIONS])
    if len(names) > _MOST_ACTIONS:
        yield f"  and {len(names) - _MOST_ACTIONS} more"


def actions(pattern: str, long: bool = False) -> tuple[str, str]:
    """The actions that a pattern covers today, one a line; where there are none, a sentence that says so."""
    names = catalog.matching(pattern)
    if not names:
        suggestion = catalog.nearest(pattern)
        hint = f"; did you mean {suggestion}?" if suggestion else "" if ":" in pattern else '; write "service:Name"'
        return "", f'"{pattern}" covers no action of {catalog.source()}{hint}'
    if not long:
        return "".join(f"{name}\n" for name in names), ""
    width = max(map(len, names))
    described = map(catalog.described, names)
    rows = (f"{a.name:{width}}  {', '.join(a.levels):5}  {' '.join(a.resources) or '*'}\n" for a in described)
    return "".join(rows), ""
