"""Findings about lines that nobody touched: what changed elsewhere, so that the policy grants more."""

from __future__ import annotations

from policy_guard.pipeline.pairing import Pair
from policy_guard.verify.finding import Finding, Related

_MOST_SHOWN = 3


def with_changes_elsewhere(pair: Pair, finding: Finding) -> Finding:
    """Return the finding with the places that changed and on which the policy depends, if its own line did not."""
    if finding.outcome != "violated" or pair.new is None or (finding.acceptable and finding.acceptable.standing):
        return finding
    if pair.moved:
        moved = ("before", "this was the policy of another holder: all that it grants is new to this one")
        facts = (moved if name == "before" and pair.old is None else (name, text) for name, text in finding.facts)
        finding = finding._replace(facts=tuple(facts))
    if not pair.changed or _is_touched(pair, finding):
        return finding
    line = finding.source.path, finding.source.position(finding.span.start).line
    places = [
        Related(spot.source, spot.span, "changed here, and this policy depends on it")
        for spot in pair.changed
        if (spot.source.path, spot.source.position(spot.span.start).line) != line
    ]
    return finding._replace(related=(*finding.related, *places[:_MOST_SHOWN]))


def _is_touched(pair: Pair, finding: Finding) -> bool:
    from policy_guard.verify.explain.changed import is_on_changed_line

    old = pair.old.source if pair.old else None
    return old is not None and old.path == finding.source.path and is_on_changed_line(finding.source, finding.span, old)
