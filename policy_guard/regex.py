"""Regular expressions that are compiled when they are first used: compiling all of them would cost every commit."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class Late:
    """Stands for a compiled expression, and takes over each of its methods as it is asked for."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._arguments = text, flags

    def __getattr__(self, name: str) -> Any:
        text, flags = self._arguments
        method = getattr(re.compile(text, flags), name)
        setattr(self, name, method)
        return method


def regex(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what `re.compile` would; only its methods and attributes can be used.

    A mistake in the expression is told where it is first used.
    """
    return cast("re.Pattern[AnyStr]", Late(text, flags))
