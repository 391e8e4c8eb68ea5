"""readable: a policy that cannot be read fails, because nothing can be proved about it.

Whatever AWS would reject, and whatever has no clear meaning, is refused at its place: broken JSON or YAML, a key
written twice, an unknown element such as "Ciondition", a misspelt operator, an Effect that is not exactly "Allow" or
"Deny", a statement without Action, a NotAction without values, a Sid written twice.

Bad:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "allow", "Action": "s3:GetObject", "Resource": "*"}}

It says:

    policy.json:2:26: error: "Effect" is "allow"; write "Allow" or "Deny" [readable, unreadable]

Good:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}

What a template fills in is read as some text that nobody knows, and refused if it may be a list or nothing: !Include,
!Split, !If with AWS::NoValue. So is whatever stands under "PolicyDocument" and is no policy.

Some things are read and reported as warnings, because they are likely to mean something else than they seem to: blanks
around an action, a wildcard inside the ARN of a principal, an empty list of actions, resources, principals or condition
values, a set operator before Null, and what looks like a placeholder, such as "__KEY__", if a real name may be spelled
so. The key "placeholders" of the settings takes regular expressions for the last.

It does not see whether an action exists or an ARN is that of a real resource.

A file that is no policy and looks like one: leave it out with `exclude`, or accept one line of it with
`ignore-unreadable`, which names the file, the text of the line, a reason and a date:

    ignore-unreadable:
      - {file: iam/a.json, line: '"Principal": [', reason: known, expires: 2030-01-31}
"""

from __future__ import annotations

from policy_guard.settings.severity import CheckId
from policy_guard.verify.check import Check

CHECK = Check(
    id=CheckId("readable"),
    headline="cannot be read",
    advice="nothing can be proved about a policy that cannot be read; correct it",
    security="5.0",
)
