"""How the rows of a CSV file are written, and telling its delimiter when it is not stated."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    import _csv  # the only place where the type of a reader has a name

CANDIDATES: Final = (";", ",", "\t", "|")

# A cell may be as large as a page may be; the default of 131,072 characters is not.
LARGEST_CELL: Final = 1 << 24

_VOTERS: Final = 50  # rows that vote, the header among them
_SAMPLE: Final = 1 << 18  # characters
_MAJORITY: Final = 0.8  # a few ragged rows are no other delimiter
_HINT: Final = re.compile(r"sep=(.)\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The signs of a CSV file; `quote` and `escape` may be absent."""

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    double_quote: bool = True

    def reader(self, lines: Iterable[str]) -> "_csv.Reader":
        """A strict reader of *lines*: a quote out of place is an error, not a guess."""
        csv.field_size_limit(LARGEST_CELL)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            doublequote=self.double_quote,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            skipinitialspace=True,
            strict=True,
        )


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first lines of a file tell: those before the header, and the delimiter if any."""

    skipped: int
    delimiter: str | None


def read_opening(text: IO[str], skip: int, signs: Dialect, *, stated: bool) -> Opening:
    """The opening of *text*, of which *skip* lines come before the header.

    Excel's first line `sep=;` names the delimiter and is stepped over, whatever *skip* says. With
    *stated* the delimiter of *signs* holds; else the rows vote.
    """
    lines = _sample(text)
    hint = _HINT.match(lines[0]) if lines else None
    skipped = max(skip, 1) if hint else skip
    if stated:
        return Opening(skipped, signs.delimiter)
    return Opening(skipped, hint[1] if hint else vote(lines[skipped:], signs))


def vote(lines: list[str], signs: Dialect) -> str | None:
    """The delimiter with which the rows of *lines* agree on most columns; None: no such.

    Quotes count: a delimiter inside them separates nothing. Where rows agree on none, the only
    delimiter in the header is it: what is wrong with the rows is better told of each.
    """
    scores: dict[str, tuple[float, int]] = {}
    for candidate in CANDIDATES:
        reader = replace(signs, delimiter=candidate).reader(lines)
        widths = [len(row) for row in _rows(reader) if row]
        if widths and widths[0] > 1:
            share = Counter(widths)[widths[0]] / len(widths)
            scores[candidate] = (1.0 if share >= _MAJORITY else share, widths[0])
    best = max(scores, key=scores.__getitem__, default=None)
    agreed = best is not None and scores[best][0] > 0.5
    return best if agreed or len(scores) == 1 else None


def _sample(text: IO[str]) -> list[str]:
    """The first lines of *text*, whole ones alone unless there is but one."""
    lines: list[str] = []
    size = 0
    while size < _SAMPLE and (line := text.readline(_SAMPLE)):
        lines.append(line)
        size += len(line)
    return lines[:-1] if len(lines) > 1 and size >= _SAMPLE else lines


def _rows(reader: "_csv.Reader") -> Iterator[list[str]]:
    """Rows as far as they can be read: the sample may end inside quotes."""
    try:
        yield from islice(reader, _VOTERS)
    except csv.Error:
        return
