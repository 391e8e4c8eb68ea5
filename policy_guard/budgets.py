"""What proofs may cost, counted in steps: for one policy, and for all policies of a run."""

from __future__ import annotations

from policy_guard.strings import Budget

STEPS_IN_ALL = 5_000_000
"""What all questions about one policy may cost together."""
STEPS_IN_A_RUN = 60_000_000
"""What all policies of a run may cost together, a minute or two: thousands that are hard on purpose are no hang."""
STEPS_ASIDE = 300_000
"""What may be spent on telling the findings of a policy well, which is no part of the verdict."""
STEPS_ASIDE_IN_A_RUN = 30_000_000


class Budgets:
    """What a run may spend: on verdicts, and on telling them."""

    def __init__(self) -> None:
        self.verdicts = Budget(STEPS_IN_A_RUN)
        self.aside = Budget(STEPS_ASIDE_IN_A_RUN)
