"""`refsync coverage CONNECTION`: what open alarms carry, and which entities no feed knows."""

import csv

import requests

from tests.flows.command import Refsync
from tests.flows.workshop import KEY, Workshop


def alarm(workshop: Workshop, component: str, resource: str = "", state: int = 3) -> None:
    event = {
        "event_type": "check",
        "connector": "zabbix",
        "connector_name": "main",
        "source_type": "resource" if resource else "component",
        "component": component,
        "state": state,
        "output": "disk full",
    } | ({"resource": resource} if resource else {})
    url, head = f"{workshop.canopsis_url}/api/v4/event", {"x-canopsis-authkey": KEY}
    answer = requests.post(url, json=event, headers=head, timeout=10)
    assert answer.json()["sent_events"], answer.text
    requests.post(f"{workshop.canopsis_url}/sandbox/tick", timeout=10).raise_for_status()


def test_alarms_are_counted_by_source_and_by_info_and_the_unknown_are_listed(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    alarm(workshop, "srv-001")
    alarm(workshop, "srv-002", "disk")  # its component is ours
    alarm(workshop, "ghost", "disk")
    alarm(workshop, "ghost", "cpu", state=1)
    alarm(workshop, "phantom", state=2)
    todo = workshop.folder / "todo.csv"

    done = refsync("coverage", "acme-canopsis", "--export", str(todo), "--json")

    assert done.code == 0
    seen = done.document
    assert (seen["alarms"], seen["enriched"]) == (5, 2)
    assert seen["infos"] == {"site": 2}
    assert seen["sources"] == {"acme-cmdb": 1, "": 4}
    assert [(each["component"], each["alarms"], each["worst"]) for each in seen["unknown"]] == [
        ("ghost", 2, 3),
        ("phantom", 1, 2),
    ]
    with todo.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["component"] for row in rows] == ["ghost", "phantom"]
    assert set(rows[0]["entities"].split()) == {"disk/ghost", "cpu/ghost"}


def test_people_read_how_many_alarms_were_read(workshop: Workshop, refsync: Refsync) -> None:
    workshop.run()
    alarm(workshop, "srv-001")

    done = refsync("coverage", "acme-canopsis")

    assert done.code == 0
    assert "acme-canopsis: 1 open alarm read" in done.out
    assert "1 carry infos of ours (100 %)" in done.out


def test_without_alarms_there_is_no_share(workshop: Workshop, refsync: Refsync) -> None:
    assert workshop.job()

    done = refsync("coverage", "acme-canopsis")

    assert done.code == 0
    assert "0 open alarms read" in done.out


def test_an_unknown_connection_is_2(workshop: Workshop, refsync: Refsync) -> None:
    assert workshop.job()

    done = refsync("coverage", "acme-canopsys")

    assert done.code == 2
    assert "did you mean 'acme-canopsis'?" in done.err
