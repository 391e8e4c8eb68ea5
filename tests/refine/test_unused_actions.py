"""What counts as unused: by one principal, and by all of several."""

from __future__ import annotations

from policy_guard.refine.unused_actions import Use, collect_unused, unused_by_all

SERVICE = Use("iam", "")
PASS_ROLE = Use("iam", "PassRole")


def test_a_service_that_is_not_used_says_nothing_of_what_aws_does_not_record() -> None:
    found = collect_unused([SERVICE])
    assert found.use("iam:PassRole") is None
    assert found.stays_untracked("iam:passrole")
    assert found.use("iam:CreateRole") == SERVICE
    assert not found.has_all_of("iam")


def test_a_finding_about_the_action_itself_counts() -> None:
    found = collect_unused([SERVICE, PASS_ROLE])
    assert found.use("iam:PassRole") == PASS_ROLE
    assert not found.stays_untracked("iam:passrole")
    assert found.has_all_of("iam")


def test_of_several_principals_the_finding_about_one_says_nothing_of_another() -> None:
    assert unused_by_all([collect_unused([SERVICE]), collect_unused([PASS_ROLE])]).use("iam:PassRole") is None
    assert unused_by_all([collect_unused([PASS_ROLE]), collect_unused([SERVICE])]).use("iam:PassRole") is None
    assert unused_by_all([collect_unused([PASS_ROLE]), collect_unused([PASS_ROLE])]).use("iam:PassRole") == PASS_ROLE
