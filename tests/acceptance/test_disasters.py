"""Seven accidents of other synchronizations, replayed: nothing is removed, and the message helps.

| where | what happened |
|---|---|
| Icinga Director 2397 | a source was down (503), its list came back empty, all hosts were removed |
| Icinga Director 2473 | a source said that it failed, in an answer that passed for "no objects" |
| netbox-sync 490 | an object that no page of a loop of pages brought was taken for gone |
| nautobot-app-ssot 1275 | a table ended at 10,000 rows because the first answer did |
| airbyte 76465 | a "full" reading brought a part of the records and said that it had succeeded |
| backstage 31554 | the guard against empty sources compared a count that was the text "00" |
| CrossWatch 1468 | two sources each took what the other one gave for orphans |
"""

from pathlib import Path
from typing import Any

import pytest

from flows.misdeclared import Misdeclared
from flows.outcome import EXPECTED, exit_code
from sandbox.cmdb import records
from tests.acceptance.installation import Installation
from tests.acceptance.world import World

JOB = "acme/servers"
COUNT = 2_100  # three pages
SITE = """\
source:
  type: api
  connection: acme-cmdb
  datasets: {hosts: {path: /PATH, data_selector: data, primary_key: id, TOTAL}}
mapping:
  entities:
    - dataset: hosts
      component: {name: name, infos: {site: site}}
sync: {connection: acme-canopsis, import_source: SOURCE, limits: {missing: LIMIT}}
"""
HOSTS = [{"id": str(each), "name": f"host-{each:02}", "site": "Lyon"} for each in range(40)]


@pytest.fixture
def before(world: World, installation: Installation) -> dict[str, Any]:
    """What Canopsis holds after a good day of the job that comes with the product."""
    world.api.turn({"total": "header"})
    _good_day(world, installation, COUNT)
    return world.entities()


@pytest.fixture
def sites(world: World, tmp_path: Path) -> Installation:
    """An installation whose jobs are written by the test."""
    installation = Installation(tmp_path / "installation", tmp_path / "jobs")
    installation.settle("acme", canopsis=world.canopsis_url, api=f"{world.api_url}/api")
    return installation


@pytest.mark.parametrize("status", [503, 500])
def test_director_2397_an_empty_list_after_a_503(
    before: dict[str, Any], world: World, installation: Installation, status: int
) -> None:
    world.api.put_collection("servers", [])
    world.api.turn({"faults": [{"kind": "status", "status": status, "times": 1}]})
    world.api.traffic.clear()

    code, message = _run(installation)

    assert world.api.traffic.statuses[status] == 1
    assert code == 3
    assert "no entity at all, where 2,100 are known: this is an outage" in message
    _nothing_is_removed(world, before, message)


@pytest.mark.parametrize(
    "answer",
    [{"error": "backend unavailable"}, {"error": "backend unavailable", "data": []}],
    ids=["an error in place of records", "an error beside an empty list"],
)
def test_director_2473_a_source_error_taken_for_no_objects(
    before: dict[str, Any], world: World, installation: Installation, answer: dict[str, Any]
) -> None:
    world.api.put_collection("servers", [])
    world.api.turn({"records_path": "nothing", "extra": answer})

    code, message = _run(installation)

    assert code in (1, 3)
    assert "outage" in message or "data" in message
    _nothing_is_removed(world, before, message)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "short", "at": 2, "keep": 0.999, "times": 0},
        {"kind": "rows", "at": 2, "remove": 1},
    ],
    ids=["a page lacks one", "one is passed over, for rows move between two pages"],
)
def test_netbox_sync_490_one_object_missing_from_a_page_loop(
    before: dict[str, Any], world: World, installation: Installation, fault: dict[str, Any]
) -> None:
    world.api.turn({"faults": [fault]})

    code, message = _run(installation)

    assert code == 1
    assert "not read completely: servers" in message
    _nothing_is_removed(world, before, message)


@pytest.mark.parametrize("bent", [{"total_error": 50}, {"total": "none"}])
def test_nautobot_1275_a_table_cut_at_ten_thousand_rows(
    world: World, installation: Installation, bent: dict[str, Any]
) -> None:
    world.api.turn({"total": "header"})
    _good_day(world, installation, 10_050)
    before = world.entities()
    world.api.put_collection("servers", records(10_050)[:10_000])
    world.api.turn(bent)

    code, message = _run(installation)

    assert code == 1
    assert "servers" in message
    assert "10,0" in message or "X-Total-Count" in message
    _nothing_is_removed(world, before, message)


@pytest.mark.parametrize("mode", ["sync", "full"])
def test_airbyte_76465_a_full_reading_of_one_half(
    before: dict[str, Any], world: World, installation: Installation, mode: str
) -> None:
    world.api.put_collection("servers", records(COUNT)[: COUNT // 2])

    code, message = _run(installation, mode=mode)

    assert code == 3
    assert "1,050 of 2,100 entities are missing (50.0 %), limit 210 (10%)" in message
    assert "--allow-missing" in message
    _nothing_is_removed(world, before, message)


@pytest.mark.parametrize("total", ["00", "0", ""])
def test_backstage_31554_a_count_that_is_the_text_00(
    world: World, sites: Installation, total: str
) -> None:
    _job(sites, "hosts", total="total_path: total")
    world.api.put_collection("hosts", HOSTS)
    world.api.turn({"total": "string"})
    assert sites.sync("acme/hosts").outcome == "done"
    before = world.entities()
    world.api.put_collection("hosts", [])
    world.api.turn({"total": "none", "extra": {"total": total}})

    code, message = _run(sites, "acme/hosts")

    assert code in (1, 3)
    assert "no entity at all, where 40 are known" in message or "total" in message
    _nothing_is_removed(world, before, message)


@pytest.mark.parametrize("limit", ['"00"', '"0"', '""', "-1", '"%"'])
def test_backstage_31554_a_limit_that_is_such_a_text_is_a_fault_of_the_job(
    sites: Installation, limit: str
) -> None:
    _job(sites, "hosts", limit=limit)

    with pytest.raises(Misdeclared) as refused:
        sites.job("acme/hosts")

    assert " is no limit\n" in str(refused.value)
    assert "mend: write a percentage from 0% to 100%, with its sign" in str(refused.value)
    assert exit_code(refused.value) == 2


def test_crosswatch_1468_two_sources_do_not_orphan_each_others_entities(
    world: World, sites: Installation
) -> None:
    world.api.turn({"total": "header"})
    halves = {"east": HOSTS[:25], "west": HOSTS[15:]}  # ten hosts are in both
    for name, hosts in halves.items():
        _job(sites, name)
        world.api.put_collection(name, hosts)
    for name in ("east", "west", "east", "west"):
        assert _run(sites, f"acme/{name}")[0] == 0
    before = world.entities()
    assert len(before) == 40
    world.api.put_collection("east", HOSTS[:23])  # two of those that the other one has too

    code, _ = _run(sites, "acme/east")

    assert code == 0
    _nothing_is_removed(world, before)
    assert sites.runs()[0].counts["loaded"] == {"shared": 2}
    for name in ("east", "west"):
        assert sites.sync(f"acme/{name}").outcome == "nothing-to-do"
    world.api.put_collection("west", HOSTS[15:23] + HOSTS[25:])  # the last one that had them
    assert _run(sites, "acme/west")[0] == 0
    off = [name for name, each in world.entities().items() if not each["enabled"]]
    assert sorted(off) == ["host-23", "host-24"]


def _good_day(world: World, installation: Installation, count: int) -> None:
    world.api.put_collection("servers", records(count))
    installation.settle("acme", canopsis=world.canopsis_url, api=f"{world.api_url}/api")
    assert installation.sync(JOB).outcome == "done"
    world.forget_traffic()


def _job(
    sites: Installation,
    name: str,
    *,
    total: str = "total_header: X-Total-Count",
    limit: str = "10%",
) -> None:
    text = SITE.replace("PATH", name).replace("TOTAL", total).replace("LIMIT", limit)
    path = sites.jobs / f"acme/{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("SOURCE", f"acme-{name}"), encoding="utf-8")


def _run(installation: Installation, job: str = JOB, **options: Any) -> tuple[int, str]:
    """The exit code, and what the ledger tells of the run."""
    try:
        code = installation.sync(job, **options).exit_code
    except EXPECTED as error:
        code = exit_code(error)
    return code, installation.runs()[0].message


def _nothing_is_removed(world: World, before: dict[str, Any], message: str = "mend: ") -> None:
    after = world.entities()
    assert {name for name in before if not after.get(name, {}).get("enabled")} == set()
    assert "mend: " in message
