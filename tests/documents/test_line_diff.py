from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.line_diff import differing

LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "", "  x"]), max_size=30)


def rebuilt(old: list[str], new: list[str]) -> list[str]:
    """The new lines, made from the old ones and the runs that differ."""
    lines: list[str] = []
    at = 0
    for run in differing("\n".join(old) + "\n", "\n".join(new) + "\n"):
        lines += old[at : run.old_start] + new[run.start : run.end]
        at = run.old_end
    return lines + old[at:]


@given(LINES, LINES)
def test_the_runs_make_the_new_text_of_the_old_one(old: list[str], new: list[str]) -> None:
    assert rebuilt(old or [""], new or [""]) == (new or [""])


@given(st.permutations(range(200)), st.integers(0, 200))
def test_long_texts_too(order: list[int], cut: int) -> None:
    old, new = [str(n) for n in range(200)], [str(n) for n in order[:cut]] or [""]
    assert rebuilt(old, new) == new


def test_one_line_among_many_is_one_run() -> None:
    old = [str(n) for n in range(5_000)]
    new = [*old[:2_500], "fresh", *old[2_500:]]
    assert [tuple(run) for run in differing("\n".join(old), "\n".join(new))] == [(2_500, 2_500, 2_500, 2_501)]
