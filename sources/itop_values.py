"""Values made what they say, for the attributes that a dataset declares and for no others.

    move2production  19/03/2024           2024-03-19                 `dates`, by `date_format`
    last_update      19/03/2024 14:05:00  2024-03-19T14:05:00+01:00  `datetimes`, in `timezone`
    description      &amp;lt;b&amp;gt;    &lt;b&gt;                  `encoded_html`
    location_id      0                    null                       `unset_keys`

What is empty stays so.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sources.itop_connection import ItopConnection
from sources.itop_dataset import ItopDataset

Rows = Mapping[int, dict[str, Any]]
Change = Callable[[str], str | None]


class Values:
    """The changes of one dataset, by attribute."""

    def __init__(self, table: ItopDataset, connection: ItopConnection) -> None:
        self._changes: dict[str, Change] = {}
        keys = () if isinstance(table.unset_keys, bool) else table.unset_keys
        self._every_key = table.unset_keys is True
        for names, change in (
            (table.dates, _dates(connection.date_format)),
            (table.datetimes, _times(connection.datetime_format, connection.zone)),
            (table.encoded_html, _decoded),
            (keys, _unset),
        ):
            self._changes |= dict.fromkeys(names, change)

    def change(self, rows: Rows) -> dict[int, str]:
        """Changes *rows* where they are; gives why a row cannot be changed, by its id."""
        odd: dict[int, str] = {}
        changes = self._changes
        if self._every_key:
            changes = dict.fromkeys(_keys(rows.values()), _unset) | changes
        for name, change in changes.items():
            odd |= _changed(rows, name, change)
        return odd


def _changed(rows: Rows, name: str, change: Change) -> dict[int, str]:
    odd = {}
    known: dict[str, str | None] = {}  # the same value stands in many rows of a page
    for number, row in rows.items():
        value = row.get(name)
        if not isinstance(value, str) or not value:
            continue
        if value not in known:
            try:
                known[value] = change(value)
            except ValueError as error:
                odd[number] = f"{name} {error}"
                continue
        row[name] = known[value]
    return odd


def _keys(rows: Iterable[dict[str, Any]]) -> set[str]:
    return {name for row in rows for name in row if name.endswith("_id")}


def _dates(form: str) -> Change:
    def iso(value: str) -> str:
        return _parsed(value, form).date().isoformat()

    return iso


def _times(form: str, zone: ZoneInfo | None) -> Change:
    def iso(value: str) -> str:
        return _parsed(value, form).replace(tzinfo=zone).isoformat()

    return iso


def _parsed(value: str, form: str) -> datetime:
    try:
        return datetime.strptime(value, form)  # noqa: DTZ007 - a date, or a time of `timezone`
    except ValueError:
        raise ValueError(f"{value[:40]!r} is not written as {form!r}") from None


def _decoded(value: str) -> str:
    # Once: iTop before 3.2 writes `&` of what is HTML already as `&amp;` (specs/itop.md §4.2).
    return value.replace("&amp;", "&")


def _unset(value: str) -> str | None:
    return None if value == "0" else value
