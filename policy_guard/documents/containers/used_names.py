"""The names of values that policies use in templates of Helm and Jinja, plays of Ansible and programs of Pulumi.

Names count that stand in a policy, in what gives access without one, and in marks that decide around them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from posixpath import basename, dirname

from policy_guard.documents.containers.manifests import are_manifests, policies_in, policies_in_template
from policy_guard.documents.containers.plain import policies_in as plain_policies_in
from policy_guard.documents.containers.value_files import UsedNames
from policy_guard.documents.formats import read
from policy_guard.documents.source import Source, Span, Unreadable
from policy_guard.regex import regex

# No braces inside: each stretch of a text is then gone through once.
_MARK = regex(r"\{\{[^{}]*\}\}|\{%[^%{}]*%\}")
_DECIDING = regex(r"\{[{%][-+]?\s*(?:if|else|elif|with|range|for|set|block)\b")
_VALUE = regex(r"\.Values\.([A-Za-z_][\w.-]*)")
_INDEXED = regex(r"index \$?\.Values((?: \"[\w.-]{1,90}\"){1,9})")
_STEP = regex(r"[\w.-]+")
_NAME = regex(r"[A-Za-z_]\w*")
_PLACE = regex(r"\$\{([A-Za-z_][\w-]*)")
_PARTIAL, _CHART = ".tpl", "Chart.yaml"


def used_names(source: Source, closely: bool) -> UsedNames:
    """The names in the policies of a template, or with less work, if not `closely`, all names in it."""
    texts = tuple(_texts(source)) if closely else (source.text,)
    values = [name.rstrip(".-") for text in texts for name in _VALUE.findall(text)]
    values += (".".join(_STEP.findall(steps)) for text in texts for steps in _INDEXED.findall(text))
    variables = (name for text in texts for mark in _MARK.findall(text) for name in _NAME.findall(mark))
    settings = (name for text in texts for name in _PLACE.findall(text))
    return UsedNames(frozenset(values), frozenset(variables), frozenset(settings))


def joined_names(several: Collection[UsedNames], paths: Collection[str]) -> UsedNames:
    """The names in several templates; `paths` are all of the revision."""
    values, variables, settings = (frozenset().union(*(names[kind] for names in several)) for kind in range(3))
    charts = frozenset(basename(dirname(path)) for path in paths if basename(path) == _CHART)
    return UsedNames(values, variables, settings, charts)


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
