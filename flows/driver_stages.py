"""The stages of a driver file's run, where they differ from those of a job.

plan   what stands in Canopsis under the import source is the feed's, whoever loaded it (D24)
guard  no entity at all is an empty import (D29); a refusal names the options of `refsync driver`
load   imports are partial unless the run is full (D36); what goes with its component is not listed
       (D25)

The decisions are those of `specs/driver-compat.md` §2.2.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from flows import stages
from flows.counts import Extracted, Guarded, Planned
from flows.workplace import Workplace
from mappings.driver_entities import KINDS
from mappings.driver_rules import ROWS
from referential.change import REMOVED, UNCONFIRMED
from referential.client import Canopsis, source_search
from referential.errors import PlanRefused
from referential.ledger import Ledger
from referential.loaded import Loaded
from referential.plan import Plan
from sources.errors import Unreadable

log = logging.getLogger("refsync")


@dataclass(frozen=True, slots=True)
class DriverStages:
    """Calls the stages of one run; `shown` is the file's path, `full` whether imports are full."""

    shown: str
    full: bool

    def __call__(self, stage: Callable[..., Any], place: Workplace, *arguments: Any) -> Any:
        own: Mapping[Callable[..., Any], Callable[..., Any]] = {
            stages.plan: self._plan,
            stages.guard: self._guard,
            stages.load: self._load,
        }
        return own.get(stage, stage)(place, *arguments)

    def _plan(self, place: Workplace, extracted: Extracted) -> Planned:
        if place.job.sync.missing != "keep":
            _adopt(place)
        planned = stages.plan(place, extracted)
        again = planned.tally["duplicates"] + planned.tally["repeated"]
        if again:  # decision D23
            log.warning(
                "%d entities have the id of another one of this run: of one kind the last wins,"
                " of two the first stands; refsync rejects %s shows which",
                again,
                place.run_id,
            )
        return planned

    def _guard(self, place: Workplace, extracted: Extracted, planned: Planned) -> Guarded:
        if planned.found == 0:
            raise Unreadable(
                f"empty import: none of the {extracted.records} rows gives an entity",
                where=self.shown,
                mend="nothing was imported; the warnings above say why rows are skipped: mend"
                " mapping, or look at what the API answers",
            )
        try:
            return stages.guard(place, extracted, planned)
        except PlanRefused as refusal:
            raise self._told(refusal) from refusal

    def _told(self, refusal: PlanRefused) -> PlanRefused:
        """The refusal with a mend that a driver file knows."""
        told = PlanRefused(
            str(refusal),
            where=self.shown,
            mend="nothing was written; look at what the API answers, and if it is right run"
            f" refsync driver {self.shown} with a higher --max-missing",
        )
        for note in refusal.__notes__:
            if note.startswith(("also: ", "cost: ")):
                told.add_note(note)
        return told

    def _load(self, place: Workplace, loaded: Loaded) -> Loaded:
        plan = place.the_plan()
        follows = _follows(plan.changes)
        place.hold(replace(plan, changes=plan.changes[~follows].reset_index(drop=True)))
        done = stages.carry_out(
            place, loaded, lambda canopsis: not self.full and _may_be_partial(plan, canopsis)
        )
        with place.ledger() as ledger:
            _settle(plan.changes[follows], plan, ledger, place.run_id, done)
        return done


def _may_be_partial(plan: Plan, canopsis: Canopsis) -> bool:
    """False where a partial import would leave services as they are (`specs/canopsis.md` §3.4).

    It never computes a new service, and in some releases none for the resources that it brings.
    """
    changes = plan.changes
    new_services = (changes["action"] == "create") & (changes["kind"] == "service")
    return canopsis.dialect.partial_works and not new_services.any()


def _follows(changes: pd.DataFrame) -> "pd.Series[bool]":
    """The resources that go with their component: Canopsis takes them along (decision D25)."""
    goes = changes["action"].isin(REMOVED)
    components = set(changes["id"][goes & (changes["kind"] == "component")])
    return goes & (changes["kind"] == "resource") & changes["group"].isin(components)


def _settle(followers: pd.DataFrame, plan: Plan, ledger: Ledger, run: str, loaded: Loaded) -> None:
    """Note in the ledger those resources whose component is gone by now, and count them."""
    if followers.empty:
        return
    known = ledger.known(plan.feed)
    there = set(known["id"][known["state"] == "enabled"])
    gone = followers[~followers["group"].isin(there)]
    ids = gone["id"].tolist()
    if plan.missing == "delete":
        ledger.forget(plan.feed, ids)
    else:
        ledger.set_state(plan.feed, run, ids, "disabled")
    loaded.counts.update(gone["action"].tolist())


def _adopt(place: Workplace) -> None:
    """Make the ledger own what Canopsis holds of the import source, and nothing else.

    What is taken up is unconfirmed: it is sent again when it is found, and may be missing.
    """
    job = place.job
    with place.canopsis() as canopsis:
        held = {row["_id"]: row for row in canopsis.entities(source_search(job.sync.import_source))}
    with place.ledger() as ledger:
        known = ledger.known(job.feed)
        ours = set(known["id"])
        lost = sorted(ours - held.keys())
        new = [
            row
            for identity, row in held.items()
            if identity not in ours and row.get("enabled") and row.get("type") in KINDS
        ]
        if lost:
            ledger.forget(job.feed, lost)
        if new:
            ledger.record(
                job.feed,
                place.run_id,
                ids=[row["_id"] for row in new],
                kinds=[row["type"] for row in new],
                groups=[_group(row) for row in new],
                datasets=[ROWS] * len(new),
                categories=[_category(row) for row in new],
                infos=[""] * len(new),  # what of theirs is ours, nobody knows
                fingerprints=[UNCONFIRMED] * len(new),
            )


def _group(row: dict[str, Any]) -> str:
    """The component that an entity belongs to: of a resource, the end of its id."""
    identity: str = row["_id"]
    if row["type"] == "resource":
        return identity.removeprefix(f"{row.get('name', '')}/")
    return identity if row["type"] == "component" else ""


def _category(row: dict[str, Any]) -> str:
    category = row.get("category")
    return str(category.get("name") or "") if isinstance(category, dict) else ""
