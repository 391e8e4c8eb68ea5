"""The command line: arguments in, text and an exit code out. The only place that prints, and that catches bugs."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from policy_guard.config import FAIL_ON
from policy_guard.errors import UserError
from policy_guard.guard import Options, check, compare
from policy_guard.reporter import Report, Reporter, Style
from policy_guard.version import VERSION

if TYPE_CHECKING:
    from datetime import date

PROVED, FOUND, SET_UP, BUG = 0, 1, 2, 3

_EPILOG = """\
exit codes: 0 proved, 1 findings, 2 nothing was checked (set-up), 3 a bug of policy-guard

examples:
  policy-guard init                         start here: settings, critical list, hook and workflow
  policy-guard check                        what changed here, against the default branch
  policy-guard check --base main --all      and every policy against the critical list
  policy-guard compare old.json new.json    two files, no git
  policy-guard explain no-new-access        what a check proves, and what it cannot see
  policy-guard demo                         see it fail on an example
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    given = _parser(next(iter(arguments), "")).parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = given.run
        return run(given)
    except UserError as error:
        nothing: str | None = given.nothing
        return _set_up(given, str(error)) if nothing is None else _tell(f"{nothing}{error}", SET_UP)
    except KeyboardInterrupt:
        return _tell("interrupted: nothing was proved", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BUG
    except Exception as error:  # whatever is left is a bug, and must not look like a PASS
        if os.environ.get("POLICY_GUARD_DEBUG"):
            raise
        name = type(error).__name__
        return _tell(f"policy-guard failed, a bug ({name}). Nothing was proved. POLICY_GUARD_DEBUG=1 shows more.", BUG)


def _parser(name: str) -> argparse.ArgumentParser:
    """The parser of the command of this name, or of all of them: building them all costs every commit."""
    parser = argparse.ArgumentParser(
        prog="policy-guard",
        description="Proves that a change of an AWS IAM policy grants nothing new, or shows what it does.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"policy-guard {VERSION}")
    parser.set_defaults(nothing=None)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_COMMANDS[name],) if name in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


def _check_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("check", help="judge the policies that changed")
    command.add_argument("paths", metavar="PATH", nargs="*", help="report on these files and folders only")
    command.add_argument("--base", metavar="REF", help="the commit that holds the old versions")
    command.add_argument("--staged", action="store_true", help="judge the index instead of the work tree")
    command.add_argument("--all", action="store_true", dest="everything", help="every policy, for critical permissions")
    _common(command)
    command.set_defaults(run=_check)


def _compare_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("compare", help="judge one file held against another, without git")
    command.add_argument("old", metavar="OLD", type=Path)
    command.add_argument("new", metavar="NEW", type=Path)
    _common(command)
    command.set_defaults(run=_compare)


def _refine_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "refine",
        help="take out what is not used, by Access Analyzer's findings",
        description="Takes out of policies what findings of IAM Access Analyzer call unused, and proves the result.",
        epilog="exit codes: 0 nothing to write, or all written; 1 something to write, or left with an error; "
        "2 nothing was refined (set-up), or a file could not be written; 3 a bug of policy-guard",
    )
    command.add_argument("paths", metavar="PATH", nargs="*", help="these policies and folders only")
    command.add_argument("--findings", metavar="FILE", help="a file or folder, instead of those in the settings")
    command.add_argument("--config", metavar="FILE", help="instead of .policy-guard.yaml")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--diff", action="store_true", help="show what would change, and change nothing (default)")
    what.add_argument("--write", action="store_true", help="rewrite the files")
    command.add_argument("--coarse", action="store_true", help="fewer and wider patterns, for IAM's limits of size")
    command.add_argument("--explain", action="store_true", help="draw the tree behind each replaced pattern")
    command.add_argument("--format", choices=("text", "markdown"), default="text", help="text (default) or markdown")
    command.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="in text output (auto)")
    command.set_defaults(run=_refine, nothing="no policy was refined: ")


def _list_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("list", help="what is a policy here, of which kind, and why")
    command.add_argument("--config", metavar="FILE", help="instead of .policy-guard.yaml")
    command.add_argument("--critical", action="store_true", help="what each entry of the critical list matches today")
    command.set_defaults(run=_list, nothing="nothing was listed: ")


def _accept_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from policy_guard.accepted import CHECKS

    command = commands.add_parser(
        "accept",
        help="write down, to be reviewed, that new access is meant",
        description="Writes a file for each policy that fails, with exactly what is new, for the owners to review.",
        epilog="exit codes: 0 written, or nothing to write; 1 something cannot be accepted, or was not to be written; "
        "2 the set-up; 3 a bug of policy-guard",
    )
    command.add_argument("paths", metavar="PATH", nargs="*", help="these policies and folders only")
    command.add_argument("--reason", metavar="TEXT", default="", help="why, for those who review it")
    command.add_argument("--expires", metavar="DATE", help="the last day, YYYY-MM-DD in UTC (30 days from now)")
    command.add_argument("--check", choices=CHECKS, help="findings of this check alone, also those that do not fail")
    command.add_argument("--base", metavar="REF", help="the commit that holds the old versions")
    command.add_argument("--config", metavar="FILE", help="instead of .policy-guard.yaml")
    command.add_argument("--prune", action="store_true", help="remove what is done or expired, and write nothing")
    command.add_argument("--yes", action="store_true", help="do not ask, on a terminal")
    command.set_defaults(run=_accept, nothing="nothing was accepted: ")


def _init_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("init", help="write the settings, a critical list, the hook and the workflow")
    command.set_defaults(run=_init, nothing="nothing was written: ")


def _explain_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("explain", help="the manual page of a check")
    command.add_argument("check", metavar="CHECK", nargs="?", help="its name, as in brackets behind a finding")
    command.set_defaults(run=_explain, nothing="")


def _catalog_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("catalog", help="the actions of AWS that a pattern covers today, one a line")
    command.add_argument("patterns", metavar="PATTERN", nargs="+", help="such as 's3:Get*'")
    command.add_argument("--long", action="store_true", help="with access levels and the ARNs of resources")
    command.set_defaults(run=_catalog)


def _demo_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("demo", help="see the check fail on an example").set_defaults(run=_demo)


_COMMANDS = {
    "check": _check_command,
    "compare": _compare_command,
    "refine": _refine_command,
    "accept": _accept_command,
    "list": _list_command,
    "init": _init_command,
    "explain": _explain_command,
    "catalog": _catalog_command,
    "demo": _demo_command,
}


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", metavar="FILE", help="instead of .policy-guard.yaml")
    command.add_argument("--fail-on", choices=FAIL_ON, help="the least severity that fails (error)")
    formats = "text (default), github, json, sarif, markdown, junit, gitlab"
    command.add_argument("--format", metavar="NAME[=FILE]", action="append", dest="formats", help=formats)
    command.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="in text output (auto)")
    command.add_argument("-q", "--quiet", action="store_true", help="findings only")


def _check(given: argparse.Namespace) -> int:
    from policy_guard.progress import awaited

    options = Options(tuple(given.paths), given.base, given.staged, given.everything, given.config, given.fail_on)
    terminal = None if given.quiet else sys.stderr
    return _reported(given, lambda: awaited(terminal, lambda heard: check(options, Path.cwd(), os.environ, heard)))


def _compare(given: argparse.Namespace) -> int:
    options = Options(config=given.config, fail_on=given.fail_on)
    return _reported(given, lambda: compare(given.old, given.new, options))


def _refine(given: argparse.Namespace) -> int:
    from datetime import datetime, timezone

    from policy_guard.printable import defused
    from policy_guard.refinement import markdown, text
    from policy_guard.rewrite import Wishes, refine

    wishes = Wishes(tuple(given.paths), given.findings, given.config, given.write, given.coarse)
    done = refine(wishes, Path.cwd(), os.environ, datetime.now(timezone.utc).date())
    if given.format == "markdown":
        shown = markdown(done, given.explain)
    else:
        shown = text(done, given.explain, _colored(given.color, os.environ))
    _print(defused(shown) if os.environ.get("GITHUB_ACTIONS") else shown)
    if any(entry.error is not None for entry in done.entries):
        return SET_UP
    return FOUND if any(entry.fails for entry in done.entries) or (done.changed and not given.write) else PROVED


def _accept(given: argparse.Namespace) -> int:
    from datetime import datetime, timezone

    from policy_guard.accept import Wishes, propose, proposed, write

    today = datetime.now(timezone.utc).date()
    options = Options(tuple(given.paths), given.base, config=given.config)
    if given.prune:
        return _prune(given, options, today)
    found = propose(Wishes(options, given.reason, given.expires, given.check), Path.cwd(), os.environ, today)
    code = _after_asking(given, proposed(found), "write", write(found), len(found.files))
    return FOUND if found.unfit else code


def _prune(given: argparse.Namespace, options: Options, today: date) -> int:
    from policy_guard.accept import remove, stale

    root, found = stale(options, Path.cwd(), os.environ, today)
    lines = [f"{each.path} is {each.why}" for each in found] or ["nothing is done or expired"]
    return _after_asking(given, lines, "remove", remove(root, found), len(found))


def _after_asking(given: argparse.Namespace, lines: Iterable[str], verb: str, work: Iterator[str], files: int) -> int:
    """Shows what would be done and does it, on a terminal only when told to."""
    from policy_guard.printable import printable

    _print("".join(f"{printable(line)}\n" for line in lines))
    if not files:
        return PROVED
    if not given.yes and sys.stdin.isatty() and sys.stdout.isatty():
        _print(f"{verb} {files} {'file' if files == 1 else 'files'}? [y/N] ")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return _tell("nothing was changed", FOUND)
    _print("".join(f"{printable(line)}\n" for line in work))
    return PROVED


def _reported(given: argparse.Namespace, work: Callable[[], Report]) -> int:
    for text in given.formats or ["text"]:
        _reporter(text)
    start = time.monotonic()
    report = work()
    _show(given, report._replace(seconds=time.monotonic() - start))
    return FOUND if report.fails else PROVED


def _show(given: argparse.Namespace, report: Report) -> None:
    for text in given.formats or ["text"]:
        reporter = _reporter(text)
        _, _, file = text.partition("=")
        style = Style(not file and _colored(given.color, os.environ), given.quiet, 100, os.environ)
        rendered = reporter.render(report, style)
        if file:
            _write(Path(file), rendered)
        else:
            _print(rendered)


def _reporter(text: str) -> Reporter:
    from policy_guard.reporters import reporter

    return reporter(text.partition("=")[0])


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _print(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.flush()


def _colored(when: str, environ: Mapping[str, str]) -> bool:
    if when != "auto":
        return when == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and environ.get("TERM") != "dumb")


def _set_up(given: argparse.Namespace, message: str) -> int:
    """Says why nothing was checked, also in the formats that programs read."""
    from policy_guard.summary import error_line

    for text in getattr(given, "formats", None) or ():
        if not text.startswith("text"):
            try:
                _show(argparse.Namespace(**{**vars(given), "formats": [text]}), Report(error=message))
            except UserError:
                continue
    return _tell(error_line(message), SET_UP)


def _tell(line: str, code: int) -> int:
    from policy_guard.printable import defused, printable

    line = printable(line.rstrip("\n"))
    print(defused(line) if os.environ.get("GITHUB_ACTIONS") else line, file=sys.stderr)
    return code


def _list(given: argparse.Namespace) -> int:
    from policy_guard.listing import critical, listing

    _print((critical if given.critical else listing)(given.config, Path.cwd(), os.environ))
    return PROVED


def _init(given: argparse.Namespace) -> int:
    from policy_guard.init import init
    from policy_guard.progress import awaited

    _print(awaited(sys.stderr, lambda heard: init(Path.cwd(), os.environ, heard)))
    return PROVED


def _catalog(given: argparse.Namespace) -> int:
    from policy_guard.listing import actions

    code = PROVED
    for pattern in given.patterns:
        text, hint = actions(pattern, given.long)
        _print(text)
        code = _tell(hint, FOUND) if hint else code
    return code


def _explain(given: argparse.Namespace) -> int:
    from policy_guard.checks import explained

    _print(explained(given.check))
    return PROVED


def _demo(given: argparse.Namespace) -> int:
    from policy_guard.demo import run

    return run(_print, os.environ)
