"""Submodules, and links that lead where nothing is looked at: what may stand there is refused, or is missed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from policy_guard.documents.errors import SetupError
from policy_guard.documents.globs import names_all_below, reaches_below
from policy_guard.documents.source import Problem, Source, Span
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.pairing.links import Sides
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.folded import folded
from policy_guard.pipeline.repository.ways import BELOW, BROKEN, CIRCLE, MISSING, Tree, Way
from policy_guard.records import NamedTuple
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import replaced_finding, unreadable_findings

MOST_LOOKED_AT, MOST_NAMED = 1_000, 100_000
"""Files behind such links that are looked into, and names that are looked at; of more, one may be a policy."""
MOST_MATCHED = 2_000_000
"""Patterns that are held against such links and submodules: more of them would take seconds."""
_MOST_NAMES = 100
"""Names at the end of a link that are tried as a way back; more of them are no way that anybody writes."""
_FILE = 0o100644
_NOT_CHECKED = ", which is not checked"
_DESCRIPTIONS = {
    MISSING: "is a link that leads to nothing in the repository",
    CIRCLE: "is a link that leads in a circle, which is not followed",
    BELOW: f"is a link into a submodule{_NOT_CHECKED}",
    BROKEN: "is a link that no system follows",
}
_OUT = "is a link that leads out of the repository, which is not followed"


class Remark(NamedTuple):
    """A sentence for the report and the findings; `gone` are the paths and labels of the policies that were there.

    `unread` says in place of the sentence why what stands there is not checked, if that is all there is to say.
    """

    sentence: str
    findings: tuple[Finding, ...]
    gone: tuple[str, ...] = ()
    unread: str = ""


class Beyond:
    """What is to be said of changed submodules, and of changed links that lead to no file and no folder here."""

    def __init__(
        self,
        repository: Repository,
        reader: Reader,
        sides: Sides | None,
        comparison: Comparison,
    ) -> None:
        self._root = repository.root
        self._repository = repository
        self._reader = reader
        self._sides = sides
        self._old, self._new, self._changed = comparison
        self._file_count = self._name_count = self._match_count = 0

    @cached_property
    def _folded(self) -> Tree:
        return Tree(self._repository, self._sides.after.files if self._sides else {}, fold=True)

    @cached_property
    def _top(self) -> frozenset[str]:
        return frozenset(name.partition("/")[0] for name in self._folded.files)

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        """Return what the settings name: policies, groups and files of critical entries."""
        config = self._reader.settings.config
        patterns = [pattern for rule in (*config.policies, *config.added) for pattern in rule.files]
        patterns += [pattern for group in config.groups for pattern in group.files]
        return tuple(dict.fromkeys((*patterns, *(p for entry in self._reader.settings.critical for p in entry.files))))

    def remark(self, change: Change) -> Remark | None:
        """Return what is to be said of the change; None if nothing is out of sight."""
        file = change.new
        if file is None or file.mode not in (LINK, SUBMODULE):
            return None
        if file.mode == SUBMODULE:
            description = f"is a submodule{_NOT_CHECKED}"
            return self._with_removed_policies(
                file.path, f"{file.path} {description}", (*self._findings_of_settings(file.path, description),)
            )
        way = self._way(file.path)
        findings = tuple(self._policies_in_text(file))
        if way.path is not None:
            return Remark(f"{file.path} is a link", findings) if findings else None
        description = _DESCRIPTIONS.get(way.kind, _OUT)
        return self._with_removed_policies(
            file.path,
            f"{file.path} {description}",
            (*findings, *self._findings_out_of_sight(file.path, way, description)),
        )

    def _way(self, path: str) -> Way:
        """Return where the link leads; if nowhere, what systems make of it that do not tell all names apart."""
        view = self._sides.after if self._sides else None
        way = view.ways.get(path, Way(None, MISSING)) if view else Way(None, MISSING)
        if view and way.path in view.files and view.files[way.path or ""].mode == SUBMODULE:
            return Way(None, BELOW, links=way.links)
        if way.kind == MISSING:
            folded_way = self._folded.way(path)
            return way if folded_way.path is not None or folded_way.kind == MISSING else folded_way
        return way

    def _findings_out_of_sight(self, path: str, way: Way, description: str) -> Iterator[Finding]:
        if way.kind == BROKEN and not self._reader.concerned(path):
            yield from self._refusal(path, way.reason)
        elif way.kind == MISSING:
            yield from self._findings_in_another_spelling(path)
        elif way.kind not in (BROKEN, CIRCLE):
            yield from self._findings_of_settings(path, description)
            yield from self._findings_back_inside(path, way)

    def _refusal(self, path: str, message: str) -> Iterator[Finding]:
        yield from unreadable_findings(Source(path, "", self._new.name), [Problem(message, Span(0, 0))])

    def _findings_of_settings(self, path: str, description: str) -> Iterator[Finding]:
        """State that the settings name files in it, which nobody looks at."""
        self._match_count += len(self._patterns)
        if self._match_count > MOST_MATCHED:
            raise SetupError("too many links and submodules lead out of the repository. Remove some of them.")
        naming_pattern = next((pattern for pattern in self._patterns if reaches_below(pattern, path)), None)
        excluded = self._reader.settings.config.exclude
        if naming_pattern is not None and not any(names_all_below(pattern, path) for pattern in excluded):
            remedy = f"keep the files themselves here, or name {path}/** under exclude"
            yield from self._refusal(
                path, f"{description}, and the settings name files in it with {naming_pattern}; {remedy}"
            )

    def _findings_in_another_spelling(self, path: str) -> Iterator[Finding]:
        way = self._folded.way(folded(path))
        if way.path is not None and self._may_hold_policy(path, way.path):
            place = self._folded.files[way.path].path if way.path in self._folded.files else way.path
            reason = "where systems that do not tell all names apart find policies; write the name as it is"
            yield from self._refusal(path, f"the link leads to nothing here, but almost to {place}, {reason}")

    def _findings_back_inside(self, path: str, way: Way) -> Iterator[Finding]:
        """State that a link out of the repository may lead back into it, to a policy."""
        names = [folded(name) for name in way.remainder.split("/") if name not in ("", ".", "..")][-_MOST_NAMES:]
        tails = ("/".join(names[at:]) for at, name in enumerate(names) if name in self._top)
        places = [self._folded.way(tail).path for tail in tails]
        if self._may_be_above(names):
            places.append("")
        if any(place is not None and self._may_hold_policy(path, place) for place in places):
            message = "the link leads out of the repository and may come back to a policy in it; write it without that"
            yield from self._refusal(path, message)

    def _may_be_above(self, names: list[str]) -> bool:
        """Tell whether these may be the names of the folder of the repository, or of one above it."""
        root = [folded(part) for part in self._root.absolute().parts[1:]]
        among = any(root[at : at + len(names)] == names for at in range(len(root)))
        return not names or names[-1] == "cwd" or among

    def _may_hold_policy(self, name: str, place: str) -> bool:
        """Tell whether a policy stands in a file, or in a folder below it, under the name that a link gives it."""
        file = self._folded.files.get(place)
        files = ((f"{name}/{inner_path}", inner_file) for inner_path, inner_file in self._folded.files_below(place))
        return any(
            self._is_policy(inner_file, inner_name) for inner_name, inner_file in ([(name, file)] if file else files)
        )

    def _is_policy(self, file: File, name: str) -> bool:
        self._name_count += 1
        if self._name_count > MOST_NAMED or self._file_count > MOST_LOOKED_AT:
            return True
        if file.mode in (LINK, SUBMODULE) or not self._reader.concerned(name):
            return False
        self._file_count += 1
        version = self._reader.version(file, name, self._new)
        return bool(version.policies or version.problems)

    def _policies_in_text(self, file: File) -> Iterator[Finding]:
        """State that the text of the link is a policy: without core.symlinks git writes it into a file.

        Source: git's config, "core.symlinks".
        """
        version = self._reader.version(file._replace(mode=_FILE), file.path, self._new)
        if version.policies:
            reason = "is a policy, and git writes it into a file on systems without links"
            yield from self._refusal(file.path, f"the text of the link {reason}; make it a file")

    def _with_removed_policies(self, path: str, sentence: str, findings: tuple[Finding, ...]) -> Remark:
        """The remark, with a finding for the policies that were where something is now that is not looked into."""
        removed = list(self._removed_versions(path))
        if not removed:
            unread = sentence.removeprefix(f"{path} ").removesuffix(_NOT_CHECKED)
            is_all = not findings and sentence.endswith(_NOT_CHECKED)
            return Remark(sentence, findings, unread=unread if is_all else "")
        finding = replaced_finding(Source(path, ""), [version.source for version in removed])
        names = (
            f"{version.source.path} {policy.label}".rstrip()
            for version in removed
            for policy in version.policies.values()
        )
        return Remark(sentence, (finding, *findings), tuple(names))

    def _removed_versions(self, path: str) -> Iterator[FileVersion]:
        for change in self._changed:
            if change.old and change.old.path.startswith(f"{path}/"):
                old = self._reader.version(change.old, change.old.path, self._old)
                if old.policies and (change.new is None or change.new.path != change.old.path):
                    yield old
