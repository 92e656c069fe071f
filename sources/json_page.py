"""A page of rows as JSON gave them: objects are records, whatever else stood there is a reject."""

from typing import Any

import orjson

from sources.base import Page, Reject
from sources.selector import is_writable
from sources.verdict import sample


def page_of(
    dataset: str, first: int, rows: list[Any], secrets: tuple[str, ...], *, doubtful: bool
) -> Page:
    """The page that begins with the *first* record (1-based).

    *doubtful*: some texts may hold half a character, which cannot be written as UTF-8.
    """
    if not doubtful and {*map(type, rows)} <= {dict}:
        return Page(first, rows)
    odd = {
        rank: "not an object" if not isinstance(row, dict) else "half a character in a text"
        for rank, row in enumerate(rows)
        if not isinstance(row, dict) or (doubtful and not is_writable(row))
    }
    rejects = tuple(
        Reject(dataset, first + rank, reason, sample(text_of(rows[rank]), secrets))
        for rank, reason in odd.items()
    )
    return Page(first, [row for rank, row in enumerate(rows) if rank not in odd], rejects)


def text_of(row: Any) -> str:
    """*row* as JSON where it can be written as such."""
    try:
        return orjson.dumps(row).decode()
    except orjson.JSONEncodeError:
        return repr(row).encode(errors="backslashreplace").decode()
