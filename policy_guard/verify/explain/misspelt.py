"""Names that AWS does not have, with those that are spelled almost like them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from policy_guard.documents.containers import managed
from policy_guard.iam import catalog
from policy_guard.iam.meaning.prover import Prover
from policy_guard.iam.policy import MADE_UP, Statement, Value
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import holes
from policy_guard.verify.explain.without_document import is_made_up, unknown_policies

_MOST_LOOKED_UP = 5
_LONGEST = 100
# Comparing a name with all names of a service takes about eight milliseconds.
_STEPS_A_NAME = 5_000


class Misspelt(NamedTuple):
    """A name that AWS does not have, and the name that was probably meant."""

    name: str
    suggestion: str


class Suggestions:
    """Looks up misspelt names: few for one question, out of what may be spent on telling findings well."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self._lookups_left = _MOST_LOOKED_UP
        self._nearest_names: dict[str, str | None] = {}

    def find(self, statement: Statement | None, actions: Iterable[Value]) -> Iterator[Misspelt]:
        """Return the misspelt ones of these actions, and of the condition keys and attached policies of a statement."""
        if statement is None:
            return
        texts = (value.text for value in actions if not holes(value.pattern))
        plain_texts = (
            text for text in texts if ":" in text and "*" not in text and "?" not in text and not is_made_up(text)
        )
        yield from self._look_up((text for text in plain_texts if not catalog.exists(text)), catalog.nearest)
        yield from self.find_keys(statement)
        yield from self._look_up(unknown_policies(statement), managed.nearest)

    def find_keys(self, statement: Statement) -> Iterator[Misspelt]:
        """Return the misspelt ones of the condition keys of a statement."""
        keys = [c.written_key for c in statement.conditions if not c.unknown_key and not c.key.startswith(MADE_UP)]
        unknown_keys = (key for key in keys if not _is_claim(key) and catalog.key_type(key) is None)
        yield from self._look_up(unknown_keys, catalog.nearest_key)
        yield from self._look_up(filter(_is_claim, keys), catalog.nearest_claim)

    def _look_up(self, names: Iterable[str], nearest: Callable[[str], str | None]) -> Iterator[Misspelt]:
        for name in dict.fromkeys(names):
            if name not in self._nearest_names and self._may_look_up(name):
                self._nearest_names[name] = nearest(name)
            if suggestion := self._nearest_names.get(name):
                yield Misspelt(name, suggestion)

    def _may_look_up(self, name: str) -> bool:
        if len(name) > _LONGEST or not self._lookups_left or not self._prover.may_replay(0, _STEPS_A_NAME):
            return False
        self._lookups_left -= 1
        return True


def _is_claim(key: str) -> bool:
    """Tell whether a key is a claim of an identity provider, which has a host's name: its claims are its own.

    Source: IAM User Guide, reference_policies_iam-condition-keys, "Available keys for AWS OIDC federation".
    """
    return "." in key.partition(":")[0]
