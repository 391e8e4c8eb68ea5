"""Switches of manifests: keys by which a tool gives roles more or less, though no policy and no role stands there.

They stand in `switches.txt`, a line each: the kind of the resource, the path of the key (`[]` for every item of a
list, `.` for the resource itself), and when there is access:

- `when:V|W`: where V or W stands there, or something that is filled in later;
- `unless:V`: where V does not stand there, so that V going is new access;
- `text`: by whatever stands there, and another text is new access;
- `default`: by what holds without the key, so that the key going is new access;
- `given`: as `text` and as `default`;
- `there`: where anything stands there that is not disabled.

Above the lines stands the page that says so. As the tools do, keys are taken in any case.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from policy_guard.documents.containers.manifests.resources import Resource, identity, is_filled_in
from policy_guard.documents.containers.unresolved import without_style
from policy_guard.documents.source import Array, Node, Object, Scalar, is_null
from policy_guard.records import NamedTuple

_FILE = Path(__file__).with_name("switches.txt")
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_ITSELF, _ITEMS = ".", "[]"
_PATTERN_OF = "Template"
"""What the names of kinds end with whose resources are made by the pattern in `spec.template`."""


class Switch(NamedTuple):
    """A key, as the steps to it, and when there is access by `values`."""

    path: tuple[str, ...]
    mode: str
    values: tuple[str, ...]


class Position(NamedTuple):
    """The place of a switch: the labels of the value and of the innermost mapping or item of a list around it.

    With `is_by_text` each text there is other access.
    """

    label: str
    holder: str
    value: Node
    is_by_text: bool


@cache
def switches() -> dict[str, tuple[Switch, ...]]:
    """The switches of each kind."""
    table: dict[str, tuple[Switch, ...]] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, path, condition = line.split(" ")
            mode, _, values = condition.partition(":")
            steps = () if path == _ITSELF else tuple(path.replace(_ITEMS, f".{_ITEMS}").split("."))
            table[kind] = (*table.get(kind, ()), Switch(steps, mode, tuple(values.split("|"))))
    return table


def giving(resource: Resource, node: Object, label: str) -> Iterator[Position]:
    """The switches of a resource with this label that give access."""
    for switch, position in _positions(resource, node, label):
        if _gives(switch, position.value):
            yield position._replace(is_by_text=switch.mode in ("text", "given"))


def keeping(resource: Resource, node: Object, label: str) -> Iterator[Position]:
    """The switches of a resource with this label that keep access out by what stands there."""
    for switch, position in _positions(resource, node, label, of_items=False):
        if _keeps(switch, position.value):
            yield position


def standing(resource: Resource, node: Object, label: str) -> Iterator[Position]:
    """The keys of the switches of a resource with this label, whatever stands there."""
    yield from (position for _, position in _positions(resource, node, label, of_items=False))


def _gives(switch: Switch, value: Node) -> bool:
    if switch.mode == "when":
        return _is_one_of(value, switch.values) or _is_open(value)
    return not _is_disabled(value) if switch.mode == "there" else switch.mode in ("text", "given")


def _keeps(switch: Switch, value: Node) -> bool:
    if switch.mode == "unless":
        return _is_one_of(value, switch.values)
    return switch.mode in ("default", "given") and not _is_empty(value)


def _positions(
    resource: Resource, node: Object, label: str, of_items: bool = True
) -> Iterator[tuple[Switch, Position]]:
    """The places of the switches of a resource: of a list at the end of a path each item, or the list itself."""
    kind = resource.kind.removesuffix(_PATTERN_OF)
    prefix = ("spec", "template") if kind != resource.kind else ()
    for switch in switches().get(kind, ()):
        positions = [Position(label, label, node, is_by_text=False)]
        steps = switch.path if of_items or switch.path[-1:] != (_ITEMS,) else switch.path[:-1]
        for step in (*prefix, *steps):
            positions = [inner for outer in positions for inner in _inner(outer, step)]
        yield from ((switch, position) for position in positions)


def _inner(outer: Position, step: str) -> Iterator[Position]:
    if step == _ITEMS:
        for number, item in enumerate(outer.value.items if isinstance(outer.value, Array) else (outer.value,)):
            label = f"{outer.label}[{identity(item, number) if isinstance(item, Object) else _text(item)}]"
            yield Position(label, label if isinstance(item, Object) else outer.holder, item, is_by_text=False)
        return
    for key, value in outer.value.entries if isinstance(outer.value, Object) else ():
        if without_style(key.text) == without_style(step):
            yield Position(f"{outer.label}.{key.text}", outer.holder, value, is_by_text=False)


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _is_one_of(node: Node, values: tuple[str, ...]) -> bool:
    """Tell whether one of the values stands there, in any spelling of a truth."""
    if not isinstance(node, Scalar):
        return False
    text = node.text.lower()
    spellings = {spelling for value in values for spelling in _spellings(value.lower())}
    return text in spellings


def _spellings(value: str) -> tuple[str, ...]:
    return next((truths for truths in (_TRUE, _FALSE) if value in truths), (value,))


def _is_open(node: Node) -> bool:
    """Tell whether something is filled in that nobody knows yet, or stands there that no tool expects."""
    return not isinstance(node, Scalar) or is_filled_in(node.text)


def _is_empty(node: Node) -> bool:
    if isinstance(node, Scalar):
        return is_null(node) or not node.text
    return not (node.items if isinstance(node, Array) else node.entries)


def _is_disabled(node: Node) -> bool:
    """Tell whether a mapping says that it is disabled, or nothing stands there at all."""
    if not isinstance(node, Object):
        return _is_empty(node) or _is_one_of(node, ("false",))
    texts = {without_style(key.text): value for key, value in node.entries}
    switched_off = (("disable", "true"), ("disabled", "true"), ("enable", "false"), ("enabled", "false"))
    return any(key in texts and _is_one_of(texts[key], (value,)) for key, value in switched_off)
