"""One action of a policy, held against what is not used: it stays, it goes, or narrower patterns take its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from policy_guard.documents.globs import begins_within, glob
from policy_guard.iam.prefix_tree import Branch, Split, characters, grow, words
from policy_guard.records import NamedTuple
from policy_guard.refine.unused_actions import UNTRACKED, ActionCatalog, Unused, Use
from policy_guard.solver.strings.pattern import Pattern, Wildcard


class Scope(NamedTuple):
    """What is held against policies: what is not used, the actions that there are, and how prefixes are cut.

    `coarse` cuts prefixes inside of words, so that they are fewer and cover more of what is not known today.
    """

    unused: Unused
    catalog: ActionCatalog
    coarse: bool = False

    @property
    def split(self) -> Split:
        return characters if self.coarse else words

    def narrowing(self, text: str) -> Narrowing | None:
        """`narrow`, once for each text."""
        memory = self.unused.memory
        key = text, self.coarse
        if key not in memory:
            memory[key] = narrow(text, self)
        narrowing = memory[key]
        assert narrowing is None or isinstance(narrowing, Narrowing)
        return narrowing

    def knows_little(self, coverage: Covered) -> bool:
        """Tell whether a service is used, as far as can be told, and its actions are not known."""
        return not self.catalog.actions(coverage.service) and not self.unused.has_all_of(coverage.service)


class Covered(NamedTuple):
    """The actions of one service that a pattern covers today, without prefix, and those of them that are not used.

    `whole_service` tells that the findings speak of all of it.
    """

    service: str
    names: tuple[str, ...]
    unused: tuple[Use, ...]
    whole_service: bool = False


class Narrowing(NamedTuple):
    """What takes the place of a pattern, in IAM's spelling: nothing where all of it goes."""

    patterns: tuple[str, ...]
    covered: tuple[Covered, ...]
    trees: tuple[tuple[str, Branch], ...]

    @property
    def unused(self) -> tuple[Use, ...]:
        return tuple(use for covered in self.covered for use in covered.unused)


def as_glob(pattern: Pattern) -> str:
    """The pattern as a text of letters, `*` and `?`, with `*` for whatever is filled in."""
    return "".join(p if isinstance(p, str) else p.symbol if isinstance(p, Wildcard) else "*" for p in pattern.parts)


def narrow(text: str, scope: Scope) -> Narrowing | None:
    """Return what is left of an action or pattern without what is not used; None if it stays as it is."""
    covered = tuple(_coverage(text, scope))
    if not any(each.unused for each in covered):
        return None
    prefix, name = _halves(text)
    allowed = begins_within(name.lower())
    patterns: list[str] = []
    trees: list[tuple[str, Branch]] = []
    for service, names, unused, _ in covered:
        service_text = service if "*" in prefix or "?" in prefix else prefix
        if not unused:
            patterns.append(f"{service_text}:{name}")
            continue
        tree = grow(names, (use.name for use in unused), scope.split, allowed)
        trees.append((service_text, tree))
        patterns += (f"{service_text}:{chosen}" for chosen in tree.cover())
    patterns += (each for each in scope.unused.keep if _is_plain(each) and _covers(text.lower(), each.lower()))
    return Narrowing(tuple(drop_covered(patterns)), covered, tuple(trees))


def kept_actions(text: str, scope: Scope) -> tuple[str, ...]:
    """The unused actions that a pattern covers and that are to be kept."""
    if not scope.unused.keep:
        return ()
    all_unused = scope.unused.without_keep
    narrowing = scope._replace(unused=all_unused).narrowing(text)
    uses = (use.action for use in (narrowing.unused if narrowing else ()))
    return tuple(action for action in uses if scope.unused.keeps(action))


def untracked_actions(text: str, scope: Scope) -> tuple[str, ...]:
    """The actions that a pattern covers and that stay because AWS does not record their use."""
    actions = (
        action for action in UNTRACKED if scope.unused.stays_untracked(action) and not scope.unused.keeps(action)
    )
    return tuple(action for action in actions if _covers(text.lower(), action))


def drop_covered(patterns: Iterable[str], other_patterns: Iterable[str] = ()) -> Iterator[str]:
    """The patterns, each once, that no prefix among them and none of the others covers."""
    candidates = list(dict.fromkeys(patterns))
    longer_patterns = _longer_patterns(candidates)
    other_texts = {pattern.lower() for pattern in other_patterns}
    wildcards: dict[str, list[str]] = {}
    for pattern in other_texts:
        if "*" in pattern or "?" in pattern:
            wildcards.setdefault(_service_of(pattern), []).append(pattern)
    for candidate in candidates:
        text = candidate.lower()
        neighbours = chain(wildcards.get("", ()), wildcards.get(_service_of(text), ())) if wildcards else ()
        if (
            candidate not in longer_patterns
            and text not in other_texts
            and not any(_covers(pattern, text) for pattern in neighbours)
        ):
            yield candidate


def _longer_patterns(patterns: Iterable[str]) -> set[str]:
    """Return those that begin with another one's prefix. In alphabetical order they stand right behind it."""
    in_order = sorted((pattern.lower().removesuffix("*"), not pattern.endswith("*"), pattern) for pattern in patterns)
    longer_patterns: set[str] = set()
    prefix: str | None = None
    for fixed_text, exact, pattern in in_order:
        if prefix is not None and fixed_text.startswith(prefix):
            longer_patterns.add(pattern)
        elif not exact:
            prefix = fixed_text
    return longer_patterns


def _coverage(text: str, scope: Scope) -> Iterator[Covered]:
    prefix, name = _halves(text)
    services: tuple[str, ...] = (prefix.lower(),)
    if "*" in prefix or "?" in prefix:
        services = tuple(filter(glob(prefix.lower()), scope.unused.services(scope.catalog)))
    is_spelled_out = services == (prefix.lower(),)
    for service in services:
        if names := _names(service, name, scope, is_spelled_out):
            uses = [(each, scope.unused.use(f"{service}:{each}")) for each in names]
            unused = tuple(Use(service, each, use.last) for each, use in uses if use)
            yield Covered(service, names, unused, any(use and not use.name for _, use in uses))


def _names(service: str, name: str, scope: Scope, is_spelled_out: bool) -> tuple[str, ...]:
    """The actions that a name or pattern covers.

    If the service `is_spelled_out`, a name that nobody knows is an action all the same, and a pattern
    stands for what it covers of a service without known actions that is not used at all.
    """
    spellings = scope.unused.names(service, scope.catalog)
    if "*" not in name and "?" not in name:
        spelling = spellings.get(name.lower(), name if is_spelled_out else None)
        return (spelling,) if spelling else ()
    covers = glob(name.lower())
    names = tuple(spelling for lower, spelling in spellings.items() if covers(lower))
    return names or ((name,) if is_spelled_out and scope.unused.use(f"{service}:{name}") else ())


def _service_of(pattern: str) -> str:
    """The prefix that the pattern spells out, or nothing."""
    prefix, _ = _halves(pattern)
    return "" if "*" in prefix or "?" in prefix else prefix


def _is_plain(pattern: str) -> bool:
    """Tell whether the pattern is a name, or what a name begins with."""
    return not any(wild in pattern.removesuffix("*") for wild in "*?") and not pattern.endswith(":*")


def _halves(text: str) -> tuple[str, str]:
    prefix, _, name = text.partition(":")
    return (prefix, name) if name else ("*", "*")


def _covers(outer: str, inner: str) -> bool:
    """Tell whether `outer` covers all that `inner`, a name or a prefix with `*` in lower case, stands for."""
    (outer_service, pattern), (inner_service, name) = _halves(outer), _halves(inner)
    if not glob(outer_service)(inner_service):
        return False
    return begins_within(pattern)(name[:-1]) if name.endswith("*") else glob(pattern)(name)
