"""accepted: new access that was reviewed passes, and only that.

A file each in `.policy-guard/accepted/` says for one policy which requests are accepted, why, and until when. What it
lists is taken out of what has to be proved empty; anything outside of it is refused as before, whatever statement
it comes from. `policy-guard accept` writes such files. They count once they are on the base branch, so that they are
reviewed apart from the change; with `accepted-from: head` in the settings of the base they may travel with it, if
CODEOWNERS of the base names an owner for each.

Good:

    version: 1
    policy: iam/orders.json
    checks: [no-new-access]
    from: 0d6c0a5cbd3ae28a4b5ff5a09aa5b2b1ae9cdc3d80c1e56bdbf1b1bd9b0e5c11
    access:
      - Action: s3:DeleteObject
        Resource: arn:aws:s3:::orders/*
    reason: GDPR deletion, SEC-123
    expires: 2026-12-20

`from` is the digest of what the old version means (`none` for a new policy), so that the file is good for one change:
once that is merged, the base is another, and the file is reported as done. `without` takes requests out of `access`
again. Where several policies are in a file, `label` says which; `holder` is what stands beside it there about whose
it is; `group: NAME` stands in place of `policy` for a group. `critical` limits it to entries of the critical list.
`expires` is at most 30 days ahead. For access-not-granted and no-public-access alone it is at most 366, and `from` may
be left out: then the file is good for every change until then.

Bad is a change that takes the policy back to the version that a file was written against: that would make it count
once more. It fails until the file is gone. It says:

    .policy-guard/accepted/orders.yaml:4:7: error: would accept the same access once more [accepted]

It does not see who reviewed it: that is for the branch protection of GitHub and CODEOWNERS.

What is done or expired: `policy-guard accept --prune` takes it away.
"""

from __future__ import annotations

from policy_guard.settings.severity import CheckId
from policy_guard.verify.check import Check

CHECK = Check(
    id=CheckId("accepted"),
    headline="would accept the same access once more",
    advice="remove the file with the change",
)
