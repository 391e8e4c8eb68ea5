"""A part of a run's policies, so that several machines share them: which, and what a merge has to know of it.

What is judged together stays together: a file, a folder of Terraform, or a group is in one shard, by a digest of its
name. What is said of the repository as a whole is said in each shard, and once by the merge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from policy_guard.documents.errors import SetupError
from policy_guard.records import NamedTuple

if TYPE_CHECKING:
    from policy_guard.pipeline.repository.changes import Comparison
    from policy_guard.settings.load import Settings

MOST = 10_000


class Shard(NamedTuple):
    """One of so many parts, counted from 1."""

    number: int = 1
    total: int = 1

    def holds(self, unit: str) -> bool:
        """Tell whether a file, folder or group belongs to this part."""
        if self.total == 1:
            return True
        from hashlib import sha256

        digest = sha256(unit.encode(errors="surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.total == self.number - 1


def shard_from(text: str | None) -> Shard | None:
    """The part that is asked for as "2/4". Raises `SetupError`."""
    if text is None:
        return None
    number, _, total = text.partition("/")
    if not (number.isascii() and number.isdecimal() and total.isascii() and total.isdecimal()):
        raise SetupError('--shard is written "2/4", the second of four parts.')
    if not 1 <= int(number) <= int(total) <= MOST:
        raise SetupError(f"--shard is one of 1/N to N/N, and N is {MOST:,} at most.")
    return Shard(int(number), int(total))


def subject(comparison: Comparison, settings: Settings, options: Mapping[str, Any]) -> dict[str, str]:
    """Return what has to be the same in all parts of a run. Raises `SetupError` if it is not the same everywhere."""
    from policy_guard.pipeline.tasks import marks

    if comparison.new.commit is None:
        raise SetupError("--shard takes part of a commit, which is the same on every machine. Set CI=true, or commit.")
    entries = [(entry.meaning(), entry.reason, entry.page) for entry in settings.critical]
    return {
        "versions": marks(),
        "base": comparison.old.tree,
        "commit": comparison.new.commit,
        "settings": _digest([settings.config, settings.old_config, entries]),
        "options": _digest(dict(options)),
    }


def _digest(value: Any) -> str:
    from hashlib import sha256

    return sha256(repr(_in_order(value)).encode(errors="surrogateescape")).hexdigest()[:16]


def _in_order(value: Any) -> Any:
    """A value with all sets in it in one order, whatever process it is printed by."""
    if isinstance(value, (frozenset, set)):
        return sorted((_in_order(each) for each in value), key=repr)
    if isinstance(value, dict):
        return sorted(((key, _in_order(each)) for key, each in value.items()), key=repr)
    if isinstance(value, (tuple, list)):
        return [_in_order(each) for each in value]
    return value
