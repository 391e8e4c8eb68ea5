"""New files that are the policy of a resource of Terraform: they are judged there, against what it had before."""

from __future__ import annotations

from collections.abc import Callable, Collection

from policy_guard.documents.containers.terraform.read_files import files_of_policies
from policy_guard.documents.containers.terraform.units import root
from policy_guard.pipeline.pairing.terraform import Tree, all_roots


def policy_files(tree: Tree, paths: Collection[str], included: Callable[[str], bool]) -> frozenset[str]:
    """The files among these that a resource has as its policy, in files that the settings do not exclude."""
    names = {path.rpartition("/")[2] for path in paths}
    readers = {folder for folder in tree.names if any(name in text for text in tree.texts(folder) for name in names)}
    roots = [folder for folder in all_roots(tree) if _leads_to(tree, folder, readers)] if readers else []
    return frozenset(
        path
        for folder in filter(None, map(tree.folder, roots))
        for path, reader in files_of_policies(root(folder, tree.folder, frozenset()), paths)
        if included(reader)
    )


def _leads_to(tree: Tree, folder: str, targets: Collection[str]) -> bool:
    """Tell whether a folder is one of these, or one of them is among the modules below it."""
    waiting, visited = [folder], {folder}
    while waiting:
        path = waiting.pop()
        if path in targets:
            return True
        called_paths = set(tree.calls(path)) - visited
        visited |= called_paths
        waiting += called_paths
    return False
