"""`refsync explain JOB ID`: from the record to the live entity, over real HTTP."""

from typing import Any

from tests.flows.command import Refsync
from tests.flows.tables import NAME as ESTATE
from tests.flows.tables import estate
from tests.flows.workshop import JOB, NAME, Workshop, servers

MAPPED = JOB.replace(
    "          site: {value: site, description: Site}\n      ignore: [id]\n",
    "          site: {value: site, description: Site}\n          rank: {value: id}\n",
)
SERVICES = JOB.replace(
    """      component:
        name: name
        category: {set: Server}
        infos:
          site: {value: site, description: Site}
      ignore: [id]
""",
    """      component:
        name: name
    - dataset: servers
      service:
        name: "SITE-{{ .site }}"
        pattern: {field: name, cond: is_one_of, value: name}
      ignore: [id]
""",
)
FILTERED = JOB.replace(
    "      ignore: [id]\n",
    "      when: {field: site, cond: eq, value: Nîmes}\n      ignore: [id]\n",
)


def test_an_entity_is_explained_from_its_record_to_canopsis(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(MAPPED)
    run = workshop.run()

    done = refsync("explain", NAME, "srv-012")

    assert done.code == 0
    lines = (workshop.folder / "jobs" / f"{NAME}.yaml").read_text("utf-8").splitlines()
    number = 1 + next(rank for rank, line in enumerate(lines) if "rank: {" in line)
    rule = next(line for line in done.out.splitlines() if line.startswith("component.infos.rank"))
    assert 'id="012"' in rule
    assert f"servers.yaml:{number}:" in rule
    assert run.run_id in done.out
    assert "as the source says now" in done.out
    assert "no difference" in done.out


def test_it_stops_reading_once_the_record_is_found(workshop: Workshop, refsync: Refsync) -> None:
    workshop.serve(servers(100))

    seen = refsync("explain", NAME, "srv-012", "--json").document

    assert seen["rows"] == [
        {"number": 12, "record": {"id": "012", "name": "srv-012", "site": "Nîmes"}}
    ]
    assert seen["records"] == 20  # two pages of ten
    assert seen["known"] is None
    assert [each["field"] for each in seen["differences"]] == ["gone"]


def test_what_others_changed_is_marked_and_whose_it_is(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    with workshop.canopsis.lock:
        live = workshop.canopsis.store.entities["srv-003"]
        live["infos"] = {
            "site": {"name": "site", "description": "Site", "value": "Paris"},
            "owner": {"name": "owner", "description": "", "value": "nobody"},
        }

    seen = refsync("explain", NAME, "srv-003", "--json").document

    assert [tuple(each.values()) for each in seen["differences"]] == [
        ("infos.site", "Nîmes", "Paris", "ours"),
        ("infos.owner", None, "nobody", "theirs"),
    ]


def test_a_reject_is_shown_with_its_reason(workshop: Workshop, refsync: Refsync) -> None:
    workshop.serve([*servers(11), {"id": "x1", "name": "", "site": "Nîmes"}])

    done = refsync("explain", NAME, "x1")

    assert done.code == 0
    assert "reject    component.name: " in done.out
    assert '"id":"x1"' in done.out


def test_a_record_that_is_left_out_is_told_as_such(workshop: Workshop, refsync: Refsync) -> None:
    workshop.write_job(FILTERED)
    workshop.serve([*servers(3), {"id": "004", "name": "srv-004", "site": ""}])

    assert workshop.job()
    seen = refsync("explain", NAME, "srv-004", "--json").document

    assert seen["state"] == "left out"
    assert [row["number"] for row in seen["rows"]] == [4]


def test_an_unknown_id_is_2_and_names_the_nearest(workshop: Workshop, refsync: Refsync) -> None:
    workshop.run()

    done = refsync("explain", NAME, "SRV-012x")

    assert done.code == 2
    assert "did you mean 'srv-012'?" in done.err


def test_of_what_left_the_source_the_ledger_and_canopsis_still_tell(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    workshop.serve(servers(29))
    workshop.run()

    seen = refsync("explain", NAME, "srv-030", "--json").document

    assert seen["state"] == "not in the source"
    assert seen["known"]["state"] == "disabled"
    assert seen["known"]["run"] == workshop.last_run().id
    assert seen["live"]["enabled"] is False


def test_a_service_names_the_rows_of_its_pattern_and_what_depends(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(SERVICES)
    workshop.serve([*servers(2, site="Nice"), {"id": "3", "name": "srv-003", "site": "Lyon"}])
    workshop.run()

    seen = refsync("explain", NAME, "SITE-Nice", "--json").document

    assert [row["number"] for row in seen["rows"]] == [1, 2]
    assert seen["depends"] == ["srv-001", "srv-002"]
    pattern = next(rule for rule in seen["rules"] if "pattern" in rule["rule"])
    assert pattern["value"] == ["srv-001", "srv-002"]


def test_tables_and_lists_are_read_as_a_run_reads_them(
    workshop: Workshop, refsync: Refsync
) -> None:
    estate(workshop)

    def explained(identity: str) -> Any:
        return refsync("explain", ESTATE, identity, "--json").document

    looked_up, item, gathered, retired = map(
        explained, ("srv-004", "eth-0/srv-004", "APP-pay", "srv-013")
    )

    values = {rule["rule"]: rule["value"] for rule in looked_up["rules"]}
    assert values["component.infos.owner"] == "Person 4"
    assert [row["number"] for row in item["rows"]] == [4]
    assert item["entity"]["component"] == "srv-004"
    assert (gathered["dataset"], len(gathered["rows"])) == ("links", 6)
    pattern = gathered["entity"]["entity_pattern"][0][0]["cond"]["value"]
    assert pattern == [f"srv-{rank:03}" for rank in range(1, 12, 2)]
    assert (retired["state"], retired["rows"][0]["number"]) == ("left out", 13)
