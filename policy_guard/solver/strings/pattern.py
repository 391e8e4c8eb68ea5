"""A pattern: literal text, wildcards, policy variables and unknown parts, in the order written.

The parts are no tuples: two kinds of part with the same text must not be equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

from policy_guard.records import NamedTuple
from policy_guard.regex import regex


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*` or `?`. With `stays` it does not stand for a colon: it stays in its part of an ARN.

    With `before_slash` it does not stand for a slash either: it stays before the path.
    """

    symbol: str
    stays: bool = False
    before_slash: bool = False

    @property
    def spared(self) -> str:
        """The characters that it does not stand for."""
        return ":" * self.stays + "/" * self.before_slash


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`: the value of `key` (lower case) in the same request, as text."""

    key: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that a template fills in later: some fixed text that nobody knows yet, the same for the same name.

    The name of `${bucket}` is `bucket`, that of any other part what it looks like, `!Ref Bucket` for CloudFormation's.
    With `stays` the wildcards in that text stay in their part of an ARN; with `verbatim` there are none in it.
    """

    name: str
    stays: bool = False
    verbatim: bool = False


Part: TypeAlias = "str | Wildcard | Variable | Unknown"

STAR = Wildcard("*")
ONE = Wildcard("?")
ARN_COLONS = 5
HIDDEN = "\x1f"
"""What follows it in the name of an unknown part tells the part from others, and is not shown."""
PSEUDO = "!Ref AWS::"
"""What the names of CloudFormation's own parameters begin with: AWS fills them in, and never with a policy variable."""


class Pattern(NamedTuple):
    parts: tuple[Part, ...]


def folded(text: str) -> str:
    """Lower case, character by character and only where upper case leads back, so that lengths stay."""
    if text.isascii():
        return text.lower()
    return "".join(c.lower() if len(c.lower()) == 1 and c.lower().upper() == c else c for c in text)


def plain_pattern(text: str) -> Pattern:
    """The text with its `*` and `?` as wildcards, and nothing else in it."""
    return Pattern(tuple(Wildcard(part) if part in ("*", "?") else part for part in re.split(r"([*?])", text) if part))


def as_text(part: Part) -> str:
    """Return what a part without a meaning of its own stands for: itself."""
    assert isinstance(part, str | Wildcard)
    return part.symbol if isinstance(part, Wildcard) else part


def spelled_out(pattern: Pattern) -> str:
    """The pattern as a text: another text for every other pattern, as far as people write them."""
    return "".join(map(_spelled_out, pattern.parts))


def _spelled_out(part: Part) -> str:
    if isinstance(part, Variable):
        return f"${{{part.key}}}" if part.default is None else f"${{{part.key}, '{part.default}'}}"
    return visible_name(part.name) if isinstance(part, Unknown) else as_text(part)


def visible_name(name: str) -> str:
    """An unknown part as people write it, by its name up to what is there only to tell it from others."""
    name = name.partition(HIDDEN)[0]
    return f"${{{name}}}" if name[:1].isalnum() else name


def holes(pattern: Pattern) -> bool:
    """Tell whether the pattern has unknown parts."""
    return any(isinstance(part, Unknown) for part in pattern.parts)


def has_early_variable(pattern: Pattern) -> bool:
    """Tell whether a policy variable stands before the fifth colon, where AWS says that none can be used."""
    colons = 0
    for part in pattern.parts:
        if isinstance(part, Variable):
            return colons < ARN_COLONS
        colons += part.count(":") if isinstance(part, str) else 0
    return False


def in_arn_parts(pattern: Pattern, *, but_at_ends: bool = False) -> Pattern:
    """The pattern with the wildcards of the first five parts of an ARN staying there; the sixth may hold colons.

    With `but_at_ends` those that end a part do not stay. A pattern that does not spell out five colons has no such
    parts and is given back as it is.
    """
    colons = 0
    parts: list[Part] = []
    for at, part in enumerate(pattern.parts):
        next_part = pattern.parts[at + 1] if at + 1 < len(pattern.parts) else ":"
        ends = but_at_ends and isinstance(next_part, str) and next_part.startswith(":") and part != ONE
        if isinstance(part, str):
            colons += part.count(":")
        elif colons < ARN_COLONS and not isinstance(part, Variable) and not ends:
            part = replace(part, stays=True)
        parts.append(part)
    return Pattern(tuple(parts)) if colons >= ARN_COLONS else pattern


# Every run is bounded or ends at the next opening character, so that the time is linear in the text.
_TOKEN = regex(
    r"""\$\$\{(?P<escaped>[^{}]*)\}
    | (?P<hole>\$?\{\{[^{}]*\}\} | \{\{\{[^{}]*\}\}\} | %%?\{[^{}]*\} | <%[^%]*%>)
    | \$\{(?P<inner>[^{}]*)\} | (?P<logic>\{%) | (?P<open>\$\{)
    | (?P<bracket>%\([^()]*\)[sdr] | [$\#@!%&^~\\]{0,3}(?:\{[^{}]*\} | \[\[[^\[\]]*\]\])
    | [$\#@!%&^~\\]{1,3}\(\(?[^()]*\)\)?
    | \({2}[^()]*\){2} | <{1,3}[^<>]*>{1,3})
    | (?P<wild>[*?]) | (?P<text>[^*?$\#@!%&^~\\{\[<(]+ | .)""",
    re.VERBOSE | re.DOTALL,
)
# Most texts have none of the characters with which something else begins, and are spared the tokens.
_LITERAL = regex(r"[A-Za-z0-9:/_.,=+ -]+")
# Texts of any length are read with these: no two parts that stand side by side take the same character.
_KEY = regex(r"[A-Za-z0-9_.+=@-]+:(?![:=+-])[^\s/,'*?$]*(?:/[^,'*?$]*)?")
_DEFAULT = regex(r"\s*'([^']*)'\s*")
# Other names begin with another character: what stands for one text in two languages has two names.
_PLAIN_NAME = regex(r"[A-Za-z0-9][^\s]*")
# Directives of templates: what they choose between is text that nobody can tell apart here.
_LOGIC = regex(
    r"""%\{~?\s*(if|else|endif|for|endfor)\b.* | \{\{[~-]?\s*([\#/^>]|(if|else|end|range|with)\b).* | <%(?!=).*""",
    re.DOTALL | re.VERBOSE,
)


def read_pattern(text: str, variables: bool, is_known_key: Callable[[str], bool] = lambda key: True) -> Pattern:
    """The pattern that `text` spells; with `variables` as in Version 2012-10-17, else those are literal text.

    `${prefix:name}` is a variable if `is_known_key` holds for its key. `${name}`, `${{name}}`, `%{name}`, `{{name}}`,
    `<%= name %>`, `#{name}`, `$(name)`, `[[name]]`, `{name}` and `<name>` are unknown parts. Raises `ValueError` with
    a sentence for any other `${`, and for directives of templates.

    Source: IAM User Guide, reference_policies_variables.
    """
    if _LITERAL.fullmatch(text):
        return Pattern((text,))
    return Pattern(joined(part for token in _TOKEN.finditer(text) for part in _parts(token, variables, is_known_key)))


_BRACED = regex(r"\$\{(?P<inner>[^{}]*)\}|(?P<open>\$\{)|(?P<wild>[*?])|(?P<text>[^*?$]+|\$)", re.DOTALL)


def read_evaluated(text: str, variables: bool, is_known_key: Callable[[str], bool] = lambda key: True) -> Pattern:
    """The pattern that AWS reads in a `text` that no template engine sees any more: nothing in it is a placeholder.

    With `variables`, `${prefix:name}` is a variable if `is_known_key` holds for its key, and any other `${name}` is
    that text. Raises `ValueError` with a sentence for a `${` that is not closed.
    """
    if _LITERAL.fullmatch(text):
        return Pattern((text,))
    return Pattern(
        joined(part for token in _BRACED.finditer(text) for part in _evaluated(token, variables, is_known_key))
    )


def _evaluated(token: re.Match[str], variables: bool, is_known_key: Callable[[str], bool]) -> tuple[Part, ...]:
    inner = token["inner"]
    if token["wild"]:
        return (Wildcard(token["wild"]),)
    if inner is None or not variables:
        if token["open"] and variables:
            raise ValueError('"${" is not closed by "}" in the same text')
        return plain_pattern(token[0]).parts
    if inner in ("*", "?", "$"):
        return (inner,)
    variable = _variable(inner)
    return (variable,) if variable and is_known_key(variable.key) else plain_pattern(token[0]).parts


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts with neighbouring texts as one."""
    merged: list[Part] = []
    for is_text, run in groupby(parts, lambda part: isinstance(part, str)):
        neighbours = list(run)
        merged += neighbours if not is_text else filter(None, ["".join(map(str, neighbours))])
    return tuple(merged)


def with_variables(text: str, is_known_key: Callable[[str], bool] = lambda key: True) -> Pattern:
    """The pattern that the text would be where it may hold policy variables; the empty one if it spells none."""
    try:
        return read_pattern(text, True, is_known_key)
    except ValueError:
        return Pattern(())


def _parts(token: re.Match[str], variables: bool, is_known_key: Callable[[str], bool]) -> tuple[Part, ...]:
    if token["wild"]:
        return (Wildcard(token["wild"]),)
    if token["logic"] or (token["hole"] and _LOGIC.fullmatch(token["hole"])):
        raise ValueError(f'"{token[0][:60]}" chooses between texts once the template is filled in; write a policy each')
    if token["hole"] or token["bracket"]:
        return (Unknown(_without_blanks(token[0])),)
    if token["escaped"] is not None:
        inner = token["escaped"]
        is_escape = inner in ("*", "?", "$") or _variable(inner)
        return (
            (Unknown("$"), *_braced(inner, token[0][1:], variables, is_known_key))
            if is_escape
            else (Unknown(token[0]),)
        )
    if token["inner"] is not None:
        return _braced(token["inner"], token[0], variables, is_known_key)
    if token["open"]:
        raise ValueError('"${" is not closed by "}"')
    return (token[0],)


def _without_blanks(placeholder: str) -> str:
    """The placeholder without the blanks at the ends of its name: `{{ a }}` and `{{a}}` are one."""
    inner = placeholder.lstrip("$#@!%&^~\\{([<=")
    name = inner.rstrip("})]>%")
    return f"{placeholder[: len(placeholder) - len(inner)]}{name.strip()}{inner[len(name) :]}"


def _braced(inner: str, text: str, variables: bool, is_known_key: Callable[[str], bool]) -> tuple[Part, ...]:
    variable = _variable(inner)
    if variable and not is_known_key(variable.key):
        return (Unknown(text),)
    if not variables and (variable or inner in ("*", "?", "$")):
        return plain_pattern(text).parts
    if inner in ("*", "?", "$"):
        return (inner,)
    if variable:
        return (variable,)
    misspelt = re.search(r"(?<!:):(?!:)", inner) and is_known_key(inner.strip().lower())
    if variables and (misspelt or not inner.strip()):
        raise ValueError(
            f"\"{text[:60]}\" is not a policy variable; write ${{prefix:name}} or ${{prefix:name, 'default'}}"
        )
    return (Unknown(inner.strip() if _PLAIN_NAME.fullmatch(inner.strip()) else text),)


def _variable(inner: str) -> Variable | None:
    name, comma, suffix = inner.partition(",")
    key = name.strip()
    default = _DEFAULT.fullmatch(suffix) if comma else None
    if not _KEY.fullmatch(key) or key.endswith(":") or (comma and not default):
        return None
    return Variable(key.lower(), default[1] if default else None)
