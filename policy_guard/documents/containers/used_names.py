"""The names of values that policies use in templates of Helm and Jinja, plays of Ansible and programs of Pulumi.

Names count that stand in a policy, in what gives access without one, and in marks that decide around them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from posixpath import basename, dirname

from policy_guard.documents.containers.manifests import are_manifests, policies_in, policies_in_template
from policy_guard.documents.containers.plain import policies_in as plain_policies_in
from policy_guard.documents.containers.value_files import UsedNames, decisions
from policy_guard.documents.formats import read
from policy_guard.documents.source import Node, Source, Span, Unreadable, scalars
from policy_guard.regex import regex

# No braces inside: each stretch of a text is then gone through once.
_MARK = regex(r"\{\{[^{}]*\}\}|\{%[^%{}]*%\}")
_DECIDING = regex(r"\{[{%][-+]?\s*(?:(?:if|else|elif|with|range|for|set|block)\b|\$\w+\s*:?=)")
_VALUE = regex(r"\.Values\.([A-Za-z_][\w.-]*)")
_INDEXED = regex(r"index \$?\.Values((?: \"[\w.-]{1,90}\"){1,9})")
# The values as a whole, which a function, a variable or another template gets.
_WHOLE = regex(r"\.Values\b(?!\.[A-Za-z_])|\.Values\.AsMap\b")
_INCLUDED = regex(r"\b(?:include|template) [\"`]([^\"`]{1,200})[\"`]")
_DEFINED = regex(r"\{\{-? ?(?:define|block) [\"`]([^\"`]{1,200})[\"`]")
# A value that is written as a list, and nothing else.
_LISTED = regex(
    r"\{\{-?\s{0,9}(?:to(?:Raw)?(?:Json|Yaml)\s{1,9})?\.Values\.([A-Za-z_][\w.-]*)"
    r"(?:\s{0,9}\|\s{0,9}(?:to(?:Raw)?(?:Json|Yaml)|n?indent \d{1,2})){0,4}\s{0,9}-?\}\}"
)
_OTHER_THAN_ALLOWED = regex(r"(?i)deny|not_?(?:action|resource|principal)|condition|\\[ux]")
# A mark that writes an element's name, or its end, and an effect that is written out.
_MARK_IN_KEY = regex(r"[%}]\}[\w-]{0,90}(?:[\\\"']{1,4}\s{0,9}:|\s{0,9}:\s)")
_EFFECT = regex(r"(?i)effect")
_ALLOWING = regex(r"(?i)effect[\\\"']{0,4}\s{0,9}:\s{0,9}[\\\"']{0,4}allow\b")
_KEY = regex(r"[A-Za-z_][\w-]*")
_STEP = regex(r"[\w.-]+")
_NAME = regex(r"[A-Za-z_]\w*")
_PLACE = regex(r"\$\{([A-Za-z_][\w-]*)")
_PARTIAL, _CHART = ".tpl", "Chart.yaml"


def used_names(source: Source, closely: bool) -> UsedNames:
    """The names in the policies of a template, or with less work, if not `closely`, all names in it."""
    texts = tuple(_texts(source)) if closely else (source.text,)
    names = names_in(texts)
    return names._replace(whole=names.values - _only_listed(texts))


def _only_listed(texts: Sequence[str]) -> set[str]:
    """The values that are only written into lists of what policies allow."""
    listed: set[str] = set()
    others: set[str] = set()
    for text in texts:
        names = _LISTED.findall(text) if _only_allows(text) else []
        listed.update(names)
        others.update(_remaining(_VALUE.findall(text), names))
        others.update(".".join(_STEP.findall(steps)) for steps in _INDEXED.findall(text))
    return listed - others


def _only_allows(text: str) -> bool:
    """Tell whether a policy only allows what it lists, whatever its marks write."""
    if _OTHER_THAN_ALLOWED.search(text) or _MARK_IN_KEY.search(text):
        return False
    effects = len(_EFFECT.findall(text))
    return effects > 0 and effects == len(_ALLOWING.findall(text))


def _remaining(names: list[str], listed: Sequence[str]) -> set[str]:
    """The names that stand somewhere else, too."""
    counts = Counter(name.rstrip(".-") for name in names)
    counts.subtract(listed)
    return {name for name, count in counts.items() if count > 0}


def names_in(texts: Sequence[str], whole: bool = False) -> UsedNames:
    """The names in texts; with `whole` these get the values of Helm as a whole."""
    values = [name.rstrip(".-") for text in texts for name in _VALUE.findall(text)]
    values += (".".join(_STEP.findall(steps)) for text in texts for steps in _INDEXED.findall(text))
    marks = [mark for text in texts for mark in _MARK.findall(text)]
    settings = (name for text in texts for name in _PLACE.findall(text))
    is_whole = whole or any(_WHOLE.search(_INDEXED.sub("", text)) for text in texts)
    return UsedNames(
        frozenset(values),
        frozenset(name for mark in marks for name in _NAME.findall(mark)),
        frozenset(settings),
        keys=frozenset(name for mark in marks for name in _KEY.findall(mark)) if is_whole else frozenset(),
        included=frozenset(name for text in texts for name in _INCLUDED.findall(text)),
    )


def defined_templates(text: str) -> Iterator[tuple[str, str]]:
    """The templates of Helm that a file defines: the name of each, and its text as far as the next."""
    matches = [*_DEFINED.finditer(text)]
    for index, match in enumerate(matches, 1):
        yield match[1], text[match.start() : matches[index].start() if index < len(matches) else len(text)]


def with_included(several: Collection[UsedNames], definitions: Collection[tuple[str, str]]) -> list[UsedNames]:
    """The names in several templates, and in what these include, and so on."""
    by_name: dict[str, list[str]] = {}
    for name, text in definitions:
        by_name.setdefault(name, []).append(text)
    all_names, done = list(several), set[tuple[str, bool]]()
    pending = [(name, bool(names.keys)) for names in several for name in names.included]
    while pending:
        name, is_whole = pending.pop()
        if (name, is_whole) not in done:
            done.add((name, is_whole))
            names = names_in(by_name.get(name, ()), is_whole)
            all_names.append(names._replace(whole=names.values))
            pending += ((inner_name, bool(names.keys)) for inner_name in names.included)
    return all_names


def with_values(names: UsedNames, sources: Iterable[Source]) -> UsedNames:
    """The names, and those that stand in the values with these names, and so on; `sources` are files of values."""
    files = [(source.path, document) for source in sources for document in _documents(source)]
    old_names = None
    while names != old_names:
        old_names = names
        nodes = [each.node for path, document in files for each in decisions(path, document, names)]
        others = names_in([scalar.text for node in nodes for scalar in scalars(node)])
        others = others._replace(whole=others.values)
        names = UsedNames(*(one | other for one, other in zip(names, others, strict=True)))
    return names


def _documents(source: Source) -> Sequence[Node]:
    try:
        return read(source)
    except Unreadable:
        return ()


def joined_names(several: Collection[UsedNames], paths: Collection[str]) -> UsedNames:
    """The names in several templates; `paths` are all of the revision."""
    charts = frozenset(basename(dirname(path)) for path in paths if basename(path) == _CHART)
    return UsedNames(*(frozenset().union(*kind) for kind in zip(*several, strict=True)))._replace(charts=charts)


def _texts(source: Source) -> Iterator[str]:
    """The texts of the policies in a template, and the marks that decide around them."""
    if source.path.endswith(_PARTIAL):
        yield source.text
        return
    spans = _spans(source)
    if spans is None:
        yield source.text
        return
    if spans:
        yield from (source.text[slice(*span)] for span in spans)
        yield from (mark for mark in _MARK.findall(source.text) if _DECIDING.match(mark))


def _spans(source: Source) -> Sequence[Span] | None:
    """Where policies stand, and what gives access without one; None if the template cannot be read."""
    try:
        documents = read(source)
        is_manifest = are_manifests(source, documents)
        reading = policies_in(source, documents) if is_manifest else plain_policies_in(source, documents)
    except Unreadable:
        try:
            marked_reading = policies_in_template(source)
        except Unreadable:
            return None
        if marked_reading is None:
            return None
        reading = marked_reading
    return [each.node.span for each in reading.policies]
