"""Readers of policy documents where they live."""

from __future__ import annotations

from typing import Literal, TypeAlias

VERSIONS = ("2012-10-17", "2008-10-17")
"""The texts of a policy's Version element, by which a document is recognised as one."""

Kind: TypeAlias = Literal["identity", "resource", "trust", "scp", "rcp", "boundary", "session", "endpoint"]
"""What a policy is for, which decides the elements that it takes and what its effects mean."""
WITHOUT_PRINCIPAL: tuple[Kind, ...] = ("identity", "scp", "boundary", "session")
"""Kinds whose statements name no principal."""
