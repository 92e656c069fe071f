"""One entity as the ledger knows it, for those who ask why it is as it is."""

from dataclasses import dataclass

import sqlalchemy as sa

from referential.change import UNCONFIRMED
from referential.entity import split_keys
from referential.feed import Feed
from referential.history import Run, one
from referential.owned import find_feed
from referential.schema import STATES, entities, labels


@dataclass(frozen=True, slots=True)
class Held:
    """What a feed owns under one id; `run` is the last one that recorded it, None if it is gone."""

    id: str
    kind: str
    dataset: str
    category: str
    infos: tuple[str, ...]
    fingerprint: bytes
    state: str
    missed: int
    run_id: str
    run: Run | None

    @property
    def confirmed(self) -> bool:
        return self.fingerprint != UNCONFIRMED


def held(connection: sa.Connection, feed: Feed, identity: str) -> Held | None:
    """What *feed* owns under *identity*, or None."""
    number = find_feed(connection, feed)
    names = ("kind", "dataset", "category", "infos")
    query = (
        sa.select(entities, *(labels.c[name] for name in names))
        .join(labels, labels.c.id == entities.c.label)
        .where(entities.c.feed == number, entities.c.id == identity)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Held(
        id=identity,
        kind=row.kind,
        dataset=row.dataset,
        category=row.category,
        infos=tuple(split_keys(row.infos)),
        fingerprint=bytes(row.fingerprint),
        state=STATES[row.state],
        missed=row.missed,
        run_id=row.run,
        run=one(connection, row.run),
    )
