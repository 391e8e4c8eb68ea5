"""The command line: arguments in, text and an exit code out. The only place that prints, and that catches bugs."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from policy_guard.cli.arguments import parse_arguments
from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.check import Options, check
from policy_guard.pipeline.ci import in_ci
from policy_guard.pipeline.executors import MOST_JOBS, Parallel, usual
from policy_guard.pipeline.shards import shard_from
from policy_guard.report.report import Report, Reporter, Style

if TYPE_CHECKING:
    from datetime import date

PROVED, FOUND, SET_UP, BUG = 0, 1, 2, 3
NARROWEST, WIDEST = 40, 120
_FOR_PEOPLE = ("concise", "statistics", "text")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    namespace = parse_arguments(arguments)
    try:
        return _RUN[namespace.command](namespace)
    except SetupError as error:
        prefix: str | None = namespace.nothing
        return (
            _report_set_up_error(namespace, str(error)) if prefix is None else _print_line(f"{prefix}{error}", SET_UP)
        )
    except KeyboardInterrupt:
        return _print_line("interrupted before anything was proved", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BUG
    except Exception as error:  # whatever is left is a bug, and must not look like a PASS
        if os.environ.get("POLICY_GUARD_DEBUG"):
            raise
        name = type(error).__name__
        return _print_line(
            f"policy-guard failed, a bug ({name}). Nothing was proved. POLICY_GUARD_DEBUG=1 shows more.", BUG
        )


def _today() -> date:
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).date()


def _check(arguments: argparse.Namespace) -> int:
    options = Options(
        today=_today(),
        paths=tuple(arguments.paths),
        base=arguments.base,
        staged=arguments.staged,
        all_policies=arguments.all_policies,
        config=arguments.config,
        fail_on=arguments.fail_on,
        verbose=arguments.verbose,
        plan=arguments.plan,
        parallel=_parallel(arguments),
        shard=shard_from(arguments.shard),
    )
    if arguments.show_settings:
        from policy_guard.cli.show_settings import settings_text

        _print(settings_text(options, Path.cwd(), os.environ))
        return PROVED
    if arguments.quiet or not sys.stderr.isatty():
        return _print_report(arguments, lambda: check(options, Path.cwd(), os.environ))
    from policy_guard.cli.progress import with_progress

    return _print_report(
        arguments, lambda: with_progress(sys.stderr, lambda progress: check(options, Path.cwd(), os.environ, progress))
    )


def _parallel(arguments: argparse.Namespace) -> Parallel:
    if arguments.scheduler is not None:
        if arguments.jobs is not None:
            raise SetupError("--scheduler has workers of its own. Leave out --jobs.")
        return Parallel(scheduler=arguments.scheduler)
    if arguments.jobs is None:
        return usual()
    if not 1 <= arguments.jobs <= MOST_JOBS:
        raise SetupError(f"--jobs is between 1 and {MOST_JOBS}, not {arguments.jobs}.")
    return Parallel(arguments.jobs)


def _compare(arguments: argparse.Namespace) -> int:
    from policy_guard.cli.compare import compare, compare_plan

    options = Options(
        today=_today(),
        config=arguments.config,
        fail_on=arguments.fail_on,
        verbose=arguments.verbose,
        parallel=_parallel(arguments),
    )
    if arguments.new is None:
        return _print_report(arguments, lambda: compare_plan(arguments.old, options))

    def work() -> Report:
        report = compare(arguments.old, arguments.new, options, lost=arguments.lost)
        differs = arguments.equivalent and report.relation != "same"
        return report._replace(fails=True, unmet="--equivalent") if differs else report

    return _print_report(arguments, work)


def _refine(arguments: argparse.Namespace) -> int:
    from policy_guard.documents.printable import defused
    from policy_guard.pipeline.refine import RefineOptions, refine
    from policy_guard.report.refinement import markdown, text

    options = RefineOptions(
        paths=tuple(arguments.paths),
        findings=arguments.findings,
        config=arguments.config,
        write=arguments.write,
        coarse=arguments.coarse,
    )
    refinement = refine(options, Path.cwd(), os.environ, _today())
    if arguments.format == "markdown":
        rendered = markdown(refinement, arguments.explain)
    else:
        rendered = text(refinement, arguments.explain, _uses_color(arguments.color, os.environ))
    _print(defused(rendered) if os.environ.get("GITHUB_ACTIONS") else rendered)
    if any(entry.error is not None for entry in refinement.entries):
        return SET_UP
    return (
        FOUND
        if any(entry.fails for entry in refinement.entries) or (refinement.changed and not arguments.write)
        else PROVED
    )


def _accept(arguments: argparse.Namespace) -> int:
    from policy_guard.cli.accept import AcceptOptions, proposal_lines, propose, write

    options = Options(
        today=_today(), paths=tuple(arguments.paths), base=arguments.base, config=arguments.config, accepting=True
    )
    if arguments.prune:
        return _prune(arguments, options)
    proposals = propose(
        AcceptOptions(options, arguments.reason, arguments.expires, arguments.check), Path.cwd(), os.environ
    )
    code = _confirm_and_run(arguments, proposal_lines(proposals), "write", write(proposals), len(proposals.files))
    return FOUND if proposals.unfit else code


def _prune(arguments: argparse.Namespace, options: Options) -> int:
    from policy_guard.cli.accept import remove, to_prune

    root, stale_files = to_prune(options, Path.cwd(), os.environ)
    lines = [f"{stale_file.path} is {stale_file.reason}" for stale_file in stale_files if _asks_first(arguments)]
    return (
        _confirm_and_run(arguments, lines, "remove", remove(root, stale_files), len(stale_files))
        if stale_files
        else _say_nothing_to_prune()
    )


def _say_nothing_to_prune() -> int:
    _print("nothing is done or expired\n")
    return PROVED


def _asks_first(arguments: argparse.Namespace) -> bool:
    return not arguments.yes and sys.stdin.isatty() and sys.stdout.isatty()


def _confirm_and_run(
    arguments: argparse.Namespace, lines: Iterable[str], verb: str, work: Iterator[str], files: int
) -> int:
    """Shows what would be done and does it, on a terminal only when told to."""
    from policy_guard.documents.printable import printable

    _print("".join(f"{printable(line)}\n" for line in lines))
    if not files:
        return PROVED
    if _asks_first(arguments):
        from policy_guard.documents.printable import counted

        _print(f"{verb} {counted(files, 'file')}? [y/N] ")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return _print_line("nothing was changed", FOUND)
    elif not arguments.yes:
        _print("not asked first, as there is no terminal\n")
    _print("".join(f"{printable(line)}\n" for line in work))
    return PROVED


def _print_report(arguments: argparse.Namespace, work: Callable[[], Report]) -> int:
    for text in arguments.formats or ["text"]:
        _reporter(text)
    start = time.monotonic()
    report = work()
    _show(arguments, report._replace(seconds=time.monotonic() - start))
    return FOUND if report.fails else PROVED


def _show(arguments: argparse.Namespace, report: Report) -> None:
    formats = sorted(arguments.formats or ["text"], key=lambda text: text == "statistics")
    for text in formats:
        reporter = _reporter(text)
        _, _, file = text.partition("=")
        style = Style(not file and _uses_color(arguments.color, os.environ), arguments.quiet, environ=os.environ)
        style = style._replace(concludes=bool(file) or text == formats[-1] or formats[-1] != "statistics")
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


def _uses_color(choice: str, environ: Mapping[str, str]) -> bool:
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and environ.get("TERM") != "dumb")


def _report_set_up_error(arguments: argparse.Namespace, message: str) -> int:
    """Says why nothing was checked, also in the formats that programs read."""
    from policy_guard.report.summary import error_line

    for text in getattr(arguments, "formats", None) or ():
        if text not in _FOR_PEOPLE:
            try:
                _show(argparse.Namespace(**{**vars(arguments), "formats": [text]}), Report(error=message))
            except SetupError:
                continue
    return _print_line(error_line(message), SET_UP)


def _print_line(line: str, code: int) -> int:
    from policy_guard.documents.printable import defused, printable

    line = printable(line.rstrip("\n"))
    print(defused(line) if os.environ.get("GITHUB_ACTIONS") else line, file=sys.stderr)
    return code


def _print_critical_grants(arguments: argparse.Namespace, shown: Callable[[Report], str]) -> int:
    """Print every critical permission that the policies of some files and folders grant."""
    if arguments.format == "json":
        raise SetupError("list --critical writes no JSON of files. Use check --all --verbose --format json.")
    paths = tuple(arguments.paths)
    options = Options(
        _today(),
        paths=paths,
        config=arguments.config,
        all_policies=True,
        verbose=True,
        parallel=_parallel(arguments),
    )
    _print(shown(check(options, Path.cwd(), os.environ)))
    return PROVED


def _list(arguments: argparse.Namespace) -> int:
    if arguments.critical:
        from policy_guard.cli.inspect import critical, critical_as_json, critical_grants

        if arguments.paths:
            return _print_critical_grants(arguments, critical_grants)
        shown = critical_as_json if arguments.format == "json" else critical
        _print(shown(arguments.config, Path.cwd(), os.environ))
        return PROVED
    from policy_guard.cli.listing import as_json, as_text, listing

    policies = listing(arguments.config, Path.cwd(), os.environ, arguments.paths)
    _print(as_json(policies) if arguments.format == "json" else as_text(policies))
    return PROVED


def _schema(arguments: argparse.Namespace) -> int:
    from policy_guard.settings.validation import schema_text

    _print(schema_text(arguments.name))
    return PROVED


def _init(arguments: argparse.Namespace) -> int:
    from policy_guard.cli.init import init
    from policy_guard.cli.progress import with_progress

    _print(with_progress(sys.stderr, lambda progress: init(Path.cwd(), os.environ, progress)))
    return PROVED


def _catalog(arguments: argparse.Namespace) -> int:
    from policy_guard.cli.inspect import actions

    code = PROVED
    for pattern in arguments.patterns:
        text, hint = actions(pattern, arguments.long)
        _print(text)
        code = _print_line(hint, FOUND) if hint else code
    return code


def _explain(arguments: argparse.Namespace) -> int:
    from policy_guard.verify.checks import explained

    _print(explained(arguments.check))
    return PROVED


def _completion(arguments: argparse.Namespace) -> int:
    from policy_guard.cli.completion import script

    _print(script(arguments.shell))
    return PROVED


def _serve(arguments: argparse.Namespace) -> int:
    from policy_guard.serve.server import ServeOptions, serve, usual_workers

    options = ServeOptions(
        host=arguments.host,
        port=arguments.port,
        token_file=arguments.token_file,
        workers=max(arguments.workers or usual_workers(), 1),
        seconds=arguments.seconds,
        megabytes=max(arguments.megabytes, 1),
    )
    serve(options, lambda line: _print(f"{line}\n"))
    return PROVED


def _report(arguments: argparse.Namespace) -> int:
    from policy_guard.cli.progress import with_progress
    from policy_guard.cli.report import rendered

    options = Options(
        _today(),
        paths=tuple(arguments.paths),
        config=arguments.config,
        base=arguments.base,
        parallel=_parallel(arguments),
    )
    files = arguments.output or [None]
    texts = with_progress(
        sys.stderr, lambda progress: rendered(options, arguments.format, files, Path.cwd(), os.environ, progress)
    )
    for file, text in zip(files, texts, strict=True):
        if file:
            _write(file, text)
        else:
            _print(text)
    return PROVED


def _merge(arguments: argparse.Namespace) -> int:
    from policy_guard.report.merge import merged, merged_line

    if len(set(arguments.reports)) < len(arguments.reports):
        raise SetupError("a report is named twice. Give one of each shard.")
    text, result = merged({str(path): _report_text(path) for path in arguments.reports})
    if arguments.output:
        _write(arguments.output, text)
        _print(f"{merged_line(len(arguments.reports), result)}\n")
    else:
        _print(text)
    return FOUND if result == "fail" else PROVED


def _report_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SetupError(f"{path} is not in UTF-8, as reports are") from None


def _demo(arguments: argparse.Namespace) -> int:
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
    "serve": _serve,
    "report": _report,
    "merge": _merge,
}
