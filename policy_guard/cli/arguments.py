"""What can be asked for on the command line, and how its help says it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from policy_guard.documents.printable import shortened
from policy_guard.plugins import names
from policy_guard.settings.severity import FAIL_ON
from policy_guard.version import VERSION

SHELLS = ("bash", "fish", "zsh")
SCHEMAS = ("accepted", "attachments", "config", "critical", "report")

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


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command; `help COMMAND` asks for its help. Ends the process where they are wrong."""
    first = next(iter(arguments), "")
    if first == "help":
        arguments = [*arguments[1:2], "--help"]
        first = arguments[0]
    if first and not first.startswith("-") and first not in _COMMANDS:
        from difflib import get_close_matches

        close = get_close_matches(first, _COMMANDS, 1)
        instead = f'did you mean "{close[0]}"?' if close else f"the commands are {', '.join(_COMMANDS)}"
        parser("").exit(2, f'policy-guard: there is no command "{shortened(first, 60)}"; {instead}\n')
    return parser(first).parse_args(arguments)


class _Parser(argparse.ArgumentParser):
    """A parser whose help is as wide as the terminal, which argparse would measure anew for every argument."""

    def __init__(self, formatter: type[argparse.HelpFormatter] = argparse.HelpFormatter, **options: Any) -> None:
        super().__init__(formatter_class=partial(formatter, width=_columns() - 2), **options)


def _columns() -> int:
    """The width of the terminal, measured as `shutil` does, whose import takes longer than all parsing."""
    try:
        return int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        pass
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80 if sys.__stdout__ else 80
    except (OSError, ValueError):
        return 80


def parser(name: str) -> argparse.ArgumentParser:
    """The parser of the command of this name, or of all of them: building them all costs every commit."""
    top: argparse.ArgumentParser = _Parser(
        prog="policy-guard",
        description="Proves that a change of an AWS IAM policy grants nothing new, or shows what it does.",
        epilog=_EPILOG,
        formatter=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"policy-guard {VERSION}")
    top.set_defaults(nothing=None)
    commands = top.add_subparsers(prog=top.prog, metavar="COMMAND", dest="command", required=True)
    for add in (_COMMANDS[name],) if name in _COMMANDS else _COMMANDS.values():
        add(commands)
    return top


def _check_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("check", help="judge the policies that changed")
    command.add_argument("paths", metavar="PATH", nargs="*", help="report on these files and folders only")
    command.add_argument("--base", metavar="REF", help="the commit that holds the old versions")
    command.add_argument("--staged", action="store_true", help="judge the index instead of the working tree")
    command.add_argument(
        "--all", action="store_true", dest="all_policies", help="every policy, for critical permissions"
    )
    command.add_argument("--plan", metavar="FILE", help="judge what a plan of Terraform in JSON changes, too")
    command.add_argument("--shard", metavar="K/N", help="judge one of N parts; policy-guard merge puts them together")
    command.add_argument("--show-settings", action="store_true", help="show what would hold, and check nothing")
    _common(command)


def _compare_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("compare", help="compare one file with another, without git")
    command.add_argument("old", metavar="OLD", type=Path, help="a file, or - for standard input; empty is no policy")
    command.add_argument(
        "new", metavar="NEW", type=Path, nargs="?", help="left out if OLD is a plan of Terraform in JSON"
    )
    command.add_argument("--equivalent", action="store_true", help="fail unless both mean the same")
    command.add_argument("--lost", action="store_true", help="show what OLD grants and NEW does not, too")
    _common(command)


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
    modes = command.add_mutually_exclusive_group()
    modes.add_argument("--diff", action="store_true", help="show what would change, and change nothing (default)")
    modes.add_argument("--write", action="store_true", help="rewrite the files")
    command.add_argument("--coarse", action="store_true", help="fewer and wider patterns, for IAM's limits of size")
    command.add_argument("--explain", action="store_true", help="draw the tree behind each replaced pattern")
    command.add_argument("--format", choices=("text", "markdown"), default="text", help="text (default) or markdown")
    command.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="in text output (auto)")
    command.set_defaults(nothing="no policy was refined: ")


def _list_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("list", help="what is a policy here, of which kind, and why")
    command.add_argument("paths", metavar="PATH", nargs="*", help="these files and folders only")
    command.add_argument("--config", metavar="FILE", help="instead of .policy-guard.yaml")
    command.add_argument(
        "--critical",
        action="store_true",
        help="what each entry of the critical list matches today, or what these files grant",
    )
    _jobs(command)
    command.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")
    command.set_defaults(nothing="nothing was listed: ")


def _accept_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from policy_guard.settings.acceptance import CHECKS

    command = commands.add_parser(
        "accept",
        help="write down, to be reviewed, that new access is meant",
        description="Writes a file for each policy that fails, with exactly what is new, for the owners to review.",
        epilog="exit codes: 0 written, or nothing to write; 1 something cannot be accepted, or was not to be written; "
        "2 the set-up; 3 a bug of policy-guard",
    )
    command.add_argument(
        "paths", metavar="PATH", nargs="*", help="these policies and folders only; path#address names one of several"
    )
    command.add_argument("--reason", metavar="TEXT", default="", help="why, for those who review it")
    command.add_argument("--expires", metavar="DATE", help="the last day, YYYY-MM-DD in UTC (30 days from now)")
    command.add_argument("--check", choices=CHECKS, help="findings of this check alone, also those that do not fail")
    command.add_argument("--base", metavar="REF", help="the commit that holds the old versions")
    command.add_argument("--config", metavar="FILE", help="instead of .policy-guard.yaml")
    command.add_argument("--prune", action="store_true", help="remove what is done or expired, and write nothing")
    command.add_argument("--yes", action="store_true", help="do not ask; without a terminal nothing is asked anyway")
    command.set_defaults(nothing="nothing was accepted: ")


def _init_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("init", help="write the settings, a critical list, the hook and the workflow")
    command.set_defaults(nothing="nothing was written: ")


def _explain_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("explain", help="the manual page of a check")
    command.add_argument("check", metavar="CHECK", nargs="?", help="its name, as in brackets behind a finding")
    command.set_defaults(nothing="")


def _catalog_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("catalog", help="the actions of AWS that a pattern covers today, one a line")
    command.add_argument("patterns", metavar="PATTERN", nargs="+", help="such as 's3:Get*'")
    command.add_argument("--long", action="store_true", help="with access levels and the ARNs of resources")


def _schema_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("schema", help="the JSON Schema of a file that owners write, or of the report")
    command.add_argument("name", metavar="NAME", choices=SCHEMAS, help=", ".join(SCHEMAS))
    command.set_defaults(nothing="")


def _completion_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("completion", help="the script by which a shell completes these commands")
    command.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    command.set_defaults(nothing="")


def _serve_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "serve",
        help="answer the policy checks of Access Analyzer's API over HTTP",
        description="Answers Access Analyzer's checks of policies over HTTP, without an account, until it is stopped.",
        epilog="Needs policy-guard[serve]. AWS's own clients take the address by --endpoint-url or AWS_ENDPOINT_URL.",
    )
    command.add_argument("--port", type=int, default=4599, help="4599 by default; 0 is any that is free")
    command.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    command.add_argument("--token-file", type=Path, metavar="FILE", help="a secret, needed on any other address")
    command.add_argument("--workers", type=int, metavar="N", help="how many processes (one a core)")
    command.add_argument("--seconds", type=float, default=30, metavar="N", help="how long a request may take (30)")
    command.add_argument("--megabytes", type=int, default=1, metavar="N", help="how large a request may be (1)")
    command.set_defaults(nothing="nothing was served: ")


def _report_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "report",
        help="everything about all policies here, compared with nothing",
        description="Shows every policy of the working tree by itself: critical permissions, administrators, callers, "
        "wildcards, what is unused, accepted or unreadable. It judges, and fails nothing.",
    )
    command.add_argument("paths", metavar="PATH", nargs="*", help="these files and folders only")
    command.add_argument(
        "--format", choices=names("report/overviews"), help="text by default; html for a file of that name"
    )
    command.add_argument(
        "-o", "--output", type=Path, action="append", default=[], metavar="FILE", help="write it there; may be repeated"
    )
    command.add_argument("--base", metavar="REF", help="show what changed since this commit")
    command.add_argument("--config", metavar="FILE", help="instead of .policy-guard.yaml")
    _jobs(command)
    command.set_defaults(nothing="nothing was reported: ")


def _merge_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "merge",
        help="one report of those of all shards",
        description="Puts the reports of check --shard together, in JSON or SARIF, if all parts of one run are there.",
    )
    command.add_argument("reports", metavar="REPORT", nargs="+", type=Path, help="one of each shard, of one format")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the report there")
    command.set_defaults(nothing="nothing was merged: ")


def _demo_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("demo", help="see the check fail on an example")


_COMMANDS = {
    "check": _check_command,
    "compare": _compare_command,
    "refine": _refine_command,
    "accept": _accept_command,
    "list": _list_command,
    "init": _init_command,
    "explain": _explain_command,
    "catalog": _catalog_command,
    "schema": _schema_command,
    "completion": _completion_command,
    "demo": _demo_command,
    "serve": _serve_command,
    "report": _report_command,
    "merge": _merge_command,
}


def _jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--jobs", type=int, metavar="N", help="how many processes judge (one a core where that pays; 1 is this one)"
    )
    command.add_argument("--scheduler", metavar="ADDRESS", help="let the workers of this scheduler of Dask judge")


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", metavar="FILE", help="instead of .policy-guard.yaml")
    _jobs(command)
    command.add_argument("--fail-on", choices=FAIL_ON, help="the least severity that fails (error)")
    formats = ", ".join(f"{name} (default)" if name == "text" else name for name in names("report/reporters"))
    command.add_argument("--format", metavar="NAME[=FILE]", action="append", dest="formats", help=formats)
    command.add_argument(
        "--statistics",
        action="append_const",
        const="statistics",
        dest="formats",
        help="count findings by severity and check, as --format statistics does",
    )
    command.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="in text output (auto)")
    command.add_argument("-q", "--quiet", action="store_true", help="findings only")
    command.add_argument(
        "--verbose",
        action="store_true",
        help="a finding for each critical permission and each statement of a new policy",
    )
