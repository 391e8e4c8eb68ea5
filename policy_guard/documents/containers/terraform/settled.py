"""What two versions of a folder and of its modules have in common: it need not be worked out to compare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policy_guard.documents.containers.terraform.deciding import following, link_of
from policy_guard.documents.containers.terraform.modules import module_scopes
from policy_guard.documents.containers.terraform.scope import Link, Scope
from policy_guard.documents.hcl.syntax import parts_of
from policy_guard.documents.source import Span

_DECIDED = ("resource", "module", "data")


def settled_addresses(old: Scope, new: Scope, files_differ: bool) -> frozenset[str]:
    """The addresses of the resources, data sources and modules that all the same decides on both sides.

    A definition is another one if it says something else, or if it refers to other definitions than before; with
    `files_differ` also if it reads files. What leads to one of these is not settled, nor what is written in another
    way itself. None are if there is too much to follow.
    """
    sides = [dict(_decided(scope)) for scope in (old, new)]
    links = _reachable(new, sides[1].values())
    if links is None or _reachable(old, sides[0].values()) is None:
        return frozenset()
    others = [link for link in links if _is_other(link, old.links, files_differ)]
    unsettled = _leading_to(links, others)
    return frozenset(
        address
        for address, link in sides[1].items()
        if link not in unsettled and address in sides[0] and link.key == sides[0][address].key
    )


def _decided(scope: Scope) -> Iterator[tuple[str, Link]]:
    """The resources, data sources and modules of a scope and of the modules that it calls."""
    for address, definition in scope.folder.definitions.items():
        if definition.block is not None and definition.block.type in _DECIDED:
            yield f"{scope.name}{address}", link_of(scope, address, definition)
            if definition.block.type == "module":
                for inner in module_scopes(scope, address.removeprefix("module.")) or ():
                    yield from _decided(inner)


def _reachable(scope: Scope, start: Iterable[Link]) -> set[Link] | None:
    """All definitions that decide some, these too; None if there are more than may be looked at."""
    reached = set(start)
    waiting = list(reached)
    while waiting:
        links = following(waiting.pop())
        scope.looks[0] -= 1
        if scope.looks[0] < 0:
            return None
        new_links = [link for link in links if link not in reached]
        reached.update(new_links)
        waiting += new_links
    return reached


def _is_other(link: Link, old_links: Mapping[tuple[str, str], Link], files_differ: bool) -> bool:
    """Tell whether a definition is not as on the old side by itself."""
    old = old_links.get(link.key[:2])
    if old is None or (files_differ and link.reads) or not _says_the_same(old, link):
        return True
    return {each.key[:2] for each in following(old)} != {each.key[:2] for each in following(link)}


def _says_the_same(old: Link, new: Link) -> bool:
    """Tell whether two definitions say the same, with other blanks and comments perhaps."""
    if old.key == new.key:
        return True
    before, after = old.definition, new.definition
    if before is None or after is None or before.others or after.others:
        return False
    return _are_one((before.block, before.value), (after.block, after.value))


def _are_one(before: object, after: object) -> bool:
    """Tell whether two trees are one but for the places of their nodes."""
    pending = [(before, after)]
    while pending:
        one, other = pending.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            pending += [(value, other[name]) for name, value in one.items()]
        elif isinstance(one, tuple) and isinstance(other, tuple) and not isinstance(one, Span):
            if len(one) != len(other):
                return False
            pending += zip(one, other, strict=True)
        elif parts := parts_of(one):
            pending += zip(parts, parts_of(other), strict=True)
        elif one != other and not isinstance(one, Span):
            return False
    return True


def _leading_to(links: Iterable[Link], targets: Iterable[Link]) -> set[Link]:
    """The definitions that some of the targets decide, and the targets."""
    sources: dict[Link, list[Link]] = {}
    for link in links:
        for decisive in following(link):
            sources.setdefault(decisive, []).append(link)
    reached = set(targets)
    waiting = list(reached)
    while waiting:
        new_links = [link for link in sources.get(waiting.pop(), ()) if link not in reached]
        reached.update(new_links)
        waiting += new_links
    return reached
