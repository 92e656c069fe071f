"""The tables of the ledger, and how an older ledger is brought forward.

An entity row is narrow, since a feed may have a million: its kind, dataset, category and info keys
are one `label`, its group is NULL when it equals the id, its state is an index of `STATES`.
`missed` counts the finished runs in a row that the entity has been missing in.

Alembic would do for the versions and is only here through Prefect; importing it costs 0.3 s at
every start, and what a forward-only ledger needs of it is the twenty lines below and the steps of
`referential.upgrades`, which rebuild a table where SQLite cannot change it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from referential.errors import Refused
from referential.upgrades import UPGRADES, Step

STATES = ("enabled", "disabled")
_MIGRATING = 0x7265667379  # names our lock among the advisory locks of a PostgreSQL database


class Moment(sa.TypeDecorator[datetime]):
    """An aware datetime, in UTC on both databases (SQLite keeps no time zone)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        del dialect
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = sa.MetaData()

version = sa.Table("ledger_version", METADATA, sa.Column("version", sa.Integer, nullable=False))

feeds = sa.Table(
    "feeds",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.UniqueConstraint("job", "target"),
)

labels = sa.Table(
    "labels",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("infos", sa.Text, nullable=False),
)
# PostgreSQL refuses index rows of more than 2,704 bytes, which the keys of one entity may have.
sa.Index(
    "labels_whole",
    *(labels.c[name] for name in ("kind", "dataset", "category")),
    sa.func.md5(labels.c.infos),
    unique=True,
).ddl_if(dialect="postgresql")
sa.Index(
    "labels_told",
    *(labels.c[name] for name in ("kind", "dataset", "category", "infos")),
    unique=True,
).ddl_if(dialect="sqlite")

# Clustered by feed: the known entities of a feed are one range. `feed` and `label` are no foreign
# keys, whose check would be paid at every row of a load.
entities = sa.Table(
    "entities",
    METADATA,
    sa.Column("feed", sa.Integer, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("group", sa.Text),
    sa.Column("label", sa.Integer, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("missed", sa.SmallInteger, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("feed", "id"),
    sqlite_with_rowid=False,
)

runs = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("feed", sa.ForeignKey("feeds.id"), nullable=False, index=True),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("started", Moment, nullable=False),
    sa.Column("ended", Moment),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("checksum", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)

# The first rejects of a run; `reject_totals` counts them all.
rejects = sa.Table(
    "rejects",
    METADATA,
    sa.Column("run", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.PrimaryKeyConstraint("run", "rank"),
)

reject_totals = sa.Table(
    "reject_totals",
    METADATA,
    sa.Column("run", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("run", "dataset", "rule"),
)

# `rows` is a block of columns (`referential.columns`), kept until the import is settled.
imports = sa.Table(
    "imports",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("feed", sa.ForeignKey("feeds.id"), nullable=False, index=True),
    sa.Column("run", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("begun", Moment, nullable=False),
    sa.Column("ended", Moment),
    sa.Column("rows", sa.LargeBinary),
)

locks = sa.Table(
    "locks",
    METADATA,
    sa.Column("feed", sa.ForeignKey("feeds.id"), primary_key=True),
    sa.Column("run", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("born", sa.Text, nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("heartbeat", Moment, nullable=False),
)

# Who loads into a Canopsis, and who waits for it (`referential.queue`); `begun`: it loads. Numbers
# are never used twice while a ticket lives: a later one is always higher.
queue = sa.Table(
    "queue",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("target", sa.Text, nullable=False, index=True),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("born", sa.Text, nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("begun", Moment),
    sa.Column("heartbeat", Moment, nullable=False),
)

# The windows of dates that a backfill has done (`referential.windows`). `since` and `span`
# (seconds) name the cut, `low` and `high` the window; `run` may have been forgotten meanwhile.
windows = sa.Table(
    "windows",
    METADATA,
    sa.Column("feed", sa.ForeignKey("feeds.id"), nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("span", sa.BigInteger, nullable=False),
    sa.Column("low", Moment, nullable=False),
    sa.Column("high", Moment, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("ended", Moment, nullable=False),
    sa.PrimaryKeyConstraint("feed", "since", "span", "low", "high"),
)


def is_current(connection: sa.Connection, upgrades: Sequence[Step] = UPGRADES) -> bool:
    return _version(connection) == 1 + len(upgrades)


def migrate(connection: sa.Connection, upgrades: Sequence[Step] = UPGRADES) -> None:
    """Make the tables, or bring them forward, within the caller's transaction.

    Raises Refused when the ledger was written by a later refsync.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
    latest = 1 + len(upgrades)
    current = _version(connection)
    if current > latest:
        raise Refused(
            f"the ledger has version {current} and this refsync knows versions up to {latest}",
            mend="install the refsync that wrote it, or a later one",
        )
    if current == 0:
        METADATA.create_all(connection)
        connection.execute(sa.insert(version).values(version=latest))
        return
    for step in upgrades[current - 1 :]:
        step(connection)
    connection.execute(sa.update(version).values(version=latest))


def insert_new(connection: sa.Connection, table: sa.Table, values: Mapping[str, object]) -> bool:
    """Insert one row unless its key is there already; tells whether it was inserted."""
    key = list(table.primary_key)  # asked back, for PostgreSQL's driver does not count rows here
    if connection.dialect.name == "postgresql":
        for_postgres = postgresql.insert(table).values(values).on_conflict_do_nothing()
        return connection.execute(for_postgres.returning(*key)).first() is not None
    for_sqlite = sqlite.insert(table).values(values).on_conflict_do_nothing()
    return connection.execute(for_sqlite.returning(*key)).first() is not None


def _version(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table(version.name):
        return 0
    return connection.scalar(sa.select(version.c.version)) or 0
