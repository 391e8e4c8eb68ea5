"""Identity providers whose users anyone can become, and what tells one tenant of them from another.

Sources: IAM User Guide, id_roles_providers_oidc_secure-by-default (shared OIDC providers and the claims that IAM asks
for) and reference_policies_iam-condition-keys (web identity federation); S3 User Guide,
access-control-block-public-access; GitHub, "OpenID Connect reference". A claim that anyone can have is none of
these: `aud` of GitHub is the same for all of its users, and `job_workflow_ref` names a workflow that others may call.
"""

from __future__ import annotations

from functools import cache

from policy_guard.iam.meaning.matching import matches
from policy_guard.solver.strings.pattern import Pattern, in_arn_parts, plain_pattern

_WHOLE = ""
"""The tenant is fixed by a whole value only."""
_ORGANIZATION = r"organization:[^:/]+:"

_SENTINEL = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d"
_TURBONOMIC = (
    "22ejnvnnturfmt6km08idd0nt4hekbn7",
    "23e3sd27sju1hoou6ohfs68vbno607tr",
    "23ne21h005qjl3n33d8dui5dlrmv2tmg",
    "24jrf12m5dj7ljlfb4ta2frhrcoadm26",
)
OTHER_CLAIMS = {"sts:rolesessionname": _SENTINEL}
"""Keys that tell the tenant of a provider, and do not have its name."""

SHARED: dict[str, dict[str, str]] = {
    "accounts.google.com": {"aud": _WHOLE, "sub": _WHOLE},
    "graph.facebook.com": {"app_id": _WHOLE, "id": _WHOLE},
    "www.amazon.com": {"app_id": _WHOLE, "user_id": _WHOLE},
    "cognito-identity.amazonaws.com": {"aud": _WHOLE, "sub": _WHOLE},
    "token.actions.githubusercontent.com": {
        "sub": r"repo:[^/:]+/",
        "repository": r"[^/]+/",
        "repository_id": _WHOLE,
        "repository_owner_id": _WHOLE,
        "enterprise_id": _WHOLE,
    },
    "vstoken.actions.githubusercontent.com": {"sub": r"repo:[^/:]+/"},
    "oidc-configuration.audit-log.githubusercontent.com": {"sub": _WHOLE},
    "gitlab.com": {"sub": r"project_path:[^/:]+/"},
    "app.terraform.io": {"sub": _ORGANIZATION},
    "agent.buildkite.com": {"sub": _ORGANIZATION},
    "proidc.upbound.io": {"sub": r"mcp:[^/:]+/"},
    "oidc.codefresh.io": {"sub": _WHOLE},
    "studio.datachain.ai/api": {"sub": _WHOLE},
    "scalr.io": {"sub": _WHOLE},
    "tokens.cloud.shisho.dev": {"sub": _WHOLE},
    "api.pulumi.com/oidc": {"aud": _WHOLE},
    "sandboxes.cloud": {"aud": _WHOLE},
    "oidc.vercel.com": {"aud": _WHOLE},
    _SENTINEL: {},
    **{f"rh-oidc.s3.us-east-1.amazonaws.com/{each}": {"sub": _WHOLE} for each in _TURBONOMIC},
}
"""For each provider the claims that only some of its users have, with what a pattern has to begin with to fix one."""


@cache
def arns(host: str) -> Pattern:
    """The ARNs under which accounts have registered the provider."""
    return in_arn_parts(plain_pattern(f"arn:*:iam::*:oidc-provider/{host}"))


def is_provider_of(name: str, host: str) -> bool:
    return name == host or matches(arns(host), name)


def claims_of(name: str) -> tuple[str, ...]:
    """Return the condition keys that tell some users of a shared provider from the others; none for another caller."""
    host = next((host for host in SHARED if is_provider_of(name, host)), "")
    return tuple(f"{host}:{claim}" for claim in SHARED.get(host, ()))
