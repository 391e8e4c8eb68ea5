"""Where resources hold policies: by type, in a table, and the parts of their properties."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from policy_guard.records import NamedTuple

_FILE = Path(__file__).with_name("places.txt")
_INLINE = "Policies[].PolicyDocument"


class Place(NamedTuple):
    """A property that holds a policy. In `path`, `[]` stands for every item of a list.

    `kind` is that of the policy, or `organizations` if the property Type decides. `holders` are the properties that
    say whose it is; with none, it is the resource's own, and with `account` all of the account's.
    """

    path: str
    kind: str
    holders: tuple[str, ...]
    account: bool

    @property
    def is_inline(self) -> bool:
        """Tell whether the policy is one of a list with names."""
        return self.path == _INLINE


@cache
def places() -> dict[str, tuple[Place, ...]]:
    """The places of each type."""
    table: dict[str, tuple[Place, ...]] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        name, path, kind, holder_field = line.split(" ")
        holders = () if holder_field in ("-", "account") else tuple(holder_field.split(","))
        place = Place(path=path, kind=kind, holders=holders, account=holder_field == "account")
        table[name] = (*table.get(name, ()), place)
    return table
