"""`policy-guard list` and `catalog`: what is a policy here, what the critical list and a pattern mean today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import counted, printable, shortened
from policy_guard.iam import catalog
from policy_guard.iam.policy import MADE_UP, Policy, in_words, patterns_of
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.repository.changes import snapshot
from policy_guard.pipeline.repository.revisions import WORKING_TREE
from policy_guard.settings.critical import CriticalEntry, RequestSet, covered
from policy_guard.settings.load import load_settings
from policy_guard.solver.strings.pattern import HIDDEN, Unknown

_MOST_ACTIONS = 200


def listing(config: str | None, folder: Path, environ: Mapping[str, str]) -> str:
    """A line for each policy of the working tree: file, kind, why it counts, whether it can be read, unknown parts."""
    repository = Repository(folder, environ)
    try:
        settings = load_settings(repository.root, config)
        given = settings.config
        files = snapshot(repository, WORKING_TREE)
        reader = Reader(repository, settings)
        reader.with_files(WORKING_TREE, files)
        lines: list[str] = []
        deeper = 0
        for path, file in sorted(files.items()):
            side = reader.version(file, path, WORKING_TREE).after()
            why = "configured" if given.policy_rule(path) else "found by its shape"
            lines += _lines(path, side, why)
            deeper += side.deeper
    finally:
        repository.close()
    lines.append(counted(len(lines), "policy", "policies"))
    if deeper:
        lines.append(f"embedded policies in other files, which are not checked: {deeper}")
    return "".join(f"{line}\n" for line in lines)


def _lines(path: str, side: FileVersion, why: str) -> Iterator[str]:
    why = "in a template" if side.template else why
    for label, policy in side.policies.items():
        name = _visible(f"{path} {label}".strip())
        whose = f" of {_visible(policy.holder)}" if side.template and policy.holder else ""
        yield f"{shortened(name, 200)}: {policy.kind}{printable(whose)}, {why}, {printable(_extent(policy))}"
    problems = side.problems if side.template else side.problems[:1]
    for problem in problems:
        line = side.source.position(problem.span.start).line
        yield f"{shortened(path, 200)}: {why}, unreadable at line {line}: {printable(problem.message)}"


def _visible(text: str) -> str:
    """The text without what only tells unknown parts apart."""
    return text.partition(HIDDEN)[0]


def _extent(policy: Policy) -> str:
    """How far a policy can be read: exactly, but for unknown parts, under which conditions."""
    holes = f", unknown parts: {', '.join(_holes(policy))}" if _holes(policy) else ""
    guards = (c for statement in policy.statements for c in statement.conditions if c.key.startswith(MADE_UP))
    choices = list(dict.fromkeys(map(in_words, guards)))
    return f"readable{holes}" + (f", choices: {', '.join(choices)}" if choices else "")


def _holes(policy: Policy) -> list[str]:
    patterns = [pattern for statement in policy.statements for pattern in patterns_of(statement)]
    patterns += [value.pattern for statement in policy.statements for value in statement.action.values]
    unknown = (part for pattern in patterns for part in pattern.parts if isinstance(part, Unknown))
    return sorted({_visible(part.name) for part in unknown})


def critical(config: str | None, folder: Path, environ: Mapping[str, str]) -> str:
    """What each entry of the critical list matches today."""
    repository = Repository(folder, environ)
    repository.close()
    given = load_settings(repository.root, config)
    if given.config.critical is None:
        raise SetupError('the configuration names no critical list. Add "critical: critical-permissions.yaml".')
    entries = counted(len(given.critical), "entry", "entries")
    lines = [f"{entries}; actions of {catalog.source()}"]
    for entry in given.critical:
        lines += _entry(entry)
    return "".join(f"{printable(line)}\n" for line in lines)


def _entry(entry: CriticalEntry) -> Iterator[str]:
    several = entry.sets if entry.all_of else ()
    yield f"{entry.id}: {f'{len(several)} sets, dangerous together' if several else _size(entry.sets[0])}"
    for statement in entry.unless:
        yield f"  unless {' and '.join(map(in_words, statement.conditions))}"
    if entry.principals:
        yield f"  for {', '.join(f'{each.type} {each.value.text}' for each in entry.principals.entries)}"
    if entry.files:
        yield f"  in {', '.join(entry.files)}"
    yield f"  reason {entry.reason}"
    if entry.page:
        yield f"  source {entry.page}"
    for number, each in enumerate(several, 1):
        yield f"  set {number}: {_size(each)}"
        yield from (f"  {line}" for line in _covered(each))
    if not several:
        yield from _covered(entry.sets[0])


def _size(given: RequestSet) -> str:
    number = len(covered(given))
    where = f" on {', '.join(value.text for value in given.resources)}" if given.resources else ""
    return f"{counted(number, 'action')}{where}"


def _covered(given: RequestSet) -> Iterator[str]:
    names = covered(given)
    for value in given.actions:
        if not catalog.exists(value.text):
            near = catalog.nearest(value.text)
            yield f"  AWS has no {value.text}" + (f"; did you mean {near}?" if near else "")
    yield from (f"  {action}" for action in names[:_MOST_ACTIONS])
    if len(names) > _MOST_ACTIONS:
        yield f"  and {len(names) - _MOST_ACTIONS} more"


def actions(pattern: str, long: bool = False) -> tuple[str, str]:
    """The actions that a pattern covers today, one a line; where there are none, a sentence that says so."""
    names = catalog.matching(pattern)
    if not names:
        near = catalog.nearest(pattern)
        hint = f"; did you mean {near}?" if near else "" if ":" in pattern else '; write "service:Name"'
        return "", f'"{pattern}" covers no action of {catalog.source()}{hint}'
    if not long:
        return "".join(f"{name}\n" for name in names), ""
    width = max(map(len, names))
    described = map(catalog.described, names)
    rows = (f"{a.name:{width}}  {', '.join(a.levels):5}  {' '.join(a.resources) or '*'}\n" for a in described)
    return "".join(rows), ""
