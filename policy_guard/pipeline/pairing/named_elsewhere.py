"""Principals that other files of a repository name: these may give them something that is not seen beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policy_guard.documents.format import sniff
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository.objects import OVERSIZED
from policy_guard.pipeline.repository.revisions import Revision

_MOST_BYTES = 200_000_000
# In texts with these, a name may be written in other bytes. Source: YAML 1.2, "Escaped Characters".
_ESCAPES = (b"\\x", b"\\u00", b"\\U0000", b"\\\n")


def unless_named_elsewhere(reader: Reader, revision: Revision, pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs, those of boundaries by themselves whose principals other files may give something."""
    every = tuple(pairs)
    unsearched = {name.encode(): pair.path for pair in every for name in pair.named}
    named = set(_named_elsewhere(reader, revision, unsearched))
    for pair in every:
        is_named = not named.isdisjoint(name.encode() for name in pair.named)
        yield pair._replace(within=None) if is_named else pair


def _named_elsewhere(reader: Reader, revision: Revision, paths: Mapping[bytes, str]) -> Iterator[bytes]:
    """The names that some file has beside that of their principal; all of them where there is too much to read."""
    size, acceptances = 0, f"{reader.settings.config.accepted}/"
    for path, file in reader.files(revision).items():
        data = reader.content(file) if not path.startswith(acceptances) else None
        if data is None:
            continue
        size += len(data)
        if data is OVERSIZED or size > _MOST_BYTES:
            yield from paths
            return
        names = [name for name, at in paths.items() if not _is_beside(path, at)]
        if names and any(escape in data for escape in _ESCAPES) and sniff(data):
            yield from names
        yield from (name for name in names if name in data)


def _is_beside(path: str, other: str) -> bool:
    """Tell whether a file is another, or of its root of Terraform, in which all that speaks of a principal is known."""
    folder, _, name = path.rpartition("/")
    other_folder, _, other_name = other.rpartition("/")
    return path == other or (folder == other_folder and all(n.endswith((".tf", ".tofu")) for n in (name, other_name)))
