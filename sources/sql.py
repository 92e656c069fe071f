"""Any database that SQLAlchemy knows: a dataset is one SELECT.

SQLAlchemy and the drivers are imported when a database is asked for something, and not before.
"""

from typing import Final

from sources.base import Extraction, Probe, Scope, Slice, Source
from sources.declared import declared
from sources.errors import Refused, Unreadable
from sources.sql_connection import SqlConnection
from sources.sql_dataset import SqlConfig


def extract(config: SqlConfig, dataset: str, connection: SqlConnection, scope: Scope) -> Extraction:
    """The pages of *dataset*, in the order that its SELECT gives.

    Only the columns that `scope.fields` begin with are read. Raises Unreachable for a database that
    cannot be reached, is lost, or passes a limit; Refused for what it refuses, for columns of one
    name, and for a window that the dataset cannot honour; Unreadable for damaged data.
    """
    table = declared(config.datasets, dataset)
    from sources import sql_reading  # noqa: PLC0415 - SQLAlchemy costs its import

    return (yield from sql_reading.extract(table, dataset, connection, scope))


def count(config: SqlConfig, dataset: str, connection: SqlConnection, scope: Scope) -> int | None:
    """The number of rows now; None for a dataset that is not to be counted."""
    from sources import sql_reading  # noqa: PLC0415 - SQLAlchemy costs its import

    return sql_reading.count(declared(config.datasets, dataset), dataset, connection, scope)


def slices(
    config: SqlConfig, dataset: str, connection: SqlConnection, scope: Scope, most: int
) -> tuple[Slice, ...]:
    """Ranges of the key that the dataset declares; one slice where it declares none."""
    from sources import sql_reading  # noqa: PLC0415 - SQLAlchemy costs its import

    return sql_reading.slices(declared(config.datasets, dataset), dataset, connection, scope, most)


def refuse(config: SqlConfig, dataset: str, connection: SqlConnection, scope: Scope) -> None:
    """Raise Refused for a window that a dataset has no condition for, and for ids without a key."""
    del connection
    from sources import sql_reading  # noqa: PLC0415 - SQLAlchemy costs its import

    sql_reading.check_scope(declared(config.datasets, dataset), dataset, scope)


def probe(config: SqlConfig, connection: SqlConnection) -> Probe:
    """Version and user, and what keeps each dataset from being read: their rows are not asked for.

    Raises Unreachable and Refused where the database is not to be had at all.
    """
    from sources import sql_reading  # noqa: PLC0415 - SQLAlchemy costs its import
    from sources.sql_database import reading  # noqa: PLC0415 - as above

    rights, lacking = [], []
    with reading(connection) as database:
        manners = database.manners
        version = database.version
        identity = str(database.value(manners.user)) if manners.user else database.where
        if not manners.read_only:
            rights.append("writes are rolled back")
        elif manners.proof and database.value(manners.proof) not in (1, "on"):
            lacking.append("a transaction that may not write")
        else:
            rights.append("nothing can be written")
    for name, table in config.datasets.items():
        try:
            sql_reading.look(table, name, connection)
        except (Refused, Unreadable) as error:
            lacking.append(f"{name}: {error}")
        else:
            rights.append(f"read {name}")
    return Probe(version, identity, tuple(rights), tuple(lacking))


SOURCE: Final = Source(
    config=SqlConfig,
    connection=SqlConnection,
    extract=extract,
    probe=probe,
    count=count,
    slices=slices,
    windows=True,
    refuse=refuse,
)
