"""`policy-guard check --show-settings`: all settings that hold, as a file of settings, with where each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from policy_guard.documents.printable import defused, printable
from policy_guard.pipeline.check import Options
from policy_guard.pipeline.effective_settings import Effective, Setting, Unset, effective_settings


def settings_text(options: Options, folder: Path, environ: Mapping[str, str]) -> str:
    """The settings as YAML that the settings file may hold. Raises `SetupError`."""
    effective = effective_settings(options, folder, environ)
    text = "".join(f"{line}\n" for line in _lines(effective))
    return defused(text) if environ.get("GITHUB_ACTIONS") else text


def _lines(effective: Effective) -> Iterator[str]:
    yield f"# {printable(effective.compared)}"
    yield from (f"# {printable(note)}" for note in effective.notes)
    yield "version: 1"
    for parent, settings in groupby(effective.settings, lambda setting: setting.key.rpartition(".")[0]):
        if parent:
            yield f"{parent}:"
        for setting in settings:
            yield from (f"{'  ' if parent else ''}{line}" for line in _setting(setting))
            if setting.key == "critical":
                yield from (f"# critical entries: {line}" for line in effective.critical)


def _setting(setting: Setting) -> Iterator[str]:
    name, comment = setting.key.rpartition(".")[2], f"# {printable(setting.origin)}"
    if isinstance(setting.value, Unset):
        yield f"# {name}: {setting.value.words}  {comment}"
        return
    first_line, *more_lines = _yaml({name: setting.value})
    yield f"{first_line}  {comment}"
    yield from more_lines


def _yaml(value: Any) -> list[str]:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, width=100)
    return text.splitlines()
