"""The plan: what would bring the referential to what the source says. It decides and does nothing.

| found | known    | change                                                              |
|-------|----------|---------------------------------------------------------------------|
| yes   | no       | Create                                                              |
| yes   | enabled  | Update when its fingerprint or its dataset differs, or mode is full |
|       |          | Prune instead, when it has lost infos or its category               |
| yes   | disabled | Enable                                                              |
| no    | enabled  | Disable or Delete, when it is missing                               |
| no    | disabled | nothing                                                             |

An entity is missing when it is not found and its dataset was read completely. A missing component
stays as long as a resource of it does, for Canopsis takes the resources of a component along
(`specs/canopsis.md` §3.6, §3.7); for the same reason a disabled component is switched on when a
resource of it is found. The resources of a component that goes are listed too: repeating what the
cascade does is harmless, and the bulk endpoint resolves alarms for what is listed.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
from xxhash import xxh3_128

from referential.change import ACTIONS, REMOVED, SENT, UNCONFIRMED, Change
from referential.columns import (
    FOUND,
    objects,
    read_columns,
    read_header,
    to_frame,
    write_columns,
)
from referential.duplicates import without_duplicates
from referential.entity import Kind
from referential.errors import Unreadable
from referential.feed import Feed
from referential.lapsed import with_lapsed
from referential.missing import due, seen_again

Mode = Literal["sync", "full", "backfill"]
Missing = Literal["disable", "delete", "keep"]
Complete = bool | frozenset[str]  # of the whole extraction, or the datasets that were read whole
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Part = tuple[str, pd.DataFrame, Rows]  # an action, and the rows of a frame that it concerns

CHANGES = ("action", *FOUND, "stale", "cleared")
_ORDER = {action: str(rank) for rank, action in enumerate(ACTIONS)}
_RANKS = {"component": "0", "resource": "1", "service": "2"}
_NOTHING_SENT = {"offset": -1, "size": 0}
_SENT_ONLY = 4  # columns of `CHANGES` that a removal has no use for


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Changes sorted by action, group, component before its resources, id.

    `changes` has the columns of `CHANGES`; `offset` is -1 and `size` 0 where nothing is sent.
    `duplicates` are the found entities that were set aside: id, kind, dataset, offset, size and
    reason. `counts` holds one number per action, and `unchanged`, `changed` (fingerprints that
    differ from a confirmed one), `held` (updates held back, for their values are in doubt),
    `missing`, `waiting` (missing, and not for long enough to be removed), `kept` (missing but not
    removed for another reason), `duplicates` and `repeated` (found again in the same words).
    `absent` are the ids that are missing in this run, `back` those found that were missing before:
    what the ledger counts when the run is done.
    """

    feed: Feed
    mode: Mode
    missing: Missing
    complete: Complete
    changes: pd.DataFrame
    duplicates: pd.DataFrame
    counts: dict[str, int]
    checksum: str
    absent: tuple[str, ...] = ()
    back: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.changes)

    def iter_changes(self) -> Iterator[Change]:
        """The changes in their order, made one by one."""
        action, *columns = (self.changes[name].to_numpy().tolist() for name in CHANGES)
        for kind, row in zip(action, zip(*columns, strict=True), strict=True):
            if kind in SENT:
                yield SENT[kind](*row)
            else:
                yield REMOVED[kind](*row[:-_SENT_ONLY])

    def head(self, count: int) -> list[Change]:
        """The first changes."""
        return list(islice(self.iter_changes(), count))

    def without_removals(self) -> "Plan":
        """The same with nothing disabled or deleted; its checksum is its own."""
        return self._part(~self.changes["action"].isin(REMOVED))

    def removals(self) -> "Plan":
        """What `without_removals` leaves out: the plan to come once that one is carried out."""
        return replace(self._part(self.changes["action"].isin(REMOVED)), mode="sync")

    def save(self, path: Path) -> None:
        write_columns(path, self.changes, self._header())

    @classmethod
    def load(cls, path: Path) -> "Plan":
        """A saved plan; raises Unreadable when its changes are not those it was saved with."""
        header = read_header(path)
        complete, duplicates = header["complete"], header["duplicates"]
        plan = cls(
            feed=Feed(**header["feed"]),
            mode=header["mode"],
            missing=header["missing"],
            complete=complete if isinstance(complete, bool) else frozenset(complete),
            changes=read_columns(path, CHANGES),
            duplicates=to_frame(duplicates),
            counts=header["counts"],
            checksum=header["checksum"],
            absent=tuple(header.get("absent", ())),
            back=tuple(header.get("back", ())),
        )
        if plan.checksum != _checksum(plan.feed, plan.changes):
            raise Unreadable(
                "the saved plan is not the one its checksum names",
                where=str(path),
                mend="make the plan again",
            )
        return plan

    def _part(self, chosen: "pd.Series[bool]") -> "Plan":
        changes = self.changes[chosen].reset_index(drop=True)
        counts, checksum = self.counts | _actions(changes), _checksum(self.feed, changes)
        return replace(self, changes=changes, counts=counts, checksum=checksum)

    def _header(self) -> dict[str, Any]:
        complete = self.complete
        return {
            "feed": {"job": self.feed.job, "target": self.feed.target},
            "mode": self.mode,
            "missing": self.missing,
            "complete": complete if isinstance(complete, bool) else sorted(complete),
            "duplicates": self.duplicates.to_dict("list"),
            "counts": self.counts,
            "checksum": self.checksum,
            "absent": self.absent,
            "back": self.back,
        }


def make_plan(
    found: pd.DataFrame,
    known: pd.DataFrame,
    *,
    feed: Feed,
    mode: Mode,
    missing: Missing,
    complete: bool | AbstractSet[str],
    doubtful: AbstractSet[tuple[str, Kind]] = frozenset(),
    refused: AbstractSet[str] = frozenset(),
    prune: bool = True,
    missing_after: int = 1,
) -> Plan:
    """Join what was found with what is known.

    `found` is in extraction order, `known` has unique ids. `complete` tells whether the extraction
    was, or names the datasets that were read whole; a known row is judged by its own dataset.
    `doubtful` are the kinds of entities, by dataset, that were made of a part of their records:
    what is known of them stays as it is. `refused` are ids whose record is there and became a
    reject: they are not missing. `prune`: what left the infos is taken away. `missing_after`: in so
    many finished runs in a row, this one included, must an entity be missing to be removed.
    """
    complete = complete if isinstance(complete, bool) else frozenset(complete)
    wanted, index, duplicates = without_duplicates(found)
    position = _position(index, known)
    sent, counts = _sent(wanted, known, position, mode, doubtful, prune=prune)
    gone = np.bincount(position + 1, minlength=len(known) + 1)[1:] == 0
    judged = _missing(known, gone, mode, complete, refused)
    ripe = judged if missing == "keep" else due(known, judged, missing_after)
    removed, revived = _not_found(wanted, known, gone, ripe, missing)
    changes = _assemble([*sent, ("enable", known, revived), (missing, known, removed)])
    counts |= _actions(changes) | {
        "missing": int(judged.sum()),
        "waiting": int(judged.sum() - ripe.sum()),
        "kept": int(ripe.sum()) - len(removed),
        "duplicates": len(duplicates),
        "repeated": len(found) - len(wanted) - len(duplicates),
    }
    return Plan(
        feed=feed,
        mode=mode,
        missing=missing,
        complete=complete,
        changes=changes,
        duplicates=duplicates,
        counts=counts,
        checksum=_checksum(feed, changes),
        absent=tuple(known["id"].to_numpy()[judged].tolist()),
        back=tuple(seen_again(known, gone)),
    )


def _actions(changes: pd.DataFrame) -> dict[str, int]:
    """How many changes there are of each action."""
    numbers = changes["action"].value_counts()
    return {action: int(numbers.get(action, 0)) for action in ACTIONS}


def _position(index: pd.Index, known: pd.DataFrame) -> Rows:
    """The known row of each found one, whose ids are *index*; -1 when there is none."""
    place = index.get_indexer(pd.Index(known["id"]))
    position = np.full(len(index), -1, dtype=np.intp)
    rows = np.flatnonzero(place >= 0)
    position[place[rows]] = rows
    return position


def _sent(
    wanted: pd.DataFrame,
    known: pd.DataFrame,
    position: Rows,
    mode: Mode,
    doubtful: AbstractSet[tuple[str, Kind]],
    *,
    prune: bool,
) -> tuple[list[Part], dict[str, int]]:
    """The found rows to send; the counts `unchanged`, `changed` and `held`."""
    hit = np.flatnonzero(position >= 0)
    row = position[hit]
    before = known["fingerprint"].to_numpy()[row]
    differs = _take(wanted, "fingerprint", hit) != before
    # an entity that another dataset gives now must be judged missing by that one
    moved = _take(wanted, "dataset", hit) != known["dataset"].to_numpy()[row]
    disabled = known["state"].to_numpy()[row] == "disabled"
    update = (differs | moved | (mode == "full")) & ~disabled
    held = update.copy()
    held[update] = _among(wanted, hit[update], doubtful)
    update &= ~held
    going = (update | disabled) & prune
    wanted = with_lapsed(wanted, known, hit[going], row[going])
    updated = hit[update]
    stale, cleared = (wanted[name].to_numpy()[updated] for name in ("stale", "cleared"))
    pruned = (stale != "") | (cleared != "")
    parts: list[Part] = [
        ("create", wanted, np.flatnonzero(position < 0)),
        ("update", wanted, updated[~pruned]),
        ("prune", wanted, updated[pruned]),
        ("enable", wanted, hit[disabled]),
    ]
    # as an array of one object: numpy would cut the zeros of bare bytes
    confirmed = before != objects([UNCONFIRMED])
    return parts, {
        "unchanged": len(wanted) - int(held.sum()) - sum(len(rows) for _, _, rows in parts),
        "changed": int((differs & ~disabled & ~held & confirmed).sum()),
        "held": int(held.sum()),
    }


def _among(found: pd.DataFrame, rows: Rows, doubtful: AbstractSet[tuple[str, Kind]]) -> Mask:
    if not doubtful:
        return np.zeros(len(rows), dtype=np.bool_)
    pairs = zip(*(found[name].to_numpy()[rows] for name in ("dataset", "kind")), strict=True)
    return np.fromiter((pair in doubtful for pair in pairs), dtype=np.bool_, count=len(rows))


def _missing(
    known: pd.DataFrame, gone: Mask, mode: Mode, complete: Complete, refused: AbstractSet[str]
) -> Mask:
    """The known rows that a complete extraction lacks; never any in a window of dates."""
    if mode == "backfill" or complete is False:
        return np.zeros(len(known), dtype=np.bool_)
    missing = gone & np.asarray(known["state"].to_numpy() == "enabled", dtype=np.bool_)
    if complete is not True:
        missing &= known["dataset"].isin(complete).to_numpy()
    if refused:
        missing &= ~known["id"].isin(refused).to_numpy()
    return missing


def _not_found(
    wanted: pd.DataFrame, known: pd.DataFrame, gone: Mask, judged: Mask, missing: Missing
) -> tuple[Rows, Rows]:
    """The known rows to remove, and the disabled components to switch on."""
    nothing = np.empty(0, dtype=np.intp)
    if not gone.any():
        return nothing, nothing
    kind, group, ids = (known[name].to_numpy() for name in ("kind", "group", "id"))
    found_resource = wanted["kind"].to_numpy() == "resource"
    homes = set(wanted["group"].to_numpy()[found_resource].tolist())
    enabled, component = known["state"].to_numpy() == "enabled", kind == "component"
    # a dead run may have been about to switch it on
    doubted = known["fingerprint"].to_numpy() == objects([UNCONFIRMED])
    off = gone & component & (~enabled | doubted)
    revived = [row for row in np.flatnonzero(off) if ids[row] in homes]
    if missing == "keep":
        return nothing, np.array(revived, dtype=np.intp)
    homes.update(group[gone & enabled & ~judged & (kind == "resource")].tolist())
    held = [row for row in np.flatnonzero(judged & component) if ids[row] in homes]
    removed = judged.copy()
    removed[held] = False
    return np.flatnonzero(removed), np.array(revived, dtype=np.intp)


def _assemble(parts: list[Part]) -> pd.DataFrame:
    """The chosen rows as one sorted frame of changes."""
    parts = [part for part in parts if len(part[2])] or parts[:1]
    columns: dict[str, npt.NDArray[Any]] = {
        "action": np.repeat(
            objects([action for action, _, _ in parts]), [len(rows) for _, _, rows in parts]
        )
    }
    for name in CHANGES[1:]:
        taken = [_take(frame, name, rows) for _, frame, rows in parts]
        columns[name] = taken[0] if len(taken) == 1 else np.concatenate(taken)
    keys = [
        f"{_ORDER[action]}{group}\0{_RANKS[kind]}{entity}"
        for action, group, kind, entity in zip(
            *(columns[name].tolist() for name in ("action", "group", "kind", "id")), strict=True
        )
    ]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.intp)
    return to_frame({name: values[order] for name, values in columns.items()})


def _take(frame: pd.DataFrame, name: str, rows: Rows) -> npt.NDArray[Any]:
    if name in frame:
        values = frame[name].to_numpy()
        # rows never repeat and stand in order: as many as there are, they are all of them
        return values if len(rows) == len(values) else values[rows]
    if name in _NOTHING_SENT:
        return np.full(len(rows), _NOTHING_SENT[name], dtype=np.int64)
    return objects([""] * len(rows))


def _checksum(feed: Feed, changes: pd.DataFrame) -> str:
    """A digest of what would be done, whatever the order of extraction was."""
    digest = xxh3_128(orjson.dumps([feed.job, feed.target]))
    for name in ("action", "id", "kind", "stale", "cleared"):
        digest.update(orjson.dumps(changes[name].to_numpy().tolist()))
    digest.update(b"".join(changes["fingerprint"].to_numpy().tolist()))
    return digest.hexdigest()
