"""Manifests that are templates of Go or Jinja: read as if the marks were names, and known by their text.

Lines of marks alone, such as `{{- if .Values.on }}`, are no YAML. What stands between them is judged as if it were
there once, and other marks are new access: what they come to is the same as long as their text is, unless what decides
it changes elsewhere.

Source: Helm, "The Chart Template Developer's Guide".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_guard.documents.containers.manifests.branches import Branches, Mark
from policy_guard.documents.marks import Values
from policy_guard.documents.source import Array, Entry, Node, Scalar, Source, Span, scalars
from policy_guard.regex import regex

# No braces inside: each stretch of a text is then gone through once.
_MARK = regex(r"\{\{[^{}]*\}\}|\{%[^%{}]*%\}|\{#[^#{}]*#\}")
_ALONE = regex(r"[ \t]*(?:\ue000[^\n\ue000\ue001]*\ue001[ \t]*)+")
_KEY = regex(r"[ \t]*(?:-[ \t]+)*([\w./-]+)[ \t]*:(?=\s|\Z)")
_INDENTED = regex(r"\|\s*n?indent\s+(\d{1,3})$")
_INERT = regex(
    r"(?i)labels|resources|affinity|tolerations|nodeSelector|\w*securityContext|imagePullSecrets|topologySpread\w*"
)
_DEEPEST = 100
# Names and functions, and between quotation marks nothing that ends a value.
_STRING = regex(r"\"[^\"]*\"|'[^']*'")
_PLAIN_TEXT = regex(r"[\"'](?:[\w./@+-]|:(?=\w)|%[sdv])*[\"']")
_PIPELINE = regex(r"[\w.$ |(),-]*")
_CALLED = regex(r"(?<![\w.$])[A-Za-z]\w*")
_INCLUDED = regex(r"(?:include|template)\s+[\"']([\w./-]+)[\"']")
_NAMING = regex(r"(?i)(?:name|labels?|chart|namespace|image|tag|version|port|url|host)$")
_FUNCTIONS = frozenset(
    (
        *("default", "quote", "squote", "printf", "trunc", "trim", "trimSuffix", "trimPrefix", "trimAll", "lower"),
        *("upper", "title", "include", "template", "required", "replace", "coalesce", "int", "int64", "toString"),
        *(
            "ternary",
            "and",
            "or",
            "not",
            "eq",
            "ne",
            "empty",
            "hasKey",
            "kebabcase",
            "snakecase",
            "camelcase",
            "contains",
        ),
        *("semverCompare", "sha256sum", "b64enc", "true", "false", "nil", "add", "sub", "mul", "div", "len", "index"),
        *("string", "safe", "e", "escape", "urlencode", "capitalize"),
    )
)
_SHIFT = 0xE100
_FIRST, _LAST = "\ue000", "\ue001"
_LONGEST = 500_000


def masked(source: Source) -> Source | None:
    """The source with other characters in place of its marks, at the same places; None if it has none."""
    if len(source.text) > _LONGEST or not _MARK.search(source.text) or _FIRST in source.text:
        return None
    lines = _MARK.sub(lambda mark: _mask(mark[0]), source.text).split("\n")
    text = "\n".join(" " * len(line) if _ALONE.fullmatch(line) else line for line in lines)
    return Source(source.path, text, source.revision)


def unmasked(node: Node) -> Node:
    """The tree with the texts of its marks as they are written."""
    if isinstance(node, Scalar):
        return node._replace(text=_unmasked_text(node.text))
    if isinstance(node, Array):
        return node._replace(items=tuple(map(unmasked, node.items)))
    entries = (Entry(key._replace(text=_unmasked_text(key.text)), unmasked(value)) for key, value in node.entries)
    return node._replace(entries=tuple(entries))


def written_by(source: Source, documents: Sequence[Node], branches: Branches) -> list[Scalar]:
    """The marks that may write more than one word into a file, each with where it does so as its text.

    Marks in values are named there; those elsewhere, such as in comments, may write anything.
    """
    written: list[Scalar] = []
    paths = Paths(source)
    values = Values(scalar for document in documents for scalar in scalars(document))
    for mark in branches.outputs():
        path = paths.of(mark)
        value = values.at(mark.span.start)
        is_tame = _is_word(mark, branches) if value is not None else paths.is_inside_labels(mark, path)
        if not is_tame:
            quote = source.text[value.span.start] if value and source.text[value.span.start] in "\"'|>" else ""
            state, definitions = branches.state(mark.span.start), branches.definitions(f"{{{{{mark.inner}")
            keys = ".".join(key for _, key in path)
            text = f"{mark.inner} {keys} {'value' if value else ''} {quote} {state} {definitions}"
            written.append(Scalar(text, mark.span))
    return written


def _is_word(mark: Mark, branches: Branches) -> bool:
    """Tell whether a mark in a value writes a value from elsewhere, or one word, and no template of this file."""
    if not all(map(_PLAIN_TEXT.fullmatch, _STRING.findall(mark.inner))):
        return False
    names = _STRING.sub("", mark.inner)
    if not _PIPELINE.fullmatch(names) or any(word not in _FUNCTIONS for word in _CALLED.findall(names)):
        return False
    includes = _INCLUDED.findall(mark.inner)
    count = sum(_CALLED.findall(names).count(word) for word in ("include", "template"))
    return count == len(includes) and all(_NAMING.search(name) and not branches.defined(name) for name in includes)


class Paths:
    """Under which keys, by indentation, the lines of a text stand; marks count for nothing."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._paths: list[tuple[tuple[int, str], ...]] = []
        stack: list[tuple[int, str]] = []
        kind = ""
        for line in source.text.split("\n"):
            if line.startswith("---"):
                stack, kind = [], ""
            key = _KEY.match(line)
            if key:
                indent = key.start(1)
                while stack and stack[-1][0] >= indent:
                    stack.pop()
                if len(stack) < _DEEPEST:
                    stack.append((indent, key[1]))
                kind = line.strip() if key[1] == "kind" and not indent else kind
            self._paths.append(((-1, kind), *stack))

    def of(self, mark: Mark) -> tuple[tuple[int, str], ...]:
        """The keys above what a mark writes, each with its indentation, beginning with the kind."""
        position = self._source.position(mark.span.start)
        path = self._paths[position.line - 1]
        before = self._source.line(position.line)[: position.column - 1]
        if _KEY.match(before):
            return path
        indented = _INDENTED.search(mark.inner)
        indent = int(indented[1]) if indented else position.column - 1
        return tuple(each for each in path if each[0] < indent)

    def is_inside_labels(self, mark: Mark, path: tuple[tuple[int, str], ...]) -> bool:
        """Tell whether all that a mark writes, indented as it is, stands under a key that gives no access."""
        indented = _INDENTED.search(mark.inner)
        if not indented or "\\" in mark.inner or len(path) < 2 or path[-1][0] >= int(indented[1]):
            return False
        position = self._source.position(mark.span.start)
        line = self._source.line(position.line)
        before = line[: position.column - 1].strip()
        behind = line[position.column - 1 + mark.span.end - mark.span.start :].strip()
        names = [key for _, key in path[1:]]
        is_inert = _INERT.fullmatch(names[-1]) or names[-2:] == ["selector", "matchLabels"]
        return bool(is_inert) and not behind and before in ("", f"{names[-1]}:")


def in_lines(source: Source, spans: Iterable[Span]) -> list[Scalar]:
    """The lines in which marks stand at these places, as texts."""
    lines = {source.position(span.start).line for span in spans}
    starts = ((source.offset(line, 1), source.line(line)) for line in sorted(lines))
    return [Scalar(text.strip(), Span(start, start + len(text))) for start, text in starts]


def _mask(mark: str) -> str:
    """A text of the same length that YAML takes for a plain one."""
    return _FIRST + "".join(map(_mask_character, mark[1:-1])) + _LAST


def _mask_character(character: str) -> str:
    return chr(_SHIFT + ord(character)) if ord(character) < 256 and character not in "\r\n" else character


def _unmasked_text(text: str) -> str:
    if _FIRST not in text:
        return text
    return "".join(map(_unmask_character, text)).replace(_FIRST, "{").replace(_LAST, "}")


def _unmask_character(character: str) -> str:
    return chr(ord(character) - _SHIFT) if _SHIFT <= ord(character) < _SHIFT + 256 else character
