"""The configuration file: what is a policy here, how grave a finding is, and where the critical list lies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from policy_guard.documents.errors import SetupError
from policy_guard.documents.globs import matches_any, matches_path, not_a_path, not_a_pattern
from policy_guard.documents.printable import printable
from policy_guard.documents.source import Source
from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.settings.addresses import (
    name_file,
    name_policies_in,
    name_policy,
    not_a_name,
    not_a_reference,
    parted,
)
from policy_guard.settings.severity import CheckId, FailOn, Severity

if TYPE_CHECKING:
    from policy_guard.iam.policy import Kind

NAME = ".policy-guard.yaml"
_WIDER_BOUNDARY = CheckId("wider-boundary")
MOST = 1000
"""What a list in the settings may hold: matching more against every file would take minutes."""
MOST_PATTERNS = 3000
"""What all lists hold together whose patterns are matched against every file that changes."""
_SUFFIXES = (".json", ".yaml", ".yml")
_TERRAFORM = (".tf", ".tofu", ".tf.json", ".tofu.json")
_MATCHED = ("policies", "groups")
_POLICY_ARN = regex(r"arn:aws(?:-[a-z]+)*:iam::\d{12}:policy/[\x21-\x7e]+")
_BY_NAME = regex(r"[^*]+/\*")
_Mistake: TypeAlias = Callable[[str], "str | None"]
_ACTION = regex(r"\*|[A-Za-z0-9_*?-]+:[A-Za-z0-9_*?-]+")


class PolicyFiles(NamedTuple):
    """Files that are policies, of a kind where one is given. `reference` stands in for a missing old version.

    With `bound` every version is held against it.
    """

    files: tuple[str, ...]
    kind: Kind | None = None
    reference: str | None = None
    bound: bool = False

    def name(self, path: str, addresses: Collection[str] = ()) -> bool:
        """Tell whether the entry is about the file, or about a policy in it that has these addresses."""
        return name_policy(self.files, path, addresses)


class Group(NamedTuple):
    """Files that serve one principal and are judged as one policy.

    With `same_holes` an unknown part of one name is the same text in all of them.
    """

    name: str
    files: tuple[str, ...]
    same_holes: bool = False

    def holds(self, path: str, addresses: Collection[str] = ()) -> bool:
        """Tell whether the group holds the whole file, or a policy in it that has these addresses."""
        return name_policy(self.files, path, addresses)

    def reaches(self, path: str) -> bool:
        """Tell whether the group holds the file, or may hold some of its policies."""
        return name_file(self.files, path) or name_policies_in(self.files, path)


class Ignore(NamedTuple):
    """One line of one file that need not be readable, until a date, inclusive."""

    file: str
    line: str
    reason: str
    expires: date | None


class Refine(NamedTuple):
    """Where findings about unused access lie, and which policies belong to which principal, by its name or ARN.

    `keep` are patterns of actions that stay though unused; findings older than `max_age` days are left aside.
    """

    findings: tuple[str, ...] = ()
    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    keep: tuple[str, ...] = ()
    max_age: int | None = None

    def principals(self, path: str) -> tuple[str, ...]:
        """Return those that the policy in this file belongs to, or some of the policies in it."""
        return tuple(role for role, files in self.roles if name_file(files, path) or name_policies_in(files, path))

    def has_principal(self, path: str, addresses: Iterable[str]) -> bool:
        """Tell whether the policy of a file with these addresses belongs to any principal."""
        named_addresses = tuple(addresses)
        return any(name_policy(files, path, named_addresses) for _, files in self.roles)


class Config(NamedTuple):
    """The settings. `severities` holds only what is set; `accepted` is the folder of acceptances.

    `impossible` is the most severe that a finding is whose requests AWS cannot have, as far as the catalogue says.

    `placeholders` are regular expressions for texts that a template fills in.

    `other_access` are the severities of kinds of other access, as far as they are set.

    `policies_by_arn` are customer managed policies with the path, and the address behind `#`, of their documents.

    `by_principal` tells that all identity policies of a principal are one question, where a container knows whose they
    are.

    `added` are entries of `policies` that a change brings along: they count where no other names the file.
    """

    policies: tuple[PolicyFiles, ...] = ()
    exclude: tuple[str, ...] = ()
    critical: str | None = None
    critical_existing: Severity = "warning"
    severities: tuple[tuple[CheckId, Severity], ...] = ()
    other_access: tuple[tuple[str, Severity], ...] = ()
    new_files: Severity = "error"
    impossible: Severity = "note"
    by_principal: bool = True
    default_branch: str | None = None
    require_policies: bool = False
    ignores: tuple[Ignore, ...] = ()
    groups: tuple[Group, ...] = ()
    refine: Refine = Refine()
    fail_on: FailOn = "error"
    accepted: str = ".policy-guard/accepted"
    accepted_from: str = "base"
    added: tuple[PolicyFiles, ...] = ()
    path: str | None = None
    placeholders: tuple[str, ...] = ()
    policies_by_arn: tuple[tuple[str, str], ...] = ()

    def policy_rule(self, path: str, addresses: Collection[str] = ()) -> PolicyFiles | None:
        """The entry of `policies` that names the file, or a policy in it that has one of these addresses.

        None if none does, or the file is excluded.

        Raises `SetupError` if two of them name it and say different things: judged as the wrong kind, a policy that
        loses access to what it forbids could pass.
        """
        if self.is_excluded(path):
            return None
        rules = [rule for rule in self.policies if rule.name(path, addresses)]
        if any(rule[1:] != rules[0][1:] for rule in rules):
            raise SetupError(
                f"{self.path}: policies: two entries name {printable(path)} and differ in kind or reference; "
                "let only one of them name it"
            )
        added_rules = (rule for rule in self.added if rule.name(path, addresses))
        return rules[0] if rules else next(added_rules, None)

    def unmatched_patterns(self, paths: Collection[str]) -> Iterator[str]:
        """The patterns of `policies`, `groups` and `exclude` that name none of the files, each with where it stands."""
        patterns_by_key = {
            "policies": [parted(pattern)[0] for rule in self.policies for pattern in rule.files],
            "groups": [parted(pattern)[0] for group in self.groups for pattern in group.files],
            "exclude": self.exclude,
        }
        for key, patterns in patterns_by_key.items():
            yield from (f"{key}: {pattern}" for pattern in unmatched(patterns, paths))

    def is_excluded(self, path: str) -> bool:
        return matches_any(self.exclude, path)

    def policy_rules_in(self, path: str) -> tuple[PolicyFiles, ...]:
        """The entries of `policies` that name single policies of the file."""
        return tuple(rule for rule in self.policies if name_policies_in(rule.files, path))

    def scope(self, path: str, addresses: Collection[str] = ()) -> tuple[str, ...]:
        """The groups that the file belongs to, or a policy in it that has one of these addresses."""
        return tuple(group.name for group in self.groups if group.holds(path, addresses))

    def severity(self, check: CheckId) -> Severity | None:
        """Return what is set for the check; None if nothing is."""
        return dict(self.severities).get(check)

    @property
    def divides_boundaries(self) -> bool:
        """Tell whether what a boundary lets go and no policy uses that is known is graded by itself, below an error."""
        return self.severity(_WIDER_BOUNDARY) not in (None, "error")

    def kind_severity(self, kind: str) -> Severity | None:
        """Return what is set for a kind of other access; None if nothing is."""
        return dict(self.other_access).get(kind)

    def ignore_rule(self, path: str, line: str, today: date) -> Ignore | None:
        """The entry that lets this line be unreadable today."""
        for ignore in self.ignores:
            if (
                ignore.file == path
                and ignore.line.strip() == line.strip()
                and ignore.expires
                and today <= ignore.expires
            ):
                return ignore
        return None


def unmatched(patterns: Iterable[str], paths: Collection[str]) -> Iterator[str]:
    """The patterns that name none of the files, each once.

    One that differs in its suffix alone from another that names some is meant for what may come.
    """
    unique_patterns = dict.fromkeys(patterns)
    used_patterns = {each for each in unique_patterns if any(matches_path(each, path) for path in paths)}
    stems = set(map(_stem, used_patterns))
    return (each for each in unique_patterns if each not in used_patterns and _stem(each) not in stems)


def _stem(pattern: str) -> str:
    """A pattern without the suffix of a file format."""
    return next((pattern.removesuffix(suffix) for suffix in _SUFFIXES if pattern.endswith(suffix)), pattern)


def load_config(source: Source | None) -> Config:
    """The settings of a file; the defaults where there is none. Raises `SetupError` with file, line, key and remedy."""
    if source is None:
        return Config()
    from policy_guard.settings.validation import error_at, load, node_at

    plain, node = load(source, "config.json")
    for place, mistake in _mistakes(plain):
        raise error_at(source, node_at(node, place), f"{mistake[0]}: {mistake[1]}")
    return Config(
        policies=tuple(map(_policy_files, plain.get("policies", ()))),
        exclude=tuple(plain.get("exclude", ())),
        critical=plain.get("critical"),
        critical_existing=plain.get("critical-existing", "warning"),
        severities=tuple((CheckId(name), level) for name, level in plain.get("severity", {}).items()),
        other_access=tuple(plain.get("other-access", {}).items()),
        new_files=plain.get("new-files", "error"),
        impossible=plain.get("impossible", "note"),
        by_principal=plain.get("judge-by", "principal") == "principal",
        default_branch=plain.get("default-branch"),
        require_policies=plain.get("require-policies", False),
        ignores=tuple(
            Ignore(i["file"], i["line"], i["reason"], _date(i["expires"])) for i in plain.get("ignore-unreadable", ())
        ),
        groups=tuple(Group(g["name"], tuple(g["files"]), g.get("same-holes", False)) for g in plain.get("groups", ())),
        refine=_refine(plain.get("refine", {})),
        fail_on=plain.get("fail-on", "error"),
        accepted=plain.get("accepted", ".policy-guard/accepted"),
        accepted_from=plain.get("accepted-from", "base"),
        added=(),
        path=source.path,
        placeholders=tuple(plain.get("placeholders", ())),
        policies_by_arn=tuple(plain.get("policies-by-arn", {}).items()),
    )


def _policy_files(plain: dict[str, Any]) -> PolicyFiles:
    return PolicyFiles(tuple(plain["files"]), plain.get("kind"), plain.get("reference"), "bound" in plain)


def _refine(plain: dict[str, Any]) -> Refine:
    roles = tuple((role, tuple(files)) for role, files in plain.get("roles", {}).items())
    return Refine(tuple(plain.get("findings", ())), roles, tuple(plain.get("keep", ())), plain.get("max-age"))


def _mistakes(plain: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], tuple[str, str]]]:
    """Return what a schema cannot say: where it stands, the key, and what is wrong."""
    for place, text, mistake in _named_files(plain):
        if message := mistake(text):
            yield place, (str(place[0]), message)
    yield from _misspelt_placeholders(plain)
    names = [group["name"] for group in plain.get("groups", ())]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield ("groups", number, "name"), ("groups", f"two groups have the name {printable(name)}")
    for number, entry in enumerate(plain.get("ignore-unreadable", ())):
        if entry["line"].strip().isdecimal():
            yield ("ignore-unreadable", number, "line"), ("line", "write the text of the line, not its number")
        if _date(entry["expires"]) is None:
            yield ("ignore-unreadable", number, "expires"), ("expires", "not a calendar date")
    yield from _ungrouped_files(plain)
    yield from _incomplete_entries(plain)
    yield from _misplaced_documents(plain)
    lists = [plain.get("exclude", ()), *(entry["files"] for key in _MATCHED for entry in plain.get(key, ()))]
    if sum(map(len, lists)) > MOST_PATTERNS:
        key = next(key for key in (*_MATCHED, "exclude") if key in plain)
        yield (key,), (key, f"more than {MOST_PATTERNS:,} patterns; name folders with ** in place of files")


def _misspelt_placeholders(plain: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], tuple[str, str]]]:
    from policy_guard.documents.placeholder_patterns import Placeholders

    for number, expression in enumerate(plain.get("placeholders", ())):
        try:
            Placeholders([expression])
        except ValueError as error:
            yield ("placeholders", number), ("placeholders", f"{printable(expression)}: {printable(str(error))}")


def _ungrouped_files(plain: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], tuple[str, str]]]:
    for role, files in plain.get("refine", {}).get("roles", {}).items():
        for at, text in enumerate(files):
            path, address = parted(text)
            if address and path.endswith(_TERRAFORM):
                message = "in Terraform, refine finds the policies of a role itself; leave out what stands behind #"
                yield ("refine", "roles", role, at), ("refine", f"{printable(text)}: {message}")
    for number, group in enumerate(plain.get("groups", ())):
        for at, text in enumerate(group["files"]):
            if parted(text)[0].endswith(_TERRAFORM):
                message = "policies of Terraform are judged by principal and are in no group; leave this out"
                yield ("groups", number, "files", at), ("groups", f"{printable(text)}: {message}")


def _incomplete_entries(plain: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], tuple[str, str]]]:
    for number, entry in enumerate(plain.get("policies", ())):
        if "bound" in entry and "reference" not in entry:
            yield ("policies", number, "bound"), ("bound", 'name the policy that bounds these files, as "reference"')
    for number, text in enumerate(plain.get("refine", {}).get("keep", ())):
        if not _ACTION.fullmatch(text):
            yield ("refine", "keep", number), ("keep", f'{printable(text)} is not an action; write "service:Name"')


def _misplaced_documents(plain: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], tuple[str, str]]]:
    """Return the mistakes in `policies-by-arn`."""
    places_by_arn = plain.get("policies-by-arn", {})
    if len(places_by_arn) > MOST:
        yield ("policies-by-arn",), ("policies-by-arn", f"more than {MOST:,} policies")
    for arn, place in places_by_arn.items():
        at, path = ("policies-by-arn", arn), place.partition("#")[0]
        if not _POLICY_ARN.fullmatch(arn):
            message = "this is no ARN of a customer managed policy; write arn:aws:iam::123456789012:policy/NAME"
            yield at, ("policies-by-arn", f"{printable(arn)}: {message}")
        elif wrong := not_a_path(path):
            yield at, ("policies-by-arn", wrong)
        elif arn.count("*") != place.count("*") or "?" in arn or ("*" in arn and not _BY_NAME.fullmatch(arn)):
            message = "* stands for the name of a policy, once at the end of the ARN and once in the name of the file"
            yield at, ("policies-by-arn", f"{printable(arn)}: {message}")
        elif matches_any(tuple(plain.get("exclude", ())), path):
            message = (
                f"{printable(path)} is under exclude, so that nobody would look at the document; take it out there"
            )
            yield at, ("policies-by-arn", message)


def _named_files(plain: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str, _Mistake]]:
    """Every text that names files or policies, with where it stands, and what tells whether it can."""
    yield from (((key,), plain[key], not_a_path) for key in ("critical", "accepted") if key in plain)
    yield from ((("exclude", at), text, not_a_pattern) for at, text in enumerate(plain.get("exclude", ())))
    refine = plain.get("refine", {})
    yield from ((("refine", "findings", at), text, not_a_pattern) for at, text in enumerate(refine.get("findings", ())))
    for role, files in refine.get("roles", {}).items():
        yield from ((("refine", "roles", role, at), text, not_a_name) for at, text in enumerate(files))
    for number, entry in enumerate(plain.get("ignore-unreadable", ())):
        yield ("ignore-unreadable", number, "file"), entry["file"], not_a_path
    for key in _MATCHED:
        for number, entry in enumerate(plain.get(key, ())):
            yield from (((key, number, "files", at), text, not_a_name) for at, text in enumerate(entry["files"]))
            if "reference" in entry:
                yield (key, number, "reference"), entry["reference"], not_a_reference


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
