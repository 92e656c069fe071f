"""Feeds with a history, made without any server and the same at every time, for pages to be of.

`acme/estate` has some weeks behind it, not all of them good; the last run is held: its plan would
take away more machines than may go. `hostile` puts what would like to be a program in every text.
"""

import random
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from flows.counts import Checked, DatasetRead, Extracted, Planned
from flows.coverage import Coverage, Unknown, keep_coverage
from flows.report import write_report
from flows.run import Report
from flows.settings import Settings, load_settings
from flows.spool import Spool, SpoolWriter
from flows.workplace import open_ledger
from mappings.remarks import Remark
from referential.change import ACTIONS
from referential.entity import EntityPage, entity_id
from referential.feed import Feed
from referential.guard import Usual, breaches, gauges
from referential.history import Outcome, Reject
from referential.ledger import Ledger
from referential.limits import Limits
from referential.loaded import Import, Loaded
from referential.plan import Plan, make_plan
from referential.schema import runs
from referential.verify import Verified
from tests.pages import page_of

ESTATE = "acme/estate"
TARGET = "acme-canopsis"
LAST = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
NIGHTS = 36
MACHINES = 420
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "{{7*7}}",
    "line\u2028separator",
    "'\"&<b>bold</b>&lt;i&gt;",
)

_SETTINGS = """\
ledger: sqlite:///ledger.db
spool: spool
state: .
jobs: jobs
events: false
"""
_JOB = """\
source:
  type: api
  connection: acme-cmdb
  datasets:
    servers: {path: /servers, primary_key: id}
mapping:
  entities:
    - dataset: servers
      component: {name: name}
sync:
  connection: acme-canopsis
  import_source: acme-cmdb
  schedule: {cron: "0 2 * * *", timezone: UTC}
"""
_SITES = ("Nîmes", "Lyon", "Lille", "Brest")
_CATEGORIES = ("Linux server", "Windows server", "Database", "Appliance")
_APPLICATIONS = (
    "Billing", "Payroll", "Intranet", "Order desk", "Stock", "Mail relay", "Archive", "Data hub",
    "Quality lab", "Timesheets", "Badge control", "Web shop", "Customer files", "Print service",
)  # fmt: skip
_BAD: dict[int, tuple[Outcome, str]] = {
    9: (
        "refused",
        (
            "the source gave no entity at all, where 826 are known: this is an outage\n"
            "  where: acme/estate into acme-canopsis\n"
            "  mend: nothing was written, and no option lets this pass; look at what it answers"
        ),
    ),
    17: (
        "failed",
        (
            "https://cmdb.acme.example/servers does not answer: connection refused\n"
            "  where: jobs/acme/estate.yaml:3:3\n  mend: see that the CMDB is up"
        ),
    ),
    26: (
        "partial",
        (
            "not read completely: servers: 311 of 400 records came, then the connection was cut\n"
            "  mend: run it again; what is missing was left alone meanwhile"
        ),
    ),
}


@dataclass(frozen=True)
class Made:
    """What a test looks at."""

    settings: Settings
    page: Path  # of the last run of `acme/estate`
    runs: list[str]

    @property
    def reports(self) -> Path:
        return self.settings.reports


def make(folder: Path, *, hostile: bool = False, nights: int = NIGHTS) -> Made:
    """Write settings, ledger, spool and the pages of all runs into *folder*."""
    (folder / "refsync.yaml").write_text(_SETTINGS, encoding="utf-8")
    for job in (ESTATE, "acme/network", "globex/assets"):
        path = folder / "jobs" / f"{job}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_JOB, encoding="utf-8")
    settings = load_settings({"REFSYNC_CONFIG": str(folder / "refsync.yaml")})
    with open_ledger(settings) as ledger:
        for job in ("acme/network", "globex/assets"):
            _quiet(settings, ledger, job, min(nights, 12))
        past = [_night(settings, ledger, rank) for rank in range(nights)]
        last = _last(settings, ledger, hostile=hostile)
        _ask_coverage(settings, hostile=hostile)
    for report in past[-2:]:  # enough to have neighbours
        write_report(settings, report)
    page = write_report(settings, last)
    return Made(settings, page, [*(each.run_id for each in past), last.run_id])


def _quiet(settings: Settings, ledger: Ledger, job: str, nights: int) -> None:
    """A feed of which little is known but that it goes well."""
    switches = _page([_body("component", f"sw-{rank:03}", "Switch") for rank in range(310)])
    for rank in range(nights):
        began = LAST - timedelta(days=nights - rank - 1, minutes=-20)
        report = Report(job, _run_id(job, began), "sync", "nothing-to-do" if rank % 3 else "done")
        read = DatasetRead(310, 310, 0, complete=True, evidence="310 of 310 by X-Total-Count")
        report.extracted = Extracted({"switches": read})
        tally = dict.fromkeys(ACTIONS, 0) | {"update": 0 if rank % 3 else 4 + rank}
        report.planned = Planned(tally, tally, "0" * 32, 310, 310, 0)
        report.stages = {"check": 0.4, "extract": 7.1 + rank % 4, "plan": 0.2, "guard": 0.1}
        _begin(ledger, report, began)
        _end(ledger, report, began + timedelta(seconds=8 + rank % 4))
        if rank == nights - 1:
            _record_all(ledger, Feed(job, TARGET), report.run_id, "switches", switches)
            write_report(settings, report)


def _record_all(ledger: Ledger, feed: Feed, run: str, dataset: str, page: EntityPage) -> None:
    with ledger.lock(feed, run):
        ledger.record(
            feed,
            run,
            ids=page.ids,
            kinds=page.kinds,
            groups=page.groups,
            datasets=[dataset] * len(page),
            categories=page.categories,
            infos=page.infos,
            fingerprints=page.fingerprints,
        )


def _night(settings: Settings, ledger: Ledger, rank: int) -> Report:
    """One of the nights before the last: figures alone."""
    began = LAST - timedelta(days=NIGHTS - rank)
    outcome, message = _BAD.get(rank, ("done" if rank % 6 else "nothing-to-do", ""))
    report = Report(ESTATE, _run_id(ESTATE, began), "sync", outcome, message=message)
    entities = 803 + 5 * rank // 2 + (rank * 7) % 5
    seconds = 41.0 + (rank * 5) % 11
    if outcome == "failed":
        report.stages, seconds = {"check": 31.0}, 31.0
    else:
        found = {"refused": 0, "partial": 611}.get(outcome, entities)
        read = DatasetRead(found, found, 3 + rank % 4, outcome != "partial", "by X-Total-Count")
        report.extracted = Extracted({"servers": read})
        changed = 0 if outcome in ("nothing-to-do", "refused") else 9 + (rank * 17) % 46
        tally = dict.fromkeys(ACTIONS, 0) | {"create": 4, "update": changed}
        tally = tally if changed else dict.fromkeys(ACTIONS, 0)
        report.planned = Planned(tally, tally, "0" * 32, found, entities, 0)
        report.stages = {"check": 0.6, "extract": seconds - 9, "plan": 0.8, "guard": 0.2, "load": 7}
        report.rejects = 3 + rank % 4
    del settings
    _begin(ledger, report, began)
    _end(ledger, report, began + timedelta(seconds=seconds))
    return report


def _last(settings: Settings, ledger: Ledger, *, hostile: bool) -> Report:
    """The run with everything a page can have; removals of it wait."""
    chance = random.Random(6)
    began, feed = LAST, Feed(ESTATE, TARGET)
    report = Report(ESTATE, _run_id(ESTATE, began), "sync", "held")
    _begin(ledger, report, began)
    spool = Spool(settings.spool / ESTATE / report.run_id)
    servers, applications = _servers(hostile=hostile), _applications(hostile=hostile)
    _own(ledger, feed, report.run_id, [*servers, *applications], chance)
    with SpoolWriter(spool) as writer:
        gone = {f"srv-{rank:03}" for rank in range(30, 92)}
        here = [each for each in servers if (each.get("component") or each["name"]) not in gone]
        writer.write("servers", _page(here))
        writer.write("applications", _page(applications))
    plan = make_plan(
        spool.found(), ledger.known(feed), feed=feed, mode="sync", missing="disable", complete=True
    )
    rest, held = plan.without_removals(), plan.removals()
    rest.save(spool.plan)
    held.save(spool.held)
    read = Counter(spool.found()["dataset"])
    _tell(report, plan, rest, held, read, known=len(ledger.known(feed)), hostile=hostile)
    ledger.add_rejects(report.run_id, _rejects(hostile=hostile))
    report.rejects = sum(ledger.reject_totals(report.run_id).values())
    _end(ledger, report, began + timedelta(seconds=63.4))
    return report


def _tell(
    report: Report,
    plan: Plan,
    rest: Plan,
    held: Plan,
    read: Counter[str],
    *,
    known: int,
    hostile: bool,
) -> None:
    limits, usual = Limits(), Usual(removed=2, changed=21, runs=10)
    passed = breaches(plan, known=known, limits=limits, usual=usual)
    report.held = len(held)
    report.planned = Planned(
        counts={action: rest.counts.get(action, 0) for action in ACTIONS},
        tally=rest.counts,
        checksum=rest.checksum,
        found=read.total(),
        known=known,
        duplicates=0,
        gauges=gauges(plan, known=known, limits=limits, usual=usual),
    )
    report.message = (
        f"{len(held):,} removals wait: {'; '.join(map(str, passed))}\n"
        "  mend: everything else is loaded; read them, and if they are right:"
        f" refsync sync {ESTATE} --accept {held.checksum}\n"
        f"  where: {ESTATE} into {TARGET}, plan {held.checksum}\n"
        f"  cost: of the {len(held)} entities to disable, 7 carry an open alarm"
    )
    report.checked = Checked("CMDB 4.2", "etl", "24.10", "refsync (role etl)")
    noted = HOSTILE[0] if hostile else "422 of 422 by X-Total-Count, ids read once"
    report.extracted = Extracted(
        datasets={
            "servers": DatasetRead(
                422, read["servers"], 10, complete=True, evidence=noted, filtered=38
            ),
            "applications": DatasetRead(
                214, read["applications"], 2, complete=True, evidence="214 of 214 rows"
            ),
            HOSTILE[2] if hostile else "sites": DatasetRead(
                4, 0, 0, complete=True, evidence="end marker", table=True
            ),
        },
        remarks=tuple(_remarks(hostile=hostile)),
    )
    done = Counter({action: rest.counts[action] for action in ACTIONS if rest.counts[action]})
    report.loaded = Loaded(
        counts=done,
        imports=[
            Import("5b1e", "done", partial=True, entities=250, bytes=81_204, seconds=3.1),
            Import("5b1f", "done", partial=True, entities=sum(done.values()) - 250, bytes=40_410,
                   seconds=2.2),
        ],
    )  # fmt: skip
    report.verified = Verified(sum(done.values()), sum(done.values()), (), 0)
    report.stages = {
        "check": 0.61, "extract": 48.2, "plan": 1.12, "guard": 0.74, "load": 8.9, "verify": 2.4,
        "converge": 0.9, "record": 0.4,
    }  # fmt: skip


def _servers(*, hostile: bool) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    names = [f"srv-{rank:03}" for rank in range(1, MACHINES + 1)]
    if hostile:
        names[: len(HOSTILE)] = HOSTILE
    for rank, name in enumerate(names):
        category = _CATEGORIES[rank % len(_CATEGORIES)]
        made.append(_body("component", name, category, site=_SITES[rank % 4]))
        ports = range(2 if rank % 2 else 0)
        made += [_body("resource", f"eth{port}", "Interface", component=name) for port in ports]
        if rank % 3 == 0:
            made.append(_body("resource", "disk-root", "Volume", component=name))
    return made


def _applications(*, hostile: bool) -> list[dict[str, Any]]:
    made = []
    for rank, name in enumerate(_APPLICATIONS):
        members: list[str] = [
            f"srv-{1 + (rank * 31 + step * 3) % MACHINES:03}" for step in range(9)
        ]
        if rank == 0:
            members = ["APP Order desk", "APP Web shop", *members, "sw-core-01", *HOSTILE]
        condition = {"field": "name", "cond": {"type": "is_one_of", "value": members}}
        body = _body("service", f"APP {name}", "Application")
        made.append(body | {"entity_pattern": [[condition]], "output_template": ""})
    site = {
        "field": "infos.site",
        "cond": {"type": "eq", "value": HOSTILE[0] if hostile else "Lyon"},
    }
    made.append(
        _body("service", "SITE Lyon", "Site") | {"entity_pattern": [[site]], "output_template": ""}
    )
    return made


def _body(kind: str, name: str, category: str, *, component: str = "", site: str = "") -> Any:
    infos = {"site": {"name": "site", "description": "Site", "value": site}} if site else {}
    body: dict[str, Any] = {
        "action": "set",
        "type": kind,
        "name": name,
        "category": category,
        "infos": infos,
    }
    body |= {"enabled": True, "impact_level": 1}
    return body | ({"component": component} if component else {})


def _page(bodies: list[dict[str, Any]]) -> EntityPage:
    ids = [entity_id(each["type"], each["name"], each.get("component", "")) for each in bodies]
    groups = [
        "" if each["type"] == "service" else each.get("component") or each["name"]
        for each in bodies
    ]
    return page_of(ids, [each["type"] for each in bodies], groups, bodies)


def _own(
    ledger: Ledger, feed: Feed, run: str, bodies: list[dict[str, Any]], chance: random.Random
) -> None:
    """What the feed owned before: most as it is now, some otherwise, some not at all."""
    kept = [each for each in bodies if chance.random() > 0.09]
    page = _page(kept)
    service = [each["type"] == "service" for each in kept]
    with ledger.lock(feed, run):
        ledger.record(
            feed,
            run,
            ids=page.ids,
            kinds=page.kinds,
            groups=page.groups,
            datasets=["applications" if each else "servers" for each in service],
            categories=page.categories,
            # some had an info that is given no more
            infos=[
                f"{keys}\nrack".strip() if chance.random() < 0.04 else keys for keys in page.infos
            ],
            fingerprints=[
                bytes([7] * 16) if chance.random() < 0.14 else each for each in page.fingerprints
            ],
        )


def _rejects(*, hostile: bool) -> list[Reject]:
    found = [
        Reject("servers", 17 + 31 * rank, "component.name", "the name is empty", _record(rank))
        for rank in range(8)
    ]
    found += [
        Reject(
            "servers", 120 + rank, "component.infos.env",
            f"lookup 'environments' does not know {value!r}", _record(rank) | {"status": value},
        )
        for rank, value in enumerate(("to be scrapped", "unknown"))
    ]  # fmt: skip
    found += [
        Reject(
            "applications", 0, "id", "two entities of this id: the last record wins", {"id": each}
        )
        for each in ("APP Stock", "APP Archive")
    ]
    if hostile:
        found += [Reject(each, 1, each, each, {each: [each]}) for each in HOSTILE]
    return found


def _record(rank: int) -> dict[str, Any]:
    return {
        "id": f"{4_000 + rank}",
        "name": "",
        "status": "production",
        "location": {"site": _SITES[rank % 4], "room": f"B{rank}"},
        "owner": None,
        "interfaces": [{"name": "eth0", "ip": f"10.0.{rank}.12"}],
    }


def _remarks(*, hostile: bool) -> list[Remark]:
    found = [
        Remark("unmapped", "servers", "", 3, ("asset_no",), "servers: fields neither mapped nor"
               " ignored: asset_no, warranty_end, purchase_order"),
        Remark("unknown", "servers", "component.infos.env", 2, ("to be scrapped",), "servers:"
               " component.infos.env met values unknown to lookup 'environments': 'to be scrapped'"
               " (1 times), 'unknown' (1 times)"),
        Remark("orphan", "applications", "service.pattern.name", 1, ("sw-core-01",), "applications:"
               " service.pattern.name named 1 entities that no dataset gave: sw-core-01"),
    ]  # fmt: skip
    if hostile:
        found += [Remark("refused", each, "", 1, (each,), each) for each in HOSTILE]
    return found


def _ask_coverage(settings: Settings, *, hostile: bool) -> None:
    seen = Coverage(
        TARGET,
        alarms=1_286,
        enriched=1_131,
        sources={"acme-cmdb": 1_131, "": 155},
        infos={"application": 1_018, "env": 1_131, HOSTILE[0] if hostile else "site": 1_102},
        unknown=[
            Unknown(HOSTILE[0] if hostile else "sw-core-01", 41, 3, "2026-11-02T08:12:00+00:00",
                    ["sw-core-01", "Gi0/1/sw-core-01"]),
            Unknown("nas-07", 12, 2, "2026-11-19T21:40:00+00:00", ["nas-07"]),
        ],
    )  # fmt: skip
    keep_coverage(settings, seen, LAST - timedelta(hours=9))


def _run_id(job: str, began: datetime) -> str:
    return f"{began:%Y%m%dT%H%M%SZ}-{(began.day * 1013 + sum(job.encode())) % 65536:04x}"


def _begin(ledger: Ledger, report: Report, began: datetime) -> None:
    """A run of a stated id, which `start_run` would draw."""
    first = ledger.start_run(Feed(report.job, TARGET), report.mode, began)
    with ledger.database.writing() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == first).values(id=report.run_id))


def _end(ledger: Ledger, report: Report, ended: datetime) -> None:
    evidence = {name: orjson.loads(orjson.dumps(asdict(read))) for name, read in
                (report.extracted.datasets if report.extracted else {}).items()}  # fmt: skip
    ledger.finish_run(
        report.run_id,
        report.outcome,
        ended,
        counts=report.counts(),
        evidence=evidence,
        checksum=report.planned.checksum if report.planned else "",
        message=report.message,
    )
