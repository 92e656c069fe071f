"""Going on with a run that was interrupted, that failed, or whose process died.

Where its extraction was finished, its files are taken over by a new run: planned against the ledger
as it is now, guarded, loaded, verified. Where it was not, the job runs from the start.
"""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
from pydantic import TypeAdapter

from flows.asked import FILE, Asked, asked_of, keep_asked
from flows.counts import Extracted
from flows.files import writing
from flows.job import Job, jobs_folder, load_job
from flows.misdeclared import Misdeclared
from flows.settings import Settings
from flows.spool import Spool
from flows.workplace import Options, Workplace, open_ledger
from referential import history
from referential.errors import Refused
from referential.history import SOUND, Outcome, Run
from referential.ledger import Ledger, utc_now

MAX_AGE: Final = timedelta(days=1)
_WHOLE: Final[tuple[Outcome, ...]] = (*SOUND, "held", "partial")
_EARLIER: Final = 1_000  # runs of the job that are looked at
_EXTRACTED: Final = TypeAdapter(Extracted)


@dataclass(frozen=True, slots=True)
class Left:
    """What the run `run` left to go on with; `read` is the moment of its data.

    `spool` has all that it read, `extracted` says what that was. Without them `restarts` says why
    the job has to be run from its start.
    """

    run: Run
    job: Job
    options: Options
    read: datetime
    spool: Spool | None = None
    extracted: Extracted | None = None
    restarts: str = ""

    def check(self, ledger: Ledger, *, but: str = "") -> None:
        """Raise Refused when another run than *but* has brought newer data since."""
        if self.extracted is None:
            return
        newer = _newer(ledger, self.run, self.read, but)
        if newer is not None:
            raise _refused(
                self.run,
                f"run {newer.id} of the same feed ({newer.outcome}) has brought newer data since",
                f"nothing, or `refsync resume {newer.id}` if that one did not end well",
            )


def left_by(settings: Settings, run: str, *, force: bool = False) -> Left:
    """What *run* left. Raises Refused when there is nothing to go on with, and says why.

    That is for a run that ended well, one whose files are gone, data that are older than what is
    loaded by now, or, unless *force*, older than a day. Raises Misdeclared for a run that is not
    known, or whose job is not there or does not compile any more.
    """
    with open_ledger(settings) as ledger:
        found = _known(ledger, run)
        job = load_job(found.feed.job, jobs_folder(settings.jobs)).towards(found.feed.target)
        left = _left(settings, found, job)
        left.check(ledger)
    age = utc_now() - left.read
    if left.extracted is not None and age > MAX_AGE and not force:
        raise _refused(
            found,
            f"it was read {age.days * 24 + age.seconds // 3600} hours ago, and the limit is"
            f" {MAX_AGE.days * 24}",
            f"`refsync sync {job.name}` reads it anew; --force loads it as it is",
        )
    return left


def take_over(place: Workplace, left: Left) -> Extracted:
    """The stage in place of the extraction: the files of the other run become those of this one.

    They are the same files under a second name where the disk can do that: none is written again.
    """
    if left.spool is None or left.extracted is None:
        raise ValueError(f"run {left.run.id} left nothing to take over")
    here, there = place.spool, left.spool
    names = [here.entities.name, here.index.name, here.rejects.name, FILE, here.summary.name]
    with writing(here.folder):
        here.folder.mkdir(parents=True, exist_ok=True)
        for name in names:  # the summary last: with it, all of it is there
            _link(there.folder / name, here.folder / name)
    return left.extracted


def begin_anew(place: Workplace, now: datetime) -> None:
    """The run reads the source itself: what it was asked for is kept for a later `refsync resume`.

    A window of dates and a mere plan are made anew by their own commands.
    """
    if place.options.mode != "backfill" and not place.options.only_plan:
        keep_asked(place, now)


def _known(ledger: Ledger, run: str) -> Run:
    with ledger.database.reading() as connection:
        found = history.one(connection, run)
    if found is None:
        try:
            ledger.rejects(run)  # it knows which run was meant
        except Refused as refusal:
            raise Misdeclared.of(refusal, f"refsync resume {run}") from refusal
        raise RuntimeError(f"run {run} came between two looks")
    if found.mode not in ("sync", "full"):
        again = f"refsync {found.mode} {found.feed.job}"
        raise _refused(found, f"it is a {found.mode}, which begins anew", f"`{again}`")
    if found.outcome in _WHOLE:
        again = f"`refsync sync {found.feed.job}` reads the source again"
        raise _refused(found, f"it ended well: {found.outcome}", again)
    return found


def _left(settings: Settings, run: Run, job: Job) -> Left:
    spool = Spool(settings.spool / job.name / run.id)
    asked = asked_of(spool)
    if asked is None:
        if _cleared_away(settings, run):
            raise _refused(
                run, "its files are gone from the spool", f"`refsync sync {job.name}` runs it anew"
            )
        options = Options("full" if run.mode == "full" else "sync", to=run.feed.target)
        return Left(run, job, options, run.started, restarts="it had not begun to read")
    why = _unusable(spool, asked, job)
    if why:
        return Left(run, job, asked.options, asked.read, restarts=why)
    extracted = _EXTRACTED.validate_json(spool.summary.read_bytes())
    return Left(run, job, asked.options, asked.read, spool, extracted)


def _cleared_away(settings: Settings, run: Run) -> bool:
    """Whether the run had files once: it counted records, or so many spools came after its own."""
    if "records" in run.counts:
        return True
    folder = settings.spool / run.feed.job
    later = [path for path in folder.glob("*-*") if path.name > run.id]
    return len(later) >= settings.words.retention.spools


def _unusable(spool: Spool, asked: Asked, job: Job) -> str:
    """Why what was read cannot be taken over; "" when it can."""
    if not spool.summary.exists():
        return "its extraction was not finished"
    if asked.reads != job.digest():
        return "the source or the mapping of the job has changed since"
    content = orjson.loads(spool.summary.read_bytes())
    found = spool.found()
    promised = sum(each["entities"] for each in content["datasets"].values())
    end = int((found["offset"] + found["size"]).max()) + 1 if len(found) else 0
    if len(found) != promised or spool.entities.stat().st_size != end:
        return "its files are not whole"
    return ""


def _newer(ledger: Ledger, run: Run, read: datetime, but: str) -> Run | None:
    """The last run of the feed that brought data read after *read*."""
    wrote = {each.run for each in ledger.imports(run.feed)}
    for each in ledger.runs(_EARLIER, run.feed.job):
        if each.started <= read or each.id in (run.id, but):
            continue
        ours = each.feed == run.feed and each.mode != "plan"
        if ours and (each.outcome in _WHOLE or each.id in wrote):
            return each
    return None


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)  # of an attempt that an outage ended
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)


def _refused(run: Run, why: str, mend: str) -> Refused:
    return Refused(
        f"run {run.id} cannot be gone on with: {why}", where=f"refsync resume {run.id}", mend=mend
    )
