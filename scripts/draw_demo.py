"""Draws docs/demo.svg, the picture in the README: what `policy-guard demo` prints to a terminal, in its colours.

.venv/bin/python scripts/draw_demo.py
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

PICTURE = Path(__file__).parent.parent / "docs" / "demo.svg"
COMMAND = ("policy-guard", "demo")
WIDTH, HEIGHT, MARGIN, SIZE = 8, 18, 20, 13
COLUMNS = 100
# Readers of SVG make one blank of several, and not of these.
BLANK = "\N{NO-BREAK SPACE}"
INKS = {
    "1": "#ffffff",
    "2": "#8b949e",
    "31": "#ff7b72",
    "1;31": "#ff7b72",
    "1;33": "#e3b341",
    "1;36": "#79c0ff",
    "32": "#7ee787",
}
PAPER, INK = "#0d1117", "#d0d7de"
ESCAPE = re.compile(r"\x1b\[([\d;]*)m")
LAST = re.compile(r"\d+ policies changed since ")


class Run(NamedTuple):
    column: int
    text: str
    style: str


def printed() -> list[str]:
    """The lines of the demo up to the last line of the check, with escape sequences."""
    environ = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    environ.pop("NO_COLOR", None)
    command = str(Path(sys.executable).with_name(COMMAND[0]))
    done = subprocess.run([command, *COMMAND[1:]], env=environ, capture_output=True, text=True, timeout=120, check=True)
    lines = done.stdout.splitlines()
    shown = list(takewhile(lambda line: not LAST.match(ESCAPE.sub("", line)), lines))
    return [f"$ {' '.join(COMMAND)}", *lines[: len(shown) + 1]]


def runs(line: str) -> Iterator[Run]:
    """The parts of a line that have one style each; blanks at the ends of a part are left out."""
    column, style = 0, ""
    for text, code in zip(*[iter([*ESCAPE.split(line), ""])] * 2, strict=True):
        if text.strip():
            yield Run(column=column + len(text) - len(text.lstrip()), text=text.strip(), style=style)
        column, style = column + len(text), code


def drawn(run: Run, row: int) -> str:
    """A part as SVG: `textLength` keeps the columns whatever font the reader has."""
    x, y, length = MARGIN + run.column * WIDTH, MARGIN + row * HEIGHT + SIZE, len(run.text) * WIDTH
    bold = ' font-weight="bold"' if run.style.startswith("1") else ""
    place = f'x="{x}" y="{y}" textLength="{length}"'
    return f'<text {place} fill="{INKS.get(run.style, INK)}"{bold}>{escape(run.text).replace(" ", BLANK)}</text>'


def picture(lines: list[str]) -> str:
    """The lines as an SVG document."""
    width, height = 2 * MARGIN + COLUMNS * WIDTH, 2 * MARGIN + len(lines) * HEIGHT
    body = [drawn(run, row) for row, line in enumerate(lines) for run in runs(line)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="{SIZE}"'
            ">",
            f"<title>{escape(' '.join(COMMAND))} in a terminal</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>',
            *body,
            "</svg>\n",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=PICTURE)
    parser.parse_args().output.write_text(picture(printed()), encoding="utf-8")


if __name__ == "__main__":
    main()
