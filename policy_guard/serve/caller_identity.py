"""GetCallerIdentity of AWS STS, which AWS's own validators ask before anything else: always the same made-up caller.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

from urllib.parse import parse_qs

ACCOUNT = "123456789012"
_CALLER = f"arn:aws:iam::{ACCOUNT}:user/policy-guard"


def is_asked(body: bytes) -> bool:
    """Tell whether a form asks for the caller."""
    return parse_qs(body.decode("ascii", "replace"), max_num_fields=20).get("Action") == ["GetCallerIdentity"]


def caller_identity(request_id: str) -> str:
    """The answer, in XML as STS gives it."""
    result = f"<Arn>{_CALLER}</Arn><UserId>AIDAPOLICYGUARD</UserId><Account>{ACCOUNT}</Account>"
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<GetCallerIdentityResult>{result}</GetCallerIdentityResult>"
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
