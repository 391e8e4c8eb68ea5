"""What other templates of the repository export, in the template that imports it by `Fn::ImportValue`.

Source: AWS CloudFormation User Guide, "Get exported outputs from a deployed CloudFormation stack": the names of exports
are unique in an account and region.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.parts import is_plain
from policy_guard.documents.containers.cloudformation.template import Export
from policy_guard.documents.containers.holes import Parts
from policy_guard.documents.source import Array, Node, Object

IMPORT = "Fn::ImportValue"


def matching(exports: Iterable[Export], name: Parts | None) -> Sequence[Export]:
    """The exports that an import may mean, whose name may have holes, or is known to nobody at all."""
    return [each for each in exports if name is None or _may_be_one(each.name, name)]


def import_arguments(node: Node) -> list[Node]:
    """The arguments of all imports in a node."""
    arguments: list[Node] = []
    stack = [node]
    while stack:
        node = stack.pop()
        if (function_call := call(node)) is not None:
            arguments += (function_call.argument,) if function_call.name == IMPORT else ()
            node = function_call.argument
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            stack += (entry.value for entry in node.entries)
    return arguments


def _may_be_one(one: Parts, other: Parts) -> bool:
    """Tell whether two names may be one text, by what stands before and behind their holes."""
    if is_plain(one) and is_plain(other):
        return one == other
    (one_start, one_end), (other_start, other_end) = _ends(one), _ends(other)
    starts = one_start.startswith(other_start) or other_start.startswith(one_start)
    return starts and (one_end.endswith(other_end) or other_end.endswith(one_end))


def _ends(parts: Parts) -> tuple[str, str]:
    """The text before the first hole, and that behind the last; of a plain text all of it is both."""
    first, last = (parts[0], parts[-1]) if parts else ("", "")
    return first if isinstance(first, str) else "", last if isinstance(last, str) else ""
