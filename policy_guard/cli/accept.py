"""`policy-guard accept`: the present findings become files that say what is accepted, why, and until when."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from policy_guard.documents.containers import VERSIONS
from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Source, Unreadable
from policy_guard.documents.write import create, within
from policy_guard.iam.policy import MADE_UP, Kind, Statement, statement_meaning
from policy_guard.pipeline.acceptances import load_acceptances
from policy_guard.pipeline.acceptances.status import Stale, Versions, stale
from policy_guard.pipeline.check import Options, check
from policy_guard.pipeline.ci import in_ci
from policy_guard.pipeline.pairing.groups import Trees
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.repository.changes import Comparison, snapshot
from policy_guard.pipeline.repository.revisions import WORKING_TREE, choose
from policy_guard.settings.acceptance import MOST_DAYS_STANDING, STANDING, accepted, load_acceptance
from policy_guard.settings.evaluated import WHEN, Names, choices
from policy_guard.settings.load import load_settings
from policy_guard.settings.severity import CheckId
from policy_guard.verify.explain.statements import merged
from policy_guard.verify.finding import Acceptable, Finding, Part, Spelled

DAYS = 30
NOTHING_PROVED = (
    "nothing is written: no words were found that are proved to hold all of what was found and nothing else; "
    "split the change, or write the file by hand (policy-guard explain accepted)"
)
_LONGEST_NAME = 80


class AcceptOptions(NamedTuple):
    """What the command line asks for. `check` is None for whatever fails; `expires` is None for `DAYS` from today."""

    options: Options
    reason: str
    expires: str | None
    check: str | None


class _Asked(NamedTuple):
    """Findings of one policy that are accepted together, and the checks. All of them are about one question."""

    about: Acceptable
    checks: tuple[CheckId, ...]
    findings: list[Acceptable]

    def critical(self) -> list[str]:
        """The ids of the critical list, each once."""
        return list(dict.fromkeys(each for acceptable in self.findings for each in acceptable.critical))

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


def propose(wishes: AcceptOptions, folder: Path, environ: Mapping[str, str]) -> Proposals:
    """The files that accept what a check finds now. Raises `SetupError`."""
    today = wishes.options.today
    expires = _last_day(wishes.expires, today)
    if not wishes.reason.strip(" ."):
        raise SetupError("say why, for those who review it: --reason 'GDPR deletion, SEC-123'")
    report = check(wishes.options, folder, environ)
    repository = Repository(folder, environ)
    config = load_settings(repository.root, wishes.options.config).config
    repository.close()
    files, unfit = files_for(report.findings, wishes, expires, config.accepted)
    return Proposals(
        root=repository.root, files=files, unfit=unfit, travels=config.accepted_from == "head", base=report.base
    )


def files_for(
    findings: Iterable[Finding], wishes: AcceptOptions, expires: str, folder: str
) -> tuple[tuple[Proposal, ...], tuple[str, ...]]:
    """The files that accept the findings, and in words what cannot be accepted."""
    together, unfit = _by_policy(findings, wishes.check)
    files: list[Proposal] = []
    for asked in together:
        write = partial(_proposal, asked, reason=wishes.reason, expires=expires, folder=folder)
        found = _proved(asked, write, wishes.options.today)
        if isinstance(found, str):
            named = _proved(asked, partial(write, names=Names()), wishes.options.today)
            found = found if isinstance(named, str) else named
        if isinstance(found, str):
            unfit.append(f"{asked.about.policy.unit}: {found}")
        else:
            files += found
    return tuple(files), tuple(unfit)


def _by_policy(findings: Iterable[Finding], name: str | None) -> tuple[tuple[_Asked, ...], list[str]]:
    """The findings to accept, those of one policy and check together; and in words those that cannot be accepted."""
    together: dict[tuple[object, ...], _Asked] = {}
    unfit: list[str] = []
    for finding in findings:
        if finding.severity != "error" if name is None else finding.check != name:
            continue
        if finding.acceptable is None:
            unfit.append(f"{finding.source.path}: {finding.message} [{finding.check}] cannot be accepted")
            continue
        for acceptable in (finding.acceptable, *finding.also):
            checks = (finding.check, *acceptable.also)
            together.setdefault(_key(acceptable, checks), _Asked(acceptable, checks, [])).findings.append(acceptable)
    return tuple(together.values()), unfit


def _key(acceptable: Acceptable, checks: tuple[CheckId, ...]) -> tuple[object, ...]:
    """Equal for findings that may go into one file: a combination has one of its own, for it is accepted as a whole."""
    about = (
        acceptable.policy,
        acceptable.kind,
        acceptable.old,
        acceptable.standing,
    )
    return *about, checks, acceptable.critical if acceptable.part.together else ()


def _last_day(text: str | None, today: date) -> str:
    try:
        last = date.fromisoformat(text) if text else today + timedelta(DAYS)
    except ValueError:
        raise SetupError(f"{text} is not a calendar date; write YYYY-MM-DD") from None
    if not today <= last <= today + timedelta(MOST_DAYS_STANDING):
        raise SetupError(f"{last} is not among the next {MOST_DAYS_STANDING} days")
    return last.isoformat()


def _proved(asked: _Asked, write: Callable[[Spelled], Proposal], today: date) -> list[Proposal] | str:
    """The files that are proved to accept what was found and nothing else, or why there are none.

    That is one file, unless one set of requests leaves out what another has: then each has a file of its own.
    """
    spellings = asked.requests()
    ways = [merged(spellings)] if len(merged(spellings)) == 1 else [(_joined(spellings),), merged(spellings)]
    problem: str | None = NOTHING_PROVED
    for sets in ways:
        files = [write(spelled) for spelled in sets]
        problem = _unlike(files, sets, asked, today)
        if problem is None:
            return files
    return problem or NOTHING_PROVED


def _joined(every: Iterable[Spelled]) -> Spelled:
    """All the sets as one, which holds less if one leaves out what another has."""
    statements, without = zip(*every, strict=True)
    return Spelled(*(tuple(dict.fromkeys(s for each in side for s in each)) for side in (statements, without)))


def _proposal(
    asked: _Asked, given: Spelled, reason: str, expires: str, folder: str, names: Names | None = None
) -> Proposal:
    """The file that accepts the requests; with `names`, it says what the unknown parts of its texts are."""
    import yaml

    about, policy = asked.about, asked.about.policy
    access, without = ([_spelled(statement, names) for statement in side] for side in (given.statements, given.without))
    content: dict[str, Any] = {"version": 1}
    content |= {"group" if policy.grouped else "policy": policy.unit}
    content |= {"label": policy.address} if policy.address else {}
    content |= {"holder": policy.holder} if policy.holder else {}
    content |= {"checks": list(asked.checks)}
    content |= {"critical": critical} if (critical := asked.critical()) else {}
    content |= {} if about.standing else {"from": about.old}
    content |= {"access": _each_once(access)}
    content |= {"without": _each_once(without)} if without else {}
    content |= {"unknown": dict(names.written)} if names else {}
    mark = sha256(repr(content).encode()).hexdigest()[:8]
    content |= {"reason": reason, "expires": expires}
    text = yaml.safe_dump(content, sort_keys=False, width=110)
    text = text.replace(f"expires: '{expires}'", f"expires: {expires}")
    return Proposal(f"{folder}/{_slug(about)}-{asked.checks[0]}-{mark}.yaml", text)


def _slug(about: Acceptable) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{about.policy.unit} {about.policy.address}".rsplit(".", 1)[0]).strip("-")
    return words[:_LONGEST_NAME] or "policy"


def _each_once(given: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({repr(each): each for each in given}.values())


def _spelled(statement: Statement, given: Names | None) -> dict[str, Any]:
    """A statement without Effect and Sid, as plain values; its unknown parts under the `given` names."""
    shown: dict[str, Any] = {}
    spell = given.text if given else lambda value: value.text
    if (who := statement.principals) is not None:
        names: dict[str, list[str]] = {}
        for entry in who.entries:
            names.setdefault(entry.type, []).append(spell(entry.value))
        plain = "*" if list(names) == ["*"] else {type_: _one_or_all(texts) for type_, texts in names.items()}
        shown["NotPrincipal" if who.negated else "Principal"] = plain
    for name, element in (("Action", statement.action), ("Resource", statement.resource)):
        if element is not None:
            shown["Not" * element.negated + name] = _one_or_all(list(map(spell, element.values)))
    if found := choices(statement.conditions):
        shown[WHEN] = found
    for each in statement.conditions:
        if each.key.startswith(MADE_UP):
            continue
        operator = f"{each.quantifier}:{each.operator}".lstrip(":") + "IfExists" * each.if_exists
        under = shown.setdefault("Condition", {}).setdefault(operator, {})
        under[each.spelled] = _one_or_all(list(map(spell, each.values)))
    return shown


def _one_or_all(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


def _unlike(files: list[Proposal], sets: tuple[Spelled, ...], asked: _Asked, today: date) -> str | None:
    """Return what is wrong with the files: they are refused, or do not mean what was found once they are read again."""
    try:
        read = [_read(file, asked.about.kind, today) for file in files]
    except SetupError as error:
        return f"{error.message}{_apart(asked)}"
    except Unreadable as error:
        return f"this cannot be written as an acceptance: {error.problems[0].message}"
    if any(_has_other_statements(back, told) for back, told in zip(read, sets, strict=True)):
        return "this cannot be written as an acceptance: its template parts mean something else in another file"
    about, parts = asked.about, asked.parts()
    if not read or not all(about.lies_within(spelled, asked.checks, parts) for spelled in read):
        return NOTHING_PROVED
    return None if about.suffices(read, parts) else NOTHING_PROVED


def _read(file: Proposal, kind: Kind, today: date) -> Spelled:
    """Return what a file means once it is read again."""
    _, statements, without = accepted(load_acceptance(Source(file.path, file.text), today), kind)
    return Spelled(statements, without)


def _has_other_statements(back: Spelled, told: Spelled) -> bool:
    return any(
        set(map(_meaning, statements)) != set(map(_meaning, two)) for statements, two in zip(back, told, strict=True)
    )


def _apart(asked: _Asked) -> str:
    return (
        "" if set(asked.checks) <= set(STANDING) else f" (of {asked.checks[0]}; with --check you accept others apart)"
    )


def _meaning(statement: Statement) -> object:
    from dataclasses import replace

    return statement_meaning(replace(statement, effect="Deny", version=VERSIONS[0]))


def proposed(given: Proposals) -> Iterator[str]:
    """The files in lines, and what cannot be accepted."""
    for each in given.files:
        yield f"{each.path}:"
        yield from (f"  {line}" for line in each.text.splitlines())
        yield ""
    yield from given.unfit
    if not given.files and not given.unfit:
        yield "nothing to accept: nothing fails"


def write(proposals: Proposals) -> Iterator[str]:
    """Writes the files, and says of each that it did. Raises `SetupError`."""
    for each in proposals.files:
        file = proposals.root / each.path
        if os.path.lexists(file):
            same = file.is_file() and file.read_bytes() == each.text.encode()
            yield f"{each.path} is there already" + (
                "" if same else ", with another reason, day or access: edit that file"
            )
        else:
            create(proposals.root, each.path, each.text.encode())
            yield f"wrote {each.path}"
    if proposals.travels:
        yield "commit them with the change, if CODEOWNERS names an owner for them"
    else:
        name = proposals.base.partition("@")[0]
        branch = "the default branch" if name in ("HEAD", "origin/HEAD", "the empty tree") else name
        yield f"they count once they are on {branch}: commit them alone and have them merged first"


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
        return repository.root, tuple(stale(acceptances.here, acceptances.base, versions, options.today))
    finally:
        repository.close()


def remove(root: Path, every: Iterable[Stale]) -> Iterator[str]:
    """Deletes the files, and says so of each. Raises `SetupError`."""
    for each in every:
        try:
            os.unlink(within(root, each.path))
        except OSError as error:
            raise SetupError(f"{each.path} cannot be removed: {error.strerror}") from None
        yield f"removed {each.path}: {each.why}"
