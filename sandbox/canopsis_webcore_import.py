"""One D0 import carried out, its report, and its watchers (`specs/canopsis.md` §2.3, §2.4).

After the entities are written, each watcher that has an `mfilter` (a Mongo filter, as a text)
gets whatever matches it as its dependencies, and loses none (capensis/canopsis,
`sources/canopsis/canopsis/watcher/links.py`, commit 2918e83). The check event that the real one
sends after each import is not simulated, but that of a failed one (knob `failed_job_alarm`).
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.canopsis_job import Job
from sandbox.canopsis_knobs import Poison
from sandbox.canopsis_old_pattern import compile_filter
from sandbox.canopsis_operations import JobFailed, Written
from sandbox.canopsis_pattern import PatternFault
from sandbox.canopsis_store import Doc, Store
from sandbox.canopsis_webcore_graph import Drafts, write
from sandbox.canopsis_webcore_python import python_repr
from sandbox.canopsis_webcore_schema import parts


@dataclass(frozen=True, slots=True)
class Planned:
    """The writes of an import, in order; `stop` is where the database gives up, and its words."""

    updated: Sequence[Doc]
    deleted: Sequence[str]
    items: int
    stop: tuple[int, str] | None = None

    def write(self, store: Store, *, now: int, most: int | None = None) -> Written:
        """Write, *most* entities if that is given; raises JobFailed where the database stops."""
        if most is not None:
            return self._written(store, self.updated[:most], (), now)
        if self.stop is not None:
            self._written(store, self.updated[: self.stop[0]], (), now)
            raise JobFailed(self.stop[1])
        return self._written(store, self.updated, self.deleted, now)

    def _written(
        self, store: Store, updated: Sequence[Doc], deleted: Sequence[str], now: int
    ) -> Written:
        for doc in updated:
            write(store, doc, now=now)
        _link_watchers(store)
        for entity in deleted:
            store.remove(entity)
        return Written(len(updated), len(deleted))


def plan(body: bytes, store: Store, *, poison: Sequence[Poison] = ()) -> Planned:
    """Check and work out a whole import; raises JobFailed with the job's `info`."""
    cis, links = parts(orjson.loads(body))
    ids = {ci["_id"] for ci in cis} | {each for link in links for each in link["from"]}
    drafts = Drafts(store, ids | {link["to"] for link in links})
    _check_deletions(store, cis)
    for ci in cis:
        _meet(poison, "parse", ci)
        drafts.take(ci)
    for link in links:
        drafts.link(link)
    drafts.close()
    updated = list(drafts.updated.values())
    return Planned(updated, list(drafts.deleted), len(cis), _stop(poison, updated))


def report(job: Job) -> dict[str, Any]:
    """The status body: what is not known yet has no key; the moment is the server's, in UTC."""
    body: dict[str, Any] = {
        "_id": job.id,
        "creation": time.asctime(time.gmtime(job.creation)),
        "status": job.status,
    }
    if job.status == "failed":
        body["info"] = job.info
    if job.status == "done":
        body["stats"] = {"deleted": job.deleted, "updated": job.updated}
    if job.exec_time:
        body["exec_time"] = job.exec_time
    return body


def _check_deletions(store: Store, cis: Sequence[dict[str, Any]]) -> None:
    """Entities to delete are looked up before the first item is carried out."""
    for ci in cis:
        if ci["action"] == "delete" and ci["_id"] not in store.entities:
            raise JobFailed("IndexError('list index out of range',)")


def _link_watchers(store: Store) -> None:
    watchers = [doc for doc in store.entities.values() if doc.get("type") == "watcher"]
    for watcher in watchers:
        text = watcher.get("mfilter")
        if text is None:
            continue
        try:
            matches = compile_filter(orjson.loads(text))
        except orjson.JSONDecodeError as fault:
            raise JobFailed("ValueError('No JSON object could be decoded',)") from fault
        except PatternFault as fault:
            raise JobFailed(f"OperationFailure({python_repr(str(fault))},)") from fault
        for entity in [each["_id"] for each in store.entities.values() if matches(each)]:
            store.arrays.link(entity, watcher["_id"])


def _stop(poison: Sequence[Poison], updated: Sequence[Doc]) -> tuple[int, str] | None:
    for index, doc in enumerate(updated):
        try:
            _meet(poison, "write", doc)
        except JobFailed as failure:
            return index, str(failure)
    return None


def _meet(poison: Sequence[Poison], phase: str, item: dict[str, Any]) -> None:
    for each in poison:
        if each.phase == phase and re.search(each.name, str(item.get("name", item["_id"]))):
            raise JobFailed(each.info)
