"""What a feed owns, read back from Canopsis by its import source, where its ledger is lost.

A rebuilt row says what Canopsis says (kind, group, category, enabled or not) and no more than that:

- its fingerprint is UNCONFIRMED, which no payload has: the next run sends every entity again;
- its dataset is "", which no job has: no part of an extraction can find it missing, only one that
  was complete in all its datasets, and the run that finds it gives it its dataset;
- of its infos only the keys that the job gives today are ours: others may be someone else's.
"""

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from referential.change import UNCONFIRMED
from referential.client import Canopsis, source_search
from referential.entity import joined_keys
from referential.errors import Refused, Unreadable
from referential.feed import Feed
from referential.ledger import Ledger
from referential.owned import State, feed_number, upsert
from referential.schema import entities

_KINDS = frozenset({"component", "resource", "service"})

Progress = Callable[[int, int | None], None]
Columns = dict[str, list[Any]]


def rebuild(
    ledger: Ledger,
    canopsis: Canopsis,
    feed: Feed,
    run: str,
    *,
    source: str,
    keys: frozenset[str],
    replace: bool,
    progress: Progress,
) -> dict[str, int]:
    """Own what *source* loaded last, as *run*, under the lock of the feed; counts by state.

    *keys* are the infos that the job gives. All is read before anything is written. Raises Refused
    when the ledger knows entities of the feed, unless they are to be *replaced*, and when another
    feed of the same Canopsis owns some of those found; and what the client and the ledger raise.
    """
    with ledger.lock(feed, run):
        known = len(ledger.known(feed))
        if known and not replace:
            raise Refused(
                f"the ledger knows {known:,} entities of this feed already",
                where=str(feed),
                mend="nothing was changed; `--replace` puts what Canopsis holds in their place",
            )
        found = _read(canopsis, source, keys, progress)
        _none_elsewhere(ledger, feed, [name for rows in found.values() for name in rows["id"]])
        with ledger.database.writing() as connection:
            number = feed_number(connection, feed)
            connection.execute(sa.delete(entities).where(entities.c.feed == number))
            for state, columns in found.items():
                upsert(connection, number, run, state, columns)
    return {state: len(columns["id"]) for state, columns in found.items()}


def _read(
    canopsis: Canopsis, source: str, keys: frozenset[str], progress: Progress
) -> dict[State, Columns]:
    search = source_search(source)
    total = canopsis.count(search)
    names = ("id", "kind", "group", "dataset", "category", "infos", "fingerprint")
    found: dict[State, Columns] = {
        "enabled": {name: [] for name in names},
        "disabled": {name: [] for name in names},
    }
    for count, record in enumerate(canopsis.entities(search), 1):
        state: State = "enabled" if record.get("enabled", True) else "disabled"
        for name, value in zip(names, _row(record, keys, canopsis.wire.url), strict=True):
            found[state][name].append(value)
        if count % 1_000 == 0 or count == total:
            progress(count, total)
    return found


def _row(record: dict[str, Any], keys: frozenset[str], where: str) -> tuple[Any, ...]:
    identity, kind = record.get("_id"), record.get("type")
    if not isinstance(identity, str) or kind not in _KINDS:
        raise Unreadable(
            f"Canopsis lists an entity of no kind that an import makes: {identity!r} is a {kind!r}",
            where=where,
            mend="see the entities of this import source in Canopsis",
        )
    group = record.get("component") if kind == "resource" else identity
    category = record.get("category")
    infos = tuple(keys.intersection(record.get("infos") or ()))
    return (
        identity,
        kind,
        "" if kind == "service" else group or identity,
        "",
        category.get("name", "") if isinstance(category, dict) else category or "",
        joined_keys(infos),
        UNCONFIRMED,
    )


def _none_elsewhere(ledger: Ledger, feed: Feed, ids: Iterable[str]) -> None:
    theirs = sorted(ledger.owned_elsewhere(feed, list(ids)))
    if theirs:
        raise Refused(
            f"{len(theirs):,} of these entities belong to another job of this Canopsis, such as"
            f" {theirs[0]}",
            where=str(feed),
            mend="nothing was changed; give each job an import source of its own",
        )
