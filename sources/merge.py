"""Rows of one file completed by those of another that have the same key."""

from typing import Any

from sources.base import Record
from sources.drop_dataset import Merge
from sources.errors import Unreadable
from sources.file_reading import counted


class Complement:
    """The rows of a later file, by key: held in memory, some 250 bytes and its texts for each.

    `where` is that file as it is shown, `absent` what a row without one of its own is given.
    """

    def __init__(self, rule: Merge, where: str, absent: str | None) -> None:
        self._rule = rule
        self._key = rule.key_of_others or rule.key
        self._where = where
        self._absent = absent
        self._columns: tuple[str, ...] = ()
        self._rows: dict[str, tuple[Any, ...]] = {}
        self._keyless = 0
        self._used: set[str] = set()
        self._completed = 0
        self._alone = 0

    def learn(self, columns: tuple[str, ...]) -> None:
        """The names of its columns, the key among them; raises Unreadable when it is not."""
        _check_key(self._key, columns, self._where)
        self._columns = tuple(column for column in columns if column != self._key)

    def gather(self, records: list[Record]) -> None:
        """Rows of the file; raises Unreadable for a key that may not come twice, or too many."""
        columns, rows, last = self._columns, self._rows, self._rule.repeated == "last"
        for record in records:
            key = record[self._key]
            if not key:
                self._keyless += 1
                continue
            if key in rows and not last:
                raise Unreadable(
                    f"{self._key} {key!r} comes twice in the file that completes another",
                    where=self._where,
                    mend="correct the export, or let the last one hold (`merge.repeated: last`)",
                )
            rows[key] = tuple(map(record.__getitem__, columns))
        if len(rows) > self._rule.max_rows:
            raise Unreadable(
                f"more than {self._rule.max_rows:,} rows are to be held in memory",
                where=self._where,
                mend="put the larger file first in `paths`, or raise `merge.max_rows`",
            )

    def meet(self, columns: tuple[str, ...], where: str) -> None:
        """The columns of the file that is completed, shown as *where*; raises Unreadable."""
        _check_key(self._rule.key, columns, where)
        shared = [column for column in self._columns if column in columns]
        if shared and self._rule.shared_columns == "refuse":
            raise Unreadable(
                f"both files have {', '.join(map(repr, shared))}",
                where=self._where,
                mend="say whose value is kept: `merge.shared_columns: first` or `second`",
            )

    def complete(self, records: list[Record]) -> list[int]:
        """Add the columns to *records*; the places of those that have no row here."""
        first = self._rule.shared_columns == "first"
        alone = []
        for place, record in enumerate(records):
            key = record[self._rule.key]
            row = self._rows.get(key)
            if row is None:
                alone.append(place)
                for column in self._columns:
                    record.setdefault(column, self._absent)
                continue
            self._used.add(key)
            more = dict(zip(self._columns, row, strict=True))
            record.update({**more, **record} if first else more)
        self._completed += len(records) - len(alone)
        self._alone += len(alone)
        return alone

    @property
    def fact(self) -> str:
        unused = len(self._rows) - len(self._used)
        told = [f"{self._where} completes {counted(self._completed, 'row')} by {self._rule.key}"]
        told += [f"{self._alone:,} found nothing there"] if self._alone else []
        told += [f"{counted(unused, 'row')} of it completed none"] if unused else []
        told += [f"{counted(self._keyless, 'row')} of it had no key"] if self._keyless else []
        return ", ".join(told)

    @property
    def doubt(self) -> str:
        """Why the two files cannot be what belongs together; nothing: `""`."""
        if self._completed or not self._alone:
            return ""
        return (
            f"no row of {self._where} has the {self._rule.key} of any other: are they of one day?"
        )


def _check_key(key: str, columns: tuple[str, ...], where: str) -> None:
    if key not in columns:
        raise Unreadable(
            f"the file lacks the column {key!r} that rows are merged by",
            where=where,
            mend="correct `merge.key` or the export; the columns are " + ", ".join(columns[:20]),
        )
