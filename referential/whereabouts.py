"""Which feed of a Canopsis owns an entity, asked by id alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from referential.schema import STATES, entities, feeds, labels

_ASKED = 500  # ids in one question; SQLite takes 999 variables


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """An entity as the ledger has it: what it is, and the job that owns it."""

    kind: str
    category: str
    job: str
    state: str


def whereabouts(
    connection: sa.Connection, target: str, ids: Sequence[str]
) -> dict[str, Whereabouts]:
    """Those of *ids* that a feed of *target* owns; of several feeds, the first by name."""
    found: dict[str, Whereabouts] = {}
    of_target = sa.select(feeds.c.id, feeds.c.job).where(feeds.c.target == target)
    numbers = {row.id: row.job for row in connection.execute(of_target)}
    for start in range(0, len(ids) if numbers else 0, _ASKED):
        query = (
            sa.select(
                entities.c.id, entities.c.feed, entities.c.state, labels.c.kind, labels.c.category
            )
            .join(labels, labels.c.id == entities.c.label)
            .where(entities.c.feed.in_(numbers), entities.c.id.in_(ids[start : start + _ASKED]))
        )
        for row in connection.execute(query):
            job = numbers[row.feed]
            if row.id not in found or job < found[row.id].job:
                found[row.id] = Whereabouts(row.kind, row.category, job, STATES[row.state])
    return found
