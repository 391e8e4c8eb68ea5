"""What a finding says in its headline, and what to do about it."""

from __future__ import annotations

from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.policy import Request
from policy_guard.verify.check import Check, Question
from policy_guard.verify.explain.difference_text import enumeration
from policy_guard.verify.explain.without_document import (
    BOUNDARY_ADVICE,
    DETACHED,
    advice_without_document,
    boundary_headline,
    headline,
    is_boundary,
    is_made_up,
)
from policy_guard.verify.verdicts import Verdict

_WITHOUT_EFFECT = "correct the action or the resource: as far as the catalogue says, this grants nothing"
_OF_LEFT = "put the boundary back or narrow it, or have what it leaves reviewed"


def headline_and_advice(check: Check, question: Question) -> tuple[str, str]:
    """The headline of a finding, and what to do about it."""
    if question.by_reference and check.by_reference[0]:
        return check.by_reference
    return check.headline, (check.of_new if question.old is None and check.of_new else check.advice)


def is_without_document(verdict: Verdict) -> bool:
    """Tell whether the access in question is such that no document tells."""
    is_told = bool(verdict.actions) and all(is_made_up(value.text) for value in verdict.actions)
    return is_told or _is_detached(verdict)


def _is_detached(verdict: Verdict) -> bool:
    """Tell whether all that is in question is what a detached policy denied, of which nobody knows the document."""
    if {value.text for value in verdict.actions} == {DETACHED}:
        return True
    return verdict.future and isinstance(verdict.answer, Witness) and verdict.answer.request.action == DETACHED.lower()


def headline_of(check: Check, verdict: Verdict, question: Question) -> str:
    """Return the headline of one finding: that of its check, unless what is new has words of its own."""
    if _is_of_boundary(check, question) and not is_without_document(verdict):
        assert question.new is not None
        return boundary_headline(question.new, bool(verdict.cause and verdict.cause.is_gone))
    return _headline_without_document(check, verdict) or headline_and_advice(check, question)[0]


def _is_of_boundary(check: Check, question: Question) -> bool:
    is_compared = question.old is not None and not question.by_reference
    return check.label == "new" and is_compared and question.new is not None and is_boundary(question.new)


def _headline_without_document(check: Check, verdict: Verdict) -> str | None:
    """Return the headline of a finding about such access; None if it has that of its check."""
    if _is_detached(verdict):
        return headline(DETACHED, "")
    if check.label != "new" or not is_without_document(verdict):
        return None
    resource = verdict.resources[0].text if verdict.resources else ""
    return headline(verdict.actions[0].text, resource)


def advice(check: Check, verdict: Verdict, question: Question, witness: Request | None) -> str:
    """Say what to do: put back the Deny that is gone, if it is to blame."""
    if question.new is None:
        return "put the policy back, or have its loss reviewed"
    if _is_detached(verdict):
        return advice_without_document(DETACHED)
    if _is_of_boundary(check, question):
        return BOUNDARY_ADVICE
    if check.by_entry and is_boundary(question.new):
        return _OF_LEFT
    if verdict.cause and verdict.cause.of_deny:
        if question.by_reference:
            return "add the Deny that the reference has, or have its absence reviewed"
        return "put the Deny back, or have its loss reviewed"
    if verdict.impossible:
        return _WITHOUT_EFFECT
    if on_names := _advice_on_names(verdict):
        return on_names
    if check.label == "new" and is_without_document(verdict):
        return advice_without_document(verdict.actions[0].text)
    return (
        verdict.claim.advice or (check.advice_on(witness) if witness else "") or headline_and_advice(check, question)[1]
    )


def _advice_on_names(verdict: Verdict) -> str:
    """Return what to do about names that AWS does not have, if there is no other access in question."""
    if not verdict.misspelt or not (verdict.future or is_without_document(verdict)):
        return ""
    names = {misspelt.name: misspelt.suggestion for misspelt in verdict.misspelt}
    suggestions = [names[value.text] for value in (*verdict.actions, *verdict.resources) if value.text in names]
    end = "if AWS has what is written there by now, have the new access reviewed"
    return f"write {enumeration(suggestions or names.values())}; {end}"
