"""The stages of a run as plain functions: they take a workplace, leave files, return counts.

    check -> extract -> plan -> guard -> load -> verify -> converge -> record -> finish

None of them knows Prefect: `flows.run` calls them one after the other, `flows.sync` as tasks.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import orjson
import pandas as pd

from flows.connections import ledger_in_clear
from flows.counts import Checked, Extracted, Guarded, Planned
from flows.endpoints import canopsis_probe, source_probe
from flows.extraction import read_dataset
from flows.files import write_whole
from flows.guarding import (
    add_cost,
    judge_plan,
    keep,
    may_wait,
    rowless_refusal,
    usual,
    without_removals,
)
from flows.job import Job
from flows.outcome import ExpectationUnmet
from flows.outcome import told as describe
from flows.runner import crew_of
from flows.settings import Settings
from flows.spool import Payloads, SpoolWriter
from flows.turn import turn
from flows.workplace import Workplace
from referential.change import ACTIONS
from referential.client import Canopsis
from referential.converge import Left, is_carried_out, left_over
from referential.errors import PlanRefused, Refused
from referential.guard import LimitsPassed, gauges, parts_of
from referential.history import Reject
from referential.keeping import with_all_ever_given
from referential.loaded import Loaded
from referential.loader import load as load_plan
from referential.plan import Mode, Plan, make_plan
from referential.verify import WORDS, Verified
from referential.verify import verify as read_back
from sources.errors import Refused as SourceRefused
from sources.errors import SourceError

log = logging.getLogger("refsync")


def probe(settings: Settings, job: Job) -> Checked:
    """Both connections answer and their rights suffice.

    Raises Refused naming every right that is lacking, and what the two clients raise.
    """
    place = Workplace(settings, job, run_id="")
    place.connections()
    source = source_probe(place)
    if source.lacking:
        raise SourceRefused(
            f"the source refuses {', '.join(source.lacking)} to {source.identity}",
            where=job.place("source", "connection"),
            mend="grant the rights, or use another account",
        )
    canopsis = canopsis_probe(place)
    if canopsis.lacking:
        raise Refused(
            f"Canopsis refuses {', '.join(canopsis.lacking)} to {canopsis.identity}",
            where=job.place("sync", "connection"),
            mend="grant the rights to its role (administration, rights)",
        )
    return Checked(
        source=source.version,
        source_identity=source.identity,
        canopsis=canopsis.version,
        canopsis_identity=canopsis.identity,
        warnings=(*place.warnings, *ledger_in_clear(settings)),
    )


def check(place: Workplace) -> Checked:
    """The probe of a run, before anything is read."""
    checked = probe(place.settings, place.job)
    for warning in checked.warnings:
        log.warning(warning)
    return checked


def extract(place: Workplace) -> Extracted:
    """Read every dataset page by page, map each page as it arrives, spool its entities."""
    mapper = place.job.mapper()
    with SpoolWriter(place.spool) as spool, crew_of(place) as crew:
        read = {name: read_dataset(place, name, mapper, spool, crew) for name in place.job.datasets}
    tally = mapper.report()
    extracted = Extracted.of(read, tally, window=place.options.mode == "backfill")
    content = {
        "datasets": extracted.datasets,
        "unmet": extracted.unmet,
        "remarks": extracted.remarks,
        "tally": tally,
    }
    write_whole(place.spool.summary, orjson.dumps(content, option=orjson.OPT_INDENT_2))
    for warning in extracted.warnings():
        log.warning("%s", warning)
    return extracted


def plan(place: Workplace, extracted: Extracted) -> Planned:
    """Compare what was found with what the ledger knows; leave the plan in the spool."""
    found = place.spool.found()
    with place.ledger() as ledger:
        known = ledger.known(place.job.feed)
    made = _make(place, extracted, found, known, place.options.mode)
    if made.counts["held"]:
        log.warning(
            "held back: updates of %d entities, for what gives them values was not read completely",
            made.counts["held"],
        )
    keep(place, made)
    place.hold_found(found)
    limits = place.job.sync.limits
    owners = known["dataset"].to_numpy()[known["state"].to_numpy() == "enabled"].tolist()
    parts = parts_of(made, known, limits)
    return Planned(
        counts={action: made.counts.get(action, 0) for action in ACTIONS},
        tally=made.counts,
        checksum=made.checksum,
        found=len(found),
        known=len(owners),
        duplicates=len(made.duplicates),
        emptied=_emptied(extracted, owners, found),
        parts=parts,
        gauges=gauges(made, known=len(owners), limits=limits, parts=parts, usual=usual(place)),
    )


def _make(
    place: Workplace, extracted: Extracted, found: pd.DataFrame, known: pd.DataFrame, mode: Mode
) -> Plan:
    sync = place.job.sync
    if mode == "backfill":
        found = with_all_ever_given(found, known)
    return make_plan(
        found,
        known,
        feed=place.job.feed,
        mode=mode,
        missing=sync.missing,
        missing_after=sync.missing_after,
        prune=sync.prune,
        complete=extracted.complete,
        doubtful=extracted.doubtful,
        refused={each["id"] for each in place.spool.iter_rejects() if each.get("id")},
    )


def _emptied(extracted: Extracted, owners: list[str], found: pd.DataFrame) -> tuple[str, ...]:
    """Datasets that own entities and gave none; no table, for it is not asked to give any.

    *owners* are the datasets of the entities that are known and enabled.
    """
    silent = set(owners).difference(found["dataset"].to_numpy().tolist())
    return tuple(
        name for name, read in extracted.datasets.items() if name in silent and not read.table
    )


def guard(place: Workplace, extracted: Extracted, planned: Planned) -> Guarded:
    """What may be carried out; raises PlanRefused or ExpectationUnmet when nothing may.

    The guard speaks first: of an empty extraction every expectation is unmet too. Where only too
    much would be taken away, the removals alone may wait, if the job says so.
    """
    where = place.job.place("mapping", "expect")
    options = place.options
    rowless = None if options.allow_missing or options.accept else rowless_refusal(place, extracted)
    waits: LimitsPassed | None = None
    try:
        judge_plan(place, planned)
    except PlanRefused as refusal:
        if isinstance(refusal, LimitsPassed):
            add_cost(place, refusal)
            waits = refusal if may_wait(place, refusal) else None
        if rowless is not None:
            refusal.add_note(f"also: {rowless}")
        for what, _ in extracted.unmet:
            refusal.add_note(f"also: {what} ({where})")
        if waits is None:
            raise
    if rowless is not None:
        raise rowless
    # a window of dates may rightly have few records
    if extracted.unmet and place.options.mode != "backfill":
        raise ExpectationUnmet(extracted.unmet, where=where)
    return Guarded(planned) if waits is None else without_removals(place, planned, waits)


def load(place: Workplace, loaded: Loaded) -> Loaded:
    """Carry the plan out; the ledger records each import when Canopsis says it is done."""
    return carry_out(place, loaded)


def carry_out(
    place: Workplace, loaded: Loaded, partial: Callable[[Canopsis], bool] | None = None
) -> Loaded:
    """Load the plan; *partial* tells whether its imports are, where the loader is not to decide.

    *loaded* is filled as the load goes, so that a load cut short still says what it did.
    """
    with (
        Payloads(place.spool) as payloads,
        place.canopsis() as canopsis,
        place.ledger() as ledger,
        turn(place, ledger),
    ):
        return load_plan(
            place.the_plan(),
            payloads,
            canopsis,
            ledger,
            run=place.run_id,
            source=place.job.sync.import_source,
            loaded=loaded,
            progress=lambda done, total: place.progress("load", done, total),
            partial=None if partial is None else partial(canopsis),
            respect_manual=place.job.sync.respect_manual,
        )


def verify(place: Workplace, loaded: Loaded) -> Verified:
    """Read back what was loaded; what Canopsis does not hold is owned no more."""
    with place.canopsis() as canopsis:
        verified = read_back(
            place.the_plan(), loaded, canopsis, source=place.job.sync.import_source
        )
    if verified.lacking:
        with place.ledger() as ledger:
            ledger.forget(place.job.feed, verified.ids)
    return verified


def converge(
    place: Workplace, extracted: Extracted, loaded: Loaded, verified: Verified, held: int
) -> tuple[Left, ...]:
    """What a plan made now would still do; nothing, unless something is wrong."""
    with place.ledger() as ledger:
        if is_carried_out(place.the_plan(), ledger, place.run_id):
            return ()
        known = ledger.known(place.job.feed)
    mode: Mode = "backfill" if place.options.mode == "backfill" else "sync"
    again = _make(place, extracted, place.the_found(), known, mode)
    rejected = loaded.refused.union(verified.ids)
    left = left_over(again, rejected=rejected, removals_wait=bool(held))
    if left:
        log.warning("%d changes are left to be made after the load", len(left))
    return left


def record(
    place: Workplace,
    loaded: Loaded | None,
    verified: Verified | None,
    left: tuple[Left, ...] = (),
) -> int:
    """Keep the rejects of all stages in the ledger; returns their number."""
    with place.ledger() as ledger:
        ledger.add_rejects(place.run_id, _rejects(place, loaded, verified, left))
        return sum(ledger.reject_totals(place.run_id).values())


def finish(place: Workplace, extracted: Extracted) -> tuple[str, ...]:
    """Everything is loaded: the source may clear away what was read; returns what it did.

    What it cannot clear away stays, with a warning: read again, it changes nothing.
    """
    job = place.job
    told: list[str] = []
    for name, read in extracted.datasets.items():
        if not read.taken:
            continue
        try:
            connection, now = place.source_connection(), datetime.now(UTC)
            told += job.source.finish(job.config, name, connection, read.taken, now)
        except SourceError as error:
            what = place.settings.redact(describe(error))
            log.warning("%s is loaded, but what was read cannot be cleared away: %s", name, what)
    for line in told:
        log.info("%s", line)
    return tuple(told)


def _rejects(
    place: Workplace,
    loaded: Loaded | None,
    verified: Verified | None,
    left: tuple[Left, ...],
) -> Iterator[Reject]:
    """Those of extraction and mapping from the spool, one by one; of plan, load and verify."""
    for reject in place.spool.iter_rejects():
        reject.pop("id", None)
        yield Reject(**place.settings.hidden(reject))  # it is shown to people
    duplicates = place.the_plan().duplicates
    for name, dataset, reason in zip(
        *(duplicates[column] for column in ("id", "dataset", "reason")), strict=True
    ):
        yield Reject(dataset, 0, "id", reason, {"id": name})
    if loaded:
        yield from loaded.rejects
    if verified:
        for each in verified.lacking:
            yield Reject(each.dataset, 0, "verify", WORDS[each.why], {"id": each.id})
    for odd in left:
        if not odd.explained:
            yield Reject(odd.dataset, 0, "converge", odd.reason, {"id": odd.id})
