"""What `git archive` leaves out: of every name the links that lead to it, and of groups some files beside others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policy_guard.pipeline.pairing.links import Sides, View
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository.attribute_values import Values, Way
from policy_guard.pipeline.repository.changes import Comparison
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.records import NamedTuple
from policy_guard.settings.config import Group


class Party(NamedTuple):
    """The policies of a group, old and new: their names, each with its way."""

    group: str
    before: Mapping[str, Way]
    after: Mapping[str, Way]


def way_of(view: View | None, name: str) -> Way:
    """The links that lead to a name, and the file itself; none of a name that leads nowhere."""
    if view is None:
        return (name,)
    way = view.tree.way(name)
    return () if way.path is None or way.path not in view.files else (*way.links, way.path)


def parties_of(reader: Reader, sides: Sides | None, comparison: Comparison) -> Iterator[Party]:
    """The groups of which a file changed."""
    if sides is not None:
        from policy_guard.pipeline.pairing.groups import touched_groups

        for group in touched_groups(reader.settings.config.groups, comparison.changes):
            old_members = _members(group, reader, sides.before, comparison.old)
            yield Party(group.name, old_members, _members(group, reader, sides.after, comparison.new))


def _members(group: Group, reader: Reader, view: View, revision: Revision) -> dict[str, Way]:
    files = {name: file for name, file in view.files_by_name().items() if group.reaches(name)}
    sides = ((name, reader.version(file, name, revision)) for name, file in files.items())
    return {name: way_of(view, name) for name, side in sides if side.policies or side.problems}


def partial_groups(parties: Iterable[Party], values: Values, old_values: Values) -> Iterator[tuple[str, str]]:
    """A file of each group of which archives hold some policies and lack others, with what is wrong.

    The Deny of a file counts for the whole group, and in an archive only if it is there.
    """
    for party in parties:
        for members, side_values, tense in ((party.after, values, "leaves"), (party.before, old_values, "left")):
            missing_members = [way[-1] for way in members.values() if way and side_values.left_out(way)]
            if missing_members and len(missing_members) < len(members):
                yield (
                    missing_members[0],
                    f"git archive {tense} this file of the group {party.group} out for export-ignore, and holds others",
                )
                break
