"""Which texts of Terraform may read one of the changed files, by themselves or by templates that they fill in.

Source: Terraform, "Filesystem Functions"; OpenTofu, "templatefile", whose templates may fill in others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeAlias

from policy_guard.documents.globs import holds_in_order

_DATA = re.compile(r"\b(?:local_file|local_sensitive_file|external|archive_file|sops_file)\b")
_READS_BY_PATH = re.compile(r"\b(?:file[a-z0-9]*|templatefile)\s*[(/#]")
_NAMES_FILE = re.compile(r"\b(?:filename|source_file)\"?\s*[=:]")
_FILLS_IN = re.compile(r"\btemplatefile\s*[(/#]")
_PATH = re.compile(r'\s*"((?:[^"\\$%]|\$\{[^{}"]*\})*)"')
_PROGRAMS = re.compile(r"\bexternal\b")
_DOWN = re.compile(
    r"\bpath\.(?:module|root|cwd)\}/(?:\.\./)*|\bsource\"?\s*[=:]\s*\"(?:\.\.?/)*(?:\.\.)?"
    r"|\b(?:template)?file\w{0,20}\(\s{0,20}\"[^\"$]*"
)
_UP = re.compile(r"(?<!\.)\.\.[\"/$\\]")
_LONGEST_PATH = 400
_MOST_LOOKS = 2_000_000
_Words: TypeAlias = tuple[str, ...]
"""What a path holds one after the other."""


class Readers:
    """The texts of one side that may read one of the changed files."""

    def __init__(
        self, changed: Collection[str], paths: Iterable[str], text_of: Callable[[str], str], climbs: bool = False
    ) -> None:
        """Take the changed files, the paths of all files of the side, and what gives the text of one.

        With `climbs` values may lead up from what stands before them in a path.
        """
        self._changed = changed
        self._climbs = climbs
        self._text_of = text_of
        self._paths: dict[str, list[str]] = {}
        for path in paths:
            self._paths.setdefault(_suffix(path), []).append(path)
        self._looks = _MOST_LOOKS
        self._verdicts: dict[_Words | str, bool] = {}

    def has(self, text: str, folder: str) -> bool:
        """Tell whether a text of a folder may read a changed file."""
        if _may_read(text, folder, self._changed, self._climbs):
            return True
        return any(self._leads_to_changed(words) for words in _words_in(text, _FILLS_IN))

    def _leads_to_changed(self, start: _Words) -> bool:
        """Tell whether a template with these words in its path may read a changed file, or fill in one that may."""
        if start not in self._verdicts:
            self._decide(start)
        return self._verdicts[start]

    def _decide(self, start: _Words) -> None:
        """Decide all that templates lead to, each of them once, also where they fill in one another."""
        leading_here: dict[_Words | str, list[_Words | str]] = {start: []}
        waiting: list[_Words | str] = [start]
        reading: list[_Words | str] = []
        while waiting:
            node = waiting.pop()
            if self._verdicts.get(node) or self._reads(node):
                reading.append(node)
            elif node not in self._verdicts:
                for following in self._following(node):
                    if following not in leading_here:
                        leading_here[following] = []
                        waiting.append(following)
                    leading_here[following].append(node)
        self._verdicts = dict.fromkeys(leading_here, False) | self._verdicts | dict.fromkeys(reading, True)
        while reading:
            nodes = [node for node in leading_here[reading.pop()] if not self._verdicts[node]]
            self._verdicts |= dict.fromkeys(nodes, True)
            reading += nodes

    def _reads(self, node: _Words | str) -> bool:
        """Tell whether a template reads a changed file by itself; without looks left, any may."""
        return self._looks < 0 or (
            isinstance(node, str) and _may_read(self._text_of(node), "", self._changed, self._climbs)
        )

    def _following(self, node: _Words | str) -> Iterator[_Words | str]:
        """The words of the templates that one fills in, or the templates with some words in their paths."""
        if isinstance(node, str):
            yield from _words_in(self._text_of(node), _FILLS_IN)
            return
        suffix = _suffix(node[-1])
        paths = self._paths.get(suffix, []) if suffix else [path for group in self._paths.values() for path in group]
        self._looks -= len(paths)
        yield from (path for path in paths if holds_in_order(path, node[-1:] if self._climbs else node))


def _suffix(path: str) -> str:
    """The end of a file's name, from its last dot."""
    return "".join(path.rpartition("/")[2].rpartition(".")[1:])


def leads_up(text: str) -> bool:
    """Tell whether a text has steps to a folder above, but for those of modules and at the beginning of paths.

    A value with such steps in it takes back what stands before it in a path.
    """
    return _UP.search(_DOWN.sub("", text)) is not None


def _may_read(text: str, folder: str, changed: Iterable[str], climbs: bool) -> bool:
    """Tell whether a text of Terraform may read one of the changed files by itself.

    A path has the words that are written in it; a program may read all of its folder; other data sources name a part.
    """
    if not _READS_BY_PATH.search(text) and not _DATA.search(text):
        return False
    path_words = [*_words_in(text, _READS_BY_PATH), *(_words_in(text, _NAMES_FILE) if _DATA.search(text) else ())]
    programs = bool(_PROGRAMS.search(text))
    for path in changed:
        is_inside = path.startswith(f"{folder}/") if folder else True
        relative_path = path[len(folder) + 1 :] if folder and is_inside else path
        if (programs and is_inside) or any(part in text for part in relative_path.split("/")):
            return True
        if any(holds_in_order(path, words[-1:] if climbs else words) for words in path_words):
            return True
    return False


def _words_in(text: str, calls: re.Pattern[str]) -> Iterator[_Words]:
    """What is written in the paths that are the first arguments of calls; nothing where one is no plain text."""
    for call in calls.finditer(text):
        match = _PATH.match(text, call.end(), call.end() + _LONGEST_PATH)
        path = match[1].rpartition("..")[2] if match else ""
        pieces = re.split(r"\$\{[^{}\"]*\}|[*?\[\]{},]+", path)
        words = ("/".join(part for part in piece.split("/") if part not in ("", ".")) for piece in pieces)
        yield ("", *words) if match and ".." in match[1] else tuple(words)
