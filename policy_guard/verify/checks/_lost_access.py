"""lost-access: a new version does not grant what the old one did; a note that `compare --lost` asks for.

Proved as no-new-access is, with the two versions exchanged: the old version allows a request that the new one does not.
Each finding stands at the statement of the old version, with the access that is lost and a request that shows it.

Bad, for whoever needs to delete:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}

Where the old version was:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "s3:DeleteObject"], "Resource": "*"}}

It says:

    old.json:2:62: note: does not grant any more what the old version granted [lost-access]

Good is what grants the same; `policy-guard compare --equivalent` fails for anything else.

It does not see whether anybody used it; `policy-guard refine` knows that from IAM Access Analyzer.
"""

from __future__ import annotations

from policy_guard.settings.severity import CheckId
from policy_guard.verify.check import Check

CHECK = Check(
    id=CheckId("lost-access"),
    headline="does not grant any more what the old version granted",
    advice="grant it again, if somebody needs it",
    default="note",
    label="lost",
    title="Lost access",
)
