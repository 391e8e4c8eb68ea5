"""The file formats, a file for each; a library for a format is imported when it is read."""

from __future__ import annotations

import re
from functools import cache

from policy_guard.documents.format import Format
from policy_guard.documents.source import Node, Problem, Source, Span, Unreadable
from policy_guard.plugins import Plugins
from policy_guard.regex import regex

_ANY_FORMAT = (
    ".tpl",
    ".tftpl",
    ".tmpl",
    ".gotmpl",
    ".template",
    ".j2",
    ".jinja",
    ".jinja2",
    ".erb",
    ".policy",
)
_CONFLICT = regex(r"^(?:<{7}|>{7}) .{1,80}$", re.MULTILINE)
_FORMATS = Plugins("documents/formats", "FORMAT", Format)


@cache
def formats() -> tuple[Format, ...]:
    """All formats, by name."""
    return _FORMATS.load_all()


def suffixes() -> tuple[str, ...]:
    """The endings of file names that some format claims, in lower case."""
    return tuple(suffix for form in formats() for suffix in form.suffixes)


def plain_name(path: str) -> bool:
    """Tell whether a name's suffix, if any, tells nothing of the format; the content then does."""
    name = path.lower().rpartition("/")[2]
    return "." not in name.lstrip(".") or (name.endswith(_ANY_FORMAT) and not name.endswith(suffixes()))


def read(source: Source) -> tuple[Node, ...]:
    """The documents in a source, in the format of its name, else of its first character; raises Unreadable."""
    name = source.path.lower()
    matching_formats = (form for form in formats() if name.endswith(form.suffixes))
    try:
        return (next(matching_formats, None) or _by_content(source.text)).read(source)
    except Unreadable as error:
        if marker := _CONFLICT.search(source.text):
            words = "a conflict marker of git stands here; resolve the conflict"
            raise Unreadable(Problem(words, Span(*marker.span()))) from error
        raise


def _by_content(text: str) -> Format:
    name = "json" if text.lstrip()[:1] in ("{", "[") else "yaml"
    return next(form for form in formats() if form.name == name)
