from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Source, Span


def test_a_long_path_keeps_its_line_and_column() -> None:
    source = Source("folder/" * 60 + "policy-guard.yaml", "a: 1\nb: 2\n")
    told = str(SetupError("is wrong", source, Span(8, 9)))
    assert told.endswith("…:2:4: is wrong")
    assert len(told) < 230


def test_a_path_that_would_move_the_cursor_is_spelled_out() -> None:
    assert str(SetupError("is wrong", Source("a\x1b[2Jb.yaml", ""))) == "a\\x1b[2Jb.yaml: is wrong"


def test_without_a_place_it_is_the_message() -> None:
    assert str(SetupError("is wrong")) == "is wrong"
