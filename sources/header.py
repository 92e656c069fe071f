"""The names of the columns of a CSV file."""

import unicodedata
from collections import defaultdict
from difflib import get_close_matches
from typing import Literal

from sources.errors import Unreadable


def name_columns(row: list[str], *, odd: Literal["error", "suffix"], where: str) -> tuple[str, ...]:
    """The names in *row*, trimmed and composed (NFC), each one its own.

    A name that is missing or in use raises Unreadable, or with *odd* `suffix` becomes `column_3`
    or `name_2`.
    """
    names = [unicodedata.normalize("NFC", name.strip()) for name in row]
    if odd == "error":
        _check(names, where)
        return tuple(names)
    taken = set(names)
    seen: set[str] = set()
    for index, name in enumerate(names):
        own = name or f"column_{index + 1}"
        number = 2
        while own in seen or (own != name and own in taken):
            own = f"{name or 'column'}_{number}"
            number += 1
        names[index] = own
        seen.add(own)
    return tuple(names)


def _check(names: list[str], where: str) -> None:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names, start=1):
        places[name].append(place)
    odd = [
        f"{_listed(found)} {'has no name' if len(found) == 1 else 'have no name'}"
        if not name
        else f"{_listed(found)} are {'both' if len(found) == 2 else 'all'} named {name!r}"
        for name, found in places.items()
        if not name or len(found) > 1
    ]
    if odd:
        raise Unreadable(
            "; ".join(odd),
            where=where,
            mend="correct the export, or name them apart by `odd_columns: suffix`",
        )


def _listed(places: list[int]) -> str:
    *most, last = map(str, places)
    return f"columns {', '.join(most)} and {last}" if most else f"column {last}"


def check_required(columns: tuple[str, ...], required: tuple[str, ...], where: str) -> None:
    """Raise Unreadable, with the nearest names, when *required* columns are lacking."""
    lacking = [name for name in required if name not in columns]
    if not lacking:
        return
    folded = {column.casefold(): column for column in columns}
    told = []
    for name in lacking:
        near = get_close_matches(name.casefold(), folded, n=1)
        told.append(f"{name!r} (is it {folded[near[0]]!r}?)" if near else repr(name))
    raise Unreadable(
        f"the file lacks {'columns' if len(told) > 1 else 'the column'} {', '.join(told)}",
        where=where,
        mend="correct the export or `required_columns`",
    )
