"""What a policy looks like, as a text and as a tree: enough of one that nobody may take it for something else."""

from __future__ import annotations

import re
from itertools import islice

from policy_guard.documents.containers import VERSIONS
from policy_guard.documents.format import hole_in_key
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, Span
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import holes, with_variables

# Without Effect a statement is no less meant as one; AWS refuses it, and so does the parser.
_ELEMENTS = {"Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal"}
MEANT = 'did you mean "Statement"?'
_KEY = regex(r"\b([A-Za-z]{6,14})[\"']?[ \t]{0,9}:")
_MOST_KEYS = 100
_ALIKE = 0.8
_HOLE = regex(r"\$\{|%\{|\{\{|\{#|\{%|<%")


# Each begins with the word itself, and looks back from there: that is quick in long texts. Only whole words count:
# "ForInStatement" and "useLayoutEffect" are none of a policy. In a text in a text, "\n" may come before one.
def _word(name: str) -> str:
    return rf"{name}(?:(?<![A-Za-z0-9]{name})|(?<=\\[nrt]{name})|(?<=%22{name}))"


_STATEMENT_KEY = regex(_word("Statement") + r"""\\*(?:["']|%22)?\s*(?::|%3A|\Z)""")
_BEFORE_KEY = regex(r"""(?:["']|%22|(?:\n|\A)[ \t-]*)\Z""")
_CASELESS_KEYS = tuple(regex(rf"{_word(name)}[\"'\\]*\s*:") for name in ("statement", "effect"))
# A key, behind which a comment or a template may stand before the colon, or a text that an alias makes one.
_KEY_ANYHOW = regex(_word("Statement") + r"""["'\\]*\s*(?:[:=\#%/{$<]|\Z)""")
_ANCHORED = regex(r"""Statement\b(?<=[\s"']Statement)""")
_BEFORE_ANCHORED = regex(r"""&[^\s&]{1,100}\s{1,90}["']?\Z""")
_EFFECT = regex(_word("Effect") + "(?![A-Za-z0-9])")
_LOOKED_BACK = 200
_MOST_KEYS = 10_000
_ESCAPED_LETTER = regex(r"\\(?:u00|x|U000000)([0-9a-fA-F]{2})|\\\r?\n[ \t]*")


def looks_like_policy_text(text: str) -> bool:
    """Tell whether a text that cannot be read seems to be a policy."""
    text = _with_letters(text)
    effect = _EFFECT.search(text)
    if effect or any(version in text for version in VERSIONS):
        anchored = "&" in text and _has_key(_ANCHORED, _BEFORE_ANCHORED, text)
        if anchored or _KEY_ANYHOW.search(text) or (effect and hole_in_key(text.encode("utf-8", "replace"))):
            return True
    lower_text = text.lower()
    return _has_key(_STATEMENT_KEY, _BEFORE_KEY, text) or all(key.search(lower_text) for key in _CASELESS_KEYS)


def _has_key(word: re.Pattern[str], prefix: re.Pattern[str], text: str) -> bool:
    """Tell whether the word stands somewhere behind what has to be before it, or so often that nobody can tell."""
    for number, match in enumerate(word.finditer(text)):
        if number > _MOST_KEYS or prefix.search(text[max(0, match.start() - _LOOKED_BACK) : match.start()]):
            return True
    return False


def _with_letters(text: str) -> str:
    """The text with its escaped letters as letters, and the lines joined that end in a backslash."""
    return _ESCAPED_LETTER.sub(lambda m: chr(int(m[1], 16)) if m[1] else "", text) if "\\" in text else text


def looks_like_policy(node: Node) -> bool:
    """A mapping with Statement, and with Effect, a policy's Version, or what can only be a broken statement.

    Beside a policy's Version, what has an Effect is a statement under whatever key.

    AWS's pages do not say whether names of elements may be written in another case, so that they count here too:
    the parser refuses them. Of a key written twice every value counts, because readers differ in which they take.
    """
    if not isinstance(node, Object):
        return False
    statements = [entry for entry in node.entries if _names_statement(entry.key.text)]
    versions = (entry.value for entry in node.entries if entry.key.text.lower() == "version")
    if any(isinstance(version, Scalar) and version.text in VERSIONS for version in versions):
        return bool(statements) or any(_is_statement(entry.value, exact=False) for entry in node.entries)
    return any(_is_statement(entry.value, exact=entry.key.text == "Statement") for entry in statements)


def bare_statements(node: Node) -> tuple[Node, ...]:
    """The statements of a list that holds nothing else, or the one that a mapping is, without a policy around them."""
    if isinstance(node, Object):
        return (node,) if _is_bare_statement(node) else ()
    if not isinstance(node, Array) or not all(map(_is_bare_statement, node.items)):
        return ()
    return node.items


def _is_bare_statement(node: Node) -> bool:
    if not isinstance(node, Object):
        return False
    keys = {entry.key.text for entry in node.entries}
    return "Effect" in keys and not keys.isdisjoint(_ELEMENTS)


def policy_of(statements: tuple[Node, ...], span: Span) -> Object:
    """The policy with these statements."""
    version = Entry(Scalar("Version", span), Scalar("2012-10-17", span))
    return Object((version, Entry(Scalar("Statement", span), Array(statements, span))), span)


def _names_statement(key: str) -> bool:
    """Tell whether a key is "Statement", or may be once a template in it is filled in."""
    if key.isalnum():
        return key.lower() == "statement"
    return (key[:1] in "Ss$%{<" and bool(_HOLE.search(key))) or holes(with_variables(key))


def _is_statement(node: Node, exact: bool) -> bool:
    """Tell whether there is an Effect in it, or under the `exact` name some element or text that is filled in later."""
    match node:
        case Array():
            return any(_is_statement(item, exact) for item in node.items)
        case Object():
            keys = {entry.key.text for entry in node.entries}
            if any(key.lower() == "effect" for key in keys):
                return True
            return exact and (not keys.isdisjoint(_ELEMENTS) or any(key.startswith("Fn::") for key in keys))
        case Scalar():
            return exact and (node.tag is not None or "Effect" in node.text)


def is_policy_text(text: str) -> bool:
    """Tell whether a string holds a policy as JSON, as YAML, or as the JSON that AWS's API returns, percent-encoded."""
    text = _with_letters(text)
    return bool(
        "Statement" in text
        and any(word in text for word in ("Effect", *VERSIONS))
        and _has_key(_STATEMENT_KEY, _BEFORE_KEY, text)
    )


def misspelt_statement(source: Source) -> Problem | None:
    """The key that was probably meant as "Statement", where there is none of that name."""
    from difflib import get_close_matches

    keys = list(islice(_KEY.finditer(source.text), _MOST_KEYS))
    if any(key[1] == "Statement" for key in keys):
        return None
    misspelt_keys = (key for key in keys if get_close_matches(key[1].lower(), ["statement"], 1, _ALIKE))
    return next(
        (Problem(f'"{key[1]}" is no element of a policy; {MEANT}', Span(*key.span(1))) for key in misspelt_keys), None
    )
