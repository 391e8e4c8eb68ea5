"""A difference in words, short: what is new, and what of it was there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policy_guard.verify.explain.without_document import access
from policy_guard.verify.finding import Cell, Difference, Piece

_MOST_LISTED = 3


def difference_facts(difference: Difference, label: str) -> Iterator[tuple[str, str]]:
    """Facts for a finding; `label` is the name of the first, which says what is new, critical or lost."""
    cells_text = cells(difference.cells, difference.not_actions, difference.not_resources)
    yield label, cells_text + _circumstances(difference.principals, difference.conditions)
    if difference.accepted:
        yield "accepted", f"only {_pieces(difference.accepted)}"
    if label == "lost":
        if difference.before:
            yield "still denied", f"only {_pieces(difference.before)}"
        return
    if difference.denied:
        yield "but denied", _pieces(difference.denied)
    if told := _old_access_without_document(difference):
        yield "before", told
    elif difference.before or difference.all_before:
        yield "reference" if label == "beyond" else "before", _old_access(difference)


def cells(pairs: Sequence[Cell], not_actions: bool, not_resources: bool) -> str:
    """The cells as one says it: "s3:Get*, s3:List* on arn:aws:s3:::logs"."""
    return enumeration((_cell(cell, not_actions, not_resources) for cell in pairs), "; ")


def _cell(cell: Cell, not_actions: bool, not_resources: bool) -> str:
    if len(cell.actions) == 1 and not (not_actions or not_resources):
        texts = [access(cell.actions[0], resource) for resource in cell.resources or ("",)]
        if all(texts):
            return enumeration(filter(None, texts))
    actions = ("every action but " if not_actions else "") + enumeration(cell.actions)
    if not cell.resources:
        return actions
    return f"{actions} on {'everything but ' if not_resources else ''}{enumeration(cell.resources)}"


def _old_access_without_document(difference: Difference) -> str:
    """Return what was there before of access that no document tells; empty for access that documents tell."""
    cell = difference.cells[0] if len(difference.cells) == 1 else Cell((), ())
    if len(cell.actions) != 1 or difference.but or difference.not_resources:
        return ""
    new_texts = {access(cell.actions[0], resource) for resource in cell.resources}
    old_texts = [access(cell.actions[0], text) for piece in difference.before for text in piece.resources]
    if None in new_texts or not old_texts:
        return ""
    told = [text for text in old_texts if text and text not in new_texts]
    return f"only {enumeration(told)}" if told else "another text"


def _old_access(difference: Difference) -> str:
    complete = difference.all_before or any(not any(piece) for piece in difference.before)
    access = "all of it" if complete else f"only {_pieces(difference.before)}"
    if not difference.but:
        return access
    return f"{access}, except {_pieces(difference.but)}, which was denied"


def _pieces(pieces: Iterable[Piece]) -> str:
    return enumeration(map(_piece, pieces), "; ")


def _piece(piece: Piece) -> str:
    words = [enumeration(piece.actions)] if piece.actions else []
    words += [f"on {enumeration(piece.resources)}"] if piece.resources else []
    return ("".join([" ".join(words), _circumstances(piece.principals, piece.conditions)])).strip() or "all of it"


def _circumstances(principals: Sequence[str], conditions: Sequence[str]) -> str:
    callers = f" for {enumeration(principals)}" if principals else ""
    return f"{callers} when {' and '.join(conditions)}" if conditions else callers


def enumeration(texts: Iterable[str], mark: str = ", ", limit: int = _MOST_LISTED) -> str:
    """The first few of the texts, and how many more there are."""
    items = list(texts)
    surplus = len(items) - limit
    return mark.join(items[:limit]) + (f" and {surplus} more" if surplus > 0 else "")
