"""The schemas of the settings, and what the usual library says of them."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.places import ROOT

SCHEMAS = ROOT / "policy_guard" / "schema"
RULES = {name: json.loads((SCHEMAS / name).read_text()) for name in ("config.json", "critical.json", "accepted.json")}


def valid(schema: str, plain: Any) -> bool:
    return Draft202012Validator(RULES[schema]).is_valid(plain)
