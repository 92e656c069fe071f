"""CSV files in a drop folder: the newest, or all of those that match a glob.

Every value is a text without outer blanks, and an empty one stays empty: `007` and `NA` are what
was written. What a file must be to be read is in `specs/csv-and-api.md` part 1.
"""

import time
from difflib import get_close_matches
from typing import NoReturn

from sources.base import Complete, Extraction, Outcome, Partial, Probe, Scope, Slice, Source
from sources.csv_dataset import CsvConfig, CsvConnection, CsvDataset
from sources.csv_reading import FileReading
from sources.drop import DropFile, choose, find
from sources.errors import Refused, SourceError
from sources.rows import counted

_HOUR = 3_600_000_000_000  # nanoseconds


def extract(config: CsvConfig, dataset: str, connection: CsvConnection, scope: Scope) -> Extraction:
    """The pages of *dataset*, file after file, the newest last.

    All columns are given whatever `scope.fields` says: leaving some out would cost more than it
    saves, and hide from the report those that no rule uses. Raises Unreachable when no file is
    there or the newest is too old; Unreadable for a file that is empty, no CSV, or holds too many
    bad rows; Refused for a window of dates and for a file that may not be read.
    """
    table = _dataset(config, dataset)
    if scope.since is not None or scope.until is not None:
        _refuse_window(dataset)
    files = _files(table, connection)
    if scope.slice is not None:
        wanted = scope.slice
        first, end = (len(files) * rank // wanted.of for rank in (wanted.index, wanted.index + 1))
        files = files[first:end]
    readings: list[FileReading] = []
    number = 0
    for file in files:
        reading = FileReading(file, table, dataset, connection.max_size, number)
        yield from reading.pages()
        number = reading.number
        readings.append(reading)
    return _outcome(readings)


def _outcome(readings: list[FileReading]) -> Outcome:
    """Complete when no file is in doubt."""
    doubts = [f"{reading.where}: {doubt}" for reading in readings for doubt in reading.doubts]
    if doubts:
        return Partial("; ".join(doubts))
    told = [] if readings else ["no file falls to this slice"]
    for reading in readings:
        rejects = f", {reading.rejects:,} of them rejects" if reading.rejects else ""
        facts = "".join(f", {fact}" for fact in reading.facts)
        told.append(
            f"{reading.where}: {counted(reading.rows, 'row')}{rejects}, ended outside quotes{facts}"
        )
    return Complete("; ".join(told[:20] + [f"and {len(told) - 20} more files"] * (len(told) > 20)))


def _dataset(config: CsvConfig, name: str) -> CsvDataset:
    table = config.datasets.get(name)
    if table is None:
        near = get_close_matches(name, config.datasets, n=1) or sorted(config.datasets)[:1]
        raise Refused(
            f"the source has no dataset {name!r}",
            where="source.datasets",
            mend=f"did you mean {near[0]!r}?",
        )
    return table


def _files(table: CsvDataset, connection: CsvConnection) -> list[DropFile]:
    """The files to read, the newest last."""
    age = table.max_age_hours
    return choose(
        find(connection.root, table.path, newest_by=table.newest_by),
        table.file_selection,
        newest_by=table.newest_by,
        oldest_ns=None if age is None else time.time_ns() - round(age * _HOUR),
    )


def _refuse_window(dataset: str) -> NoReturn:
    raise Refused(
        f"dataset {dataset!r} cannot be read by modification date: a file holds none",
        where=f"source.datasets.{dataset}",
        mend="read everything; what has not changed is not sent again",
    )


def probe(config: CsvConfig, connection: CsvConnection) -> Probe:
    """What lies in the folder for each dataset; no file is opened."""
    lacking = []
    for name, table in config.datasets.items():
        try:
            _files(table, connection)
        except SourceError as error:
            lacking.append(f"{name}: {error}")
    return Probe(
        version="local files",
        identity=str(connection.root),
        rights=("list the folder",) if connection.root.is_dir() else (),
        lacking=tuple(lacking),
    )


def slices(
    config: CsvConfig, dataset: str, connection: CsvConnection, scope: Scope, most: int
) -> tuple[Slice, ...]:
    """As many slices as there are files, at most *most*: a file is not cut."""
    del scope
    of = max(1, min(most, len(_files(_dataset(config, dataset), connection))))
    return tuple(Slice(index, of) for index in range(of))


SOURCE = Source(
    config=CsvConfig, connection=CsvConnection, extract=extract, probe=probe, slices=slices
)
