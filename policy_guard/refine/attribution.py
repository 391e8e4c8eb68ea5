"""Which findings speak of which policy: by the names or ARNs of its principals in the settings, or as asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from policy_guard.documents.errors import SetupError
from policy_guard.documents.globs import matches_path
from policy_guard.iam import catalog
from policy_guard.records import NamedTuple
from policy_guard.refine.access_analyzer import TYPE, UnusedPermission, latest, read_findings
from policy_guard.refine.unused_actions import Unused, collect_unused, unused_by_all
from policy_guard.settings.config import Refine
from policy_guard.settings.load import text_file

_MOST = 5


class Usage(NamedTuple):
    """The findings at hand, and the settings that say whose they are."""

    settings: Refine
    findings: tuple[UnusedPermission, ...]
    today: date

    def unused_in(self, *paths: str) -> Unused:
        """Return what none of the principals uses that the policy in a file belongs to, by all of the file's names."""
        permissionses = [self._usable_findings(each) for _, each in self._findings_by_principal(paths)]
        unused_actions = unused_by_all(
            collect_unused(use for each in permissions for use in each.uses) for permissions in permissionses
        )
        return self._with_settings(unused_actions, [each for permissions in permissionses for each in permissions])

    @property
    def principals(self) -> tuple[str, ...]:
        """The ARNs that findings about unused actions speak of; empty for one that is not named."""
        return tuple(sorted({finding.resource for finding in self.findings if finding.type == TYPE}))

    def unused_by_anyone(self) -> Unused:
        """Return what the findings' one principal does not use. Raises `SetupError` if there are several."""
        if len(names := self.principals) > 1:
            raise SetupError(
                f"the findings are about {len(names)} principals, such as {names[0] or 'one without a name'} and "
                f"{names[1]}; say in refine.roles which of them the policy belongs to"
            )
        permissions = self._usable_findings(self.findings)
        return self._with_settings(
            collect_unused(use for permission in permissions for use in permission.uses), permissions
        )

    def _with_settings(self, actions: Unused, findings: Iterable[UnusedPermission]) -> Unused:
        return replace(actions, keep=self.settings.keep, by=tuple(dict.fromkeys(map(_dated_name, findings))))

    def notes(self, *paths: str) -> Iterator[str]:
        """Return what findings say about a policy, or without a path about all, and why some do not count."""
        for name, permissions in self._findings_by_principal(paths) if paths else [("", self.findings)]:
            if not permissions:
                yield f"there is no finding about {name}, so all that it may do counts as used{self._suggestion(name)}"
            for permission in permissions:
                place = f"{permission.resource} in {permission.path}" if permission.resource else permission.path
                yield from (f"{place}: {remark}" for remark in self._remark(permission, permissions))
        for role in dict.fromkeys(role for path in paths for role in self.settings.principals(path)):
            arns = dict.fromkeys(
                permission.resource for permission in self.findings if permission.resource and permission.name == role
            )
            if len(arns) > 1:
                yield f"{role} is {' and '.join(arns)}: only what none of them uses goes; name one by its ARN"

    def _suggestion(self, name: str) -> str:
        from difflib import get_close_matches

        names = {text for arn in self.principals for text in (arn, arn.rpartition("/")[2]) if text}
        close_names = get_close_matches(name, sorted(names), 1, 0.7)
        return f"; did you mean {close_names[0]}?" if close_names else ""

    def remarks(self, requested: bool) -> Iterator[str]:
        """Return what is to be known of the settings, and of the actions that the findings name.

        Findings without a principal count only if they were `requested`.
        """
        if not requested:
            roles = {role for role, _ in self.settings.roles}
            unclaimed_arns = [arn for arn in self.principals if arn and not roles & {arn, arn.rpartition("/")[2]}]
            yield from (
                f"there are findings about {arn}, and no policy is its own in refine.roles" for arn in unclaimed_arns
            )
            nameless = dict.fromkeys(finding.path for finding in self.findings if not finding.resource)
            yield from (f"{path} names no principal; give it with --findings and a policy" for path in nameless)
        yield from (f"keep: {p} covers no action of AWS" for p in self.settings.keep if not catalog.matching(p))
        uses = {(use.service, use.name) for finding in self.findings for use in finding.uses if use.name}
        for action in [f"{s}:{n}" for s, n in sorted(uses) if not catalog.matching(f"{s}:{n}")][:_MOST]:
            nearest = catalog.nearest(action)
            hint = f"; did you mean {nearest}?" if nearest else ""
            yield f"the findings name {action}, none of the actions of {catalog.source()}; it counts like others{hint}"

    def _findings_by_principal(self, paths: Iterable[str]) -> Iterator[tuple[str, list[UnusedPermission]]]:
        """The principals of a policy, each with all findings about it; in each account one may have the same name."""
        for role in dict.fromkeys(role for path in paths for role in self.settings.principals(path)):
            about = [
                permission
                for permission in self.findings
                if permission.resource and role in (permission.resource, permission.name)
            ]
            resources = list(dict.fromkeys(permission.resource for permission in about))
            for resource in resources or [role]:
                yield resource, [permission for permission in about if permission.resource == resource]

    def _usable_findings(self, findings: Sequence[UnusedPermission]) -> list[UnusedPermission]:
        return [permission for permission in findings if self._reason(permission, findings) is None]

    def _remark(self, finding: UnusedPermission, findings: Sequence[UnusedPermission]) -> Iterator[str]:
        if reason := self._reason(finding, findings):
            yield reason
        elif finding.partial:
            yield "more pages belong to the finding; only what is in there counts"

    def _reason(self, finding: UnusedPermission, findings: Sequence[UnusedPermission]) -> str | None:
        """Return why a finding, among all `findings`, says nothing about unused actions; None if it does."""
        if finding.type == "UnusedIAMRole":
            return "it is not used at all (UnusedIAMRole); delete it rather than narrow its policies"
        if finding.type != TYPE:
            return f"a finding of the type {finding.type} is about something else than unused actions"
        if finding.error:
            return f"the analysis failed ({finding.error}), so nothing counts as unused"
        if finding.status != "ACTIVE":
            return f"the finding is {finding.status.lower()}, so what it names counts as used"
        permissions = [
            permission for permission in findings if permission.type == TYPE and permission.resource == finding.resource
        ]
        if any(permission.updated > finding.updated for permission in permissions):
            return "there is a newer finding about the same principal, which counts in its place"
        if any(permission.updated == finding.updated and permission.status != "ACTIVE" for permission in permissions):
            return "another finding of the same time is not active, so what it names counts as used"
        if not finding.uses:
            return "the finding names no actions; get-finding-v2 has those that list-findings-v2 leaves out"
        return self._age_reason(finding.analyzed)

    def _age_reason(self, analyzed: date | None) -> str | None:
        if self.settings.max_age is None:
            return None
        if analyzed is None:
            return f"the finding has no date, and max-age is {self.settings.max_age} days, so it does not count"
        days = (self.today - analyzed).days
        if days < -1:
            return f"the finding is of {analyzed.isoformat()}, which is not yet, so it does not count"
        if days <= self.settings.max_age:
            return None
        return f"the finding is {days} days old, and max-age is {self.settings.max_age}, so it does not count"


def _dated_name(finding: UnusedPermission) -> str:
    subject = finding.name or finding.path
    return f"{subject}, analyzed {finding.analyzed.isoformat()}" if finding.analyzed else subject


def load_usage(root: Path, settings: Refine, today: date, place: str | None = None) -> Usage:
    """The findings that the settings name, or those in a file or folder, the `place`. Raises `SetupError`."""
    if place is not None:
        sources = [text_file(file, str(file)) for file in _files_at(Path(place))]
        return Usage(settings, latest(permission for source in sources for permission in read_findings(source)), today)
    paths: dict[str, None] = {}
    for pattern in settings.findings:
        if not (matches := dict.fromkeys(files_of(root, pattern))):
            raise SetupError(f"refine.findings: {pattern} names no file; to have no findings, remove it")
        paths |= matches
    sources = [text_file(root / path, path) for path in paths]
    return Usage(settings, latest(permission for source in sources for permission in read_findings(source)), today)


def _files_at(place: Path) -> list[Path]:
    if not os.path.isdir(place):
        return [place]
    files = sorted(file for file in place.rglob("*") if file.suffix in (".json", ".jsonl") and file.is_file())
    if not files:
        raise SetupError(f"{place}: there is no .json or .jsonl file in this folder")
    return files


def files_of(root: Path, pattern: str) -> Iterator[str]:
    """The files below `root` that a pattern names, in the order of their names."""
    head = pattern.split("*")[0].split("?")[0]
    if head == pattern:
        yield from [pattern] if (root / pattern).is_file() else []
        return
    for folder, folders, names in os.walk(root / head.rpartition("/")[0]):
        folders[:] = sorted(name for name in folders if name != ".git")
        folder_path = Path(folder).relative_to(root).as_posix()
        paths = (name if folder_path == "." else f"{folder_path}/{name}" for name in sorted(names))
        yield from (path for path in paths if matches_path(pattern, path))
