"""`python -m policy_guard`."""

from __future__ import annotations

import sys

from policy_guard.cli import main

sys.exit(main())
