"""Two files held against each other, without git."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from policy_guard.documents.errors import SetupError
from policy_guard.iam.policy import Kind
from policy_guard.pipeline.check import Options, asked_severity, usage_of
from policy_guard.pipeline.judging import Judge
from policy_guard.pipeline.pairing import Pair, Side, apart, glance_of, of_templates
from policy_guard.pipeline.results import Results
from policy_guard.pipeline.stages import Session
from policy_guard.report.report import Report
from policy_guard.settings.config import Config
from policy_guard.settings.load import Settings, load_settings


def compare(old: Path, new: Path, options: Options) -> Report:
    """Judges one file held against another, without git. Raises `SetupError`."""
    given = load_settings(Path(options.config).parent, options.config) if options.config else Settings(Config())
    config = given.config
    today = options.today or datetime.now(timezone.utc).date()
    judge = Judge(given, today, usage_of(Path(options.config or "").parent, config, today), each=options.each)
    results = Results(given, asked_severity(options, config, ci=False), today)
    session = Session(judge, results)
    before, after = (_glance(path, config) for path in (old, new))
    if before.template and after.template:
        outcome = of_templates(str(new), before, after, config.placeholders, config)
        results.outcome(str(new), outcome)
        for pair in outcome.pairs:
            session.pair(pair)
        return results.report(str(old), "compare")
    before, after = (side.completed(config.placeholders, grants=True) for side in (before, after))
    after = after.after(before)
    if before.problems or after.problems:
        session.side(before._replace(policies={}))
        session.side(after._replace(policies={}))
        return results.report(str(old), "compare")
    olds, news = before.policies, after.policies
    if len(olds) == len(news) == 1:
        olds = dict(zip(news, olds.values(), strict=True))
    for label in dict.fromkeys([*news, *olds]):
        for pair in apart(Pair(path=str(new), old=olds.get(label), new=news.get(label))):
            session.pair(pair)
    return results.report(str(old), "compare")


def _glance(path: Path, config: Config) -> Side:
    return glance_of(_bytes(path), str(path), str(path), True, _kind(config, path), config.placeholders)


def _kind(config: Config, path: Path) -> Kind | None:
    rule = config.policy_rule(path.as_posix())
    return rule.kind if rule else None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None
