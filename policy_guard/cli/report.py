"""`policy-guard report`: the format that is asked for, and where files lie as seen from the one that is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
    output: Path | None,
    folder: Path,
    environ: Mapping[str, str],
    progress: Progress,
) -> str:
    """The overview in the format `name`, or in that of the file's suffix. Raises `SetupError`."""
    chosen = overview_format(name or _BY_SUFFIX.get(output.suffix if output else "", "text"))
    repository = Repository(folder, environ)
    repository.close()
    root = os.path.relpath(repository.root, (folder / output).parent) if output else ""
    prefix = "" if root in ("", ".") else f"{Path(root).as_posix()}/"
    return chosen.render(overview(options, folder, environ, progress), prefix)
