"""Files of values that Terraform loads where it is told to: which folders a changed one may give values to.

Source: Terraform, "Input Variables", "Variable Definitions (.tfvars) Files".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from policy_guard.documents.containers.terraform.folder import Folder, Wrong, is_read
from policy_guard.pipeline.pairing.terraform import Tree, Values, all_roots
from policy_guard.pipeline.repository.changes import Change
from policy_guard.records import NamedTuple

_SUFFIXES = (".tfvars", ".tfvars.json")
_OF_TERRAFORM = (".tf", ".tofu", ".tf.json", ".tofu.json")


class Given(NamedTuple):
    """The changed files of values, by the folders that declare a variable which has another value in them.

    `wrong` is what cannot be read of them. No folder declares what the `foreign` ones give; `unseen` are those that the
    settings exclude.
    """

    values: Mapping[str, tuple[Values, ...]]
    wrong: tuple[Wrong, ...] = ()
    foreign: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def is_loaded_on_demand(tree: Tree, path: str) -> bool:
    """Tell whether a file holds values that Terraform loads where it is told to: none of its name beside its own."""
    folder, _, name = path.rpartition("/")
    is_beside = is_read(name) and any(each.endswith(_OF_TERRAFORM) for each in tree.names.get(folder, ()))
    return path.endswith(_SUFFIXES) and not is_beside


def given_values(trees: tuple[Tree, Tree], changes: Iterable[Change], included: Callable[[str], bool]) -> Given:
    """Return which folders the changed files of values may give them to; Terraform stops where one is gone."""
    by_folder: dict[str, list[Values]] = {}
    wrong: list[Wrong] = []
    foreign: list[str] = []
    unseen: list[str] = []
    for values in dict.fromkeys(_changed_values(trees[1], changes)):
        old, new = (_assigned(tree, path) for tree, path in zip(trees, values, strict=True))
        names = {name for name in {**old.texts, **new.texts} if old.texts.get(name) != new.texts.get(name)}
        folders = [] if new.wrong else list(_folders(trees[1], values.new_path, names))
        if not included(values.new_path):
            unseen += [values.new_path] if folders or new.wrong else []
            continue
        wrong += new.wrong
        foreign += [] if folders or new.wrong or not names else [values.new_path]
        for folder in folders:
            by_folder.setdefault(folder, []).append(values)
    values_by_folder = {folder: tuple(all_values) for folder, all_values in by_folder.items()}
    return Given(values_by_folder, tuple(wrong), tuple(foreign), tuple(unseen))


def _changed_values(tree: Tree, changes: Iterable[Change]) -> Iterator[Values]:
    """The changed files of values, and the links that lead to one."""
    for change in changes:
        old_path = change.old.path if change.old else ""
        for path in (change.new.path, *tree.links((change.new.path,))) if change.new else ():
            if is_loaded_on_demand(tree, path):
                yield Values(old_path if path == change.path else path, path)


class _Assigned(NamedTuple):
    """The variables that a file gives values, each with its text, and what of it cannot be read."""

    texts: Mapping[str, str]
    wrong: tuple[Wrong, ...]


def _assigned(tree: Tree, path: str) -> _Assigned:
    folder = Folder("", {}).with_values(tree.source(path), path) if path else Folder("", {})
    return _Assigned({name: each.text for name, each in folder.assignments.items()}, tuple(folder.wrong))


def _folders(tree: Tree, path: str, names: set[str]) -> Iterator[str]:
    """The folders that declare one of these variables: the nearest around a file of values, and roots elsewhere.

    Of what the nearest does not declare, all roots are taken that do, and modules where no root does.
    """
    remaining_names, above = set(names), path
    while above and remaining_names == names:
        above = above.rpartition("/")[0]
        if declared_names := names & _declared(tree.folder(above)):
            yield above
            remaining_names -= declared_names
    if remaining_names:
        elsewhere = [folder for folder in sorted(tree.names) if remaining_names & _declared(tree.folder(folder))]
        roots = frozenset(all_roots(tree))
        yield from [folder for folder in elsewhere if folder in roots] or elsewhere


def _declared(folder: Folder | None) -> set[str]:
    definitions = folder.definitions if folder else ()
    return {name.removeprefix("var.") for name in definitions if name.startswith("var.")}
