"""The settings that hold for a check, each with its origin: a line of a file, an option or the default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from policy_guard.documents.source import Object, Source
from policy_guard.pipeline.base_settings import settings_of
from policy_guard.pipeline.check import Options, comparison_and_settings, failing_severity
from policy_guard.pipeline.ci import in_ci
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.repository.revisions import WORKING_TREE
from policy_guard.pipeline.severity import entry_severity
from policy_guard.records import NamedTuple
from policy_guard.settings.config import Config, Group, Ignore, PolicyFiles, Refine
from policy_guard.settings.load import Settings, load_settings, settings_name, settings_source
from policy_guard.settings.severity import CheckId, Severity
from policy_guard.settings.validation import load, rules_of

DEFAULT = "default"
CRITICAL = CheckId("access-not-granted")


class Unset(NamedTuple):
    """No value, and what holds then."""

    words: str


class Setting(NamedTuple):
    """A key of the settings, its value as it is written in YAML or `Unset`, and where that comes from."""

    key: str
    value: Any
    origin: str


class Effective(NamedTuple):
    """The settings that hold, in the order of the schema. `compared` says what with what.

    `critical` says of the entries of the critical list how many there are, and where they come from.
    """

    settings: tuple[Setting, ...]
    compared: str
    critical: tuple[str, ...]
    notes: tuple[str, ...]


class _Side(NamedTuple):
    """The settings of one revision: the values that hold there, and where each of them is written."""

    revision: str
    values: Mapping[str, Any]
    places: Mapping[str, str]
    settings: Settings

    @classmethod
    def of(cls, revision: str, settings: Settings, source: Source | None) -> _Side:
        return cls(revision, dict(_values(settings.config)), dict(_places(source, revision)), settings)


def effective_settings(options: Options, folder: Path, environ: Mapping[str, str]) -> Effective:
    """Return what would hold for a check with these options. Raises `SetupError`."""
    repository = Repository(folder, environ)
    try:
        ci = in_ci(environ)
        comparison, settings = comparison_and_settings(repository, options, environ, ci)
        old, new, _ = comparison
        root = repository.root
        head_settings = load_settings(root, options.config)
        sides = [_Side.of(WORKING_TREE.name, head_settings, settings_source(root, options.config))]
        name = settings_name(options.config, root)
        if old.commit and not name.startswith("../"):
            source, base_settings = settings_of(name, repository, old)
            sides.insert(0 if ci else 1, _Side.of(old.name, base_settings, source))
    finally:
        repository.close()
    fail_on = failing_severity(options, settings.config, ci)
    values = dict(_values(settings.config._replace(fail_on=fail_on)))
    origins = {key: _origin(key, value, sides) for key, value in values.items()}
    if options.fail_on == fail_on:
        origins["fail-on"] = "--fail-on"
    return Effective(
        settings=tuple(Setting(key, value, origins[key]) for key, value in values.items()),
        compared=f"{new.name} compared with {old.name}",
        critical=tuple(_entries(settings, sides)),
        notes=settings.notes,
    )


def _origin(key: str, value: Any, sides: list[_Side]) -> str:
    """Return the place in the first revision where this holds; if in none, those that are put together."""
    for side in sides:
        if side.values[key] == value:
            return side.places.get(key, DEFAULT)
    return " and ".join(side.places[key] for side in sides if key in side.places)


def _places(source: Source | None, revision: str) -> Iterator[tuple[str, str]]:
    if source is None:
        return
    _, node = load(source, "config.json")
    for key, value in node.entries if isinstance(node, Object) else ():
        at = f"{source.path}:{source.position(key.span.start).line} at {revision}".replace(" at the ", " in the ")
        yield key.text, at
        if key.text == "severity" and isinstance(value, Object):
            for name, _ in value.entries:
                line = source.position(name.span.start).line
                yield f"severity.{name.text}", at.replace(f":{source.position(key.span.start).line} ", f":{line} ")


def _entries(settings: Settings, sides: list[_Side]) -> Iterator[str]:
    own_number = sum(entry.is_own for entry in settings.critical)
    yield f"{len(settings.critical)}, {own_number} of its own and {len(settings.critical) - own_number} of packs"
    configured = settings.config.severity(CRITICAL)
    severities = (entry_severity(entry, configured) or configured or "error" for entry in settings.critical)
    if minor := sum(severity != "error" for severity in severities):
        yield f"{minor} of them are no errors; policy-guard list --critical tells which"
    first_meanings = {entry.meaning() for entry in sides[0].settings.critical}
    if added := sum(entry.meaning() not in first_meanings for entry in settings.critical):
        yield f"{added} of them come with the change"


def _values(config: Config) -> Iterator[tuple[str, Any]]:
    """The settings as they are written in YAML, with the severity of each check."""
    yield "policies", [_policies(each) for each in (*config.policies, *config.added)]
    yield "exclude", list(config.exclude)
    yield "placeholders", list(config.placeholders)
    yield "critical", config.critical or Unset("none")
    yield "critical-existing", config.critical_existing
    yield "accepted", config.accepted
    yield "accepted-from", config.accepted_from
    for name in rules_of("config.json")["properties"]["severity"]["properties"]:
        yield f"severity.{name}", config.severity(name) or _usual_severity(name, config)
    yield "other-access", dict(config.other_access)
    yield "new-files", config.new_files
    yield "impossible", config.impossible
    yield "fail-on", config.fail_on
    yield "ignore-unreadable", [_ignore(each) for each in config.ignores]
    yield "groups", [_group(each) for each in config.groups]
    yield "policies-by-arn", dict(config.policies_by_arn)
    yield "judge-by", "principal" if config.by_principal else "policy"
    yield "default-branch", config.default_branch or Unset("that of the remote")
    yield "require-policies", config.require_policies
    yield "refine", _refine(config.refine)


def _usual_severity(name: str, config: Config) -> Severity | Unset:
    """Return how severe findings of a check are for which nothing is set, unless that depends on the policy."""
    from policy_guard.verify.check import Circumstances
    from policy_guard.verify.checks import check

    named_check = check(name)

    def severity(is_guard: bool) -> Severity:
        usual = Circumstances(configured=None, new_files=config.new_files, fresh=False, is_guard=lambda: is_guard)
        return named_check.severity(usual) or named_check.default

    if severity(True) == severity(False):
        return severity(True)
    return Unset(f"{severity(True)} for policies that are there to deny, else {severity(False)}")


def _policies(rule: PolicyFiles) -> dict[str, Any]:
    fields = {"files": list(rule.files), "kind": rule.kind, "reference": rule.reference}
    return {key: value for key, value in fields.items() if value} | ({"bound": "always"} if rule.bound else {})


def _ignore(ignore: Ignore) -> dict[str, Any]:
    return ignore._asdict() | {"expires": ignore.expires and ignore.expires.isoformat()}


def _group(group: Group) -> dict[str, Any]:
    return {"name": group.name, "files": list(group.files)} | ({"same-holes": True} if group.same_holes else {})


def _refine(refine: Refine) -> dict[str, Any]:
    roles = {role: list(files) for role, files in refine.roles}
    fields = {"findings": list(refine.findings), "roles": roles, "keep": list(refine.keep), "max-age": refine.max_age}
    return {key: value for key, value in fields.items() if value}
