"""Which actions are not used: by one principal, by any of several, and by all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from policy_guard.documents.globs import glob
from policy_guard.records import NamedTuple


class ActionCatalog(Protocol):
    """The actions that AWS has, as the module `catalog` gives them."""

    def services(self) -> tuple[str, ...]: ...

    def actions(self, service: str) -> tuple[str, ...]: ...


class Use(NamedTuple):
    """An action, or with `name` empty all of a service, that is not used; `last` is the day of its last use, if any."""

    service: str
    name: str
    last: str | None = None

    @property
    def action(self) -> str:
        """In lower case with its prefix."""
        return f"{self.service}:{self.name}".lower()


class Untracked(NamedTuple):
    """An action whose use AWS does not record, as AWS spells it, and the page that says so."""

    action: str
    page: str


UNTRACKED = {
    untracked.action.lower(): untracked
    for untracked in (
        Untracked("iam:PassRole", "IAM User Guide, access_policies_last-accessed"),
        # Nor does CloudTrail log it, from which the information comes.
        Untracked("rds-db:connect", "Amazon RDS User Guide, UsingWithRDS.IAMDBAuth"),
    )
}
"""By their lower case. That nothing of their service was used says nothing of them."""


@dataclass(frozen=True)
class Unused:
    """Actions that are not used, by `service:name` in lower case; `service:` stands for all of a service.

    Of an action in `UNTRACKED` only a finding about the action itself counts.

    `keep` are patterns of actions that count as used all the same. `by` names the principals, each with the day of
    the analysis, for people.
    """

    uses: Mapping[str, Use] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    def use(self, action: str) -> Use | None:
        """Return the action if it is unused; None if it is used, or to be kept."""
        action_text = action.lower()
        use = self.recorded_use(action_text)
        return None if use is None or self.keeps(action_text) else use

    def recorded_use(self, action: str) -> Use | None:
        """Return what the findings say of an action in lower case, to be kept or not."""
        use = self.uses.get(action)
        return use if use or action in UNTRACKED else self._service_use(action)

    def stays_untracked(self, action: str) -> bool:
        """Tell whether an action, in lower case, stays because AWS does not record its use."""
        return action in UNTRACKED and action not in self.uses and self._service_use(action) is not None

    def _service_use(self, action: str) -> Use | None:
        return self.uses.get(action.partition(":")[0] + ":")

    def keeps(self, action: str) -> bool:
        """Tell whether the action, in lower case, is to be kept."""
        if not self.keep:
            return False
        matchers = (*self._keep_by_service.get(action.partition(":")[0], ()), *self._keep_by_service.get("", ()))
        return any(matches(action) for matches in matchers)

    def has_all_of(self, service: str) -> bool:
        """Tell whether nothing of a service is used, and nothing of it is to be kept."""
        matchers = (glob(pattern.lower().partition(":")[0]) for pattern in self.keep)
        stays = any(self.stays_untracked(action) for action in _untracked_actions(service))
        return f"{service}:" in self.uses and not stays and not any(matches(service) for matches in matchers)

    def names(self, service: str, catalog: ActionCatalog) -> Mapping[str, str]:
        """The actions of a service without prefix, by their lower case: AWS's, and those of findings and `keep`."""
        service = service.lower()
        if service not in self._names:
            spellings = [name for name in self._by_service.get(service, ()) if name]
            pairs = (pattern.partition(":")[::2] for pattern in self.keep if "*" not in pattern and "?" not in pattern)
            spellings += (name for prefix, name in pairs if prefix.lower() == service)
            spellings += (UNTRACKED[each].action.partition(":")[2] for each in _untracked_actions(service))
            self._names[service] = {name.lower(): name for name in (*spellings, *catalog.actions(service))}
        return self._names[service]

    def services(self, catalog: ActionCatalog) -> tuple[str, ...]:
        """The prefixes of all services, in lower case."""
        kept_services = (service for service in self._keep_by_service if service)
        return tuple(dict.fromkeys([*catalog.services(), *self._by_service, *kept_services]))

    @cached_property
    def without_keep(self) -> Unused:
        return replace(self, keep=())

    @cached_property
    def memory(self) -> dict[Hashable, object]:
        """Return what others have worked out from this, to be asked for again."""
        return {}

    @cached_property
    def _keep_by_service(self) -> dict[str, list[Callable[[str], bool]]]:
        """Return what the patterns cover, by their services; those with wildcards in it under no name."""
        matchers: dict[str, list[Callable[[str], bool]]] = {}
        for pattern in map(str.lower, self.keep):
            service, colon, _ = pattern.partition(":")
            plain = colon and "*" not in service and "?" not in service
            matchers.setdefault(service if plain else "", []).append(glob(pattern))
        return matchers

    @cached_property
    def _names(self) -> dict[str, Mapping[str, str]]:
        return {}

    @cached_property
    def _by_service(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for key, use in self.uses.items():
            names.setdefault(key.partition(":")[0], []).append(use.name)
        return names


def collect_unused(uses: Iterable[Use]) -> Unused:
    """Return what is in any of the lists, with the latest use."""
    uses_by_action: dict[str, Use] = {}
    for use in uses:
        uses_by_action[use.action] = _later_use(uses_by_action.get(use.action, use), use)
    return Unused(uses_by_action)


def unused_by_all(of_each: Iterable[Unused]) -> Unused:
    """Return what none of several principals uses."""
    first, *unuseds = [*of_each] or [Unused()]
    for second in unuseds:
        uses = [(key, _common_use(first, second, key)) for key in {**first.uses, **second.uses}]
        first = Unused({key: use for key, use in uses if use})
    return first


def _untracked_actions(service: str) -> list[str]:
    return [each for each in UNTRACKED if each.startswith(f"{service}:")]


def _common_use(first: Unused, second: Unused, key: str) -> Use | None:
    first_use, second_use = first.recorded_use(key), second.recorded_use(key)
    if first_use is None or second_use is None:
        return None
    use = first_use if first_use.name else second_use
    return _later_use(use, second_use if use is first_use else first_use)


def _later_use(first: Use, second: Use) -> Use:
    """The use with the later of both days."""
    return first._replace(last=max(filter(None, (first.last, second.last)), default=None))
