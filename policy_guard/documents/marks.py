"""What a template engine may put into a file: only names are taken for unknown texts, whatever else stands there.

An engine runs over the whole file, comments included, and knows nothing of strings. What stands between its marks is a
program: it may close the string that it stands in, leave out what follows, or give another placeholder another value.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice

from policy_guard.documents.printable import printable
from policy_guard.documents.source import Node, Problem, Scalar, Source, Span, scalars
from policy_guard.regex import regex

_SIGNS = (
    "{{",
    "{%",
    "{#",
    "{!",
    "<%",
    "%{",
    "${",
    "#{",
    "@{",
    "[[",
    "$(",
    "{*",
    "<#",
    "<?",
    "<!",
    "<@",
    "#",
    "{if",
    "@",
)
_ESCAPES = ("\\", "%7B", "%7b", "%25")
# Of Go, Jinja, Mustache, ERB, Terraform, shells, Ruby, Velocity and Ansible: these mean something anywhere in a file.
_ANYWHERE = r"\{\{|\{[%\#]|<%|[%$\#]\{|\#(?:set|if|elseif|foreach|macro|include|parse|evaluate|define)[ \t]*\("
_ANYWHERE += r"|^\#(?:jinja2:|(?:define|undef|ifn?def|include)\b)|\#\*"
# Of Thymeleaf, FreeMarker, PHP, Smarty, Blade, Razor: outside of values these are JSON, YAML or nothing.
_IN_VALUES = r"\[\[|<[\#?@]|<!--|\$\(|@\{|(?<!\$)\{[*!]|\{(?:if|foreach|section|literal|while|for|php|assign)\s"
_IN_VALUES += r"|@(?:if|for|foreach|while|switch|using|functions|section|code)\s*[({]"
_MARK = regex(rf"(?P<anywhere>{_ANYWHERE})|{_IN_VALUES}", re.MULTILINE)
_KEYWORDS = "if|else|elif|elsif|elseif|end|endif|endfor|for|range|with|define|block|break|continue|raw|endraw|yield"
_ANY_NAME = r"(?:\.?[A-Za-z_$][\w.$-]*(?:\[[\w.]+\][\w.]*)*|\.)"
_NAME = rf"(?!(?:{_KEYWORDS})\b(?![.-])){_ANY_NAME}"
# Each gives one text in one line, whatever it is given; `quote` closes a string that it stands in.
_FILTERS = "lower|upper|trim|title|capitalize|string|int|safe|escape|e|urlencode|toString|ToLower|ToUpper|s?quote"
_FILTERED = rf"(?:[ \t]*\|[ \t]*(?:{_FILTERS})\b)*[ \t]*"
_INNER = rf"[ \t]*{_NAME}{_FILTERED}"
# No engine takes a word after "${" for a statement.
_AFTER_DOLLAR = rf"[ \t]*{_ANY_NAME}{_FILTERED}"
_KEY = r"!?[\w.@+-]+::?(?![:=+?-])[\w.:/@+ -]*(?:,[ \t]*'[^'\"\\{}\r\n]*'[ \t]*)?"
_WORDS = r"[A-Za-z][\w-]*(?:[ ][A-Za-z][\w-]*)+"
_GOOD = regex(
    rf"""(?:(?<!\{{)\{{\{{ (?P<before>[-~]?) {_INNER} (?P<after>[-~]?) \}}\}}
    | (?<!\{{)\{{\{{\{{{_INNER}\}}\}}\}} | \$\{{\{{{_INNER}\}}\}}
    | <%=[ \t]*@?[A-Za-z]\w*[ \t]*(?P<erb>-?)%>
    | [%\#@]\{{{_INNER}\}}
    | \$\{{(?:{_KEY} | !?[*?$] | !?{_AFTER_DOLLAR}(?::-[\w./-]*)? | {_WORDS})\}}
    | \[\[{_INNER}\]\]
    | \$\(\(?{_INNER}\)?\))""",
    re.VERBOSE,
)
_QUOTES = regex(r"\|[ \t]*s?quote\b")
# AWS's own variables are no marks: AWS's answers and other writers of JSON spell them with escapes.
_PLACEHOLDER = regex(r"\{\{|\{[%#]|<%|[%#]\{|\$\{(?![^{}:\s]+:[^:-])(?![*?$]\})")
_VARIABLE = regex(r"\$\{(?:[^{}:\s]+:[^:-]|[*?$]\})")
_MOST = 20
_LONGEST = 60


def refused_marks(
    source: Source, documents: Iterable[Node], policies: Iterable[Node], most: int | None = _MOST
) -> tuple[Problem, ...]:
    """Says what in a file with these documents and policies may be more than a name once a template is filled in.

    Of each kind there are at most `most` problems, or all with None.
    """
    if not any(sign in source.text for sign in (*_SIGNS, *_ESCAPES)):
        return ()
    values = Values(scalar for document in documents for scalar in scalars(document))
    problems = [*islice(_not_inert(source.text, values), most)]
    return (*problems, *islice(_disguised_marks(source.text, (*values.all, *_all_scalars(policies))), most))


class Values:
    """The scalars of a file, found by place."""

    def __init__(self, file_scalars: Iterable[Scalar]) -> None:
        by_place = {scalar.span: scalar for scalar in file_scalars}
        self.all = [by_place[span] for span in sorted(by_place)]
        self._starts = [scalar.span.start for scalar in self.all]

    def at(self, place: int) -> Scalar | None:
        """The scalar that is written there; None for a comment, and for what holds values together."""
        count = bisect_right(self._starts, place)
        scalar = self.all[count - 1] if count else None
        return scalar if scalar and place < scalar.span.end else None


def _all_scalars(nodes: Iterable[Node]) -> Iterator[Scalar]:
    return (scalar for node in nodes for scalar in scalars(node))


def _not_inert(text: str, values: Values) -> Iterator[Problem]:
    position, last = 0, text.rfind("*#")
    for mark in _MARK.finditer(text):
        start = mark.start()
        value = values.at(start)
        # Keys of DynamoDB are written as "USER#*": a comment of Velocity has an end.
        if start < position or not (value or mark["anywhere"]) or (mark[0] == "#*" and last <= start + 1):
            continue
        name_mark = _GOOD.match(text, start)
        if name_mark and value is None and _VARIABLE.match(name_mark[0]):
            continue
        if name_mark is None or not _stays_inside(text, name_mark, value):
            words = "may put anything here once the template is filled in; write a name alone, and a policy each"
            yield Problem(f"{_quotation(text, start)} {words}", Span(start, mark.end()))
        elif value is None:
            words = "is filled in outside of values, too, and may end the comment; remove it"
            yield Problem(f"{_quotation(text, start)} {words}", Span(*name_mark.span()))
        position = name_mark.end() if name_mark else mark.end()


def _stays_inside(text: str, name_mark: re.Match[str], value: Scalar | None) -> bool:
    """Tell whether the mark closes in its value, takes no blanks around it away, and no quotation marks come."""
    left_text, right_text = text[name_mark.start() - 1 : name_mark.start()], text[name_mark.end() : name_mark.end() + 1]
    trims = (name_mark["before"] and (not left_text or left_text.isspace())) or (
        (name_mark["after"] or name_mark["erb"]) and (not right_text or right_text.isspace())
    )
    if trims or (value is not None and name_mark.end() > value.span.end):
        return False
    return not _QUOTES.search(name_mark[0]) or (value is not None and name_mark.span() == value.span)


def _disguised_marks(text: str, values: Iterable[Scalar]) -> Iterator[Problem]:
    """Return what looks like a placeholder when escapes are read, and is none for an engine, or the other way round.

    A text with parts is none that is written.
    """
    for value in values:
        if value.parts is None and ("{" in value.text or "<%" in value.text):
            raw_text = text[value.span.start : value.span.end]
            if len(_PLACEHOLDER.findall(value.text)) > len(_PLACEHOLDER.findall(raw_text)):
                words = "is a placeholder only when its escapes are read; write it without escapes"
                yield Problem(f"{_quotation(value.text, 0)} {words}", value.span)


def _quotation(text: str, start: int) -> str:
    line = text[start : start + _LONGEST].splitlines()[0]
    match = _GOOD.match(line)
    return f'"{printable(match[0] if match else line)}"'
