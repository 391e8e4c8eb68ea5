"""`policy-guard accept`: the present findings become files that say what is accepted, why, and until when."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from policy_guard.documents.containers import VERSIONS
from policy_guard.documents.errors import SetupError
from policy_guard.documents.globs import glob
from policy_guard.documents.source import Source, Unreadable
from policy_guard.documents.write import create, file_within
from policy_guard.iam.policy import MADE_UP, Kind, Statement, statement_meaning
from policy_guard.pipeline.acceptances import load_acceptances
from policy_guard.pipeline.acceptances.status import Stale, Versions, stale_acceptances
from policy_guard.pipeline.check import Options, check
from policy_guard.pipeline.ci import in_ci
from policy_guard.pipeline.pairing.groups import Trees
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import Repository, from_root
from policy_guard.pipeline.repository.changes import Comparison, snapshot
from policy_guard.pipeline.repository.revisions import WORKING_TREE, choose
from policy_guard.pipeline.stages import is_under
from policy_guard.records import NamedTuple
from policy_guard.settings.acceptance import (
    MOST_DAYS,
    MOST_DAYS_STANDING,
    STANDING,
    interpret_acceptance,
    load_acceptance,
)
from policy_guard.settings.addresses import parted
from policy_guard.settings.evaluated import WHEN, Names, choices
from policy_guard.settings.load import load_settings
from policy_guard.settings.severity import CheckId
from policy_guard.verify.explain.statements import merge
from policy_guard.verify.finding import Acceptable, Finding, Part, Spelled

DAYS = 30
NOTHING_PROVED = (
    "nothing is written: no words were found that are proved to hold all of what was found and nothing else; "
    "split the change, or write the file by hand (policy-guard explain accepted)"
)
NO_WORDS = (
    "nothing is written: no words hold what was found and nothing else, as with an action that nobody knows before "
    "deployment; write the text out, or write the file by hand (policy-guard explain accepted)"
)
_LONGEST_NAME = 80
_TAKEN = "is there already, with another reason, day or access: edit that file"


class AcceptOptions(NamedTuple):
    """The options of the command line. `check` is None for whatever fails; `expires` is None for `DAYS` from today."""

    options: Options
    reason: str
    expires: str | None
    check: str | None


class _Batch(NamedTuple):
    """Findings of one policy that are accepted together, and the checks. All of them are about one question."""

    about: Acceptable
    checks: tuple[CheckId, ...]
    findings: list[Acceptable]

    def critical(self) -> list[str]:
        """The ids of the critical list, each once."""
        return list(dict.fromkeys(entry_id for acceptable in self.findings for entry_id in acceptable.critical))

    def parts(self) -> tuple[Part, ...]:
        """Return what the findings are about."""
        return tuple(acceptable.part for acceptable in self.findings)

    def requests(self) -> tuple[Spelled, ...]:
        """The requests of all findings."""
        return tuple(dict.fromkeys(spelled for acceptable in self.findings for spelled in acceptable.requests()))


class Proposal(NamedTuple):
    """A file to write: its path from the root and its text."""

    path: str
    text: str


class Proposals(NamedTuple):
    """`unfit` are findings that cannot be accepted, in words; `travels` tells that the files count with the change."""

    root: Path
    files: tuple[Proposal, ...]
    unfit: tuple[str, ...]
    travels: bool
    base: str


def propose(accept_options: AcceptOptions, folder: Path, environ: Mapping[str, str]) -> Proposals:
    """The files that accept what a check finds now. Raises `SetupError`."""
    today = accept_options.options.today
    expires = _last_day(accept_options.expires, today)
    if not accept_options.reason.strip(" ."):
        raise SetupError("say why, for those who review it: --reason 'GDPR deletion, SEC-123'")
    repository = Repository(folder, environ)
    root = repository.root
    named_places = tuple(map(parted, accept_options.options.paths))
    paths = tuple(dict.fromkeys(path for path, _ in named_places))
    report = check(accept_options.options._replace(paths=paths), folder, environ)
    failing = [finding for finding in report.findings if _is_asked(finding, accept_options.check)]
    places = [(from_root(folder / path, root), address) for path, address in named_places]
    findings = [finding for finding in failing if not places or any(_is_at(finding, *place) for place in places)]
    if failing and not findings:
        raise SetupError(_nothing_named(places, len(failing)))
    config = load_settings(root, accept_options.options.config).config
    repository.close()
    files, unfit = files_for(findings, accept_options, expires, config.accepted)
    taken = tuple(file for file in files if _is_taken(root, file))
    return Proposals(
        root=root,
        files=tuple(file for file in files if file not in taken),
        unfit=(*unfit, *(f"{file.path} {_TAKEN}" for file in taken)),
        travels=config.accepted_from == "head",
        base=report.base,
    )


def _is_asked(finding: Finding, check_name: str | None) -> bool:
    """Tell whether a finding fails, or is one of the check that is named."""
    return finding.severity == "error" if check_name is None else finding.check == check_name


def _is_at(finding: Finding, path: str, address: str) -> bool:
    """Tell whether a file or folder has the policy of a finding, or a place that the finding shows.

    What is new may stand in another file than the policy: in values of variables, or in a file of the same group.
    """
    acceptable = finding.acceptable
    if address:
        policy = acceptable.policy if acceptable else None
        return policy is not None and is_under(policy.unit, (path,)) and glob(address)(policy.address)
    shown = (finding.source.path, *(related.source.path for related in finding.related))
    return any(is_under(name, (path,)) for name in (*shown, *([acceptable.policy.unit] if acceptable else [])))


def _nothing_named(places: Sequence[tuple[str, str]], failing: int) -> str:
    """Say that what fails is not about the places."""
    if any(address for _, address in places):
        return "no finding is about a policy with such an address; policy-guard list shows the addresses"
    elsewhere = "1 finding is" if failing == 1 else f"{failing} findings are"
    names = ", ".join(path for path, _ in places)
    return f"no finding is about {names}; {elsewhere} about other files, and policy-guard check shows them"


def _is_taken(root: Path, proposal: Proposal) -> bool:
    """Tell whether another text is there under the name."""
    file = root / proposal.path
    return os.path.lexists(file) and not (file.is_file() and file.read_bytes() == proposal.text.encode())


def files_for(
    findings: Iterable[Finding], accept_options: AcceptOptions, expires: str, folder: str
) -> tuple[tuple[Proposal, ...], tuple[str, ...]]:
    """The files that accept the findings, and in words what cannot be accepted."""
    batches, unfit = _batches(findings)
    files: list[Proposal] = []
    for batch in batches:
        write = partial(_proposal, batch, reason=accept_options.reason, expires=expires, folder=folder)
        outcome = _proved_files(batch, write, accept_options.options.today)
        if isinstance(outcome, str):
            outcome_with_names = _proved_files(batch, partial(write, names=Names()), accept_options.options.today)
            outcome = outcome if isinstance(outcome_with_names, str) else outcome_with_names
        if isinstance(outcome, str):
            unfit.append(f"{batch.about.policy.unit}: {outcome}")
        else:
            files += outcome
    return tuple(files), tuple(unfit)


def _batches(findings: Iterable[Finding]) -> tuple[tuple[_Batch, ...], list[str]]:
    """The findings to accept, those of one policy and check together; and in words those that cannot be accepted."""
    batches: dict[tuple[object, ...], _Batch] = {}
    unfit: list[str] = []
    for finding in findings:
        if finding.acceptable is None:
            unfit.append(f"{finding.source.path}: {finding.message} [{finding.check}] cannot be accepted")
            continue
        for acceptable in (finding.acceptable, *finding.other_acceptables):
            checks = (finding.check, *acceptable.other_checks)
            batches.setdefault(_key(acceptable, checks), _Batch(acceptable, checks, [])).findings.append(acceptable)
    return tuple(batches.values()), unfit


def _key(acceptable: Acceptable, checks: tuple[CheckId, ...]) -> tuple[object, ...]:
    """Equal for findings that may go into one file: a combination has one of its own, for it is accepted as a whole."""
    about = (
        acceptable.policy,
        acceptable.kind,
        acceptable.old(),
        acceptable.standing,
    )
    return *about, checks, acceptable.critical if acceptable.part.is_combination else ()


def _last_day(text: str | None, today: date) -> str:
    try:
        last = date.fromisoformat(text) if text else today + timedelta(DAYS)
    except ValueError:
        raise SetupError(f"{text} is not a calendar date; write YYYY-MM-DD") from None
    if not today <= last <= today + timedelta(MOST_DAYS_STANDING):
        raise SetupError(
            f"{last} is not among the next {MOST_DAYS} days; only {' and '.join(STANDING)} may be accepted for "
            f"{MOST_DAYS_STANDING} days"
        )
    return last.isoformat()


def _proved_files(batch: _Batch, write: Callable[[Spelled], Proposal], today: date) -> list[Proposal] | str:
    """The files that are proved to accept what was found and nothing else, or why there are none.

    That is one file, unless one set of requests leaves out what another has: then each has a file of its own.
    """
    spellings = batch.requests()
    if not spellings:
        return NO_WORDS
    divisions = [merge(spellings)] if len(merge(spellings)) == 1 else [(_join(spellings),), merge(spellings)]
    problem: str | None = NOTHING_PROVED
    for sets in divisions:
        files = [write(spelled) for spelled in sets]
        problem = _problem(files, sets, batch, today)
        if problem is None:
            return files
    return problem or NOTHING_PROVED


def _join(spellings: Iterable[Spelled]) -> Spelled:
    """All the sets as one, which holds less if one leaves out what another has."""
    statements, without = zip(*spellings, strict=True)
    return Spelled(*(tuple(dict.fromkeys(s for each in side for s in each)) for side in (statements, without)))


def _proposal(
    batch: _Batch, requests: Spelled, reason: str, expires: str, folder: str, names: Names | None = None
) -> Proposal:
    """The file that accepts the requests; with `names`, it says what the unknown parts of its texts are."""
    import yaml

    about, policy = batch.about, batch.about.policy
    access, without = (
        [_plain_statement(statement, names) for statement in side] for side in (requests.statements, requests.without)
    )
    content: dict[str, Any] = {"version": 1}
    content |= {"group" if policy.grouped else "policy": policy.unit}
    content |= {"label": policy.address} if policy.address else {}
    content |= {"holder": policy.holder} if policy.holder else {}
    content |= {"checks": list(batch.checks)}
    content |= {"critical": critical} if (critical := batch.critical()) else {}
    content |= {} if about.standing else {"from": about.old()}
    content |= {"access": _each_once(access)}
    content |= {"without": _each_once(without)} if without else {}
    content |= {"unknown": dict(names.written)} if names else {}
    mark = sha256(repr(content).encode()).hexdigest()[:8]
    content |= {"reason": reason, "expires": expires}
    text = yaml.safe_dump(content, sort_keys=False, width=110)
    text = text.replace(f"expires: '{expires}'", f"expires: {expires}")
    return Proposal(f"{folder}/{_slug(about)}-{batch.checks[0]}-{mark}.yaml", text)


def _slug(about: Acceptable) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{about.policy.unit} {about.policy.address}".rsplit(".", 1)[0]).strip("-")
    return words[:_LONGEST_NAME] or "policy"


def _each_once(statements: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({repr(each): each for each in statements}.values())


def _plain_statement(statement: Statement, names: Names | None) -> dict[str, Any]:
    """A statement without Effect and Sid, as plain values; its unknown parts under these `names`."""
    content: dict[str, Any] = {}
    spell = names.text if names else lambda value: value.text
    if (principals := statement.principals) is not None:
        texts_by_type: dict[str, list[str]] = {}
        for entry in principals.entries:
            texts_by_type.setdefault(entry.type, []).append(spell(entry.value))
        plain = (
            "*"
            if list(texts_by_type) == ["*"]
            else {type_: _one_or_all(texts) for type_, texts in texts_by_type.items()}
        )
        content["NotPrincipal" if principals.negated else "Principal"] = plain
    for name, element in (("Action", statement.action), ("Resource", statement.resource)):
        if element is not None:
            content["Not" * element.negated + name] = _one_or_all(list(map(spell, element.values)))
    if alternatives := choices(statement.conditions):
        content[WHEN] = alternatives
    for condition in statement.conditions:
        if condition.key.startswith(MADE_UP):
            continue
        operator = f"{condition.quantifier}:{condition.operator}".lstrip(":") + "IfExists" * condition.if_exists
        conditions = content.setdefault("Condition", {}).setdefault(operator, {})
        conditions[condition.written_key] = _one_or_all(list(map(spell, condition.values)))
    return content


def _one_or_all(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


def _problem(files: list[Proposal], sets: tuple[Spelled, ...], batch: _Batch, today: date) -> str | None:
    """Return what is wrong with the files: they are refused, or do not mean what was found once they are read again."""
    try:
        meanings = [_read(file, batch.about.kind, today) for file in files]
    except SetupError as error:
        return f"{error.message}{_hint(batch)}"
    except Unreadable as error:
        return f"this cannot be written as an acceptance: {error.problems[0].message}"
    if any(_has_other_statements(reread, original) for reread, original in zip(meanings, sets, strict=True)):
        return "this cannot be written as an acceptance: its template parts mean something else in another file"
    about, parts = batch.about, batch.parts()
    if not meanings or not all(about.lies_within(spelled, batch.checks, parts) for spelled in meanings):
        return NOTHING_PROVED
    return None if about.suffices(meanings, parts) else NOTHING_PROVED


def _read(file: Proposal, kind: Kind, today: date) -> Spelled:
    """Return what a file means once it is read again."""
    _, statements, without = interpret_acceptance(load_acceptance(Source(file.path, file.text), today), kind)
    return Spelled(statements, without)


def _has_other_statements(reread: Spelled, original: Spelled) -> bool:
    return any(
        set(map(_meaning, statements)) != set(map(_meaning, original_statements))
        for statements, original_statements in zip(reread, original, strict=True)
    )


def _hint(batch: _Batch) -> str:
    return (
        ""
        if set(batch.checks) <= set(STANDING)
        else f" (this is {batch.checks[0]}; --check accepts other checks apart)"
    )


def _meaning(statement: Statement) -> object:
    from dataclasses import replace

    return statement_meaning(replace(statement, effect="Deny", version=VERSIONS[0]))


def proposal_lines(proposals: Proposals) -> Iterator[str]:
    """The files in lines, and what cannot be accepted."""
    for file in proposals.files:
        yield f"{file.path}:"
        yield from (f"  {line}" for line in file.text.splitlines())
        yield ""
    yield from proposals.unfit
    if not proposals.files and not proposals.unfit:
        yield "nothing to accept: nothing fails"


def write(proposals: Proposals) -> Iterator[str]:
    """Writes the files, and says of each that it did. Raises `SetupError`."""
    for proposal in proposals.files:
        file = proposals.root / proposal.path
        if os.path.lexists(file):
            yield f"{proposal.path} is there already"
        else:
            create(proposals.root, proposal.path, proposal.text.encode())
            yield f"wrote {proposal.path}"
    if proposals.travels:
        yield "commit this with the change, if CODEOWNERS names an owner for it"
    else:
        name = proposals.base.partition("@")[0]
        branch = "the default branch" if name in ("HEAD", "origin/HEAD", "the empty tree") else name
        yield f"this counts once it is on {branch}: commit it alone and have it merged first"


def to_prune(options: Options, folder: Path, environ: Mapping[str, str]) -> tuple[Path, tuple[Stale, ...]]:
    """The root, and the acceptances of the working tree that are expired or done. Raises `SetupError`."""
    repository = Repository(folder, environ)
    try:
        settings = load_settings(repository.root, options.config)
        branch = None if in_ci(environ) else settings.config.default_branch
        base, _ = choose(repository, environ, options.base, False, branch)
        acceptances = load_acceptances(repository, settings.config, base, WORKING_TREE, options.today)
        files = snapshot(repository, base)
        versions = Versions(
            reader=Reader(repository, settings),
            groups=settings.config.groups,
            trees=Trees(files, files),
            comparison=Comparison(old=base, new=base, changes=[]),
        )
        return repository.root, tuple(
            stale_acceptances(acceptances.new_side, acceptances.base, versions, options.today)
        )
    finally:
        repository.close()


def remove(root: Path, acceptances: Iterable[Stale]) -> Iterator[str]:
    """Deletes the files, and says so of each. Raises `SetupError`."""
    for acceptance in acceptances:
        try:
            os.unlink(file_within(root, acceptance.path))
        except OSError as error:
            raise SetupError(f"{acceptance.path} cannot be removed: {error.strerror}") from None
        yield f"removed {acceptance.path}: {acceptance.reason}"
