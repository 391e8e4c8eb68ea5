"""`policy-guard init`: the settings, the critical list, the hook and the workflow, for what a repository holds."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from policy_guard.cli.init.config_text import Surveyed, configuration, text_of
from policy_guard.cli.init.existing_grants import count_grants
from policy_guard.cli.init.suggestions import Entry, Files, cap_kind, entries
from policy_guard.cli.init.survey import Survey, read_as, survey
from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import counted, defused, printable, shortened
from policy_guard.documents.source import Source
from policy_guard.documents.write import create, vacant
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.results import Progress
from policy_guard.records import NamedTuple
from policy_guard.settings.config import NAME, load_config
from policy_guard.settings.critical import load_critical
from policy_guard.settings.load import settings_source, text_file
from policy_guard.settings.validation import schema_text

CRITICAL = "critical-permissions.yaml"
HOOK = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/policies.yml"
_OURS = b"policy-guard"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_LARGE = 1024 * 1024
_MOST = 20


class _Step(NamedTuple):
    """A file of the set-up: its text if it is to be written, else the lines that it lacks; and what to say of it.

    `grant_count` policies grant something on the critical list.
    """

    path: str
    text: str | None = None
    missing_text: str = ""
    remark: str = ""
    grant_count: int = 0


def init(folder: Path, environ: Mapping[str, str], progress: Progress = lambda step: None) -> str:
    """Writes what does not exist yet, and tells what was found and done. Raises `SetupError`; then nothing is written.

    `progress` hears of each policy that was held against the critical list.
    """
    repository = Repository(folder, environ)
    try:
        source = settings_source(repository.root, None)
        contents = survey(repository, load_config(source))
        proposals: tuple[Entry, ...] = ()
        if source is None:
            proposals, contents = _propose(repository, contents)
        steps = tuple(_steps(repository, source, contents, proposals, progress))
    finally:
        repository.close()
    _write(repository.root, {step.path: step.text.encode() for step in steps if step.text is not None})
    text = "".join(f"{printable(line)}\n" for line in _summary_lines(contents, steps))
    return defused(text) if environ.get("GITHUB_ACTIONS") else text


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    """All of the files, or none."""
    for path in files:
        vacant(root, path)
    created: list[str] = []
    try:
        for path, data in files.items():
            create(root, path, data)
            created.append(path)
    except SetupError:
        for path in created:
            (root / path).unlink(missing_ok=True)
        raise


def _propose(repository: Repository, survey: Survey) -> tuple[tuple[Entry, ...], Survey]:
    """Return what to name, and the files as read then: as a cap only where the name says so and the content fits."""
    names = {path: kind for path in survey.sides if (kind := cap_kind(path))}
    read = read_as(repository, survey, names)
    unread = frozenset(survey.unreadable())
    fits = {path: kind for path, kind in names.items() if path in unread or not read[path].problems}
    proposals = entries(Files(tuple(survey.files), {path: fits.get(path) for path in survey.sides}, unread))
    caps = {path: read[path] for entry in proposals if entry.kind for path in entry.paths}
    return proposals, survey._replace(sides={**survey.sides, **caps})


def _steps(
    repository: Repository,
    source: Source | None,
    survey: Survey,
    proposals: tuple[Entry, ...],
    progress: Progress,
) -> Iterator[_Step]:
    """The files, settings after the list that they name, so that they name one that is there.

    Beside what is written of these two lies its schema, for editors: a copy works without a network.
    """
    root = repository.root
    configured_path = load_config(source).critical
    path = configured_path or CRITICAL
    text = None if os.path.lexists(root / path) else _modeline(path, "critical") + text_of(CRITICAL)
    critical_entries = load_critical(Source(path, text) if text else text_file(root / path, path)).entries
    yield _Step(path, text, remark=f"{len(critical_entries)} entries to start from")
    if source is None:
        grants = count_grants(tuple(survey.policies()), critical_entries, progress)
        surveyed = Surveyed(
            headline=_headline(survey),
            policies=tuple(survey.in_files()),
            unreadable=survey.unreadable(),
            entries=proposals,
            critical=path,
            granted=grants,
        )
        settings = _modeline(NAME, "config") + configuration(surveyed)
        assert [files.files for files in load_config(Source(NAME, settings)).policies] == [
            e.patterns for e in proposals
        ]
        yield _Step(NAME, settings, remark=_remark(survey, proposals), grant_count=grants.policies)
    else:
        yield _Step(NAME, missing_text="" if configured_path else f"critical: {CRITICAL}\n")
    new = ["critical"] * (text is not None) + ["config"] * (source is None)
    yield from (step for step in map(_schema, new) if not os.path.lexists(root / step.path))
    yield _step(
        root, HOOK, text_of("pre-commit-config.yaml"), "fill in OWNER and the tag, then run: pre-commit install"
    )
    workflow = _workflow(root)
    text = text_of("policies.yml").replace("[main]", f"[{_default_branch(repository)}]")
    yield _Step(workflow) if workflow else _step(root, WORKFLOW, text, "fill in OWNER and COMMIT")


def _modeline(path: str, schema: str) -> str:
    """The first line of a YAML file, by which editors know the schema in the repository."""
    relative_path = posixpath.relpath(_schema(schema).path, posixpath.dirname(path) or ".")
    return f"# yaml-language-server: $schema={relative_path}\n"


def _schema(name: str) -> _Step:
    path = f".policy-guard/schema/{name}.json"
    return _Step(path, schema_text(name), remark="by which editors complete and check the file that names it")


def _default_branch(repository: Repository) -> str:
    """The remote's default branch by its name alone, if the clone knows it and YAML needs no quotation marks for it."""
    marked = repository.refs(["refs/remotes/origin/HEAD"])
    name = marked[0].leads_to.removeprefix("refs/remotes/origin/") if marked else ""
    return name if _PLAIN.fullmatch(name) else "main"


def _step(root: Path, path: str, text: str, remark: str) -> _Step:
    """A file with this text; if there is one that speaks of something else, the lines to add to it."""
    if not os.path.lexists(root / path):
        return _Step(path, text, remark=remark)
    return _Step(path, missing_text="" if _speaks_of_us(root / path) else text)


def _workflow(root: Path) -> str | None:
    """The workflow that runs the check already, whatever it is called."""
    folder = os.path.dirname(WORKFLOW)
    try:
        names = sorted(name for name in os.listdir(root / folder) if name.endswith((".yml", ".yaml")))
    except OSError:
        return None
    return next((f"{folder}/{name}" for name in names if _speaks_of_us(root / folder / name)), None)


def _speaks_of_us(file: Path) -> bool:
    try:
        return file.is_file() and _OURS in file.open("rb").read(_LARGE)
    except OSError:
        return False


def _headline(survey: Survey) -> str:
    kinds = survey.kinds()
    headline = f"{counted(sum(kinds.values()), 'policy', 'policies')}{': ' if kinds else ''}"
    headline += ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    if survey.terraform:
        headline += f"; {len(survey.terraform)} of them in Terraform"
    unread = len(survey.unreadable())
    return f"{headline}; {unread} cannot be read" if unread else headline


def _remark(survey: Survey, proposals: tuple[Entry, ...]) -> str:
    named_files = sum(len(entry.paths) for entry in proposals)
    all_files = len({policy.source.path for policy in survey.terraform} | survey.sides.keys())
    if not survey.sides and survey.terraform:
        return "names no file: policies in Terraform are judged wherever they are"
    if not all_files:
        return "names no file: say under policies where they will be"
    found = "wherever they are" if survey.terraform else "by their shape"
    ending = f", the others are found {found}" if named_files < all_files else ""
    return f"names {named_files} of {counted(all_files, 'file', 'files')} with policies{ending}"


def _summary_lines(survey: Survey, steps: tuple[_Step, ...]) -> Iterator[str]:
    yield _headline(survey)
    unread = survey.unreadable()
    for path, reason in islice(unread.items(), _MOST):
        yield f"cannot be read: {shortened(path, 90)}, {shortened(reason, 120)}"
    if len(unread) > _MOST:
        yield f"cannot be read: {len(unread) - _MOST} more, see policy-guard list"
    if survey.embedded:
        yield f"embedded policies in other files, which are not checked: {survey.embedded}"
    for number in (step.grant_count for step in steps if step.grant_count):
        grants = counted(number, "policy grants", "policies grant")
        yield f"{grants} critical permissions today: warnings where they change, no errors"
    new_steps = [step for step in steps if step.text is not None]
    yield from (f"wrote {step.path}: {step.remark}" for step in new_steps)
    existing = [step.path for step in steps if step.text is None]
    if existing:
        existing_sentence = f"{_enumeration(existing)} {'exist' if len(existing) > 1 else 'exists'}"
        complete = not new_steps and not any(step.missing_text for step in steps)
        yield f"nothing to do: {existing_sentence}" if complete else f"left as found: {existing_sentence}"
    for step in steps:
        if step.missing_text:
            yield f"to add to {step.path}:"
            yield from (f"  {line}" for line in step.missing_text.splitlines())
    yield "next: policy-guard check"


def _enumeration(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
