"""Files that variables of the Serverless Framework read, by names in which variables may stand again."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from policy_guard.documents.containers.revision_files import RevisionFiles, from_root
from policy_guard.regex import regex

_READ = regex(r"file\(([^()\n]{1,400})\)")
_INSIDE = regex(r"\$\{[^{}]*\}")


def is_serverless_name(path: str) -> bool:
    """Tell whether a file is one of the Serverless Framework by its name: it may name other files alone."""
    name = path.lower().rpartition("/")[2]
    return name.startswith("serverless") and name.endswith((".yml", ".yaml", ".json"))


def is_environment(name: str, path: str) -> bool:
    """Tell whether a file may set variables of the environment for the file of this path."""
    folder, _, last = name.rpartition("/")
    return last.startswith(".env") and (not folder or path.startswith(f"{folder}/"))


def is_composition(name: str) -> bool:
    """Tell whether a file may give parameters to several files of the Serverless Framework."""
    return name.rpartition("/")[2].startswith("serverless-compose.")


def composition_files(revision_files: RevisionFiles, extra_paths: Collection[str]) -> set[str]:
    """The files that may give parameters to several files of the Serverless Framework, and those that these read."""
    compositions = [path for path in revision_files.paths() if is_composition(path)]
    return {each for path in compositions for each in (path, *files_read(path, revision_files, extra_paths))}


def parts(revision_files: RevisionFiles) -> frozenset[str]:
    """The files that files of the Serverless Framework read: what stands in them is judged as it is put together."""
    files = [path for path in revision_files.paths() if is_serverless_name(path)]
    return frozenset(part for path in files for part in files_read(path, revision_files, ()))


def files_read(path: str, files: RevisionFiles, extra_paths: Collection[str]) -> set[str]:
    """The files that a file reads, by way of others too; those in `extra_paths` may be read even if not there."""
    paths = {*files.paths(), *extra_paths}
    stack, visited = [path], set[str]()
    while stack:
        source = files.read(stack.pop())
        for name in set(names_read(source.text, path)) if source else ():
            matching_paths = {each for each in paths if fits(name, each)} if "${" in name else {name} & paths
            stack += matching_paths - visited
            visited |= matching_paths
    return visited


def names_read(text: str, reading: str) -> Iterator[str]:
    """The names of the files that a text reads, from the root: what a file of this path reads lies beside it."""
    yield from (from_root(match[1].strip(), reading) for match in _READ.finditer(text))


def fits(name: str, path: str) -> bool:
    """Tell whether a path may be the one of a name in which variables stand for any text."""
    first, *following_parts = _literal_parts(name)
    if not following_parts or not path.startswith(first):
        return path == first
    at = len(first)
    for part in following_parts[:-1]:
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return path.endswith(following_parts[-1]) and len(path) - len(following_parts[-1]) >= at


def _literal_parts(name: str) -> list[str]:
    """Return what stands around the variables of a name; variables in variables count as one."""
    while (masked_name := _INSIDE.sub("\0", name)) != name:
        name = masked_name
    return name.split("\0")
