"""Variables of the Serverless Framework: what stands in the repository fills them in, all else is a hole.

Source: Serverless Framework, "Variables": `${source:address, fallback}`, in which variables may stand again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from policy_guard.documents.containers.cloudformation.calls import call, canonical
from policy_guard.documents.containers.cloudformation.template import key_repetitions
from policy_guard.documents.containers.holes import Parts, hole, joined, spelling
from policy_guard.documents.containers.opaque import Opaque, digest
from policy_guard.documents.containers.revision_files import RevisionFiles, from_root
from policy_guard.documents.containers.serverless_framework.files import (
    composition_files,
    fits,
    is_environment,
)
from policy_guard.documents.formats import read
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Source, Span, Unreadable, scalars

# A name and a colon, which no pseudo parameter such as `AWS::Region` has, or a name with parameters in brackets.
_VARIABLE = re.compile(r"\s*(?:[A-Za-z][\w-]*(?:\([^()]*\))?:(?!:)|[A-Za-z][\w-]*\([^()]*\))")
_FILE = re.compile(r"file\(([^()]*)\)(?::(.*))?", re.DOTALL)
_NAMED_FILE = re.compile(r"file\(([^()\n]{1,400})\)")
_NAMED_HERE = re.compile(r"self:\s*([\w.-]*)")
_BRACES = re.compile(r"\$\{|\}")
_DATA = (".yml", ".yaml", ".json")
# What of a file decides values that are given from outside, by their kind.
_DECIDING: dict[str, tuple[str, ...]] = {
    "opt": (),
    "git": (),
    "env": ("useDotenv",),
    "param": ("params", "stages", "provider.stage"),
    "sls": ("provider.stage",),
}
_ELSEWHERE = ("provider.region", "provider.profile", "stages")
# What the framework gives where a file says nothing.
_WITH_DEFAULT = ("provider.stage", "provider.region")
_MOST_STEPS = 100_000
_DEEPEST = 60


class Variables:
    """Fills in the variables of one file."""

    def __init__(self, source: Source, root: Object, revision_files: RevisionFiles) -> None:
        self._path = source.path
        self._root = root
        self._revision_files = revision_files
        self._documents: dict[str, Node] = {}
        self._name_digests: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._active: list[str] = []
        self._by_kind: dict[str, tuple[str, ...]] = {}
        self._budget = _MOST_STEPS

    def resolve(self, node: Node) -> Node:
        """The node with its variables filled in; what comes from elsewhere stands at the place of the variable."""
        self._budget -= 1
        if self._budget < 0:
            raise Opaque("this takes too long to fill in; write it with fewer variables", node.span)
        if isinstance(node, Scalar):
            return self._scalar(node)
        if isinstance(node, Array):
            return node._replace(items=tuple(map(self.resolve, node.items)))
        return node._replace(entries=tuple(Entry(self._key(key), self.resolve(value)) for key, value in node.entries))

    def value(self, node: Node | None) -> Node | None:
        """Return what is written there, filled in; None if nothing is."""
        resolved = self.resolve(node) if node is not None else None
        return None if isinstance(resolved, Scalar) and resolved.kind == "null" else resolved

    def items(self, node: Node | None) -> tuple[Node, ...]:
        """The items of a list, those of lists in it too; what is no list stands for itself."""
        value = self.value(node)
        if isinstance(value, Array):
            return tuple(item for each in value.items for item in (each.items if isinstance(each, Array) else (each,)))
        return () if value is None else (value,)

    def at(self, node: Node | None, *keys: str) -> Node | None:
        """Return what stands below keys, whose way may lead through variables; not filled in itself."""
        place: Span | None = None
        for key in keys:
            if node is None:
                return None
            place = place or (node.span if _is_variable(node) else None)
            node = self._step_into(node, key)
        return self._place_at(node, place) if node is not None and place else node

    def target(self, node: Node) -> Node:
        """The node, or if it is one variable what that stands for, in which variables may stand again."""
        return self._place_at(self._outer_value(node), node.span) if _is_variable(node) else node

    def _outer_value(self, node: Node) -> Node:
        """The node, or if it is one variable what that stands for at its own place."""
        return self._scalar(node, self._outer_value) if isinstance(node, Scalar) and _is_variable(node) else node

    def _place_at(self, node: Node, span: Span) -> Node:
        """The node as if it were written at a place."""
        self._budget -= 1
        if self._budget < 0:
            raise Opaque("this takes too long to fill in; write it with fewer variables", span)
        if isinstance(node, Scalar):
            return node._replace(span=span)
        if isinstance(node, Array):
            return node._replace(items=tuple(self._place_at(item, span) for item in node.items), span=span)
        entries = (Entry(key._replace(span=span), self._place_at(value, span)) for key, value in node.entries)
        return node._replace(entries=tuple(entries), span=span)

    def _step_into(self, node: Node, key: str) -> Node | None:
        node = self._outer_value(node)
        if isinstance(node, Object):
            return node.get(key)
        if isinstance(node, Array) and key.isdecimal() and int(key) < len(node.items):
            return node.items[int(key)]
        if isinstance(node, Scalar) and any(isinstance(part, Hole) for part in node.parts or ()):
            raise Opaque("nobody can tell from the repository what stands here", node.span)
        return None

    def _key(self, key: Scalar) -> Scalar:
        resolved_key = self._scalar(key)
        if not isinstance(resolved_key, Scalar):
            raise Opaque("a list or a mapping cannot be a key", key.span)
        return (
            resolved_key._replace(parts=None)
            if resolved_key.parts and not _has_hole(resolved_key.parts)
            else resolved_key
        )

    def _scalar(self, scalar: Scalar, fill: Callable[[Node], Node] | None = None) -> Node:
        """Return what a text stands for; `fill` is what becomes of the whole of what one variable stands for."""
        if "${" not in scalar.text or scalar.parts is not None:
            return scalar
        pieces = list(_pieces(scalar.text, scalar.span))
        if not any(is_variable for is_variable, _ in pieces):
            return scalar
        if len(pieces) == 1:
            value = self._variable(pieces[0][1], scalar.span, fill or self.resolve)
            return value if fill else self._place_at(value, scalar.span)
        parts: list[str | Hole] = []
        for is_variable, text in pieces:
            parts += self._text(text, scalar.span) if is_variable else (text,)
        return self._assemble(scalar, joined(parts))

    def _assemble(self, scalar: Scalar, parts: Parts) -> Node:
        """A text with holes; under `Fn::Sub` each hole is a name of its own."""
        if not _has_hole(parts):
            return scalar._replace(text=spelling(parts), parts=None)
        function_call = call(scalar)
        if function_call is None or function_call.name != "Fn::Sub":
            return scalar._replace(text=spelling(parts), parts=parts)
        names = {f"Variable{number}": part for number, part in enumerate(parts) if isinstance(part, Hole)}
        text = "".join(part if isinstance(part, str) else f"${{Variable{number}}}" for number, part in enumerate(parts))
        span = scalar.span
        entries = (Entry(Scalar(name, span), Scalar(name, span, parts=(part,))) for name, part in names.items())
        argument = Array((Scalar(text, span), Object(tuple(entries), span)), span)
        return Object((Entry(Scalar("Fn::Sub", span), argument),), span)

    def _text(self, content: str, span: Span) -> Parts:
        value = self._variable(content, span, self.resolve)
        if not isinstance(value, Scalar):
            raise Opaque("a list or a mapping is put into a text here", span)
        if value.parts is not None:
            return tuple(part._replace(several=False) if isinstance(part, Hole) else part for part in value.parts)
        return (value.text,)

    def _variable(self, content: str, span: Span, fill: Callable[[Node], Node]) -> Node:
        """Return what a variable stands for: the first of its alternatives that there is."""
        if content in self._active or len(self._active) > _DEEPEST:
            raise Opaque("a variable stands for itself here", span)
        self._budget -= 1
        if self._budget < 0:
            raise Opaque("this takes too long to fill in; write it with fewer variables", span)
        self._active.append(content)
        try:
            plain = self._inner_content(content, span)
            if isinstance(plain, Hole):
                return Scalar(spelling((plain,)), span, parts=(plain,))
            return self._first_value(plain, span, fill)
        finally:
            self._active.pop()

    def _inner_content(self, content: str, span: Span) -> str | Hole:
        """The content with the variables in it filled in; a hole if nobody knows one of them."""
        parts: list[str | Hole] = []
        for is_variable, text in _pieces(content, span):
            parts += self._text(text, span) if is_variable else (text,)
        all_parts = joined(parts)
        if not _has_hole(all_parts):
            return spelling(all_parts)
        return hole(spelling(all_parts), all_parts, *self._deciding(content))._replace(several=True)

    def _deciding(self, content: str) -> Iterator[str]:
        """All that a variable with an unknown name may lead to: what lies below the known part of it, and so on."""
        stack, visited = [content], set[str]()
        while stack:
            text = stack.pop()
            self._budget -= 1
            for match in _NAMED_HERE.finditer(text):
                known_names = match[1].split(".")[: -1 if text.startswith("${", match.end()) else None]
                name = ".".join(known_names)
                if name not in visited:
                    visited.add(name)
                    name_digest, texts = self._name_digest(name)
                    yield name_digest
                    stack += texts
            for source in self._named_files(text):
                if f"file {source.path}" not in visited:
                    visited.add(f"file {source.path}")
                    yield digest(source.text)
                    stack.append(source.text)

    def _name_digest(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Return what stands below a name, for short, and the texts with variables in it."""
        if name not in self._name_digests:
            node = self._node_below(name.split("."))
            texts = dict.fromkeys(scalar.text for scalar in scalars(node) if "${" in scalar.text)
            self._name_digests[name] = digest(canonical(node)), tuple(texts)
        return self._name_digests[name]

    def _node_below(self, names: Sequence[str]) -> Node:
        """Return what stands below names, as far as it is written out."""
        node: Node = self._root
        for name in filter(None, names):
            inner = node.get(name) if isinstance(node, Object) else None
            if inner is None:
                break
            node = inner
        return node

    def _named_files(self, text: str) -> Iterator[Source]:
        names = {from_root(match[1].strip(), self._path) for match in _NAMED_FILE.finditer(text)}
        paths = (
            sorted(path for path in self._revision_files.paths() if any(fits(name, path) for name in names))
            if names
            else ()
        )
        yield from (source for path in paths if (source := self._revision_files.read(path)))

    def _first_value(self, content: str, span: Span, fill: Callable[[Node], Node]) -> Node:
        alternatives = _alternatives(content)
        for number, alternative in enumerate(alternatives):
            value = self._alternative_value(alternative.strip(), span, fill)
            if isinstance(value, Hole):
                remaining = ", ".join(alternatives[number + 1 :])
                fallback = (
                    canonical(self.resolve(self._first_value(remaining, span, self.resolve)))
                    if remaining.strip()
                    else ""
                )
                context = self._outside_context(alternative.strip().partition(":")[0])
                parts = (hole(alternative.strip(), fallback, *context)._replace(several=True),)
                return Scalar(spelling(parts), span, parts=parts)
            if value is not None:
                return value
        raise Opaque(f'"${{{content[:80]}}}" stands for nothing in the repository', span)

    def _outside_context(self, kind: str) -> tuple[str, ...]:
        """Return what else of the repository decides values of a kind that are given from outside."""
        if kind not in self._by_kind:
            self._by_kind[kind] = (*self._kind_digests(kind), *self._texts_beside(kind))
        return self._by_kind[kind]

    def _kind_digests(self, kind: str) -> Iterator[str]:
        for names in _DECIDING.get(kind, _ELSEWHERE):
            node = self._node_at(names)
            if node is not None:
                yield canonical(node)
                for text in dict.fromkeys(scalar.text for scalar in scalars(node) if "${" in scalar.text):
                    yield from self._deciding(text)

    def _texts_beside(self, kind: str) -> Iterator[str]:
        """The files that set variables of the environment, and those that give parameters."""
        if kind in ("opt", "git"):
            return
        paths = {path for path in self._revision_files.paths() if is_environment(path, self._path)}
        paths |= composition_files(self._revision_files, ()) if kind == "param" else set()
        for path in sorted(paths):
            source = self._revision_files.read(path)
            yield f"{path} {digest(source.text) if source else ''}"

    def _node_at(self, names: str) -> Node | None:
        """Return what is written below names; if a variable leads there, that."""
        node: Node | None = self._root
        for name in names.split("."):
            node = node.get(name) if isinstance(node, Object) else node
        return node

    def _alternative_value(self, text: str, span: Span, fill: Callable[[Node], Node]) -> Node | Hole | None:
        if text[:1] in ("'", '"') and text[-1:] == text[:1] and len(text) > 1:
            return Scalar(text[1:-1], span)
        if text in ("true", "false", "null") or re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", text):
            kind = "null" if text == "null" else "boolean" if text in ("true", "false") else "number"
            return Scalar(text, span, kind)
        if match := _FILE.fullmatch(text):
            return self._file(match[1].strip(), (match[2] or "").strip(), span, fill)
        kind, _, address = text.partition(":")
        if kind == "self":
            names = [*filter(None, address.strip().split("."))]
            # Versions 1 and 2: `service: x` is `service: {name: x}` (lib/classes/Service.js, Variables.js).
            if names == ["service", "name"] and isinstance(self._root.get("service"), Scalar):
                names.pop()
            node = self.at(self._root, *names)
            if node is None and address.strip() in _WITH_DEFAULT:
                return Hole(text)
            return None if node is None or node is self._root else fill(node)
        return Hole(text) if _VARIABLE.match(text) else Scalar(text, span)

    def _file(self, name: str, address: str, span: Span, fill: Callable[[Node], Node]) -> Node | None:
        path = from_root(name, self._path)
        if path.startswith(("../", "/", "~")) or name.startswith(("/", "~")):
            raise Opaque("a file outside of the repository is read here; write its contents here", span)
        if path not in self._documents:
            source = self._revision_files.read(path)
            if source is None:
                return None
            self._documents[path] = self._document(source, span)
        node = self.at(self._documents[path], *filter(None, address.split(".")))
        return fill(node) if node is not None else None

    def _document(self, source: Source, span: Span) -> Node:
        if not source.path.lower().endswith(_DATA):
            raise Opaque(f"{source.path} is a program or plain text, and is not read; write what it gives here", span)
        try:
            documents = read(source)
        except Unreadable as error:
            words = f"{source.at(error.problems[0].span.start)} cannot be read: {error.problems[0].message}"
            raise Opaque(words, span) from None
        if len(documents) != 1 or next(key_repetitions(documents[0]), None):
            raise Opaque(f"{source.path} holds several documents, or a key twice; parsers disagree on these", span)
        return documents[0]


def _is_variable(node: Node) -> bool:
    """Tell whether a variable may stand in a text."""
    return isinstance(node, Scalar) and "${" in node.text and node.parts is None


def _has_hole(parts: Parts) -> bool:
    return any(isinstance(part, Hole) for part in parts)


def _pieces(text: str, span: Span) -> Iterator[tuple[bool, str]]:
    """The pieces of a text in turn, each with whether it is the inside of a variable."""
    start = at = 0
    while (at := text.find("${", at)) >= 0:
        if not _VARIABLE.match(text, at + 2) and not text.startswith("${", at + 2):
            at += 2
            continue
        end = _closing(text, at + 2)
        if end < 0:
            raise Opaque("a variable begins here and does not end", span)
        if start < at:
            yield False, text[start:at]
        yield True, text[at + 2 : end]
        start = at = end + 1
    if start < len(text) or not text:
        yield False, text[start:]


def _closing(text: str, at: int) -> int:
    depth = 1
    for match in _BRACES.finditer(text, at):
        depth += 1 if match[0] == "${" else -1
        if not depth:
            return match.start()
    return -1


def _alternatives(content: str) -> list[str]:
    """The alternatives of a variable; a comma in quotation marks or brackets does not part them."""
    alternatives = [""]
    for piece in re.findall(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|,|[^,'\"()]+|.", content, re.DOTALL):
        if piece == ",":
            alternatives.append("")
        else:
            alternatives[-1] += piece
    return alternatives
