"""What Prefect shows of a run: a summary in Markdown, a table of changes."""

import pytest

from flows.counts import DatasetRead, Extracted
from flows.page import changes_table, summary_markdown
from flows.run import Report
from referential.errors import PlanRefused
from tests.flows.workshop import NAME, Workshop, servers


def test_the_summary_tells_outcome_evidence_plan_load_and_read_back(workshop: Workshop) -> None:
    workshop.serve([*servers(30), {"id": "031"}])

    report = workshop.run()
    lines = summary_markdown(report).splitlines()

    assert lines[0] == f"## {NAME}: done"
    assert lines[2] == f"run `{report.run_id}`, mode sync"
    (row,) = [line for line in lines if line.startswith("| servers")]
    assert row.startswith("| servers | 31 | 30 | 0 | 1 | complete | ")
    assert f"plan: 30 create (checksum `{report.planned.checksum}`)" in lines
    assert any(line.startswith("loaded in 1 imports, ") for line in lines)
    assert "read back: 30 of 30" in lines
    assert f"rejects: 1, see `refsync rejects {report.run_id}`" in lines


def test_the_summary_of_a_refused_run_has_its_message(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve([])
    with pytest.raises(PlanRefused) as refused:
        workshop.run()

    text = summary_markdown(refused.value.report)

    assert text.startswith(f"## {NAME}: refused")
    assert f"```\n{refused.value.report.message}\n```" in text
    assert "**partial**" not in text


def test_nothing_of_the_data_breaks_the_table_or_the_fence() -> None:
    read = DatasetRead(1, 1, 0, complete=False, evidence="a | b\nc <img src=x>")
    report = Report(
        "acme/x",
        "run",
        "sync",
        extracted=Extracted({"d|e": read}),
        message="say ```\nand go on",
    )

    text = summary_markdown(report)

    assert r"| d\|e | 1 | 1 | 0 | 0 | **partial** | a \| b c &lt;img src=x> |" in text
    assert text.count("```") == 2


def test_the_table_of_changes_has_a_row_for_each_up_to_a_limit(workshop: Workshop) -> None:
    report = workshop.run()

    rows = changes_table(workshop.settings(), report, 7)

    assert len(rows) == 7
    assert rows[0] == {
        "change": "Create",
        "entity": "srv-001",
        "kind": "component",
        "dataset": "servers",
        "category": "Server",
    }


def test_there_is_no_table_when_nothing_changes_or_no_plan_was_made(workshop: Workshop) -> None:
    workshop.run()

    assert changes_table(workshop.settings(), workshop.run(), 7) == []
    assert changes_table(workshop.settings(), Report(NAME, "none", "sync"), 7) == []
