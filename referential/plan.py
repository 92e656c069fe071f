"""The plan: what would bring the referential to what the source says. It decides and does nothing.

| found | known    | change                                                              |
|-------|----------|---------------------------------------------------------------------|
| yes   | no       | Create                                                              |
| yes   | enabled  | Update when its fingerprint or its dataset differs, or mode is full |
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
from dataclasses import dataclass
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

Mode = Literal["sync", "full", "backfill"]
Missing = Literal["disable", "delete", "keep"]
Complete = bool | frozenset[str]  # of the whole extraction, or the datasets that were read whole
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Part = tuple[str, pd.DataFrame, Rows]  # an action, and the rows of a frame that it concerns

CHANGES = ("action", *FOUND)
_ORDER = {action: str(rank) for rank, action in enumerate(ACTIONS)}
_RANKS = {"component": "0", "resource": "1", "service": "2"}
_NOTHING_SENT = {"offset": -1, "size": 0}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Changes sorted by action, group, component before its resources, id.

    `changes` has the columns of `CHANGES`; `offset` is -1 and `size` 0 where nothing is sent.
    `duplicates` are the found entities that were set aside: id, kind, dataset, offset, size and
    reason. `counts` holds one number per action, and `unchanged`, `changed` (fingerprints that
    differ from a confirmed one), `held` (updates held back, for their values are in doubt),
    `missing`, `kept` (missing but not removed), `duplicates` and `repeated` (found again in the
    same words).
    """

    feed: Feed
    mode: Mode
    missing: Missing
    complete: Complete
    changes: pd.DataFrame
    duplicates: pd.DataFrame
    counts: dict[str, int]
    checksum: str

    def __len__(self) -> int:
        return len(self.changes)

    def iter_changes(self) -> Iterator[Change]:
        """The changes in their order, made one by one."""
        action, *columns = (self.changes[name].to_numpy().tolist() for name in CHANGES)
        for kind, row in zip(action, zip(*columns, strict=True), strict=True):
            if kind in SENT:
                yield SENT[kind](*row)
            else:
                yield REMOVED[kind](*row[:-2])

    def head(self, count: int) -> list[Change]:
        """The first changes."""
        return list(islice(self.iter_changes(), count))

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
        )
        if plan.checksum != _checksum(plan.feed, plan.changes):
            raise Unreadable(
                "the saved plan is not the one its checksum names",
                where=str(path),
                mend="make the plan again",
            )
        return plan

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
) -> Plan:
    """Join what was found with what is known.

    `found` is in extraction order, `known` has unique ids. `complete` tells whether the extraction
    was, or names the datasets that were read whole; a known row is judged by its own dataset.
    `doubtful` are the kinds of entities, by dataset, that were made of a part of their records:
    what is known of them stays as it is. `refused` are ids whose record is there and became a
    reject: they are not missing.
    """
    complete = complete if isinstance(complete, bool) else frozenset(complete)
    wanted, duplicates = without_duplicates(found)
    position = pd.Index(known["id"]).get_indexer(pd.Index(wanted["id"]))
    sent, changed, held = _sent(wanted, known, position, mode, doubtful)
    gone = np.ones(len(known), dtype=np.bool_)
    gone[position[position >= 0]] = False
    judged = _missing(known, gone, mode, complete)
    if refused:
        judged &= ~known["id"].isin(refused).to_numpy()
    removed, revived = _not_found(wanted, known, gone, judged, missing)
    changes = _assemble([*sent, ("enable", known, revived), (missing, known, removed)])
    numbers = changes["action"].value_counts()
    counts = {action: int(numbers.get(action, 0)) for action in ACTIONS} | {
        "unchanged": len(wanted) - held - sum(len(rows) for _, _, rows in sent),
        "changed": changed,
        "held": held,
        "missing": int(judged.sum()),
        "kept": int(judged.sum()) - len(removed),
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
    )


def _sent(
    wanted: pd.DataFrame,
    known: pd.DataFrame,
    position: Rows,
    mode: Mode,
    doubtful: AbstractSet[tuple[str, Kind]],
) -> tuple[list[Part], int, int]:
    """The found rows to send, how many differ from a confirmed fingerprint, how many are held back.

    `position` is the known row of each found one, -1 when there is none.
    """
    hit = np.flatnonzero(position >= 0)
    row = position[hit]
    before = known["fingerprint"].to_numpy()[row]
    differs = wanted["fingerprint"].to_numpy()[hit] != before
    # an entity that another dataset gives now must be judged missing by that one
    moved = wanted["dataset"].to_numpy()[hit] != known["dataset"].to_numpy()[row]
    disabled = known["state"].to_numpy()[row] == "disabled"
    update = (differs | moved | (mode == "full")) & ~disabled
    held = update & _among(wanted.iloc[hit], doubtful)
    update &= ~held
    parts: list[Part] = [
        ("create", wanted, np.flatnonzero(position < 0)),
        ("update", wanted, hit[update]),
        ("enable", wanted, hit[disabled]),
    ]
    # as an array of one object: numpy would cut the zeros of bare bytes
    confirmed = before != objects([UNCONFIRMED])
    return parts, int((differs & ~disabled & ~held & confirmed).sum()), int(held.sum())


def _among(found: pd.DataFrame, doubtful: AbstractSet[tuple[str, Kind]]) -> Mask:
    if not doubtful:
        return np.zeros(len(found), dtype=np.bool_)
    pairs = zip(found["dataset"], found["kind"], strict=True)
    return np.fromiter((pair in doubtful for pair in pairs), dtype=np.bool_, count=len(found))


def _missing(known: pd.DataFrame, gone: Mask, mode: Mode, complete: Complete) -> Mask:
    """The known rows that a complete extraction lacks; never any in a window of dates."""
    if mode == "backfill" or complete is False:
        return np.zeros(len(known), dtype=np.bool_)
    enabled = np.asarray(known["state"].to_numpy() == "enabled", dtype=np.bool_)
    if complete is True:
        return gone & enabled
    return gone & enabled & known["dataset"].isin(complete).to_numpy()


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
    revived = [row for row in np.flatnonzero(gone & ~enabled & component) if ids[row] in homes]
    if missing == "keep":
        return nothing, np.array(revived, dtype=np.intp)
    homes.update(group[gone & enabled & ~judged & (kind == "resource")].tolist())
    held = [row for row in np.flatnonzero(judged & component) if ids[row] in homes]
    removed = judged.copy()
    removed[held] = False
    return np.flatnonzero(removed), np.array(revived, dtype=np.intp)


def _assemble(parts: list[Part]) -> pd.DataFrame:
    """The chosen rows as one sorted frame of changes."""
    columns: dict[str, npt.NDArray[Any]] = {
        "action": np.repeat(
            objects([action for action, _, _ in parts]), [len(rows) for _, _, rows in parts]
        )
    }
    for name in FOUND:
        columns[name] = np.concatenate([_take(frame, name, rows) for _, frame, rows in parts])
    keys = [
        f"{_ORDER[action]}{group}\0{_RANKS[kind]}{entity}"
        for action, group, kind, entity in zip(
            *(columns[name].tolist() for name in ("action", "group", "kind", "id")), strict=True
        )
    ]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return to_frame({name: values[order] for name, values in columns.items()})


def _take(frame: pd.DataFrame, name: str, rows: Rows) -> npt.NDArray[Any]:
    if name in frame:
        return frame[name].to_numpy()[rows]
    return np.full(len(rows), _NOTHING_SENT[name], dtype=np.int64)


def _checksum(feed: Feed, changes: pd.DataFrame) -> str:
    """A digest of what would be done, whatever the order of extraction was."""
    digest = xxh3_128(orjson.dumps([feed.job, feed.target]))
    for name in ("action", "id", "kind"):
        digest.update(orjson.dumps(changes[name].to_numpy().tolist()))
    digest.update(b"".join(changes["fingerprint"].to_numpy().tolist()))
    return digest.hexdigest()
