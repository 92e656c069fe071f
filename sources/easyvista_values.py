"""Values made plain for the fields that a job names: labels, amounts, moments.

Whatever else a record holds stays as it came, nested objects included. A value that may be read in
two ways is not guessed: it is left out, counted, and told with the evidence.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sources.base import Record, Scope
from sources.easyvista_connection import EasyVistaConnection
from sources.easyvista_dataset import EasyVistaDataset
from sources.easyvista_moments import NoMoment, Writing, is_day, iso, moment

_AMOUNT: Final = re.compile(r"[-+]?\d+(?:([.,])\d+)?")


class Values:
    """What a dataset wants made plain, and what could not be."""

    def __init__(
        self, table: EasyVistaDataset, connection: EasyVistaConnection, scope: Scope
    ) -> None:
        self._labels = tuple(_steps(path) for path in table.labels)
        self._decimals = tuple(_steps(path) for path in table.decimals)
        self._dates = tuple(_steps(path) for path in table.dates)
        self._languages = connection.languages
        self._decimal = connection.decimal
        self._writing = Writing(connection.zone, connection.date_format)
        self._spare = {} if scope.fields is None else _spare(table, connection, scope.fields)
        self._odd: Counter[str] = Counter()

    def make_plain(self, records: Iterable[Record]) -> None:
        """Changes the records where they stand."""
        if not (self._labels or self._decimals or self._dates):
            return
        for record in records:
            for holder, name in _held(record, self._labels):
                holder[name] = label(holder, name, self._languages)
                for spare in self._spare.get(name, ()):
                    holder.pop(spare, None)
            for holder, name in _held(record, self._decimals):
                self._replace(holder, name, self._amount(holder.get(name)))
            for holder, name in _held(record, self._dates):
                self._replace(holder, name, self._date(holder.get(name)))

    def facts(self) -> list[str]:
        """What the evidence must tell."""
        return [
            f"{count:,} values of {name} could not be read and were left out"
            for name, count in sorted(self._odd.items())
        ]

    def _replace(self, holder: Record, name: str, value: str | None) -> None:
        if value is None and holder.get(name) is not None:
            self._odd[name] += 1
        if name in holder:
            holder[name] = value

    def _amount(self, value: Any) -> str | None:
        return None if value is None else amount(str(value), self._decimal)

    def _date(self, value: Any) -> str | None:
        if value is None or is_day(str(value)):
            return None if value is None else str(value)
        try:
            return iso(moment(str(value), self._writing))
        except NoMoment:
            return None


def amount(text: str, decimal: str) -> str | None:
    """`1234,56` as `1234.56`; None for one with groups or with the other sign: it may be either."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or found[1] not in (None, decimal):
        return None
    return found[0].replace(",", ".")


def label(holder: Record, name: str, languages: Sequence[str]) -> str | None:
    """The first label that is translated: `[Finance]` in brackets is not."""
    for language in languages:
        text = str(holder.get(f"{name}_{language}") or "").strip()
        if text and not (text.startswith("[") and text.endswith("]")):
            return text
    return None


def _spare(
    table: EasyVistaDataset, connection: EasyVistaConnection, fields: frozenset[str]
) -> dict[str, list[str]]:
    """What a label is made of and nobody else asked for, by the name of the label."""
    wanted = {*fields, *table.fields}
    spare: dict[str, list[str]] = {}
    for path in table.labels:
        for language in connection.languages:
            if f"{path}_{language}" not in wanted:
                name = path.rpartition(".")[2]
                spare.setdefault(name, []).append(f"{name}_{language}")
    return spare


def _steps(path: str) -> tuple[tuple[str, ...], str]:
    *parents, name = path.split(".")
    return tuple(parents), name


def _held(
    record: Record, paths: Iterable[tuple[tuple[str, ...], str]]
) -> Iterable[tuple[Record, str]]:
    """The objects that hold the fields, with the names they have there."""
    for parents, name in paths:
        holder: Any = record
        for parent in parents:
            holder = holder.get(parent) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            yield holder, name
