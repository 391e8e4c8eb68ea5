"""Plug-ins: the modules of a folder, each with one constant, found by file name and imported when they are needed."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Generic, TypeVar

T = TypeVar("T")
_ROOT = os.path.dirname(__file__)


@cache
def names(folder: str) -> tuple[str, ...]:
    """The names of the plug-ins in a folder such as `verify/checks`, in order, without importing any.

    A name is that of the file, with `-` for `_`; files that begin with `_` hold what plug-ins share.
    """
    files = sorted(os.listdir(os.path.join(_ROOT, folder)))
    return tuple(file[:-3].replace("_", "-") for file in files if file.endswith(".py") and not file.startswith("_"))


class Plugins(Generic[T]):
    """The plug-ins of one folder: each module has a `constant` that is a `kind`, or a tuple of them."""

    def __init__(self, folder: str, constant: str, kind: type[T]) -> None:
        self._folder = folder
        self._constant = constant
        self._kind = kind

    def names(self) -> tuple[str, ...]:
        """The names of all plug-ins, in order, without importing any."""
        return names(self._folder)

    def load(self, name: str) -> T:
        """The plug-in of this name."""
        (plugin,) = self._load(name)
        return plugin

    def load_all(self) -> tuple[T, ...]:
        """All plug-ins, by the names of their files."""
        return tuple(plugin for name in self.names() for plugin in self._load(name))

    def _load(self, name: str) -> tuple[T, ...]:
        module = import_module(f"policy_guard.{self._folder.replace('/', '.')}.{name.replace('-', '_')}")
        constant = getattr(module, self._constant)
        plugins = (constant,) if isinstance(constant, self._kind) else tuple(constant)
        if not all(isinstance(plugin, self._kind) for plugin in plugins):
            raise TypeError(f"{module.__name__}.{self._constant} is no {self._kind.__name__}")
        return plugins
