"""Findings about lines that nobody touched: what changed elsewhere, so that the policy grants more.

They stand where the value is written that changed, and lead to where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from policy_guard.documents.source import Origin, Source, Span
from policy_guard.pipeline.pairing import Pair
from policy_guard.verify.finding import Finding, Related

if TYPE_CHECKING:
    from policy_guard.iam.policy import Policy, Statement, Value

_MOST_SHOWN = 3


def with_changes_elsewhere(pair: Pair, finding: Finding) -> Finding:
    """Return the finding at the value that changed and on which the policy depends, if its own line did not.

    Where it is not known which value that is, the finding stays, with the places that changed.
    """
    if finding.outcome != "violated" or pair.new is None or (finding.acceptable and finding.acceptable.standing):
        return finding
    if pair.moved:
        moved = ("before", "this was the policy of another holder: all that it grants is new to this one")
        facts = (moved if name == "before" and pair.old is None else (name, text) for name, text in finding.facts)
        finding = finding._replace(facts=tuple(facts))
    old_sources = _sources(pair.old) if pair.old else {}
    if finding.of_gone_policy or _is_on_changed_place(finding, old_sources):
        return finding
    origin = next(_changed_origins(pair, finding, old_sources), None)
    if origin is None and not _is_about_reference(finding):
        origin = _only_change(pair, finding, old_sources)
    if origin is not None:
        finding = _at(finding, origin)
    return finding._replace(related=(*finding.related, *_other_changes(pair, finding)))


def _is_about_reference(finding: Finding) -> bool:
    from policy_guard.verify.checks.within_reference import CHECK as WITHIN_REFERENCE

    return finding.check == WITHIN_REFERENCE.id


def _other_changes(pair: Pair, finding: Finding) -> list[Related]:
    """The places that changed, but for those that the finding leads to already."""
    lines = {_line(finding.source, finding.span), *(_line(each.source, each.span) for each in finding.related)}
    places = [
        Related(spot.source, spot.span, "changed here, and this policy depends on it")
        for spot in pair.changed
        if _line(spot.source, spot.span) not in lines
    ]
    return places[:_MOST_SHOWN]


def _line(source: Source, span: Span) -> tuple[str, int]:
    return source.path, source.position(span.start).line


def _at(finding: Finding, origin: Origin) -> Finding:
    """Return the finding where a value is written, with the place at which it is used."""
    if _line(finding.source, finding.span) == _line(origin.source, origin.span):
        return finding
    way = f", by way of {' -> '.join(dict.fromkeys(origin.way))}" if origin.way else ""
    use = Related(finding.source, finding.span, f"used here{way}")
    return finding._replace(source=origin.source, span=origin.span, marked=(), related=(use, *finding.related))


def _only_change(pair: Pair, finding: Finding, old_sources: Mapping[str, Source]) -> Origin | None:
    """The one place that changed, if there is one alone; what was taken out of a statement is told where it stands."""
    if len(pair.changed) != 1 or pair.new is None or not pair.leads_to_changes:
        return None
    source, span = pair.changed[0]
    if pair.old is not None and source.path == finding.source.path and source.path not in old_sources:
        return None
    holds_change = any(
        statement.source == source == finding.source
        and _meet(statement.span, span)
        and _meet(statement.span, finding.span)
        for statement in pair.new.statements
    )
    return Origin(source, span) if not holds_change or _is_touched(source, span, old_sources) else None


def _sources(policy: Policy) -> dict[str, Source]:
    """The files of a policy, those too in which its values are written."""
    sources = {statement.source.path: statement.source for statement in policy.statements}
    for statement in policy.statements:
        for value in _values(statement):
            sources |= {origin.source.path: origin.source for origin in value.origins}
    return sources | {policy.source.path: policy.source}


def _values(statement: Statement) -> Iterator[Value]:
    yield from statement.action.values
    yield from statement.resource.values if statement.resource else ()
    yield from (entry.value for entry in statement.principals.entries) if statement.principals else ()
    for condition in statement.conditions:
        yield from condition.values


def _changed_origins(pair: Pair, finding: Finding, old_sources: Mapping[str, Source]) -> Iterator[Origin]:
    """The places on changed lines where the values of a finding are written, those that it blames first."""
    assert pair.new is not None
    blamed_texts = {*finding.actions, *finding.resources}
    changed_lines = {_line(*spot) for spot in pair.changed}
    values = [
        value
        for statement in pair.new.statements
        if statement.source == finding.source
        for value in _values(statement)
        if value.origins and _meet(value.span, finding.span)
    ]
    for value in sorted(values, key=lambda value: value.text not in blamed_texts):
        for origin in value.origins:
            if (span := _changed_span(origin, value.text, old_sources)) is not None:
                yield origin._replace(span=span)
            elif origin.source.path not in old_sources and _line(origin.source, origin.span) in changed_lines:
                yield origin


def _meet(first: Span, second: Span) -> bool:
    return first.start < second.end and second.start < first.end


def _changed_span(origin: Origin, text: str, old_sources: Mapping[str, Source]) -> Span | None:
    """Return what changed of the place where a value is written; of several lines one that has its text, or the first.

    Of a file that the policy did not depend on before, nobody knows here what changed.
    """
    from policy_guard.verify.explain.changed_lines import changed_places

    old_source = old_sources.get(origin.source.path)
    if old_source is None:
        return None
    first, last = (origin.source.position(at).line for at in origin.span)
    if first == last:
        return origin.span if _is_touched(origin.source, origin.span, old_sources) else None
    places = list(changed_places(origin.source, old_source, origin.span))
    return next((span for span in places if text in origin.source.text[slice(*span)]), next(iter(places), None))


def _is_touched(source: Source, span: Span, old_sources: Mapping[str, Source]) -> bool:
    from policy_guard.verify.explain.changed_lines import is_on_changed_line

    old_source = old_sources.get(source.path)
    return old_source is not None and is_on_changed_line(source, span, old_source)


def _is_on_changed_place(finding: Finding, old_sources: Mapping[str, Source]) -> bool:
    """Tell whether the change touched the line of a finding, or took out lines beside it."""
    from policy_guard.verify.explain.changed_lines import is_beside_removed_lines, is_on_changed_line

    old_source = old_sources.get(finding.source.path)
    asked = (is_on_changed_line, is_beside_removed_lines)
    return old_source is not None and any(ask(finding.source, finding.span, old_source) for ask in asked)
