"""Jobs of several datasets, end to end: tables, filters, items, services of services, remarks."""

import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import requests
from rich.console import Console

from flows.console import Shown
from flows.outcome import told
from flows.page import summary_markdown
from flows.preview import preview_job
from flows.report import write_report
from flows.run import Report
from referential.errors import PlanRefused
from tests.flows.tables import NAME, estate, people, server
from tests.flows.workshop import KEY, Workshop

UNREADABLE = {"kind": "bad_record", "on": "people", "at": 1, "index": 2, "times": 0}
CUT = {"kind": "short", "on": "people", "at": 2, "times": 0}


@pytest.fixture
def cmdb(workshop: Workshop) -> Workshop:
    """A CMDB of 12 servers in use, 2 that are retired, and all that belongs to them."""
    estate(workshop)
    return workshop


def depends(workshop: Workshop, name: str) -> list[str]:
    """What an entity depends on, as Canopsis computes it."""
    answer = requests.get(
        f"{workshop.canopsis_url}/api/v4/entities/context-graph",
        params={"_id": name},
        headers={"x-canopsis-authkey": KEY},
        timeout=10,
    )
    answer.raise_for_status()
    return sorted(answer.json()["depends"])


def state_of(workshop: Workshop) -> dict[str, bool]:
    return {name: entity["enabled"] for name, entity in workshop.entities().items()}


def retire(workshop: Workshop, *ranks: int) -> None:
    workshop.serve([server(rank, 12) for rank in range(1, 15) if rank not in ranks])


# --- what is loaded


def test_components_items_and_services_arrive_with_the_values_of_their_tables(
    cmdb: Workshop,
) -> None:
    report = cmdb.run(NAME)

    held = cmdb.entities()
    assert report.outcome == "done"
    assert {entity["import_source"] for entity in held.values()} == {"acme-estate"}
    names = [f"srv-{rank:03}" for rank in range(1, 13)]
    components = {name for name, each in held.items() if each["type"] == "component"}
    assert components == set(names)
    resources = {name for name, each in held.items() if each["type"] == "resource"}
    assert resources == {f"eth-{rank}/{name}" for name in names for rank in (0, 1)}
    values = {key: each["value"] for key, each in held["srv-001"]["infos"].items()}
    assert values == {"site": "Nîmes", "owner": "Person 1"}


def test_services_gather_names_over_a_table_and_services_depend_on_services(
    cmdb: Workshop,
) -> None:
    cmdb.run(NAME)

    odd = [f"srv-{rank:03}" for rank in range(1, 13, 2)]
    assert depends(cmdb, "APP-pay") == odd
    assert depends(cmdb, "Sales") == ["APP-pay", "APP-web"]
    assert depends(cmdb, "Research") == ["APP-pay"]


def test_tables_are_read_first_and_give_no_entity(cmdb: Workshop) -> None:
    report = cmdb.run(NAME)

    assert report.extracted is not None
    read = report.extracted.datasets
    assert list(read) == ["people", "servers", "links", "domains"]
    assert [name for name, each in read.items() if each.table] == ["people"]
    assert (read["people"].records, read["people"].entities) == (14, 0)
    assert cmdb.run(NAME).outcome == "nothing-to-do"


def test_what_when_leaves_out_is_counted_and_disabled(cmdb: Workshop) -> None:
    cmdb.run(NAME)
    cmdb.serve([server(rank, 11) for rank in range(1, 15)])

    report = cmdb.run(NAME)

    assert report.counts()["filtered"] == 9  # three records, two items of each
    assert report.counts()["plan"]["disable"] == 3
    held = state_of(cmdb)
    gone = {"srv-012", "eth-0/srv-012", "eth-1/srv-012"}
    assert {name for name, enabled in held.items() if not enabled} == gone


# --- what is reported


REMARKS = [
    ("unmapped", "servers", 1, "interfaces[].mac"),
    ("silent", "servers", 2, "component.infos.rack, resource.each"),
    ("unknown", "servers", 1, "'Z' (1 times)"),
    ("unknown", "servers", 1, "'p999' (1 times)"),
    ("orphan", "domains", 1, "APP-lab"),
    ("dead", "", 1, "sites: X"),
]


def test_what_nobody_asked_about_is_in_the_document_of_the_run(cmdb: Workshop) -> None:
    document = orjson.loads(orjson.dumps(cmdb.run(NAME).document()))

    assert [
        (each["kind"], each["dataset"], each["count"], ", ".join(each["first"]))
        for each in document["remarks"]
    ] == REMARKS
    assert document["datasets"]["servers"]["filtered"] == 6
    assert document["datasets"]["people"]["table"] is True


def test_it_is_a_warning_of_the_log_once_a_run(
    cmdb: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    report = cmdb.run(NAME)

    warned = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert warned == [remark.text for remark in report.remarks]
    for line, (_, _, _, first) in zip(warned, REMARKS, strict=True):
        assert line.endswith(first)


def test_a_job_with_many_remarks_has_the_first_of_them_in_its_log(
    cmdb: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    path = cmdb.folder / "jobs" / "acme" / "estate.yaml"
    info = "          i{}: {{copy: site, lookup: {{A: b}}, unknown: warn}}\n"
    infos = "".join(map(info.format, range(45)))
    text = path.read_text(encoding="utf-8").replace("          rack: {copy: rack}\n", infos)
    path.write_text(text, encoding="utf-8")

    report = cmdb.run(NAME)

    warned = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert len(report.remarks) > 45
    rest = len(report.remarks) - 40
    assert len(warned) == 41
    assert warned[-1] == f"and {rest} more remarks, which the report has"
    assert summary_markdown(report).splitlines()[-1] == f"- and {rest} more, in the report"


def printed(report: Report) -> str:
    stream = io.StringIO()
    Shown(out=Console(file=stream, width=200)).report(report)
    return stream.getvalue()


def summary(report: Report) -> str:
    return summary_markdown(report)


@pytest.mark.parametrize(
    ("show", "servers", "people"),
    [
        (printed, ["servers", "14", "36", "6", "0", "complete"], ["people", "14", "table", "0"]),
        (summary, ["servers", "|", "14", "|", "36", "|", "6", "|", "0"], ["14", "|", "table", "|"]),
    ],
)
def test_filtered_records_and_tables_are_shown(
    show: Callable[[Report], str], servers: list[str], people: list[str], cmdb: Workshop
) -> None:
    lines = [" ".join(line.split()) for line in show(cmdb.run(NAME)).splitlines()]

    for words in (servers, people):
        assert any(" ".join(words) in line for line in lines), lines


def test_the_page_of_the_run_has_remarks_and_counts(cmdb: Workshop) -> None:
    report = cmdb.run(NAME)

    page = write_report(cmdb.settings(), report).read_text(encoding="utf-8")

    row = '<tr><td>servers<td class="n">14<td class="n">36<td class="n">6<td class="n">0'
    assert row in page
    assert '<tr><td>people<td class="n">14<td class="n">table<td class="n">0' in page
    for kind, _, count, first in REMARKS:
        text = first.replace("'", "&#39;")
        assert f"<td>{kind}<td>" in page
        assert f'<td class="n">{count}<td>' in page
        assert text in page


def test_the_summary_for_prefect_lists_the_remarks(cmdb: Workshop) -> None:
    report = cmdb.run(NAME)

    lines = summary_markdown(report).splitlines()

    assert lines[-len(REMARKS) :] == [f"- {remark.text}" for remark in report.remarks]


# --- tables with gaps


def test_nothing_of_what_looks_into_a_table_with_gaps_is_missing(
    cmdb: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    cmdb.run(NAME)
    retire(cmdb, 12)
    cmdb.serve([{"id": "d1", "name": "Sales", "applications": "APP-pay"}], "domains")
    cmdb.api.turn({"faults": [CUT]})

    report = cmdb.run(NAME)

    assert report.extracted is not None
    read = report.extracted.datasets
    assert [name for name, each in read.items() if each.complete] == ["servers", "links", "domains"]
    assert read["servers"].lacking == ("people",)
    assert read["servers"].evidence.endswith(
        "; it looks into people, of which not every row could be read"
    )
    assert report.extracted.complete == {"links", "domains"}
    held = state_of(cmdb)
    assert held["srv-012"]
    assert not held["Research"]
    assert report.outcome == "partial"
    assert "servers looks into people, so nothing of it is missing either" in report.message
    assert "servers: nothing of it is taken for missing: people could not be read whole" in (
        caplog.text
    )
    # of a part of the data neither rows nor names can be said to be asked for by nobody
    assert {remark.kind for remark in report.remarks} == {"unmapped", "unknown"}


def test_values_of_a_table_that_was_cut_stay_until_it_is_read_whole(
    cmdb: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    cmdb.serve(people(12)[::-1], "people")
    cmdb.run(NAME)
    known = cmdb.entities()
    cmdb.api.turn({"faults": [CUT]})  # the last two do not come

    report = cmdb.run(NAME)

    assert report.outcome == "partial"
    assert report.counts()["plan"]["held"] == 2
    assert cmdb.entities() == known
    assert "held back: updates of 2 entities" in caplog.text

    cmdb.api.turn({"faults": []})
    assert cmdb.run(NAME).outcome == "nothing-to-do"


def test_a_service_keeps_its_members_when_their_links_were_cut(cmdb: Workshop) -> None:
    cmdb.run(NAME)
    members = depends(cmdb, "APP-web")
    cmdb.api.turn({"faults": [CUT | {"on": "links"}]})

    report = cmdb.run(NAME)

    assert report.outcome == "partial"
    assert report.extracted is not None
    assert report.extracted.doubtful == {("links", "service")}
    assert report.counts()["plan"]["held"] == 1
    assert depends(cmdb, "APP-web") == members


def test_nothing_is_missing_where_records_have_lost_their_name(
    cmdb: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    cmdb.run(NAME)
    nameless = server(12, 12) | {"name": None}
    cmdb.serve([*(server(rank, 12) for rank in range(1, 12)), nameless])

    report = cmdb.run(NAME)

    assert report.outcome == "done"
    assert state_of(cmdb)["srv-012"]
    assert "servers: nothing of it is taken for missing: " in caplog.text
    assert "have no name; leave them out by `when`, or mend them" in caplog.text


def test_rows_of_a_table_that_cannot_be_read_hold_back_removals_and_no_more(
    cmdb: Workshop,
) -> None:
    cmdb.run(NAME)
    retire(cmdb, 12)
    cmdb.api.turn({"faults": [UNREADABLE]})

    report = cmdb.run(NAME)

    assert report.extracted is not None
    assert report.outcome == "done"
    assert report.extracted.datasets["people"].unread == 1
    assert report.extracted.complete == {"links", "domains"}
    assert state_of(cmdb)["srv-012"]

    cmdb.api.turn({"faults": []})
    assert cmdb.run(NAME).counts()["plan"]["disable"] == 3


def test_a_table_without_rows_is_an_outage_that_one_option_lets_pass(cmdb: Workshop) -> None:
    cmdb.run(NAME)
    cmdb.serve([], "people")
    writes = len(cmdb.imports())

    with pytest.raises(PlanRefused) as refused:
        cmdb.run(NAME)

    said = told(refused.value)
    assert said.startswith(
        "no row in lookup owners, where servers look values up: this is an outage"
    )
    assert "where: jobs/acme/estate.yaml:14:13" in said
    assert "let it pass once: refsync sync acme/estate --allow-missing" in said
    assert len(cmdb.imports()) == writes
    assert cmdb.last_run().outcome == "refused"

    report = cmdb.run(NAME, allow_missing=True)
    assert report.outcome == "done"
    assert report.counts()["plan"]["prune"] == 11


def test_a_plan_with_a_full_command_is_let_pass_by_a_full_command(cmdb: Workshop) -> None:
    cmdb.serve([], "people")

    with pytest.raises(PlanRefused) as refused:
        cmdb.run(NAME, mode="full")

    assert "refsync sync acme/estate --full --allow-missing" in told(refused.value)


def test_rows_whose_keys_are_gone_are_no_rows(cmdb: Workshop) -> None:
    cmdb.serve([{"ident": each["id"], "name": each["name"]} for each in people(12)], "people")

    with pytest.raises(PlanRefused, match="no row in lookup owners"):
        cmdb.run(NAME)


def test_another_refusal_says_that_a_table_has_no_row_too(cmdb: Workshop) -> None:
    cmdb.run(NAME)
    cmdb.serve([], "people")
    cmdb.serve([], "domains")

    with pytest.raises(PlanRefused, match="gave no entity for domains") as refused:
        cmdb.run(NAME)

    assert "also: no row in lookup owners" in told(refused.value)


def test_a_dataset_that_has_become_a_table_is_not_taken_for_empty(cmdb: Workshop) -> None:
    path = cmdb.folder / "jobs" / "acme" / "estate.yaml"
    table = path.read_text(encoding="utf-8")
    block = "    - {dataset: people, component: {name: name}, ignore: [id]}\n"
    path.write_text(table.replace("  entities:\n", f"  entities:\n{block}"), encoding="utf-8")
    cmdb.run(NAME)
    assert state_of(cmdb)["Person 1"]
    path.write_text(table, encoding="utf-8")

    report = cmdb.run(NAME)

    assert report.counts()["plan"]["disable"] == 14
    assert not state_of(cmdb)["Person 1"]


# --- a look at it


def test_a_preview_reads_all_of_a_table_and_one_page_of_what_is_none(cmdb: Workshop) -> None:
    cmdb.serve(people(40), "people")
    cmdb.serve([server(rank, 30) | {"owner": f"p{rank + 10}"} for rank in range(1, 31)])

    seen = preview_job(cmdb.settings(), cmdb.job(NAME), 2)

    assert seen.notes == []
    assert {name: len(records) for name, records in seen.records.items()} == {
        "people": 2,
        "servers": 2,
        "links": 2,
        "domains": 2,
    }
    components = [each for each in seen.entities["servers"] if each["type"] == "component"]
    owners = [each["infos"]["owner"]["value"] for each in components]
    assert owners == ["Person 11", "Person 12"]
    assert seen.entities["people"] == []
    pages = [
        call["query"]["page"] for call in cmdb.api.traffic.calls if call["path"] == "/api/domains"
    ]
    assert pages == ["1"]


def test_a_preview_shows_entities_of_its_first_records_though_a_table_is_read_whole(
    cmdb: Workshop,
) -> None:
    seen = preview_job(cmdb.settings(), cmdb.job(NAME), 3)

    assert [each["name"] for each in seen.entities["servers"] if each["type"] == "component"] == [
        "srv-001",
        "srv-002",
        "srv-003",
    ]
    # `links` looks the names of all servers up
    (service, _) = seen.entities["links"]
    (condition,) = service["entity_pattern"][0]
    assert condition["cond"]["value"] == ["srv-001", "srv-003"]
    assert [remark.kind for remark in seen.remarks] == ["unmapped", "unknown", "unknown"]


def test_a_preview_says_how_much_of_a_long_table_it_read(cmdb: Workshop) -> None:
    seen = preview_job(cmdb.settings(), cmdb.job(NAME), 2, table_records=11)

    what = "is a table: values beyond its first 11 records are unknown here"
    assert seen.notes == [f"people {what}", f"servers {what}"]
    exactly = preview_job(cmdb.settings(), cmdb.job(NAME), 2, table_records=14)
    assert exactly.notes == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (CUT, "people is a table and was not read completely: "),
        (UNREADABLE, "people is a table, and 1 rows of it cannot be read"),
    ],
)
def test_a_preview_says_what_of_a_table_is_not_there(
    fault: dict[str, Any], said: str, cmdb: Workshop
) -> None:
    cmdb.api.turn({"faults": [fault]})

    (note,) = preview_job(cmdb.settings(), cmdb.job(NAME), 2).notes

    assert note.startswith(said)


def test_notes_and_filtered_records_of_a_preview_are_shown(cmdb: Workshop) -> None:
    seen = preview_job(cmdb.settings(), cmdb.job(NAME), 20, table_records=11)
    out, err = io.StringIO(), io.StringIO()
    shown = Shown(out=Console(file=out, width=200), err=Console(file=err, width=200))

    shown.preview(seen, code=False)

    lines = err.getvalue().splitlines()
    assert "servers: 6 left out by when" in lines
    assert "servers: fields neither mapped nor ignored: interfaces[].mac" in lines
