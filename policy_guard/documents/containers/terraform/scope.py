"""Folders with the values that their callers give, from the root module down."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from posixpath import normpath
from typing import Any

from policy_guard.documents.containers.memory import Memory
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.terraform.definition import Definition, plain_text
from policy_guard.documents.containers.terraform.folder import FilePattern, Folder
from policy_guard.documents.containers.terraform.values import is_known, label_of, name_of, parts
from policy_guard.documents.hcl.syntax import (
    Body,
    Call,
)
from policy_guard.documents.source import Hole, Node, Span
from policy_guard.records import NamedTuple

_MOST_DEEP = 12
_STEPS = 3_000_000
_LOOKS = 500_000
ARNS = ("arn", "id")
"""The attributes of a managed policy that are its ARN, and of one of an organization that are its id."""
_MOST_MODULES = 2_000
"""Modules below one root, each of several objects counted; what lies beyond is refused."""


class Ways(NamedTuple):
    """How to find a module's folder, what calls, modules, variables, policies and attributes come to.

    All but the first are told the evaluator that asks.
    """

    folder: Callable[[str], Folder | None]
    call: Callable[[Any, Call], Node]
    module: Callable[[Any, Sequence[Any], Span], Node]
    variable: Callable[[Any, str, Sequence[Any], Span], tuple[Node, Sequence[Any]]]
    rendered: Callable[[Any, Body], Node]
    policy: Callable[[Any, str, Sequence[Any], Span], Node]
    attribute: Callable[[Any, str, Sequence[Any], Span], Node]


class Attachable(NamedTuple):
    """A policy that others attach by its ARN: the resource that makes it, and the key of one of several.

    `is_whole` tells that the resource itself is meant, and not its ARN.
    """

    scope: Scope
    address: str
    key: Node | None
    is_whole: bool = False


class Attachables:
    """The policies of a root and its modules by what their ARNs are; `documents` keeps those that are worked out."""

    def __init__(self) -> None:
        self._by_value: dict[str, Attachable | str] = {}
        self.documents: dict[tuple[str, str, str], Any] = {}
        self.by_name: dict[str, list[Attachable]] | None = None

    def note(self, value: Node, policy: Attachable | str) -> None:
        """Note that a value is the ARN of a policy, or of the one with that name."""
        if name := _hole_name(value):
            self._by_value[name] = policy

    def note_part(self, value: Node, name: str, part: Node) -> bool:
        """Note and tell whether a part of this name of a value is the ARN of a policy."""
        policy = self.of_value(value) if name in ARNS else None
        if not isinstance(policy, Attachable) or not policy.is_whole:
            return False
        self.note(part, policy._replace(is_whole=False))
        return True

    def of_value(self, value: Node) -> Attachable | str | None:
        """Return the policy, or its name, of which a value is the ARN."""
        return self._by_value.get(_hole_name(value))


def _hole_name(value: Node) -> str:
    """The name of a value of which nothing is known; empty for any other."""
    value_parts = parts(value)
    return value_parts[0].name if len(value_parts) == 1 and isinstance(value_parts[0], Hole) else ""


class Link:
    """A definition that decides values, with those that decide it in turn, as soon as these are asked for.

    Without a definition it stands for all of its scope, as a reference to a module does.
    """

    __slots__ = ("definition", "following", "key", "reads", "scope")

    def __init__(self, key: tuple[str, str, str], scope: Scope, definition: Definition | None) -> None:
        self.key = key
        self.scope = scope
        self.definition = definition
        self.following: tuple[Link, ...] | None = None
        self.reads: frozenset[FilePattern] = frozenset()
        """The files that its text asks for."""


class Scope:
    """A folder with the values that its caller gives. `changed_variables` are the variables of a root that differ."""

    def __init__(
        self,
        folder: Folder,
        ways: Ways,
        changed_variables: frozenset[str],
        parent: Scope | None = None,
        call: Definition | None = None,
        name: str = "",
    ) -> None:
        self.folder = folder
        self.ways = ways
        self.changed_variables = changed_variables
        self.parent = parent
        self.call = call
        self.name = name
        self.instance: Mapping[str, Node] | None = None
        """What `count` or `each` stand for in the call, if one of several objects is meant."""
        self._module_scopes: dict[tuple[str, str], Scope | None] = {}
        self._modules: list[int] = parent._modules if parent else [0]
        self.steps: list[int] = parent.steps if parent else [_STEPS]
        """What may still be worked out below one root."""
        self.policies: Attachables = parent.policies if parent else Attachables()
        self.memory: Memory = parent.memory if parent else Memory()
        """What names below one root come to."""
        self.looks: list[int] = parent.looks if parent else [_LOOKS]
        """How many definitions may still be looked at below one root."""
        self.links: dict[tuple[str, str], Link] = parent.links if parent else {}
        """What decides values below one root, by the scope's name and the address."""
        self.decisions: dict[tuple[str, int, str], tuple[object, Any]] = parent.decisions if parent else {}
        """What decides values below one root, by the scope's name and the value, which is kept by its identity."""
        self.former_addresses: dict[str, str] = parent.former_addresses if parent else {}
        """Where resources below one root were before `moved` blocks took them from module to module."""
        self.written_names: dict[str, Node] = parent.written_names if parent else {}
        """What the names of objects below one root are written as, by the names of the values that refer to them."""
        self.decisive: dict[tuple[str, str, str], Definition] = parent.decisive if parent else {}
        """The definitions below one root that decide others, by what `deciding_texts` says of them."""

    def module_scope(
        self, label: str, key: Node | None = None, instance: Mapping[str, Node] | None = None
    ) -> Scope | None:
        """Return the scope of a module that lies in the repository, but for those that are called too deep.

        With a key it is that of one of its objects, where `count` or `each` is the `instance`.
        """
        name = (label, name_of(key) if key is not None else "")
        if name not in self._module_scopes:
            scope = self._open_module(label, _suffix(key, instance or {}))
            self._module_scopes[name] = scope
            if scope is not None:
                scope.instance = instance
        return self._module_scopes[name]

    def is_at_limit(self) -> bool:
        """Tell whether no more modules are looked into below this one."""
        return self.depth() > _MOST_DEEP or self._modules[0] >= _MOST_MODULES

    def path_of(self, label: str) -> str:
        """Return where a module lies that is called by a path in the repository; empty for any other."""
        definition = self.folder.definitions.get(f"module.{label}")
        source = definition.body.value("source") if definition else None
        text = plain_text(source) if source else ""
        return text if text.startswith(("./", "../")) else ""

    def _open_module(self, label: str, suffix: str) -> Scope | None:
        definition, text = self.folder.definitions.get(f"module.{label}"), self.path_of(label)
        if not text or self.is_at_limit():
            return None
        self._modules[0] += 1
        path = normpath(f"{self.folder.path}/{text}").lstrip("/")
        folder = self.ways.folder("" if path == "." else path)
        if folder is None:
            return None
        return Scope(
            folder=folder,
            ways=self.ways,
            changed_variables=frozenset(),
            parent=self,
            call=definition,
            name=f"{self.name}module.{label}{suffix}.",
        )

    def note_name(self, value: Node, name: Node) -> None:
        """Note what the name of an object is written as that a value refers to."""
        if hole_name := _hole_name(value):
            self.written_names[hole_name] = name

    def root(self) -> Scope:
        """Return the scope in which nobody calls this one."""
        return self.parent.root() if self.parent else self

    def depth(self) -> int:
        return self.parent.depth() + 1 if self.parent else 0


def written_name(scope: Scope, value: Node) -> Node:
    """The name of an object as it is written, for what refers to it; any other value as it is."""
    return scope.written_names.get(_hole_name(value), value)


def _suffix(key: Node | None, instance: Mapping[str, Node]) -> str:
    """Return what follows the name of a module; the first of a count is the one that is there without one."""
    if key is None or ("count" in instance and label_of(key) == "0"):
        return ""
    if not is_known(key):
        return f"[{label_of(key)}]{digest(name_of(key))}"
    return f"[{label_of(key)}]" if "count" in instance else f"[{json.dumps(label_of(key))}]"
