"""`policy-guard report`: the format that is asked for, and where files lie as seen from the one that is written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from policy_guard.pipeline.check import Options
from policy_guard.pipeline.overview import overview
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.results import Progress
from policy_guard.report.overviews import overview_format

_BY_SUFFIX = {".html": "html", ".md": "markdown", ".json": "json"}


def rendered(
    options: Options,
    name: str | None,
    files: Sequence[Path | None],
    folder: Path,
    environ: Mapping[str, str],
    progress: Progress,
) -> list[str]:
    """The overview for each of the files, in the format `name` or that of the file's suffix. Raises `SetupError`."""
    formats = [overview_format(name or _BY_SUFFIX.get(file.suffix if file else "", "text")) for file in files]
    repository = Repository(folder, environ)
    repository.close()
    shown = overview(options, folder, environ, progress)
    roots = (os.path.relpath(repository.root, (folder / file).parent) if file else "." for file in files)
    prefixes = ("" if root == "." else f"{Path(root).as_posix()}/" for root in roots)
    return [each.render(shown, prefix) for each, prefix in zip(formats, prefixes, strict=True)]
