"""Take away what the source no longer says: info keys, and the category of an entity.

No import of D2 can drop either (`specs/canopsis.md` §3.3, §5.3): the entity is read, what is ours
and stale is left out, and it is written back whole, as others made it. The import that follows
brings the new values. D1 and D0 drop infos by the import itself, whose action `update` replaces
them all (§3.12): there the entity is read for what others wrote, and a category stays.

- Only keys that this feed wrote are dropped, and none that another feed of the same Canopsis owns
  in the ledger. A category is cleared only while it still is the one that we gave.
- Before the first write the ledger takes the entities for unconfirmed: whatever happens afterwards,
  the next run sends and prunes them again, and pruning twice is pruning once.
- The write replaces the whole entity. What somebody else changes between our read and our write,
  some milliseconds later, is lost; Canopsis offers no condition on a write that would prevent it.
"""

from typing import Any
from urllib.parse import quote

import orjson

from referential.answers import Absent
from referential.change import UNCONFIRMED
from referential.dialect_items import replacing
from referential.entity import Kind, joined_keys, split_keys
from referential.errors import Refused
from referential.history import Reject
from referential.importer import Importer
from referential.owned import Ours
from referential.rows import Rows

Infos = dict[str, dict[str, Any]]  # as Canopsis holds them

EDIT = "api_entity: update"
EDIT_SERVICE = "api_entityservice: update"

_CHUNK = 500  # one transaction of the ledger
_BASICS = "/api/v4/entitybasics"
_AS_THEY_ARE = ("impact_level", "sli_avail_state", "description", "coordinates")
_OF_A_SERVICE = ("output_template", "entity_pattern", "corporate_entity_pattern")


def prune(importer: Importer, rows: Rows) -> dict[int, Infos]:
    """Prune those of *rows* that have lost something; what Canopsis refuses is told as a reject.

    Returns, for a Canopsis that prunes by import, the rows to send as `update`, with the infos of
    others that must go along.
    """
    changes, updates = importer.changes, dict[int, Infos]()
    lost = zip(rows, changes.values("stale", rows), changes.values("cleared", rows), strict=True)
    due = [row for row, stale, cleared in lost if stale or cleared]
    for start in range(0, len(due), _CHUNK):
        chunk = due[start : start + _CHUNK]
        identity = changes.identity(chunk)
        others = importer.ledger.owned_elsewhere(importer.feed, identity["ids"])
        _doubt(importer, chunk)
        for row in chunk:
            theirs = others.get(changes.column("id")[row], Ours())
            if importer.canopsis.dialect.prunes_by == "import":
                _replace_row(importer, row, theirs, updates)
            else:
                _prune_row(importer, row, theirs)
    return updates


def updated(item: bytes, others: Infos) -> bytes:
    """The item as an `update`, its infos beside those of *others*."""
    return replacing(item, others | orjson.loads(item).get("infos", {}))


def _doubt(importer: Importer, rows: list[int]) -> None:
    """The ledger knows the entities as unconfirmed, with the keys of before and of now."""
    changes = importer.changes
    identity = changes.identity(rows)
    identity["infos"] = [
        _union(now, stale)
        for now, stale in zip(identity["infos"], changes.values("stale", rows), strict=True)
    ]
    cleared = zip(identity["categories"], changes.values("cleared", rows), strict=True)
    identity["categories"] = [category or before for category, before in cleared]
    fingerprints = [UNCONFIRMED] * len(rows)
    importer.ledger.record(importer.feed, importer.run, **identity, fingerprints=fingerprints)


def _replace_row(importer: Importer, row: int, others: Ours, updates: dict[int, Infos]) -> None:
    changes = importer.changes
    identity, now, stale = (changes.column(name)[row] for name in ("id", "infos", "stale"))
    held = importer.canopsis.entity(identity)
    infos: Infos = (held or {}).get("infos") or {}
    gone = (frozenset(split_keys(stale)) - others.infos).intersection(infos)
    if gone:
        left_out = gone.union(split_keys(now))
        updates[row] = {key: info for key, info in infos.items() if key not in left_out}
        importer.loaded.pruned[identity] = len(gone)


def _prune_row(importer: Importer, row: int, others: Ours) -> None:
    changes = importer.changes
    identity, kind, action, infos, stale, cleared = (
        changes.column(name)[row] for name in ("id", "kind", "action", "infos", "stale", "cleared")
    )
    keys = frozenset(split_keys(stale)) - others.infos
    category = "" if cleared in others.categories else cleared
    try:
        held = _read(importer, kind, identity)
        if held is None:  # the import makes it anew
            return
        # a component that is switched off takes its resources along once more (§5.3)
        body = pruned(held, keys, category, enabled=action == "enable" or bool(held["enabled"]))
        if body is None:
            return
        _write(importer, kind, identity, body)
    except Absent:
        return
    except Refused as refusal:
        # still ours, and still to be pruned when the entity changes again
        changes.column("infos")[row] = _union(infos, stale)
        if cleared:
            changes.column("category")[row] = cleared
        record = {"id": identity, "kind": kind, "infos": sorted(keys), "category": category}
        dataset = changes.column("dataset")[row]
        importer.loaded.rejects.append(Reject(dataset, 0, "load.prune", str(refusal), record))
    else:
        lost = len(held.get("infos") or {}) - len(body["infos"])
        clears = bool(held.get("category")) and not body["category"]
        importer.loaded.pruned[identity] = lost + clears


def pruned(
    held: dict[str, Any], keys: frozenset[str], category: str, *, enabled: bool
) -> dict[str, Any] | None:
    """What to write in place of the entity *held*; None when it has nothing to lose.

    *keys* are left out, and *category* where it is the entity's.
    """
    infos, its = held.get("infos") or {}, held.get("category") or {}
    clears = category != "" and its.get("name") == category
    if not clears and not keys.intersection(infos):
        return None
    body = {name: held[name] for name in _AS_THEY_ARE if held.get(name) is not None}
    body.setdefault("sli_avail_state", 0)
    body["enabled"] = enabled
    body["category"] = "" if clears else its.get("_id", "")
    body["infos"] = [
        {
            "name": key,
            "description": info.get("description") or "",
            "value": info.get("value"),
        }
        for key, info in infos.items()
        if key not in keys
    ]
    if held.get("type") == "service":
        body["name"] = held["name"]
        body |= {name: held[name] for name in _OF_A_SERVICE if held.get(name) is not None}
    return body


def _read(importer: Importer, kind: Kind, identity: str) -> dict[str, Any] | None:
    """The entity as the endpoint of its kind tells it."""
    wire = importer.canopsis.wire
    try:
        if kind == "service":
            answer = wire.call("GET", _service(identity))
        else:
            answer = wire.call("GET", _BASICS, params={"_id": identity})
    except Absent:
        return None
    held: dict[str, Any] = answer.body
    return held


def _write(importer: Importer, kind: Kind, identity: str, body: dict[str, Any]) -> None:
    """A service by its own endpoint: entitybasics answers 404 to it and writes all the same."""
    wire, sent = importer.canopsis.wire, orjson.dumps(body)
    if kind == "service":
        wire.call("PUT", _service(identity), body=sent, right=EDIT_SERVICE)
    else:
        wire.call("PUT", _BASICS, params={"_id": identity}, body=sent, right=EDIT)


def _service(identity: str) -> str:
    return f"/api/v4/entityservices/{quote(identity, safe='')}"


def _union(*texts: str) -> str:
    return joined_keys(tuple({key for text in texts for key in split_keys(text)}))
