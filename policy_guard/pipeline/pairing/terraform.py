"""Folders of Terraform: which of them a change is about, and their policies, old and new, in pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache, cached_property
from hashlib import sha1
from posixpath import normpath

from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.terraform.file_patterns import is_of_another_language, is_policy_all_the_same
from policy_guard.documents.containers.terraform.folder import NO_TEXT, FilePattern, Folder, Wrong, is_read
from policy_guard.documents.containers.terraform.moves import with_new_names
from policy_guard.documents.containers.terraform.parsed import Parsed
from policy_guard.documents.containers.terraform.units import (
    Sides,
    all_units,
    changed_variables,
    differing_units,
    root,
)
from policy_guard.documents.format import decode
from policy_guard.documents.globs import holds_in_order
from policy_guard.documents.source import Problem, Source, Span, Unreadable
from policy_guard.iam.policy import Policy
from policy_guard.pipeline.pairing import FileResult, Pair
from policy_guard.pipeline.pairing.terraform_pairs import compare_sides, one_by_one, union, units_by_principal
from policy_guard.pipeline.pairing.terraform_reads import Readers, leads_up
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository
from policy_guard.pipeline.repository.changes import Change
from policy_guard.pipeline.repository.objects import OVERSIZED
from policy_guard.records import NamedTuple
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable_findings

_CALLED = re.compile(r"""\bsource"?\s*[=:]\s*"(\.{1,2}/[^"]*|\.{1,2})\"""")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|([\"/]))")
_TF, _TOFU = (".tf", ".tf.json"), (".tofu", ".tofu.json")
_OF_TERRAFORM = re.compile(r"\.tf(\.json)?\Z")
_DENIES = re.compile(r"\bDeny\b")
_MOST_LINKS = 10
_OF_TRIALS = re.compile(r"(?:\A|/)(?:examples?|tests?|fixtures)(?:/|\Z)")
"""The folders of which a published module's tests and examples are made (Terraform, "Standard Module Structure")."""


class Tree:
    """The Terraform of one side of a comparison; `parsed` keeps what is read of their texts, for both."""

    def __init__(
        self,
        repository: Repository,
        files: Mapping[str, File],
        revision: str,
        parsed: Parsed | None = None,
    ) -> None:
        self._repository = repository
        self._files = files
        self._revision = revision
        self._parsed = parsed or Parsed()
        self._folders: dict[str, Folder | None] = {}
        self._sources: dict[str, Source | None] = {}
        self._readings: dict[bool, Tree] = {}
        self._contents: dict[FilePattern, str] = {}
        self.names: dict[str, list[str]] = {}
        self.wrong: list[Wrong] = []
        self._links = frozenset(path for path, file in files.items() if file.mode == LINK)
        for path in files:
            folder, _, name = path.rpartition("/")
            if is_read(name):
                self.names.setdefault(folder, []).append(name)
        self._has_tofu = any(path.endswith(_TOFU) for path in files)

    def reading(self, of_opentofu: bool) -> Tree:
        """Return what OpenTofu reads, or what Terraform reads, of the files.

        OpenTofu takes `x.tofu` in place of `x.tf`, and Terraform ignores it. Source: OpenTofu, "Files and Directories".
        """
        if of_opentofu not in self._readings:
            tree = copy(self)
            tree._folders = {}
            tree.names = {folder: _read_by(names, of_opentofu) for folder, names in self.names.items()}
            tree.names = {folder: names for folder, names in tree.names.items() if names}
            self._readings[of_opentofu] = tree
        return self._readings[of_opentofu]

    def readings(self, folder: str) -> tuple[Tree, ...]:
        """Return what the tools read that may be run in a folder: OpenTofu, and Terraform if it has a file there."""
        if not self._has_tofu:
            return (self, self)
        has_file = any(name.endswith(_TF) for name in self.names.get(folder, ()))
        return self.reading(True), self.reading(not has_file)

    def source(self, path: str) -> Source | None:
        """The text of a file; None if it is no plain file, or cannot be read."""
        if path not in self._sources:
            self._sources[path] = self._read(path)
        return self._sources[path]

    def _read(self, path: str) -> Source | None:
        path = self.link_target(path)
        file = self._files.get(path)
        if file is None or file.mode in (LINK, SUBMODULE):
            return None
        data = self._repository.read(file)
        if data is None or data is OVERSIZED:
            return None
        try:
            return decode(path, data, self._revision)
        except Unreadable:
            return None

    def _contents_of(self, pattern: FilePattern) -> str:
        """Return what tells apart the contents of the files that a pattern names.

        Those behind links to folders and in other repositories may have any path, and of a path with a value in it that
        leads up the end alone is certain.
        """
        if self._leads_to_folders:
            pattern = pattern._replace(words=("",))
        elif len(pattern.words) > 1 and self._climbs:
            pattern = pattern._replace(words=("", pattern.words[-1].rpartition("/")[2]))
        if pattern not in self._contents:
            paths = sorted(file.path for file in self._files.values() if self._is_named(file, pattern))
            self._contents[pattern] = digest([(path, self._id(self.link_target(path))) for path in paths])
        return self._contents[pattern]

    def _is_named(self, file: File, pattern: FilePattern) -> bool:
        """Tell whether a pattern may name a file."""
        is_left_out = pattern.is_policy and file.path not in self._possible_policies
        return file.mode == SUBMODULE or (not is_left_out and holds_in_order(file.path, pattern.words))

    @cached_property
    def _possible_policies(self) -> frozenset[str]:
        """The files that may be policies, by the languages in which they are written or by what they say."""
        return frozenset(filter(self._is_possible_policy, self._files))

    def _is_possible_policy(self, path: str) -> bool:
        source = self.source(path) if is_of_another_language(path) else None
        return source is None or is_policy_all_the_same(source.text)

    @cached_property
    def _leads_to_folders(self) -> bool:
        """Tell whether any link leads to what is no file of the repository."""
        links = (file.path for file in self._files.values() if file.mode == LINK)
        return any(self.link_target(path) not in self._files for path in links)

    @cached_property
    def _climbs(self) -> bool:
        """Tell whether any value may lead to a folder above."""
        return any(leads_up(text) for folder in self.names for text in self.texts(folder))

    def _id(self, path: str) -> str:
        """Return what git calls the content of a file, read if it is not stored yet; empty where there is none."""
        file = self._files.get(path)
        if file is None or file.oid is not None:
            return file.oid or "" if file else ""
        data = self._repository.read(file)
        if data is None or data is OVERSIZED:
            return ""
        return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    def link_target(self, path: str) -> str:
        """Return where links lead from a path, as far as they stay among the files of the repository."""
        for _ in range(_MOST_LINKS):
            link = next(self._links_in(path), None)
            if link is None:
                break
            data = self._repository.read(self._files[link])
            text = "" if data is None or data is OVERSIZED else data.decode("utf-8", "replace")
            path = normpath(f"{link.rpartition('/')[0] or '.'}/{text}{path[len(link) :]}")
        return path

    def _links_in(self, path: str) -> Iterator[str]:
        """Return the links among a path and the folders that it leads through."""
        if self._links:
            names = path.split("/")
            yield from self._links.intersection("/".join(names[:number]) for number in range(1, len(names) + 1))

    def has_link(self, path: str) -> bool:
        """Tell whether a path is a link."""
        return path in self._links

    def links(self, targets: Container[str]) -> Iterator[str]:
        """Return the links that lead to one of these files."""
        return (path for path in self._links if self.link_target(path) in targets)

    def folder(self, path: str) -> Folder | None:
        """A folder with Terraform in it, or one that links lead to."""
        if path not in self._folders:
            target = self.link_target(path)
            self._folders[path] = self._load(path, target) if target in self.names else None
        return self._folders[path]

    def _load(self, path: str, target: str) -> Folder:
        texts: dict[str, Source] = {}
        for name in self.names[target]:
            full_path = f"{target}/{name}" if target else name
            source = self.source(full_path)
            if source is None:
                self.wrong.append(Wrong(Source(full_path, "", self._revision), Problem(NO_TEXT, Span(0, 0))))
            else:
                texts[name] = source
        folder = Folder(path, texts, self.source, lambda: self._files, self._contents_of, self._parsed)
        self.wrong += folder.wrong
        return folder

    def folder_with_values(self, path: str, file: str) -> Folder | None:
        """A folder with the values in a file that Terraform is told to load, if one is named."""
        folder = self.folder(path)
        return folder.with_values(self.source(file), file) if folder and file else folder

    def texts(self, path: str) -> Iterator[str]:
        """The texts of a folder's files, without escapes that would hide a path in them."""
        for name in self.names.get(path, ()):
            yield self._written_in(f"{path}/{name}" if path else name)

    def _written_in(self, path: str) -> str:
        source = self.source(path)
        return _ESCAPE.sub(_symbol, source.text) if source else ""

    def reading_folders(self, changed: Collection[str]) -> Iterator[str]:
        """The folders that may read one of the changed files."""
        readers = Readers(changed, self._files, self._written_in, self._climbs)
        for folder in self.names:
            if any(readers.has(text, folder) for text in self.texts(folder)):
                yield folder

    def calls(self, path: str) -> Iterator[str]:
        """The folders of the modules that a folder calls."""
        for text in self.texts(path):
            for match in _CALLED.finditer(text):
                called_path = normpath(f"{path}/{match[1]}").lstrip("/").removeprefix("./")
                called_path = "" if called_path == "." else called_path
                yield from {called_path, self.link_target(called_path)}


def _read_by(names: list[str], of_opentofu: bool) -> list[str]:
    """The files among these that a tool reads."""
    if of_opentofu:
        return [name for name in names if _OF_TERRAFORM.sub(r".tofu\1", name) not in names or name.endswith(_TOFU)]
    return [name for name in names if not name.endswith(_TOFU)]


def _symbol(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else escape[2]


class Touched(NamedTuple):
    """The `folders` that are judged by themselves, those of them that are `reading` a changed file, as it may be.

    `unseen` are the changed files that the settings exclude and that no such folder leads to.
    """

    folders: frozenset[str] = frozenset()
    reading: frozenset[str] = frozenset()
    unseen: tuple[str, ...] = ()


def touched_folders(trees: tuple[Tree, Tree], changes: Iterable[Change], included: Callable[[str], bool]) -> Touched:
    """Return which folders a change is about."""
    paths = {file.path for change in changes for file in (change.old, change.new) if file}
    paths |= {link for tree in trees for link in tree.links(frozenset(paths))}
    plain = {path for path in paths if not is_read(path.rpartition("/")[2])}
    excluded = sorted(path for path in paths - plain if not included(path))
    folders = {path.rpartition("/")[0] for path in paths - plain if included(path)}
    reading = {folder for tree in trees for folder in tree.reading_folders(plain)} if plain else set()
    links = {path for path in plain if any(tree.has_link(path) for tree in trees)}
    if not folders | reading | links and not excluded:
        return Touched()
    callers = _callers(trees)
    folders |= links | {called for called in callers if links and not links.isdisjoint(_leading(called))}
    readers = frozenset(_roots(reading, callers))
    unseen: list[str] = []
    above_excluded: set[str] = set()
    for path in excluded:
        roots = {root for root in _roots({path.rpartition("/")[0]}, callers) if _has_included(trees, root, included)}
        above_excluded |= roots
        unseen += [] if roots else [path]
    return Touched(frozenset(_roots(folders, callers)) | above_excluded | readers, readers, tuple(unseen))


def _leading(path: str) -> Iterator[str]:
    """The folders that a path leads through."""
    names = path.split("/")
    return ("/".join(names[:number]) for number in range(1, len(names)))


def _has_included(trees: Iterable[Tree], folder: str, included: Callable[[str], bool]) -> bool:
    """Tell whether the settings leave anything of a folder to be judged."""
    prefix = f"{folder}/" if folder else ""
    return any(included(f"{prefix}{name}") for tree in trees for name in tree.names.get(folder, ()))


def _callers(trees: Iterable[Tree]) -> dict[str, set[str]]:
    """The folders that are called as modules, each with those that call it."""
    callers: dict[str, set[str]] = {}
    for tree in trees:
        for folder in tree.names:
            for module in tree.calls(folder):
                callers.setdefault(module, set()).add(folder)
    return callers


def all_roots(tree: Tree) -> list[str]:
    """The folders that Terraform may be run in, as far as their place tells: those that no other calls."""
    return sorted(set(_roots(set(tree.names), _callers([tree]))))


class Present(NamedTuple):
    """The policies of a folder by themselves, what is wrong with others, and which modules are not looked into.

    `addresses` are those of the policies that the findings are about.
    """

    policies: tuple[Policy, ...]
    findings: tuple[Finding, ...]
    elsewhere: tuple[str, ...]
    addresses: Mapping[Finding, str]

    @property
    def findings_by_policy(self) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
        """The findings, by the address of the policy that they are about."""
        by_policy: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.findings:
            by_policy.setdefault((finding.source.path, self.addresses.get(finding, "")), []).append(finding)
        return tuple((address, tuple(findings)) for (_, address), findings in by_policy.items())


def present(tree: Tree, folder: str, by_unit: bool = False) -> Present:
    """The policies of a folder and of the modules that it calls; those of a principal as one unless `by_unit`."""
    contents = [_present(reading, folder, by_unit) for reading in dict.fromkeys(tree.readings(folder))]
    policies: list[Policy] = []
    for each in contents:
        policies += (policy for policy in each.policies if policy not in policies)
    return Present(
        policies=tuple(policies),
        findings=tuple(dict.fromkeys(finding for each in contents for finding in each.findings)),
        elsewhere=tuple(dict.fromkeys(address for each in contents for address in each.elsewhere)),
        addresses={finding: address for each in contents for finding, address in each.addresses.items()},
    )


def policies_in_file(tree: Tree, path: str) -> Present:
    """The policies that are written in one file, by whichever folders lead to it."""
    roots = sorted(_roots({path.rpartition("/")[0]}, _callers([tree])))
    contents = [present(tree, root) for root in roots]
    return Present(
        policies=tuple(policy for each in contents for policy in each.policies if policy.source.path == path),
        findings=tuple(finding for each in contents for finding in each.findings if finding.source.path == path),
        elsewhere=(),
        addresses={finding: address for each in contents for finding, address in each.addresses.items()},
    )


def _present(tree: Tree, folder: str, by_unit: bool) -> Present:
    contents = tree.folder(folder)
    every = all_units(root(contents, tree.folder, frozenset())) if contents else ()
    local_units = [unit for unit in every if not unit.elsewhere and not (by_unit and unit.attached)]
    groups = [[unit] for unit in local_units] if by_unit else list(units_by_principal(local_units).values())
    policies: list[Policy] = []
    addresses: dict[Finding, str] = {}
    for units in groups:
        findings = [finding for unit in units for finding in unreadable_findings(unit.source, unit.problems)]
        policy = union(units, findings)
        policies += [policy] if policy else []
        addresses |= dict.fromkeys(findings, units[0].address)
    elsewhere = tuple(dict.fromkeys(unit.address for unit in every if unit.elsewhere))
    return Present(tuple(policies), tuple(addresses), elsewhere, addresses)


def _roots(folders: set[str], callers: Mapping[str, set[str]]) -> Iterator[str]:
    """The folders that nobody calls and that lead to one of these; of a circle that nobody calls, all of these.

    What only examples and tests call, or lies at the top, is published, too: others may call it in other ways.
    """
    folders_above = _closure(folders, lambda folder: callers.get(folder, set()))
    tops = {
        folder
        for folder in folders_above
        if not folder or all(map(_OF_TRIALS.search, callers.get(folder, set()) - {folder}))
    }
    callees: dict[str, set[str]] = {}
    for folder in folders_above:
        for caller in callers.get(folder, ()):
            callees.setdefault(caller, set()).add(folder)
    yield from tops | (folders - _closure(tops, lambda folder: callees.get(folder, set())))


def _closure(start: set[str], following: Callable[[str], set[str]]) -> set[str]:
    """All that can be reached, the start too."""
    waiting, closure = list(start), set(start)
    while waiting:
        new_folders = following(waiting.pop()) - closure
        waiting += new_folders
        closure |= new_folders
    return closure


class Values(NamedTuple):
    """The paths of a file of values that Terraform is told to load, before a change and after it; empty for none."""

    old_path: str = ""
    new_path: str = ""


def compare_folder(
    trees: tuple[Tree, Tree],
    folder: str,
    files_differ: bool,
    by_principal: bool,
    all_values: Sequence[Values] = (Values(),),
) -> FileResult:
    """The pairs of a folder whose policies may differ, and what cannot be judged, by whichever tool reads it.

    With `by_principal` those of one principal are one question. The folder is compared with each of the values.
    """
    readings = dict.fromkeys(zip(*(tree.readings(folder) for tree in trees), strict=True))
    results = [
        _compared(sides, folder, files_differ, by_principal, values) for sides in readings for values in all_values
    ]
    pairs: list[Pair] = []
    for result in results:
        pairs += (pair for pair in result.pairs if pair not in pairs)
    return FileResult(tuple(pairs), tuple(dict.fromkeys(finding for result in results for finding in result.findings)))


def _compared(
    trees: tuple[Tree, Tree], folder: str, files_differ: bool, by_principal: bool, values: Values
) -> FileResult:
    new_tree = trees[1]

    @cache
    def old_folder(path: str) -> Folder | None:
        """Return a folder of the old side with the addresses that `moved` blocks in its new version give."""
        before = trees[0].folder_with_values(path, values.old_path if path == folder else "")
        after = new_tree.folder(path)
        return with_new_names(before, after) if before and after else before

    old, new = old_folder(folder), new_tree.folder_with_values(folder, values.new_path)
    empty = Folder(folder, {})
    differing = changed_variables(old or empty, new or empty)
    old_scope = root(old, old_folder, differing) if old else None
    new_scope = root(new, new_tree.folder, differing) if new else None
    sides = differing_units(old_scope, new_scope, files_differ)
    findings = [finding for unit in sides.new for finding in unreadable_findings(unit.source, unit.problems)]
    findings += _unreadable_removals(sides)
    return compare_sides(sides if by_principal else one_by_one(sides), findings)


def _unreadable_removals(sides: Sides) -> Iterator[Finding]:
    """The policies that are gone and that nobody could read, where a file may have denied something."""
    new_addresses = {unit.address for unit in sides.new}
    for unit in sides.old:
        if unit.problems and unit.address not in new_addresses and _DENIES.search(unit.source.text):
            words = "a policy that cannot be worked out is gone from here, and may have denied something"
            yield from unreadable_findings(unit.source, (Problem(words, unit.problems[0].span),))
