"""The steps that bring an older ledger forward, in plain SQL: what a step does never changes again.

Every step works on both databases, inside one transaction, and keeps what the ledger holds.
"""

from collections.abc import Callable

import orjson
import sqlalchemy as sa

Step = Callable[[sa.Connection], None]


def add_infos_and_missed(connection: sa.Connection) -> None:
    """Version 2: which info keys are ours, and for how many runs an entity has been missing.

    Of the entities of version 1 no key is known to be ours: nothing of theirs is pruned until they
    have been sent once.
    """
    if connection.dialect.name == "postgresql":
        statements = [
            "ALTER TABLE labels ADD COLUMN infos TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE labels ALTER COLUMN infos DROP DEFAULT",
            "ALTER TABLE labels DROP CONSTRAINT labels_kind_dataset_category_key",
            "CREATE UNIQUE INDEX labels_whole ON labels (kind, dataset, category, md5(infos))",
        ]
    else:  # its constraint cannot be dropped: the table is made anew
        statements = [
            """CREATE TABLE labels_2 (id INTEGER NOT NULL, kind TEXT NOT NULL,
            dataset TEXT NOT NULL, category TEXT NOT NULL, infos TEXT NOT NULL,
            PRIMARY KEY (id))""",
            "INSERT INTO labels_2 SELECT id, kind, dataset, category, '' FROM labels",
            "DROP TABLE labels",
            "ALTER TABLE labels_2 RENAME TO labels",
            "CREATE UNIQUE INDEX labels_told ON labels (kind, dataset, category, infos)",
        ]
    statements.append("ALTER TABLE entities ADD COLUMN missed SMALLINT NOT NULL DEFAULT 0")
    for statement in statements:
        connection.execute(sa.text(statement))
    _add_infos_to_imports(connection)


def _add_infos_to_imports(connection: sa.Connection) -> None:
    """What a run of version 1 left unsettled is still to be taken up."""
    imports = sa.table("imports", sa.column("number"), sa.column("rows", sa.LargeBinary))
    left = connection.execute(sa.select(imports).where(imports.c.rows.is_not(None))).all()
    for number, rows in left:
        block = orjson.loads(rows)
        one = [""] if block["rows"] else []
        whole = orjson.dumps({**block, "infos": one}) + b"\n"
        connection.execute(sa.update(imports).where(imports.c.number == number).values(rows=whole))


def add_queue(connection: sa.Connection) -> None:
    """Version 3: who loads into a Canopsis, and who waits for it."""
    postgres = connection.dialect.name == "postgresql"
    serial = "SERIAL" if postgres else "INTEGER"
    moment = "TIMESTAMP WITH TIME ZONE" if postgres else "DATETIME"
    connection.execute(
        sa.text(
            f"""CREATE TABLE queue (number {serial} NOT NULL, target TEXT NOT NULL,
            job TEXT NOT NULL, run TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL,
            born TEXT NOT NULL, since {moment} NOT NULL, begun {moment},
            heartbeat {moment} NOT NULL, PRIMARY KEY (number))"""
        )
    )
    connection.execute(sa.text("CREATE INDEX ix_queue_target ON queue (target)"))


def add_windows(connection: sa.Connection) -> None:
    """Version 4: the windows of dates that a backfill has done."""
    moment = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    connection.execute(
        sa.text(
            f"""CREATE TABLE windows (feed INTEGER NOT NULL, since {moment} NOT NULL,
            span BIGINT NOT NULL, low {moment} NOT NULL, high {moment} NOT NULL,
            run TEXT NOT NULL, ended {moment} NOT NULL,
            PRIMARY KEY (feed, since, span, low, high),
            FOREIGN KEY(feed) REFERENCES feeds (id))"""
        )
    )


# UPGRADES[n] brings a ledger of version n + 1 to version n + 2
UPGRADES: tuple[Step, ...] = (add_infos_and_missed, add_queue, add_windows)
