"""Every regular expression over texts that others write takes time in proportion to them."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import pytest

import policy_guard
from policy_guard.documents.containers.recognition import looks_like_policy_text
from policy_guard.documents.format import sniff
from policy_guard.documents.formats import read
from policy_guard.documents.marks import refused_marks
from policy_guard.documents.source import Scalar, Source, Span
from policy_guard.iam.parse.reader import Reader
from policy_guard.regex import Late
from policy_guard.solver.strings.pattern import read_pattern

ROOT = Path(policy_guard.__file__).parent
LONG = 6_000
SCANNING = ("search", "finditer", "findall", "sub", "split")
SLOW = 0.02
ASKED_AGAIN = 4


class Expression(NamedTuple):
    """A regular expression of the package; `scanning` if it is looked for at every place of a text."""

    where: str
    compiled: re.Pattern[Any]
    scanning: bool


def modules() -> list[str]:
    """The modules that may use regular expressions; which they are is looked up by the tests and not by each worker."""
    texts = {
        path: path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py")) if path.name != "__main__.py"
    }
    names = {path: ".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in texts}
    return [names[path].removesuffix(".__init__") for path, text in texts.items() if "re." in text or "regex(" in text]


def expressions(name: str) -> Iterator[Expression]:
    """Those that a module keeps as constants, and those written where they are used."""
    module = import_module(name)
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    if re.search(r"\bre\.(?!compile)", text):
        yield from _inline(name, text)
    if "re.compile" in text or "regex(" in text:
        yield from _constants_of(name, text)


def _inline(name: str, text: str) -> Iterator[Expression]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(ast.Attribute(ast.Name("re"), used), [ast.Constant(str(written)), *_]) if used != "compile":
                yield Expression(f"{name}:{node.lineno}", re.compile(written), used in SCANNING)


def _constants_of(name: str, text: str) -> Iterator[Expression]:
    for constant, value in vars(import_module(name)).items():
        found = [each for each in _flat(value) if isinstance(each, (re.Pattern, Late))]
        used = found and re.search(rf"\b{constant}\.({'|'.join(SCANNING)})\b", text)
        for each in found:
            yield Expression(f"{name}.{constant}", each, bool(used) or each is not value)


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, tuple):
        for each in value:
            yield from _flat(each)
    else:
        yield value


def attacks(written: str) -> Iterator[str]:
    """Each beginning of the expression again and again, and each part of it repeated after what stands before it."""
    yield from dict.fromkeys(_attacks(written))


def _attacks(written: str) -> Iterator[str]:
    parsed = _parser.parse(written, re.VERBOSE if "\n" in written else 0)
    for before, part in _places(list(parsed), ""):
        yield (before + part) * (LONG // (len(before + part) or 1))
        for piece in {part, part[-1:], part[:1]} - {""}:
            yield before + piece * (LONG // len(piece))


def _places(items: list[Any], before: str) -> Iterator[tuple[str, str]]:
    """A text for each part of the expression, after a text for all that stands before it."""
    for item in items:
        yield before, _sample([item])
        for inner in _below(item):
            yield from _places(inner, before)
        before += _sample([item])


def _below(item: Any) -> list[list[Any]]:
    code, argument = item
    if code is _constants.BRANCH:
        return [list(each) for each in argument[1]]
    if code in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        return [list(argument[2])]
    if code in (_constants.SUBPATTERN, _constants.ASSERT, _constants.ATOMIC_GROUP):
        return [list(argument[-1])]
    return []


def _sample(items: list[Any]) -> str:
    return "".join(map(_sample_of, items))


def _sample_of(item: Any) -> str:
    code, argument = item
    if code is _constants.LITERAL:
        return chr(argument)
    if code is _constants.ANY or code is _constants.NOT_LITERAL:
        return "a"
    if code is _constants.IN:
        return _one_of(argument)
    if code in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        return _sample(list(argument[2])) * max(1, min(argument[0], 4))
    below = _below(item)
    return _sample(below[0]) if below and code is not _constants.ASSERT else ""


def _one_of(choices: Any) -> str:
    code, argument = choices[0]
    if code is _constants.NEGATE:
        return next(c for c in "a/: {1" if not re.match(f"[{re.escape(_one_of(choices[1:]))}]", c))
    if code is _constants.CATEGORY:
        return {_constants.CATEGORY_SPACE: " ", _constants.CATEGORY_DIGIT: "1"}.get(argument, "a")
    return chr(argument[0] if code is _constants.RANGE else argument)


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def is_slow(work: Callable[[str], object], attack: str) -> bool:
    """Tell whether the work takes longer than it may, and each time far more than in proportion to a shorter text.

    A quarter of the text is tried first: what takes a 64th of the time there stays below it even if it is cubic.
    """
    shorter = attack[: LONG // 4]
    if seconds(partial(work, shorter)) < SLOW / 64 or seconds(partial(work, attack)) < SLOW:
        return False
    return all(seconds(partial(work, attack)) > 8 * seconds(partial(work, shorter)) for _ in range(ASKED_AGAIN))


@pytest.mark.parametrize("module", modules())
def test_regular_expressions_take_linear_time(module: str) -> None:
    assert [slow for expression in expressions(module) if (slow := slow_attacks(expression))] == []


def slow_attacks(expression: Expression) -> list[tuple[str, str]]:
    """The texts on which an expression takes too long, each with the place of the expression."""
    written = expression.compiled.pattern
    binary = isinstance(written, bytes)

    def work(attack: str) -> None:
        text: Any = attack.encode("latin-1", "replace") if binary else attack
        expression.compiled.fullmatch(text)
        if expression.scanning:
            for _ in expression.compiled.finditer(text):
                pass

    readable = written.decode("latin-1") if binary else written
    return [(expression.where, attack[:40]) for attack in attacks(readable) if is_slow(work, attack)]


READERS: dict[str, Callable[[str], object]] = {
    "patterns": lambda text: _or_error(read_pattern, text),
    "marks of templates": lambda text: refused_marks(Source("a.json", text), [Scalar(text, Span(0, len(text)))], ()),
    "condition keys": lambda text: Reader(Source("a.json", "")).key(Scalar(text, Span(0, 0))),
    "whether it may be a policy": lambda text: sniff(text.encode()),
    "whether it looks like a policy": lambda text: looks_like_policy_text(f"Effect {text}"),
}
UNITS = (
    "${a:",
    "${",
    "{{",
    "{#",
    "{# }",
    "#* ",
    "{{a ",
    "${a: ",
    "{{a|lower ",
    "{{a[b]",
    "%{",
    "$",
    "<%",
    "S${",
    "S{{:",
    "${a:/",
    "{{ } ",
    "Statement",
    "\\u0053",
    "*a",
)


def _or_error(read: Callable[[str, bool], object], text: str) -> None:
    for variables in (True, False):
        with suppress(ValueError):
            read(text, variables)


@pytest.mark.parametrize("name", READERS)
def test_reading_takes_linear_time(name: str) -> None:
    for unit in UNITS:
        for text in (unit * (LONG // len(unit)), f"${{a:{unit[-1] * LONG}*}}", f"${{{unit * (LONG // len(unit))}}}"):
            assert not is_slow(READERS[name], text), unit


def test_merging_takes_linear_time() -> None:
    known = ", ".join(f"k{number}: 1" for number in range(4000))
    text = f"a: &a {{{known}}}\nb: &b {{x: 1}}\nc: {{<<: [*a, {', '.join(['*b'] * 20_000)}]}}\n"
    assert seconds(partial(read, Source("a.yaml", text))) < 5
