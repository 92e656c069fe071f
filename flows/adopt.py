"""Taking ownership of entities that another loader left in Canopsis: the Pro driver, a script.

What the job finds and Canopsis holds under that import source becomes owned, unconfirmed: the next
sync sends it again. What the job does not find becomes owned on demand alone, and is then missing:
the next sync judges it, under the guard. No info key is taken for ours: what the other loader wrote
and the job does not give stays.
"""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from flows import stages
from flows.counts import Extracted
from flows.job import Job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import outcome_of, told
from flows.settings import Settings
from flows.workplace import Options, Progress, Workplace, open_ledger, silent
from mappings.mapper import Mapper
from referential.change import UNCONFIRMED
from referential.client import source_search
from referential.history import Outcome
from referential.ledger import Ledger, utc_now

_KINDS = ("component", "resource", "service")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity of the other loader; `found`: the job's extraction has it."""

    id: str
    kind: str
    group: str
    dataset: str
    category: str
    enabled: bool
    found: bool


@dataclass(slots=True)
class Adoption:
    """What would become owned, or did (`run`); `partial` says why the missing are not sure."""

    job: str
    target: str
    import_source: str
    held: int = 0
    owned: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    partial: str = ""
    with_missing: bool = False
    run: str = ""

    @property
    def found(self) -> list[Candidate]:
        return [each for each in self.candidates if each.found]

    @property
    def missing(self) -> list[Candidate]:
        return [each for each in self.candidates if not each.found]


def adopt(
    settings: Settings,
    job: Job,
    *,
    import_source: str = "",
    with_missing: bool = False,
    write: bool = False,
    progress: Progress = silent,
) -> Adoption:
    """Compare the extraction of *job* with what *import_source* left; own it when told to *write*.

    Nothing is written to Canopsis. Raises what the source and Canopsis raise, and Misdeclared when
    the missing are asked for and the extraction is not complete.
    """
    seen = Adoption(job.name, job.feed.target, import_source or job.sync.import_source)
    seen.with_missing = with_missing
    if not write:
        _compare(_place(settings, job, f"adopt-{secrets.token_hex(4)}", progress), seen)
        return seen
    with open_ledger(settings) as ledger:
        run = ledger.start_run(job.feed, "adopt", utc_now())
        outcome: Outcome = "running"
        message = ""
        try:
            with ledger.lock(job.feed, run):
                _compare(_place(settings, job, run, progress), seen)
                chosen = seen.candidates if with_missing else seen.found
                _own(ledger, job, run, [each for each in chosen if each.found or each.enabled])
            outcome, seen.run = ("done" if chosen else "nothing-to-do"), run
        except BaseException as error:
            outcome, message = outcome_of(error), settings.redact(told(error))
            raise
        finally:
            counts = {"adopted": len(seen.found), "missing": len(seen.missing)}
            ledger.finish_run(run, outcome, utc_now(), counts=counts, message=message)
    return seen


def _place(settings: Settings, job: Job, name: str, progress: Progress) -> Workplace:
    return Workplace(settings, job, name, Options(only_plan=True), progress)


def _compare(place: Workplace, seen: Adoption) -> None:
    """Fill *seen* with what the job does not own yet; the spool is not kept."""
    try:
        extracted: Extracted = stages.extract(place)
        found = place.spool.found().drop_duplicates("id", keep="last")
    finally:
        shutil.rmtree(place.spool.folder, ignore_errors=True)
    seen.partial = extracted.partial
    if seen.partial and seen.with_missing:
        what = f"the extraction is not complete: {seen.partial}"
        mend = "adopt without --with-missing, or when the source can be read whole"
        raise Misdeclared([Fault("--with-missing", what, mend)])
    rows = zip(*(found[name] for name in ("id", "kind", "group", "dataset")), strict=True)
    wanted = {each: (kind, group, dataset) for each, kind, group, dataset in rows}
    with place.ledger() as ledger:
        known = set(ledger.known(place.job.feed)["id"])
    for live in _live(place, seen.import_source):
        seen.held += 1
        seen.owned += live.id in known
        if live.id in known or (live.id not in wanted and not live.dataset):
            continue
        if live.id in wanted:
            kind, group, dataset = wanted[live.id]
            ours = replace(live, kind=kind, group=group, dataset=dataset, found=True)
            seen.candidates.append(ours)
        else:
            seen.candidates.append(live)


def _live(place: Workplace, source: str) -> Iterator[Candidate]:
    """What *source* left, page by page; `dataset` is the first one that makes such a kind."""
    mapper = place.job.mapper()
    units = mapper.units if isinstance(mapper, Mapper) else ()
    datasets = {unit.kind: unit.dataset for unit in reversed(units)}
    with place.canopsis() as canopsis:
        for live in canopsis.entities(source_search(source)):
            kind, identity = live.get("type"), live["_id"]
            if kind not in _KINDS:
                continue
            group = {"component": identity, "resource": live.get("component") or ""}.get(kind, "")
            category = (live.get("category") or {}).get("name") or ""
            enabled = live.get("enabled") is not False
            dataset = datasets.get(kind, "")
            yield Candidate(identity, kind, group, dataset, category, enabled, found=False)


def _own(ledger: Ledger, job: Job, run: str, chosen: Sequence[Candidate]) -> None:
    if not chosen:
        return
    ledger.record(
        job.feed,
        run,
        ids=[each.id for each in chosen],
        kinds=[each.kind for each in chosen],
        groups=[each.group for each in chosen],
        datasets=[each.dataset for each in chosen],
        categories=["" for _ in chosen],  # a category of others is not ours to clear
        infos=["" for _ in chosen],
        fingerprints=[UNCONFIRMED for _ in chosen],
    )
