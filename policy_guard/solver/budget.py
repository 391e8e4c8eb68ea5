"""What proofs may cost, counted in steps: for one question, for one policy, and for all policies of a run."""

from __future__ import annotations

from time import monotonic

from policy_guard.solver.strings.language import Budget

STEPS = 1_000_000
"""What one question may cost."""
STEPS_A_QUESTION = 300
"""What a question costs at least."""
STEPS_IN_ALL = 7_000_000
"""What all questions about one policy may cost together."""
STEPS_IN_A_RUN = 7_000_000
"""What all policies of a run may cost together: half a minute or so, however many of them are hard on purpose."""
STEPS_A_CHARACTER = 20
"""What the run may cost besides, for each character of the policies: long ones need more, and honest ones little."""
STEPS_ASIDE = 500_000
"""What may be spent on telling the findings of a policy well, which is no part of the verdict."""
STEPS_ASIDE_IN_A_RUN = 3_000_000
SECONDS_IN_A_RUN = 900
"""The net below these counts. A machine has to be very slow to reach it."""


class Budgets:
    """What a run may spend: on verdicts, and on telling them."""

    def __init__(self) -> None:
        deadline = monotonic() + SECONDS_IN_A_RUN
        self.verdicts = Budget(STEPS_IN_A_RUN, deadline=deadline)
        self.aside = Budget(STEPS_ASIDE_IN_A_RUN, deadline=deadline)

    def make_room(self, characters: int) -> None:
        """Takes in a policy of this length."""
        self.verdicts.add(STEPS_A_CHARACTER * characters)
