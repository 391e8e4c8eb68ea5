"""The command line: arguments in, text and an exit code out. The only place that prints, and that catches bugs."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from policy_guard.cli.arguments import parsed
from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.check import Options, check
from policy_guard.pipeline.ci import in_ci
from policy_guard.report.report import Report, Reporter, Style

if TYPE_CHECKING:
    from datetime import date

PROVED, FOUND, SET_UP, BUG = 0, 1, 2, 3
NARROWEST, WIDEST = 40, 120
_FOR_PEOPLE = ("concise", "statistics", "text")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    given = parsed(arguments)
    try:
        return _RUN[given.command](given)
    except SetupError as error:
        nothing: str | None = given.nothing
        return _set_up(given, str(error)) if nothing is None else _tell(f"{nothing}{error}", SET_UP)
    except KeyboardInterrupt:
        return _tell("interrupted before anything was proved", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BUG
    except Exception as error:  # whatever is left is a bug, and must not look like a PASS
        if os.environ.get("POLICY_GUARD_DEBUG"):
            raise
        name = type(error).__name__
        return _tell(f"policy-guard failed, a bug ({name}). Nothing was proved. POLICY_GUARD_DEBUG=1 shows more.", BUG)


def _today() -> date:
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).date()


def _check(given: argparse.Namespace) -> int:
    options = Options(
        today=_today(),
        paths=tuple(given.paths),
        base=given.base,
        staged=given.staged,
        everything=given.everything,
        config=given.config,
        fail_on=given.fail_on,
        each=given.verbose,
        plan=given.plan,
    )
    if given.show_settings:
        from policy_guard.cli.show_settings import shown

        _print(shown(options, Path.cwd(), os.environ))
        return PROVED
    if given.quiet or not sys.stderr.isatty():
        return _reported(given, lambda: check(options, Path.cwd(), os.environ))
    from policy_guard.cli.progress import awaited

    return _reported(given, lambda: awaited(sys.stderr, lambda heard: check(options, Path.cwd(), os.environ, heard)))


def _compare(given: argparse.Namespace) -> int:
    from policy_guard.cli.compare import compare, compare_plan

    options = Options(today=_today(), config=given.config, fail_on=given.fail_on, each=given.verbose)
    if given.new is None:
        return _reported(given, lambda: compare_plan(given.old, options))
    return _reported(
        given,
        lambda: compare(given.old, given.new, options, lost=given.lost),
        lambda report: report.fails or (given.equivalent and report.relation != "same"),
    )


def _refine(given: argparse.Namespace) -> int:
    from policy_guard.documents.printable import defused
    from policy_guard.pipeline.refine import RefineOptions, refine
    from policy_guard.report.refinement import markdown, text

    wishes = RefineOptions(
        paths=tuple(given.paths), findings=given.findings, config=given.config, write=given.write, coarse=given.coarse
    )
    refinement = refine(wishes, Path.cwd(), os.environ, _today())
    if given.format == "markdown":
        shown = markdown(refinement, given.explain)
    else:
        shown = text(refinement, given.explain, _colored(given.color, os.environ))
    _print(defused(shown) if os.environ.get("GITHUB_ACTIONS") else shown)
    if any(entry.error is not None for entry in refinement.entries):
        return SET_UP
    return (
        FOUND
        if any(entry.fails for entry in refinement.entries) or (refinement.changed and not given.write)
        else PROVED
    )


def _accept(given: argparse.Namespace) -> int:
    from policy_guard.cli.accept import AcceptOptions, propose, proposed, write

    options = Options(today=_today(), paths=tuple(given.paths), base=given.base, config=given.config)
    if given.prune:
        return _prune(given, options)
    proposals = propose(AcceptOptions(options, given.reason, given.expires, given.check), Path.cwd(), os.environ)
    code = _after_asking(given, proposed(proposals), "write", write(proposals), len(proposals.files))
    return FOUND if proposals.unfit else code


def _prune(given: argparse.Namespace, options: Options) -> int:
    from policy_guard.cli.accept import remove, to_prune

    root, stale_files = to_prune(options, Path.cwd(), os.environ)
    lines = [f"{each.path} is {each.why}" for each in stale_files if _asks(given)]
    return (
        _after_asking(given, lines, "remove", remove(root, stale_files), len(stale_files))
        if stale_files
        else _nothing_to_prune()
    )


def _nothing_to_prune() -> int:
    _print("nothing is done or expired\n")
    return PROVED


def _asks(given: argparse.Namespace) -> bool:
    return not given.yes and sys.stdin.isatty() and sys.stdout.isatty()


def _after_asking(given: argparse.Namespace, lines: Iterable[str], verb: str, work: Iterator[str], files: int) -> int:
    """Shows what would be done and does it, on a terminal only when told to."""
    from policy_guard.documents.printable import printable

    _print("".join(f"{printable(line)}\n" for line in lines))
    if not files:
        return PROVED
    if _asks(given):
        from policy_guard.documents.printable import counted

        _print(f"{verb} {counted(files, 'file')}? [y/N] ")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return _tell("nothing was changed", FOUND)
    _print("".join(f"{printable(line)}\n" for line in work))
    return PROVED


def _reported(
    given: argparse.Namespace,
    work: Callable[[], Report],
    fails: Callable[[Report], bool] = lambda report: report.fails,
) -> int:
    for text in given.formats or ["text"]:
        _reporter(text)
    start = time.monotonic()
    report = work()
    _show(given, report._replace(seconds=time.monotonic() - start))
    return FOUND if fails(report) else PROVED


def _show(given: argparse.Namespace, report: Report) -> None:
    for text in given.formats or ["text"]:
        reporter = _reporter(text)
        _, _, file = text.partition("=")
        style = Style(not file and _colored(given.color, os.environ), given.quiet, environ=os.environ)
        if not file and (columns := _columns(os.environ)):
            style = style._replace(width=min(max(columns, NARROWEST), WIDEST), wraps=True)
        rendered = reporter.render(report, style)
        if file:
            _write(Path(file), rendered)
        else:
            _print(rendered)


def _reporter(text: str) -> Reporter:
    from policy_guard.report.reporters import reporter

    return reporter(text.partition("=")[0])


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from None


def _print(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.flush()


def _columns(environ: Mapping[str, str]) -> int:
    """The width of the terminal, or else what COLUMNS says; 0 if neither is known, and in CI, whose logs have none."""
    if in_ci(environ):
        return 0
    if (text := environ.get("COLUMNS", "")).isdecimal():
        return int(text[:4])
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 0
    except (OSError, ValueError):
        return 0


def _colored(when: str, environ: Mapping[str, str]) -> bool:
    if when != "auto":
        return when == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and environ.get("TERM") != "dumb")


def _set_up(given: argparse.Namespace, message: str) -> int:
    """Says why nothing was checked, also in the formats that programs read."""
    from policy_guard.report.summary import error_line

    for text in getattr(given, "formats", None) or ():
        if text not in _FOR_PEOPLE:
            try:
                _show(argparse.Namespace(**{**vars(given), "formats": [text]}), Report(error=message))
            except SetupError:
                continue
    return _tell(error_line(message), SET_UP)


def _tell(line: str, code: int) -> int:
    from policy_guard.documents.printable import defused, printable

    line = printable(line.rstrip("\n"))
    print(defused(line) if os.environ.get("GITHUB_ACTIONS") else line, file=sys.stderr)
    return code


def _list(given: argparse.Namespace) -> int:
    if given.critical:
        from policy_guard.cli.inspect import critical

        _print(critical(given.config, Path.cwd(), os.environ))
        return PROVED
    from policy_guard.cli.listing import as_json, as_text, listing

    found = listing(given.config, Path.cwd(), os.environ)
    _print(as_json(found) if given.format == "json" else as_text(found))
    return PROVED


def _schema(given: argparse.Namespace) -> int:
    from policy_guard.settings.validation import schema_text

    _print(schema_text(given.name))
    return PROVED


def _init(given: argparse.Namespace) -> int:
    from policy_guard.cli.init import init
    from policy_guard.cli.progress import awaited

    _print(awaited(sys.stderr, lambda heard: init(Path.cwd(), os.environ, heard)))
    return PROVED


def _catalog(given: argparse.Namespace) -> int:
    from policy_guard.cli.inspect import actions

    code = PROVED
    for pattern in given.patterns:
        text, hint = actions(pattern, given.long)
        _print(text)
        code = _tell(hint, FOUND) if hint else code
    return code


def _explain(given: argparse.Namespace) -> int:
    from policy_guard.verify.checks import explained

    _print(explained(given.check))
    return PROVED


def _completion(given: argparse.Namespace) -> int:
    from policy_guard.cli.completion import script

    _print(script(given.shell))
    return PROVED


def _demo(given: argparse.Namespace) -> int:
    from policy_guard.cli.demo import run

    return run(_print, os.environ)


_RUN = {
    "check": _check,
    "compare": _compare,
    "refine": _refine,
    "accept": _accept,
    "list": _list,
    "init": _init,
    "explain": _explain,
    "catalog": _catalog,
    "schema": _schema,
    "completion": _completion,
    "demo": _demo,
}
