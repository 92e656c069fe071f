"""A source that reads delivered files: all of it but how one file is read.

SOURCE = drop_source(CsvConfig, CsvConnection, CsvReading)
"""

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from typing import Any, NoReturn, TypeVar

from sources.archive import put_away
from sources.base import Extraction, Probe, Record, Scope, Slice, Source
from sources.declared import declared
from sources.delivery import Delivery, delivered, look
from sources.drop_connection import DropConnection
from sources.drop_dataset import DropConfig
from sources.drop_reading import DropReading
from sources.errors import Refused, SourceError
from sources.file_reading import FileReading
from sources.folders import open_folder
from sources.picked import one_key, picking

C = TypeVar("C", bound=DropConfig)
K = TypeVar("K", bound=DropConnection)


def drop_source(
    config: type[C], connection: type[K], reading: type[FileReading[Any]]
) -> Source[C, K]:
    """The source whose files are read by *reading*."""

    def extract(config: C, dataset: str, connection: K, scope: Scope) -> Extraction:
        return extract_files(reading, config, dataset, connection, scope)

    return Source(
        config=config,
        connection=connection,
        extract=extract,
        probe=_probe,
        slices=_slices,
        finish=_finish,
        refuse=refuse,
    )


def extract_files(
    kind: type[FileReading[Any]],
    config: DropConfig,
    dataset: str,
    connection: DropConnection,
    scope: Scope,
) -> Extraction:
    """The pages of *dataset*, file after file, the newest last.

    All columns are given whatever `scope.fields` says: leaving some out would cost more than it
    saves, and hide from the report those that no rule uses. Raises Unreachable when no file is
    there, ready, at rest or recent enough; Unreadable for a file that is empty, not what it should
    be, or holds too many bad rows; Refused for a window of dates and for a file that may not be
    read.
    """
    table = declared(config.datasets, dataset)
    refuse(config, dataset, connection, scope)
    with open_folder(connection) as folder:
        delivery = Delivery.of_slice(scope.slice) if scope.slice else delivered(table, folder)
        reading = DropReading(folder, table, dataset, connection.max_size, kind)
        pages = _whole(reading, delivery)
        if scope.ids is not None:
            pages = picking(pages, scope.ids, partial(_value, reading, table.keys[0]))
        return (yield from pages)


def _whole(reading: DropReading, delivery: Delivery) -> Extraction:
    yield from reading.pages(delivery)
    return reading.outcome(delivery)


def _value(reading: DropReading, key: str, record: Record) -> Any:
    """The key of a row; raises Refused where its file has no such column."""
    if key not in record:
        last = reading.readings[-1]
        near = get_close_matches(key, list(record), n=1) or list(record)[:1]
        raise Refused(
            f"there is no column {key!r}, which is the `key` of dataset {reading.dataset!r}",
            where=last.where,
            mend=f"did you mean {near[0]!r}?" if near else "name one of its columns",
        )
    return record[key]


def refuse(config: DropConfig, dataset: str, connection: DropConnection, scope: Scope) -> None:
    """Raise Refused for a window, and for ids of rows that no column identifies."""
    del connection
    table = declared(config.datasets, dataset)
    if scope.since is not None or scope.until is not None:
        _refuse_window(dataset)
    if scope.ids is not None:
        one_key(dataset, table.keys, "key")


def _refuse_window(dataset: str) -> NoReturn:
    raise Refused(
        f"dataset {dataset!r} cannot be read by modification date: a file holds none",
        where=f"source.datasets.{dataset}",
        mend="read everything; what has not changed is not sent again",
    )


def _probe(config: DropConfig, connection: DropConnection) -> Probe:
    """What lies in the folder for each dataset; no file is opened, nor waited for."""
    lacking = []
    with open_folder(connection) as folder:
        rights = ["list the folder"] if folder.exists() else []
        for name, table in config.datasets.items():
            try:
                look(table, folder)
            except SourceError as error:
                lacking.append(f"{name}: {error}")
        if any(table.archives for table in config.datasets.values()):
            writes = not folder.lacks_writing()
            (rights if writes else lacking).append("move files to the archive")
        version, identity = folder.version, folder.place()
    return Probe(version, identity, tuple(rights), tuple(lacking))


def _slices(
    config: DropConfig, dataset: str, connection: DropConnection, scope: Scope, most: int
) -> tuple[Slice, ...]:
    """As many slices as there are files, at most *most*: a file is not cut, a merge is one."""
    del scope
    table = declared(config.datasets, dataset)
    with open_folder(connection) as folder:
        return delivered(table, folder).slices(1 if table.merge else most)


def _finish(
    config: DropConfig,
    dataset: str,
    connection: DropConnection,
    taken: Sequence[str],
    moment: datetime,
) -> tuple[str, ...]:
    """Archive the files that were read, where the job says so."""
    table = declared(config.datasets, dataset)
    if not table.archives or not taken:
        return ()
    with open_folder(connection) as folder:
        return put_away(table, folder, taken, moment)
