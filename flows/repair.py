"""Drifted entities are sent again: a run of its own, under the lock, of exactly these."""

from dataclasses import replace
from typing import Any

import pandas as pd

from flows import stages
from flows.drift import Basis, Drift, Repaired
from flows.files import writing
from flows.job import Job
from flows.outcome import outcome_of, told
from flows.settings import Settings
from flows.spool import Payloads, Spool, SpoolWriter
from flows.workplace import Options, Progress, Workplace, open_ledger, silent
from referential.entity import EntityPage
from referential.history import Outcome
from referential.ledger import Ledger, utc_now
from referential.loaded import Loaded
from referential.plan import Plan, make_plan
from referential.verify import Verified

_PAGE = 1_000  # entities that are copied at once


def repair(
    settings: Settings,
    job: Job,
    basis: Basis,
    drift: Drift,
    *,
    enable: bool = False,
    progress: Progress = silent,
) -> Repaired:
    """Send the drifted entities of *drift* again, with the bytes of *basis*, and read them back.

    What was disabled by hand stays disabled where the job respects it, unless *enable*; nothing is
    ever removed, so no guard is asked. Raises what the ledger and Canopsis raise.
    """
    respected = job.sync.respect_manual and not enable
    wanted = {
        each.id
        for each in drift.drifted
        if each.sendable and not (respected and each.only_disabled)
    }
    unsent = sum(not each.sendable for each in drift.drifted)
    left_off = len(drift.drifted) - unsent - len(wanted)
    target = _asked(job, respect_manual=respected)
    with open_ledger(settings) as ledger:
        run = ledger.start_run(job.feed, "repair", utc_now())
        place = Workplace(settings, target, run, Options("full"), progress)
        attempt = _Attempt(place, ledger)
        try:
            with ledger.lock(job.feed, run):
                attempt.carry_out(basis.spool, wanted)
        except BaseException as error:
            attempt.outcome, attempt.message = outcome_of(error), settings.redact(told(error))
            raise
        finally:
            attempt.close()
    return attempt.result(unsent, left_off)


class _Attempt:
    """The run of a repair, as far as it came."""

    def __init__(self, place: Workplace, ledger: Ledger) -> None:
        self._place, self._ledger = place, ledger
        self._plan: Plan | None = None
        self._loaded = Loaded()
        self._verified: Verified | None = None
        self.outcome: Outcome = "running"
        self.message = ""

    def carry_out(self, origin: Spool, wanted: set[str]) -> None:
        """The ledger is read again under the lock: what another run sent since is left alone."""
        place, feed = self._place, self._place.job.feed
        known = self._ledger.known(feed)
        known = known[known["id"].isin(wanted)]
        _copy(origin, place.spool, known)
        found = place.spool.found()
        plan = make_plan(found, known, feed=feed, mode="full", missing="keep", complete=False)
        with writing(place.spool.plan):
            plan.save(place.spool.plan)
        place.hold(plan)
        self._plan = plan
        if len(found):
            stages.load(place, self._loaded)
            self._verified = stages.verify(place, self._loaded)
        stages.record(place, self._loaded, self._verified)
        self.outcome = "done" if len(found) else "nothing-to-do"
        if self._loaded.rejects or (self._verified and self._verified.lacking):
            self.outcome, self.message = "partial", "not all of it could be repaired"

    def close(self) -> None:
        counts: dict[str, object] = {"loaded": dict(self._loaded.counts)}
        if self._plan is not None:
            counts["plan"] = self._plan.counts
        if self._verified is not None:
            told_of = {"expected": self._verified.expected, "found": self._verified.found}
            counts["verified"] = told_of
        self._ledger.finish_run(
            self._place.run_id,
            self.outcome,
            utc_now(),
            counts=counts,
            checksum=self._plan.checksum if self._plan else "",
            message=self.message,
        )

    def result(self, unsent: int, left_off: int) -> Repaired:
        verified = self._verified
        return Repaired(
            run=self._place.run_id,
            sent=sum(self._loaded.counts.values()),
            expected=verified.expected if verified else 0,
            found=verified.found if verified else 0,
            manual=len(self._loaded.manual) + left_off,
            unsent=unsent,
        )


def _asked(job: Job, *, respect_manual: bool) -> Job:
    return replace(job, sync=job.sync.model_copy(update={"respect_manual": respect_manual}))


def _copy(origin: Spool, spool: Spool, known: pd.DataFrame) -> None:
    """The rows of *origin* whose fingerprint is the known one, as a spool of their own."""
    found = origin.found().drop_duplicates("id", keep="last")
    marks = dict(zip(known["id"].tolist(), known["fingerprint"].tolist(), strict=True))
    pairs = zip(found["id"].tolist(), found["fingerprint"].tolist(), strict=True)
    found = found[[marks.get(each) == mark for each, mark in pairs]]
    with Payloads(origin) as payloads, SpoolWriter(spool) as writer:
        for dataset, rows in found.groupby("dataset", sort=False):
            for start in range(0, len(rows), _PAGE):
                page = rows.iloc[start : start + _PAGE]
                writer.write(str(dataset), _page(page, payloads))


def _page(rows: pd.DataFrame, payloads: Payloads) -> EntityPage:
    def column(name: str) -> list[Any]:
        return rows[name].tolist()

    return EntityPage(
        ids=column("id"),
        kinds=column("kind"),
        groups=column("group"),
        categories=column("category"),
        infos=column("infos"),
        payloads=payloads.read(column("offset"), column("size")),
        fingerprints=column("fingerprint"),
    )
