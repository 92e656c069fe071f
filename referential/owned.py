"""The entities that a feed owns, between their rows in the ledger and the columns of a frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa

from referential.bulk import BULKS
from referential.change import SWITCHED, UNCONFIRMED
from referential.collector import collector_paused
from referential.columns import objects, to_frame
from referential.entity import split_keys
from referential.feed import Feed
from referential.schema import STATES, entities, feeds, insert_new, labels, runs

State = Literal["enabled", "disabled"]
Label = tuple[str, str, str, str]  # kind, dataset, category, infos

# `infos` are the info keys that we are known to have written, "" for none: after a ledger of
# version 1 was brought forward, none of them until the entity has been sent once.
KNOWN = ("id", "kind", "group", "dataset", "category", "infos", "fingerprint", "state", "missed")
_ASKED = 500  # ids of one query
_MOST = 32_000  # the column is a small integer
_LABEL = ("kind", "dataset", "category", "infos")


def find_feed(connection: sa.Connection, feed: Feed) -> int | None:
    """The number of a feed, None before its first run."""
    return connection.scalar(
        sa.select(feeds.c.id).where(feeds.c.job == feed.job, feeds.c.target == feed.target)
    )


def all_feeds(connection: sa.Connection) -> list[Feed]:
    """Every feed that has a number, by job and target."""
    query = sa.select(feeds.c.job, feeds.c.target).order_by(feeds.c.job, feeds.c.target)
    return [Feed(job, target) for job, target in connection.execute(query)]


def count(connection: sa.Connection, feed: Feed) -> dict[State, int]:
    """How many entities of a feed are in each state."""
    number = find_feed(connection, feed)
    query = (
        sa.select(entities.c.state, sa.func.count())
        .where(entities.c.feed == number)
        .group_by(entities.c.state)
    )
    counted = {state: total for state, total in connection.execute(query)}  # noqa: C416 - rows
    enabled, disabled = (counted.get(rank, 0) for rank in range(len(STATES)))
    return {"enabled": enabled, "disabled": disabled}


def feed_number(connection: sa.Connection, feed: Feed) -> int:
    """The number of a feed, given now if need be."""
    number = find_feed(connection, feed)
    if number is not None:
        return number
    insert_new(connection, feeds, {"job": feed.job, "target": feed.target})
    return feed_number(connection, feed)


def read_known(connection: sa.Connection, feed: Feed) -> pd.DataFrame:
    """The rows of a feed: the columns of `KNOWN`, in no order."""
    parts = [np.empty((0, 6), dtype=object)]
    number = find_feed(connection, feed)
    if number is not None:
        with collector_paused():
            for rows in BULKS[connection.dialect.name].fetch(connection, number):
                cells = np.fromiter(chain.from_iterable(rows), dtype=object, count=6 * len(rows))
                parts.append(cells.reshape(-1, 6))
    ids, groups, codes, fingerprints, states, missed = (
        np.concatenate([part[:, column] for part in parts]) for column in range(6)
    )
    del parts
    names = _labels(connection)
    label = codes.astype(np.intp)
    dense = [names.get(code, ("", "", "", "")) for code in range(max(names, default=0) + 1)]
    kinds, datasets, categories, infos = (
        objects(values)[label] for values in zip(*dense, strict=True)
    )
    return to_frame(
        {
            "id": ids,
            "kind": kinds,
            "group": np.where(pd.isna(groups), ids, groups),
            "dataset": datasets,
            "category": categories,
            "infos": infos,
            "fingerprint": fingerprints,
            "state": objects(STATES)[states.astype(np.intp)],
            "missed": missed.astype(np.int64),
        }
    )


def upsert(
    connection: sa.Connection,
    number: int,
    run: str,
    state: State,
    columns: Mapping[str, Sequence[Any]],
    *,
    found: bool = True,
) -> None:
    """Own the rows of columns id, kind, group, dataset, category, infos, fingerprint.

    Ids are unique. What is *found* is missing no more; else the runs that it was missing stay.
    """
    told = [columns[name] for name in _LABEL]
    codes = label_codes(connection, set(zip(*told, strict=True)))
    labelled = list(map(codes.__getitem__, zip(*told, strict=True)))
    bulk = BULKS[connection.dialect.name]
    rows = columns["id"], columns["group"], labelled, columns["fingerprint"]
    bulk.upsert(connection, number, run, STATES.index(state), rows, found=found)


def recorded(
    connection: sa.Connection, feed: Feed, run: str, columns: Mapping[str, Sequence[Any]]
) -> bool:
    """Whether all rows of *columns* are as the run upserted them, enabled."""
    codes = {label: code for code, label in _labels(connection).items()}
    number, enabled = find_feed(connection, feed), STATES.index("enabled")
    with collector_paused():
        told = map(codes.get, zip(*(columns[name] for name in _LABEL), strict=True))
        lacking = set(zip(columns["id"], told, columns["fingerprint"], strict=True))
        if number is not None:
            bulk = BULKS[connection.dialect.name]
            for rows in bulk.recorded(connection, number, run, enabled):
                lacking.difference_update(rows)
    return not lacking


@dataclass(frozen=True, slots=True)
class Ours:
    """Info keys and categories that feeds gave an entity."""

    infos: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()


def owned_elsewhere(connection: sa.Connection, feed: Feed, ids: Sequence[str]) -> dict[str, Ours]:
    """What the other feeds of the same Canopsis gave the entities *ids*; only those they own."""
    others = sa.select(feeds.c.id).where(feeds.c.target == feed.target, feeds.c.job != feed.job)
    numbers = connection.scalars(others).all()
    found: dict[str, Ours] = {}
    for start in range(0, len(ids) if numbers else 0, _ASKED):
        query = (
            sa.select(entities.c.id, labels.c.infos, labels.c.category)
            .join(labels, labels.c.id == entities.c.label)
            .where(entities.c.feed.in_(numbers), entities.c.id.in_(ids[start : start + _ASKED]))
        )
        for identity, infos, category in connection.execute(query):
            before = found.get(identity, Ours())
            found[identity] = Ours(
                before.infos.union(split_keys(infos)), before.categories | {category}
            )
    return found


def fed_elsewhere(connection: sa.Connection, feed: Feed, ids: Sequence[str]) -> set[str]:
    """Those of *ids* that other feeds of the same Canopsis own as enabled.

    A component too of which they own an enabled resource: it would take it along.
    """
    others = sa.select(feeds.c.id).where(feeds.c.target == feed.target, feeds.c.job != feed.job)
    numbers = connection.scalars(others).all()
    kept: set[str] = set()
    for start in range(0, len(ids) if numbers else 0, _ASKED):
        some = ids[start : start + _ASKED]
        query = sa.select(entities.c.id, entities.c.group).where(
            entities.c.feed.in_(numbers),
            entities.c.state == STATES.index("enabled"),
            sa.or_(entities.c.id.in_(some), entities.c.group.in_(some)),
        )
        for pair in connection.execute(query):
            kept.update(pair)
    return kept.intersection(ids)


def confirmed(connection: sa.Connection, feed: Feed, ids: Sequence[str]) -> set[str]:
    """Those of *ids* that the feed owns as enabled and confirmed."""
    number = find_feed(connection, feed)
    sure: set[str] = set()
    for start in range(0, 0 if number is None else len(ids), _ASKED):
        query = sa.select(entities.c.id).where(
            entities.c.feed == number,
            entities.c.id.in_(ids[start : start + _ASKED]),
            entities.c.state == STATES.index("enabled"),
            entities.c.fingerprint != UNCONFIRMED,
        )
        sure.update(connection.scalars(query))
    return sure


def count_missed(
    connection: sa.Connection, run: str, absent: Sequence[str], back: Sequence[str]
) -> None:
    """One finished run more for what is *absent*; what is *back* is missing no more."""
    number = connection.scalar(sa.select(runs.c.feed).where(runs.c.id == run))
    more = sa.case((entities.c.missed < _MOST, entities.c.missed + 1), else_=entities.c.missed)
    for ids, missed in ((absent, more), (back, sa.literal(0))):
        for start in range(0, len(ids), _ASKED):
            connection.execute(
                sa.update(entities)
                .where(entities.c.feed == number, entities.c.id.in_(ids[start : start + _ASKED]))
                .values(missed=missed)
            )


def set_state(
    connection: sa.Connection, number: int, run: str, state: State, ids: Sequence[str]
) -> None:
    bulk = BULKS[connection.dialect.name]
    bulk.set_state(connection, number, run, STATES.index(state), ids)
    for start in range(0, len(ids) if state == "enabled" else 0, _ASKED):
        connection.execute(
            sa.update(entities)
            .where(
                entities.c.feed == number,
                entities.c.id.in_(ids[start : start + _ASKED]),
                entities.c.fingerprint == UNCONFIRMED,
            )
            .values(fingerprint=SWITCHED)
        )


def forget(connection: sa.Connection, number: int, ids: Sequence[str]) -> None:
    BULKS[connection.dialect.name].delete(connection, number, ids)


def _labels(connection: sa.Connection) -> dict[int, Label]:
    query = sa.select(labels.c.id, *(labels.c[name] for name in _LABEL))
    return {code: tuple(label) for code, *label in connection.execute(query)}


def label_codes(connection: sa.Connection, wanted: set[Label]) -> dict[Label, int]:
    """The number of each label, given now where it is new."""
    codes = {label: code for code, label in _labels(connection).items()}
    # sorted: two writers that make the same labels must not wait for each other crosswise
    for label in sorted(wanted - codes.keys()):
        insert_new(connection, labels, dict(zip(_LABEL, label, strict=True)))
    return codes if wanted <= codes.keys() else label_codes(connection, wanted)
