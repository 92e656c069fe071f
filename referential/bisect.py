"""A refused import is cut in two, again and again, until each bad entity stands alone.

One bad entity fails a whole import before anything is written, and most of Canopsis' texts do not
name it (`specs/canopsis.md` §2.7). With b bad entities among n, about 2·b·log2(n) imports find
them, and everything else is loaded on the way.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Send = Callable[[list[int]], str | None]
Split = Callable[[list[int], str], tuple[list[int], list[int]]]
Hopeless = Callable[[list[int], str], bool]

_NAMING = re.compile(
    r"""^(?:
        ci\ =\ ,\ validation\ error:\ service\ (?P<service>.+)\ contains\ empty\ pattern
      | ci\ =\ (?P<ci>.+),\ validation\ error:\ .+
      | failed\ to\ (?:delete|update|enable|disable)\ an\ entity\ with\ _id\ =\ (?P<entity>.+)
      | ValueError\(u?'The\ ci\ of\ id\ (?P<old>.+)\ does\ not\ match\ any\ existing\ entity\.',?\)
      | failed\ to\ (?:delete|enable|disable)\ an\ entity\ service\ with\ name\ =\ (?P<name>.+)
    )$""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class Patience:
    """How many more failed imports are borne; each of them is an alarm in Canopsis (§2.5)."""

    left: int

    def spend(self) -> None:
        self.left -= 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not loaded; `alone`: it was refused by itself, not only among others."""

    row: int
    words: str
    alone: bool = True


def isolate(
    rows: list[int],
    words: str,
    *,
    send: Send,
    split: Split,
    hopeless: Hopeless,
    patience: Patience,
) -> Iterator[Refusal]:
    """Load all of *rows* but the bad ones, which are yielded.

    *rows* are known to fail together with *words*. `send(rows)` loads rows and returns None, or
    Canopsis' words when it refused them; `split(rows, words)` cuts two or more rows in two parts,
    neither empty; `hopeless(rows, words)` tells that every one of them is bad. Out of *patience*,
    rows that are left are yielded as they are, not `alone`.
    """
    if len(rows) == 1 or hopeless(rows, words):
        yield from (Refusal(row, words) for row in rows)
        return
    if patience.left <= 0:
        yield from (Refusal(row, words, alone=False) for row in rows)
        return

    def within(rows: list[int], words: str) -> Iterator[Refusal]:
        return isolate(rows, words, send=send, split=split, hopeless=hopeless, patience=patience)

    first, second = split(rows, words)
    refused = send(first)
    if refused is not None:
        yield from within(first, refused)
        refused = send(second)
    elif len(second) == 1:
        refused = send(second)  # surely bad: sent for the words about it alone
    else:
        refused = words  # the bad ones are in there: sending it whole would only fail once more
    if refused is not None:
        yield from within(second, refused)


def named(words: str) -> str | None:
    """The entity that a text of Canopsis names, when it names one."""
    found = _NAMING.match(words)
    return next((name for name in found.groups() if name), None) if found else None


def split_rows(
    rows: list[int], words: str, *, ids: Sequence[str], groups: Sequence[str]
) -> tuple[list[int], list[int]]:
    """The entity that *words* name and all others; else two halves, cut between two groups.

    A component stays with its resources when a cut that keeps them together leaves at least a
    quarter on each side; else the component, which is first of its group, is loaded first.
    """
    culprit = named(words)
    if culprit is not None:
        guilty = [row for row in rows if ids[row] == culprit]
        if 0 < len(guilty) < len(rows):
            return guilty, [row for row in rows if ids[row] != culprit]
    middle = len(rows) // 2
    for away in range(middle - len(rows) // 4 + 1):
        for cut in (middle - away, middle + away):
            if 0 < cut < len(rows) and _apart(groups[rows[cut - 1]], groups[rows[cut]]):
                return rows[:cut], rows[cut:]
    return rows[:middle], rows[middle:]


def _apart(one: str, other: str) -> bool:
    return not one or one != other
