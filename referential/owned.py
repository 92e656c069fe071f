"""The entities that a feed owns, between their rows in the ledger and the columns of a frame."""

import contextlib
import gc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa

from referential.bulk import BULKS
from referential.columns import objects, to_frame
from referential.feed import Feed
from referential.schema import STATES, feeds, insert_new, labels

State = Literal["enabled", "disabled"]
Label = tuple[str, str, str]  # kind, dataset, category

KNOWN = ("id", "kind", "group", "dataset", "category", "fingerprint", "state")


def find_feed(connection: sa.Connection, feed: Feed) -> int | None:
    """The number of a feed, None before its first run."""
    return connection.scalar(
        sa.select(feeds.c.id).where(feeds.c.job == feed.job, feeds.c.target == feed.target)
    )


def feed_number(connection: sa.Connection, feed: Feed) -> int:
    """The number of a feed, given now if need be."""
    number = find_feed(connection, feed)
    if number is not None:
        return number
    insert_new(connection, feeds, {"job": feed.job, "target": feed.target})
    return feed_number(connection, feed)


def read_known(connection: sa.Connection, feed: Feed) -> pd.DataFrame:
    """The rows of a feed: the columns of `KNOWN`, in no order."""
    columns: tuple[list[Any], ...] = ([], [], [], [], [])
    number = find_feed(connection, feed)
    if number is not None:
        with _collector_paused():
            for rows in BULKS[connection.dialect.name].fetch(connection, number):
                for column, values in zip(columns, zip(*rows, strict=True), strict=True):
                    column.extend(values)
    ids, groups, codes, fingerprints, states = columns
    names = _labels(connection)
    label = np.array(codes, dtype=np.intp)
    dense = [names.get(code, ("", "", "")) for code in range(max(names, default=0) + 1)]
    kinds, datasets, categories = (objects(values)[label] for values in zip(*dense, strict=True))
    return to_frame(
        {
            "id": ids,
            "kind": kinds,
            "group": [i if g is None else g for i, g in zip(ids, groups, strict=True)],
            "dataset": datasets,
            "category": categories,
            "fingerprint": fingerprints,
            "state": objects(STATES)[np.array(states, dtype=np.intp)],
        }
    )


def upsert(
    connection: sa.Connection,
    number: int,
    run: str,
    state: State,
    columns: Mapping[str, Sequence[Any]],
) -> None:
    """Own the rows of columns id, kind, group, dataset, category, fingerprint; ids are unique."""
    triples = [columns[name] for name in ("kind", "dataset", "category")]
    codes = _label_codes(connection, set(zip(*triples, strict=True)))
    ids = columns["id"]
    groups = [None if group == i else group for i, group in zip(ids, columns["group"], strict=True)]
    labelled = list(map(codes.__getitem__, zip(*triples, strict=True)))
    bulk = BULKS[connection.dialect.name]
    rows = ids, groups, labelled, columns["fingerprint"]
    bulk.upsert(connection, number, run, STATES.index(state), rows)


def set_state(
    connection: sa.Connection, number: int, run: str, state: State, ids: Sequence[str]
) -> None:
    bulk = BULKS[connection.dialect.name]
    bulk.set_state(connection, number, run, STATES.index(state), ids)


def forget(connection: sa.Connection, number: int, ids: Sequence[str]) -> None:
    BULKS[connection.dialect.name].delete(connection, number, ids)


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Rows by the hundred thousand make no cycles; looking for some costs half as much again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _labels(connection: sa.Connection) -> dict[int, Label]:
    query = sa.select(labels.c.id, labels.c.kind, labels.c.dataset, labels.c.category)
    return {code: tuple(label) for code, *label in connection.execute(query)}


def _label_codes(connection: sa.Connection, wanted: set[Label]) -> dict[Label, int]:
    """The number of each label, given now where it is new."""
    codes = {label: code for code, label in _labels(connection).items()}
    # sorted: two writers that make the same labels must not wait for each other crosswise
    for kind, dataset, category in sorted(wanted - codes.keys()):
        values = {"kind": kind, "dataset": dataset, "category": category}
        insert_new(connection, labels, values)
    return codes if wanted <= codes.keys() else _label_codes(connection, wanted)
