"""What the page of a run is made of: the ledger's row, and what the run left beside its spool.

The ledger keeps counts, evidence, message and rejects for as long as it keeps the run. The rest
(who answered, remarks, the guard's figures, single imports) lies in the spool as `report.json`,
with the changes and the entities, and goes with it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from flows.coverage import kept_coverage
from flows.files import as_json, write_whole
from flows.report_changes import Changes, changes_of
from flows.report_charts import BARS
from flows.report_tree import Tree, tree_of
from flows.run import Report
from flows.settings import Settings
from flows.spool import Spool
from referential import history
from referential.errors import Refused
from referential.history import Reject, Run
from referential.ledger import Ledger

CHANGES = 5_000  # rows of a page
REJECTS = 500
REMARKS = 200
IMPORTS = 50
LEFT = 20
_LETTERS = 700_000  # of one table
_RECORD = 3_000  # letters of one record
_LONGEST = 20_000  # letters of a message
_FILE = "report.json"
_NOTHING: dict[str, Any] = {
    "checked": None,
    "remarks": [],
    "remarked": 0,
    "gauges": [],
    "emptied": [],
    "left": [],
    "imports": [],
    "finished": [],
}


@dataclass(frozen=True, slots=True)
class Message:
    """What went wrong, in the three parts that a message has, and whatever else it says."""

    what: str = ""
    where: str = ""
    mend: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Message":
        lines = [line.strip() for line in text[:_LONGEST].splitlines() if line.strip()]
        found: dict[str, list[str]] = {"where": [], "mend": []}
        what, notes = lines[:1], []
        for line in lines[1:]:
            word, colon, rest = line.partition(": ")
            if colon and word in found:
                found[word].append(rest)
            else:
                notes.append(line)
        where, mend = ("\n".join(found[name]) for name in ("where", "mend"))
        return cls("".join(what), where, mend, tuple(notes))


@dataclass(frozen=True, slots=True)
class Shown:
    """A reject as the page has it: its record as JSON that people read, cut where it is long."""

    reject: Reject
    first: str
    record: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the page of one run says. `history` is oldest first and ends with it.

    `kept` is what `report.json` has, None when it is gone; `before` and `after` are its neighbours.
    """

    run: Run
    message: Message
    kept: dict[str, Any] | None
    changes: Changes
    rejects: tuple[Shown, ...]
    rejected: int
    tree: Tree
    coverage: dict[str, Any] | None
    history: tuple[Run, ...] = ()
    before: str = ""
    after: str = ""
    gone: tuple[str, ...] = field(default=())

    @property
    def known(self) -> dict[str, Any]:
        """What was kept, every key of it there."""
        return _NOTHING | (self.kept or {})

    @property
    def counts(self) -> dict[str, Any]:
        return self.run.counts

    @property
    def stages(self) -> dict[str, float]:
        found: dict[str, float] = self.run.counts.get("stages", {})
        return found


def keep(settings: Settings, report: Report) -> dict[str, Any]:
    """Leave in the spool what the ledger does not keep; a run that read nothing has no spool."""
    loaded = report.loaded
    kept = {
        "checked": asdict(report.checked) if report.checked else None,
        "remarks": [asdict(each) for each in report.remarks[:REMARKS]],
        "remarked": len(report.remarks),
        "gauges": [asdict(each) for each in report.planned.gauges] if report.planned else [],
        "emptied": list(report.planned.emptied) if report.planned else [],
        "left": [asdict(each) for each in report.left[:LEFT]],
        "imports": [asdict(each) for each in loaded.imports[:IMPORTS]] if loaded else [],
        "finished": list(report.finished),
    }
    content = orjson.dumps(kept, default=as_json)
    folder = spool_of(settings, report.job, report.run_id).folder
    if folder.is_dir():
        write_whole(folder / _FILE, content)
    known: dict[str, Any] = orjson.loads(content)
    return known


def spool_of(settings: Settings, job: str, run: str) -> Spool:
    return Spool(settings.spool / job / run)


def facts_of(
    settings: Settings, ledger: Ledger, run_id: str, report: Report | None = None
) -> Facts:
    """What is known of a run: by its own report, or by ledger and spool alone.

    Raises Refused when the ledger does not know it.
    """
    rejects, totals = ledger.rejects(run_id), ledger.reject_totals(run_id)
    with ledger.database.reading() as connection:
        run = history.one(connection, run_id)
        if run is None:  # forgotten between the two questions
            where = f"refsync report {run_id}"
            what = f"no run {run_id!r} in the ledger"
            raise Refused(what, where=where, mend="`refsync runs` lists them")
        before, after = history.neighbours(connection, run)
        past = history.until(connection, run, BARS)
    if report is not None:
        run = _as_reported(run, report)
    spool = spool_of(settings, run.feed.job, run.id)
    kept = _kept(spool.folder / _FILE) if report is None else keep(settings, report)
    facts = Facts(
        run=run,
        message=Message.of(run.message),
        kept=kept,
        changes=changes_of(spool, run.counts, rows=CHANGES, letters=_LETTERS),
        rejects=tuple(_shown(rejects)),
        rejected=sum(totals.values()) or int(run.counts.get("rejects", 0)),
        tree=tree_of(spool, ledger, run.feed.target),
        coverage=kept_coverage(settings, run.feed.target),
        history=tuple(run if each.id == run.id else each for each in reversed(past)),
        before=before,
        after=after,
    )
    return facts if report is not None else replace(facts, gone=_gone(facts))


def _as_reported(run: Run, report: Report) -> Run:
    return replace(
        run,
        outcome=report.outcome,
        message=report.message,
        counts=report.counts(),
        evidence=orjson.loads(orjson.dumps(report.evidence())),
        checksum=report.planned.checksum if report.planned else "",
    )


def _kept(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    known: dict[str, Any] = orjson.loads(path.read_bytes())
    return known


def _gone(facts: Facts) -> tuple[str, ...]:
    """What the page of a past run cannot tell any more."""
    lost = []
    if not facts.changes.there:
        lost.append(f"the {facts.changes.total:,} changes one by one")
    if facts.counts.get("found") and not facts.tree.there:
        lost.append("the tree of its entities")
    if facts.run.evidence and facts.kept is None:
        lost.append("its remarks, the limits of the guard and its single imports")
    return tuple(lost)


def _shown(rejects: Sequence[Reject]) -> list[Shown]:
    """The first rejects, as many as the page takes."""
    rows, letters = [], _LETTERS
    for reject in rejects[:REJECTS]:
        text = orjson.dumps(reject.record, option=orjson.OPT_INDENT_2, default=str).decode()
        record = text if len(text) <= _RECORD else f"{text[:_RECORD]}\n… cut short here"
        letters -= len(record) + len(reject.reason)
        if letters < 0:
            break
        rows.append(Shown(reject, " ".join(record[:200].split())[:70], record))
    return rows
