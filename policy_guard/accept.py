"""`policy-guard accept`: the present findings become files that say what is accepted, why, and until when."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from policy_guard.acceptances import load_acceptances
from policy_guard.accepted import MOST_DAYS_STANDING, STANDING, accepted, load_acceptance
from policy_guard.base import choose
from policy_guard.errors import UserError
from policy_guard.finding import Finding, Refusal
from policy_guard.git import Repository
from policy_guard.groups import Trees
from policy_guard.guard import Options, check
from policy_guard.links import tree_of
from policy_guard.pairs import Reader
from policy_guard.policy import VERSIONS, WITHOUT_PRINCIPAL, Statement, statement_meaning
from policy_guard.reviewed import Stale, Versions, stale
from policy_guard.save import create, within
from policy_guard.settings import load_settings
from policy_guard.source import Source, Unreadable
from policy_guard.unattended import in_ci

DAYS = 30
_LONGEST_NAME = 80


class Wishes(NamedTuple):
    """What the command line asks for. `check` is None for whatever fails; `expires` is None for `DAYS` from today."""

    options: Options
    reason: str
    expires: str | None
    check: str | None


class _Asked(NamedTuple):
    """Findings of one policy that go into one file: what it is about, the checks, and the requests of each finding."""

    about: Refusal
    checks: tuple[str, ...]
    requests: list[tuple[tuple[Statement, ...], tuple[Statement, ...]]]
    ids: list[tuple[str, ...]]

    def critical(self) -> list[str]:
        """The ids of the critical list, each once."""
        return list(dict.fromkeys(each for ids in self.ids for each in ids))


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


def propose(wishes: Wishes, folder: Path, environ: Mapping[str, str], today: date) -> Proposals:
    """The files that accept what a check finds now. Raises `UserError`."""
    expires = _last_day(wishes.expires, today)
    if not wishes.reason.strip(" ."):
        raise UserError("say why, for those who review it: --reason 'GDPR deletion, SEC-123'")
    report = check(wishes.options, folder, environ)
    repository = Repository(folder, environ)
    config = load_settings(repository.root, wishes.options.config).config
    repository.close()
    together, unfit = _by_policy(report.findings, wishes.check)
    files: list[Proposal] = []
    for asked in together:
        proposal = _proposal(asked, wishes.reason, expires, config.accepted)
        problem = _unlike(proposal, asked, today)
        if problem:
            unfit.append(f"{asked.about.path}: {problem}")
        else:
            files.append(proposal)
    return Proposals(repository.root, tuple(files), tuple(unfit), config.accepted_from == "head", report.base)


def _by_policy(findings: Iterable[Finding], name: str | None) -> tuple[tuple[_Asked, ...], list[str]]:
    """The findings to accept, those of one policy and check together; and in words those that cannot be accepted."""
    together: dict[tuple[object, ...], _Asked] = {}
    unfit: list[str] = []
    for finding in findings:
        if finding.severity != "error" if name is None else finding.check != name:
            continue
        if finding.refusal is None:
            unfit.append(f"{finding.source.path}: {finding.message} [{finding.check}] cannot be accepted")
            continue
        checks = (finding.check, *finding.refusal.also)
        key = (*finding.refusal._replace(requests=_nothing, critical=()), checks)
        asked = together.setdefault(key, _Asked(finding.refusal, checks, [], []))
        asked.requests.append(finding.refusal.requests())
        asked.ids.append(finding.refusal.critical)
    return tuple(together.values()), unfit


def _last_day(text: str | None, today: date) -> str:
    try:
        last = date.fromisoformat(text) if text else today + timedelta(DAYS)
    except ValueError:
        raise UserError(f"{text} is no date of the calendar; write YYYY-MM-DD") from None
    if not today <= last <= today + timedelta(MOST_DAYS_STANDING):
        raise UserError(f"{last} is not among the next {MOST_DAYS_STANDING} days")
    return last.isoformat()


def _nothing() -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    return (), ()


def _proposal(asked: _Asked, reason: str, expires: str, folder: str) -> Proposal:
    import yaml

    about = asked.about
    access = [each for statements, _ in asked.requests for each in _spelled_all(about.kind, statements)]
    without = [_spelled(statement) for _, left_out in asked.requests for statement in left_out]
    content: dict[str, Any] = {"version": 1}
    content |= {"group": about.group} if about.group else {"policy": about.path}
    content |= {"label": about.label} if about.label else {}
    content |= {"holder": about.holder} if about.holder else {}
    content |= {"checks": list(asked.checks)}
    content |= {"critical": asked.critical()} if any(asked.ids) else {}
    content |= {} if about.standing else {"from": about.old}
    content |= {"access": _each_once(access)}
    content |= {"without": _each_once(without)} if without else {}
    mark = sha256(repr(content).encode()).hexdigest()[:8]
    content |= {"reason": reason, "expires": expires}
    text = yaml.safe_dump(content, sort_keys=False, width=110)
    text = text.replace(f"expires: '{expires}'", f"expires: {expires}")
    return Proposal(f"{folder}/{_slug(about)}-{asked.checks[0]}-{mark}.yaml", text)


def _slug(about: Refusal) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{about.path} {about.label}".rsplit(".", 1)[0]).strip("-")
    return words[:_LONGEST_NAME] or "policy"


def _each_once(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for at, each in enumerate(given) if each not in given[:at]]


def _spelled_all(kind: str, statements: tuple[Statement, ...]) -> Iterator[dict[str, Any]]:
    """The statements; where there is none, one that every request meets."""
    yield from map(_spelled, statements)
    if not statements:
        who = {} if kind in WITHOUT_PRINCIPAL else {"Principal": "*"}
        yield {**who, "Action": "*"} | ({} if kind == "trust" else {"Resource": "*"})


def _spelled(statement: Statement) -> dict[str, Any]:
    """A statement without Effect and Sid, as plain values."""
    shown: dict[str, Any] = {}
    if (who := statement.principals) is not None:
        names: dict[str, list[str]] = {}
        for entry in who.entries:
            names.setdefault(entry.type, []).append(entry.value.text)
        plain = "*" if list(names) == ["*"] else {type_: _one_or_all(texts) for type_, texts in names.items()}
        shown["NotPrincipal" if who.negated else "Principal"] = plain
    for name, element in (("Action", statement.action), ("Resource", statement.resource)):
        if element is not None:
            shown["Not" * element.negated + name] = _one_or_all([value.text for value in element.values])
    for each in statement.conditions:
        operator = f"{each.quantifier}:{each.operator}".lstrip(":") + "IfExists" * each.if_exists
        under = shown.setdefault("Condition", {}).setdefault(operator, {})
        under[each.spelled] = _one_or_all([value.text for value in each.values])
    return shown


def _one_or_all(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


def _unlike(proposal: Proposal, asked: _Asked, today: date) -> str | None:
    """What is wrong with a proposal: it is refused, or does not mean what was found once it is read again."""
    try:
        given = load_acceptance(Source(proposal.path, proposal.text), today)
        read = accepted(given, asked.about.kind)
    except UserError as error:
        return f"{str(error).removeprefix(proposal.path).lstrip(':0123456789 ')}{_apart(asked)}"
    except Unreadable as error:
        return f"this cannot be written as an acceptance: {error.problems[0].message}"
    for told, back in zip(zip(*asked.requests, strict=True), (read.statements, read.without), strict=True):
        wanted = {_meaning(statement) for statements in told for statement in statements}
        if wanted - set(map(_meaning, back)):
            return "this cannot be written as an acceptance: its template parts mean something else in another file"
    return None


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
        yield "nothing to accept: the check finds nothing that fails"


def write(proposals: Proposals) -> Iterator[str]:
    """Writes the files, and says of each that it did. Raises `UserError`."""
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
        branch = proposals.base.partition("@")[0].replace("HEAD", "the default branch")
        yield f"they count once they are on {branch}: commit them alone and have them merged first"


def to_prune(options: Options, folder: Path, environ: Mapping[str, str], today: date) -> tuple[Path, tuple[Stale, ...]]:
    """The root, and the acceptances of the work tree that are expired or done. Raises `UserError`."""
    repository = Repository(folder, environ)
    try:
        given = load_settings(repository.root, options.config)
        branch = None if in_ci(environ) else given.config.default_branch
        new, base = choose(repository, environ, options.base, False, branch)
        every = load_acceptances(repository, given.config, new._replace(commit=None, staged=False), base, today)
        files = tree_of(repository, base)
        trees = Trees(files, files, (base.name, base.name))
        versions = Versions(Reader(repository, given), given.config.groups, trees, [])
        return repository.root, tuple(stale(every.here, every.base, versions, today))
    finally:
        repository.close()


def remove(root: Path, every: Iterable[Stale]) -> Iterator[str]:
    """Deletes the files, and says so of each. Raises `UserError`."""
    for each in every:
        try:
            os.unlink(within(root, each.path))
        except OSError as error:
            raise UserError(f"{each.path} cannot be removed: {error.strerror}") from None
        yield f"removed {each.path}: {each.why}"
