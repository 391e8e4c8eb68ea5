"""What the functions for Python work out, and when."""

from __future__ import annotations

import pytest

from policy_guard import api

NEW = {"Version": "2012-10-17", "Statement": {"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
OLD = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}


def test_a_verdict_alone_takes_no_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("explained")

    monkeypatch.setattr(api, "Explanations", refuse)
    result = api.check_no_new_access(NEW, OLD)
    assert (result.result, result.statements) == ("FAIL", ((0, "All"),))
    with pytest.raises(AssertionError, match="explained"):
        _ = result.reasons


def test_reasons_are_there_when_they_are_asked_for() -> None:
    result = api.check_no_new_access(NEW, OLD)
    (reason,) = result.reasons
    assert (reason.statement_index, reason.statement_id, reason.description) == (0, "All", result.message)
    assert reason.witness is not None


def test_a_proof_has_no_reasons() -> None:
    result = api.check_no_new_access(OLD, NEW)
    assert (result.result, result.reasons, result.statements) == ("PASS", (), ())
    assert result.message == "proved over all requests: no-new-access"
