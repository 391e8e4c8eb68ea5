"""The output of `refine` as text or Markdown: each file's difference, and why access is removed or kept."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from textwrap import wrap

from policy_guard.documents.printable import counted, printable
from policy_guard.documents.source import Problem, Source
from policy_guard.records import NamedTuple
from policy_guard.refine.file import Large, Refined
from policy_guard.refine.narrow import Covered
from policy_guard.refine.plan import Narrowed, Plan, StayingGrant
from policy_guard.refine.unused_actions import UNTRACKED
from policy_guard.report.markdown_escape import code, fence
from policy_guard.report.prefix_tree import draw, mermaid

WIDTH = 100
LEGEND = "safe: nothing unused begins so, -> stays; unsafe: some of it is unused; unused: all of it goes"
_MOST_LEFT = 10


class Entry(NamedTuple):
    """The result for one file; `error` says why it could not be read or written.

    `basis` names the principals whose findings count, each with the day of the analysis.
    """

    path: str
    refined: Refined = Refined(Source("", ""), "")
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    error: str | None = None
    basis: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Tell whether something in the file is unused, or may be, and was not removed."""
        return bool(self.problems or self.refined.refused)


class Refinement(NamedTuple):
    """The result of a run; `notes` are about its settings. With `written` the files hold the text that is shown.

    `hook` tells that a commit waits for the result.
    """

    entries: tuple[Entry, ...]
    notes: tuple[str, ...]
    written: bool
    hook: bool = False

    @property
    def changed(self) -> int:
        return sum(entry.error is None and entry.refined.changes for entry in self.entries)


def text(run: Refinement, explain: bool, color: bool) -> str:
    """For a terminal: a unified difference that `git apply` takes, then what it means, file by file."""
    lines: list[str] = []
    for entry in run.entries:
        if entry.refined.changes and entry.error is None:
            lines += [*(_paint(line, color) for line in _difference(entry)), ""]
        lines += _remarks(entry)
        for narrowed in _replaced_patterns(entry) if explain else ():
            lines += ["", f"{printable(entry.refined.source.at(narrowed.value.span.start))}: {LEGEND}"]
            lines += map(printable_but_colors, draw(narrowed.value.text, narrowed.narrowing.trees, color))
        lines += [""] if lines and lines[-1] else []
    return "\n".join((*lines, *(f"note: {printable(note)}" for note in run.notes), _verdict(run), ""))


def markdown(run: Refinement, explain: bool) -> str:
    """For a pull request's comment or a page: the same with the difference and the trees in fences."""
    lines: list[str] = []
    for entry in run.entries:
        lines += [f"### {code(entry.path)}", ""]
        if entry.refined.changes and entry.error is None:
            lines += [*fence("diff", _difference(entry)), ""]
        lines += [*fence("text", _remarks(entry)), ""]
        for narrowed in _replaced_patterns(entry) if explain else ():
            lines += [
                f"Behind {code(narrowed.value.text)}:",
                "",
                *fence("mermaid", mermaid(narrowed.narrowing.trees)),
                "",
            ]
    notes = fence("text", (f"note: {printable(note)}" for note in run.notes)) if run.notes else []
    return "\n".join((*lines, *notes, *([""] if notes else []), _verdict(run), ""))


def printable_but_colors(line: str) -> str:
    """A line of a tree made safe; the colors are ours."""
    return "\x1b[".join(map(printable, line.split("\x1b[")))


def _difference(entry: Entry) -> Iterator[str]:
    old_lines, new_lines = (_lines(text) for text in (entry.refined.source.text, entry.refined.text))
    path = printable(entry.path)
    for line in difflib.unified_diff(old_lines, new_lines, f"a/{path}", f"b/{path}", lineterm=""):
        for part in line.split("\n"):
            yield "\t".join(map(printable, part.removesuffix("\r").split("\t"))) + "\r" * part.endswith("\r")


def _lines(text: str) -> list[str]:
    """The lines without their feeds; a last one that has none says so, as in what git prints."""
    *lines, last_line = text.split("\n")
    return [*lines, f"{last_line}\n\\ No newline at end of file"] if last_line else lines


def _paint(line: str, color: bool) -> str:
    code = {"+": "32", "-": "31", "@": "36"}.get(line[:1]) if color else None
    return f"\x1b[{code}m{line}\x1b[0m" if code else line


def _replaced_patterns(entry: Entry) -> Iterator[Narrowed]:
    """Return the patterns that are replaced by narrower ones: their trees are worth drawing."""
    yield from (narrowed for plan in entry.refined.plans for narrowed in plan.narrowed if narrowed.narrowing.patterns)


def _remarks(entry: Entry) -> Iterator[str]:
    path, source = printable(entry.path), entry.refined.source
    if entry.error is not None:
        yield f"error: {printable(entry.error)}"
        return
    for problem in entry.problems:
        place = printable(source.at(problem.span.start))
        yield f"{place}: error: {printable(problem.message)} [readable, unreadable]"
    if entry.refined.refused:
        yield f"{path}: error: left as it is: {printable(entry.refined.refused)}"
    if entry.basis:
        yield f"{path}: compared with the unused access of {printable('; '.join(entry.basis))}"
    for plan in entry.refined.plans:
        yield from _plan(path, source, plan) if entry.refined.refused is None else ()
        yield from (
            _wrap(", ".join(map(printable, plan.kept_actions)), f"{path}: kept though unused: ")
            if plan.kept_actions
            else ()
        )
        yield from _untracked_lines(path, plan.untracked_actions)
    yield from (f"{path} {printable(label)}".rstrip() + f": left: {why}" for label, why in entry.refined.untouched)
    yield from (f"{path}: warning: {line}" for large in entry.refined.large for line in _size_warning(large))
    yield from (f"{path}: note: {printable(note)}" for note in entry.notes)
    has_remarks = entry.refined.untouched or any(
        p.narrowed or p.staying_grants or p.kept_actions or p.untracked_actions for p in entry.refined.plans
    )
    if entry.basis and not has_remarks:
        yield f"{path}: nothing in it is known to be unused"


def _plan(path: str, source: Source, plan: Plan) -> Iterator[str]:
    if plan.empty:
        place = printable(source.at(plan.policy.span.start))
        yield (f"{place}: warning: all that it grants is unused, and a policy cannot be empty; delete it, or detach it")
        return
    for narrowed in plan.narrowed:
        yield from _narrowed_lines(path, source, narrowed)
    for grant in plan.staying_grants:
        yield from _staying_grant(path, source, grant)


def _narrowed_lines(path: str, source: Source, narrowed: Narrowed) -> Iterator[str]:
    action, patterns = printable(narrowed.value.text), narrowed.narrowing.patterns
    covered, unused = narrowed.narrowing.covered, narrowed.narrowing.unused
    total = sum(len(one.names) for one in covered)
    place = printable(source.at(narrowed.value.span.start))
    if "*" not in action and "?" not in action:
        yield f"{place}: {action} goes, {_last_use(unused[0].last)}"
        return
    outcome = f"{total - len(unused)} of {total} actions stay" if patterns else _removal(total)
    yield f"{place}: {action} {'is narrowed' if patterns else 'goes'}: {outcome}"
    for last, names in _by_last_use(covered):
        yield from _wrap(f"{_last_use(last)}: {', '.join(names)}", "    unused  ")
    restriction = "only under the new patterns" if any("*" in pattern for pattern in patterns) else "no more"
    yield f"    later   what AWS adds to {action} is allowed {restriction}"


def _untracked_lines(path: str, actions: Iterable[str]) -> Iterator[str]:
    for untracked in map(UNTRACKED.__getitem__, actions):
        yield f"{path}: {untracked.action} stays, because AWS does not record its use ({untracked.page})"


def _wrap(words: str, label: str) -> list[str]:
    return wrap(words, WIDTH, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False)


def _removal(total: int) -> str:
    return "its only action goes" if total == 1 else f"all {total} actions go"


def _last_use(last: str | None) -> str:
    return f"last used {last}" if last else "no use on record"


def _by_last_use(covered: Iterable[Covered]) -> list[tuple[str | None, list[str]]]:
    days: dict[str | None, list[str]] = {}
    for coverage in covered:
        stays = [name for name in coverage.names if f"{coverage.service}:{name}".lower() in UNTRACKED]
        if coverage.whole_service and len(coverage.unused) == len(coverage.names) - len(stays):
            exception = f" but {' and '.join(map(printable, stays))}" if stays else ""
            days.setdefault(coverage.unused[0].last, []).append(f"all of {printable(coverage.service)}{exception}")
            continue
        for use in coverage.unused:
            days.setdefault(use.last, []).append(printable(f"{use.service}:{use.name}"))
    return sorted(days.items(), key=lambda day: day[0] or "")


def _staying_grant(path: str, source: Source, grant: StayingGrant) -> Iterator[str]:
    names = [printable(f"{use.service}:{use.name}") for use in grant.unused]
    surplus = f" and {len(names) - _MOST_LEFT} more" if len(names) > _MOST_LEFT else ""
    place = printable(source.at(grant.span.start))
    yield f"{place}: warning: grants what is unused and stays, because {grant.reason}"
    yield from _wrap(f"{', '.join(names[:_MOST_LEFT])}{surplus}", "    unused  ")


def _size_warning(large: Large) -> Iterator[str]:
    limits = "; ".join(f"{limit.of} may have {limit.characters:,}{' in all' * limit.is_sum}" for limit in large.limits)
    label = f"{printable(large.label)} " if large.label else ""
    offer = "split the policy"
    if large.coarse is not None:
        enough = all(large.coarse <= limit.characters for limit in large.limits)
        offer = f"--coarse brings it to {large.coarse:,}" + ("" if enough else ", still too many for some")
    yield f"{label}takes {large.size:,} characters: {limits}; {offer}"


def _verdict(run: Refinement) -> str:
    failed = sum(entry.fails or entry.error is not None for entry in run.entries)
    files = counted(len(run.entries), "policy file")
    proof = "proved: nothing used is lost, nothing new is allowed"
    outcome = f"{run.changed} {'rewritten' if run.written else 'to rewrite'}, {proof}"
    failures = f", {failed} left with errors" if failed else ""
    hint = (". Add them and commit again" if run.hook else "") if run.written else ". Write with --write"
    hint = hint if run.changed else ""
    return f"{files}: {outcome if run.changed else 'nothing removed'}{failures}{hint}"
