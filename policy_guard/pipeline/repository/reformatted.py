"""Templates that go in one format and come in another under another name, and snapshots that move and change.

What git calls a rename is a text of which half stays. Here it is half of the resources of a template, by what they say;
a snapshot belongs to the test whose name it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from posixpath import basename
from typing import TypeAlias

from policy_guard.documents.containers.revision_files import TEMPLATE_SUFFIXES
from policy_guard.documents.formats.snapshots import SUFFIXES as SNAPSHOTS
from policy_guard.pipeline.repository import LINK, SUBMODULE, File
from policy_guard.pipeline.repository.objects import OVERSIZED

Read: TypeAlias = Callable[[File], "bytes | None"]
_MOST_FILES = 20
_LARGEST = 1_000_000
_LEAST = 0.5


def moved_files(deleted: Sequence[File], added: Sequence[File], read: Read) -> Iterator[tuple[File, File]]:
    """The files that went, each with the one that came in its place, where only one can be meant."""
    yield from _snapshots(deleted, added)
    olds, news = ([*_templates(files, read)] for files in (deleted, added))
    if not olds or not news or max(len(olds), len(news)) > _MOST_FILES:
        return
    old_texts, new_texts = ([_resource_texts(file, data) for file, data in side] for side in (olds, news))
    pairs = [
        (old, new)
        for old, old_text in enumerate(old_texts)
        for new, new_text in enumerate(new_texts)
        if _share(old_text, new_text) >= _LEAST
    ]
    for old, new in pairs:
        if sum(each[0] == old for each in pairs) == sum(each[1] == new for each in pairs) == 1:
            yield olds[old][0], news[new][0]


def _snapshots(deleted: Sequence[File], added: Sequence[File]) -> Iterator[tuple[File, File]]:
    by_name: list[dict[str, list[File]]] = [{}, {}]
    for files, names in zip((deleted, added), by_name, strict=True):
        for file in files:
            if file.path.lower().endswith(SNAPSHOTS):
                names.setdefault(basename(file.path), []).append(file)
    for name, olds in by_name[0].items():
        news = by_name[1].get(name, [])
        if len(olds) == len(news) == 1:
            yield olds[0], news[0]


def _templates(files: Sequence[File], read: Read) -> Iterator[tuple[File, bytes]]:
    """The files that may be templates, as far as their bytes tell."""
    for file in files:
        if file.path.lower().endswith(TEMPLATE_SUFFIXES) and file.mode not in (LINK, SUBMODULE):
            data = read(file)
            if data is not None and data is not OVERSIZED and len(data) <= _LARGEST and _may_be_template(data):
                yield file, data


def _may_be_template(data: bytes) -> bool:
    return b"Resources" in data and b"AWS::" in data


def _resource_texts(file: File, data: bytes) -> dict[str, str]:
    """What each resource of a template says, in whatever format it is written."""
    from policy_guard.documents.containers.cloudformation.calls import canonical
    from policy_guard.documents.containers.cloudformation.template import is_template
    from policy_guard.documents.format import decode
    from policy_guard.documents.formats import read as trees
    from policy_guard.documents.source import Object, Unreadable

    try:
        documents = trees(decode(file.path, data, ""))
    except Unreadable:
        return {}
    (document, *others) = documents or (None,)
    if others or not isinstance(document, Object) or not is_template(document):
        return {}
    resources = document.get("Resources")
    assert isinstance(resources, Object)
    return {key.text: canonical(value) for key, value in resources.entries}


def _share(old: dict[str, str], new: dict[str, str]) -> float:
    """How much of two templates is the same, by the lengths of their resources."""
    same = sum(len(text) for name, text in old.items() if new.get(name) == text)
    longest = max(sum(map(len, old.values())), sum(map(len, new.values())))
    return same / longest if longest else 0.0
