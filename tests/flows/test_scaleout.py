"""Slices read by threads or by a Dask cluster: the spool is the one that one reading leaves."""

import sys
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from flows.cluster import local_cluster
from flows.misdeclared import Misdeclared
from flows.run import Report
from sources.errors import Unreachable, Unreadable
from tests.flows import sliced
from tests.flows.workshop import SETTINGS, Workshop

SPOOLED = ("entities.jsonl", "index.jsonl", "rejects.jsonl", "plan.jsonl")
COUNT = 2_000


@pytest.fixture
def farm(workshop: Workshop) -> Workshop:
    sliced.deliver(workshop.folder / "drop", COUNT)
    settle(workshop)
    return workshop


def settle(workshop: Workshop, more: str = "") -> None:
    settings = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(settings + sliced.DROP + more)


def plan(workshop: Workshop, **sync: Any) -> Report:
    """What a run would do, on an empty ledger each time."""
    workshop.write_job(sliced.job(**sync), sliced.NAME)
    return workshop.run(sliced.NAME, only_plan=True)


def spooled(workshop: Workshop, report: Report) -> dict[str, bytes]:
    folder = workshop.folder / "state" / "spool" / sliced.NAME / report.run_id
    assert not list(folder.glob("*part*"))
    return {name: folder.joinpath(name).read_bytes() for name in SPOOLED}


def refused_records(lines: list[bytes]) -> list[str]:
    return sorted(str(orjson.loads(line)["record"]) for line in lines)


def tally(workshop: Workshop, report: Report) -> Any:
    return workshop.summary(report.run_id, sliced.NAME)["tally"]


@pytest.mark.parametrize("slices", [2, 3, 8])
def test_slices_leave_the_spool_that_one_reading_leaves(farm: Workshop, slices: int) -> None:
    whole = plan(farm)
    cut = plan(farm, slices=slices)

    assert spooled(farm, cut) == spooled(farm, whole)
    assert tally(farm, cut) == tally(farm, whole)
    assert cut.planned == whole.planned
    assert cut.extracted is not None
    assert whole.extracted is not None
    assert cut.extracted.records == whole.extracted.records == COUNT + 3


def test_a_cluster_of_this_machine_leaves_the_same_spool(farm: Workshop, tmp_path: Path) -> None:
    whole = plan(farm)
    settle(farm, f"shared: file://{tmp_path}/parts\n")
    cut = plan(farm, slices=4, runner="dask")

    assert spooled(farm, cut) == spooled(farm, whole)
    assert tally(farm, cut) == tally(farm, whole)
    assert cut.planned == whole.planned
    assert not list((tmp_path / "parts").rglob("*.*"))


def test_a_cluster_of_this_machine_is_reached_from_it_alone() -> None:
    with local_cluster(1):
        ours = [psutil.Process(), *psutil.Process().children(recursive=True)]
        named = [each for each in ours if each.is_running()]
        open_to = {
            socket.laddr.ip
            for each in named
            for socket in each.net_connections("tcp")
            if socket.status == psutil.CONN_LISTEN
        }

    assert open_to == {"127.0.0.1"}


CONTESTED = """\
source:
  type: csv
  connection: drop
  datasets:
    things: {path: "things-*.csv", file_selection: all, newest_by: name}
mapping:
  entities:
    - dataset: things
      when: {field: kind, cond: eq, value: c}
      component: {name: name}
    - dataset: things
      when: {field: kind, cond: eq, value: s}
      service: {name: name, pattern: {field: name, cond: is_one_of, value: {copy: of, split: ","}}}
sync:
  connection: acme-canopsis
  import_source: acme-things
"""


@pytest.mark.parametrize("slices", [2, 4])
def test_an_id_that_slices_give_to_two_kinds_goes_to_the_first_of_them(
    farm: Workshop, slices: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "refsync")
    files = ["c;a;\ns;b;a\n", "c;b;\nc;d;\n", "s;a;d\ns;e;a\n", "c;e;\ns;d;a\nc;f;\n"]
    for number, rows in enumerate(files):
        path = farm.folder / "drop" / f"things-{number}.csv"
        path.write_text(f"kind;name;of\n{rows}", "utf-8")
    farm.write_job(CONTESTED, sliced.NAME)
    whole = farm.run(sliced.NAME, only_plan=True)
    farm.write_job(CONTESTED + f"  slices: {slices}\n", sliced.NAME)
    cut = farm.run(sliced.NAME, only_plan=True)

    assert spooled(farm, cut) == spooled(farm, whole)
    assert tally(farm, cut) == tally(farm, whole)
    assert tally(farm, whole)["datasets"]["things"]["reasons"]["service.name: id taken"] == 2
    assert "a slice is read again" in caplog.text


def test_the_pages_of_a_source_make_no_difference_to_entities(farm: Workshop) -> None:
    whole = plan(farm, page=7)
    cut = plan(farm, page=450, slices=5)

    one, other = spooled(farm, whole), spooled(farm, cut)
    # what could not be read stands before what could not be mapped of its page, and counts there
    refused = [each.pop("rejects.jsonl").splitlines() for each in (one, other)]
    assert refused_records(refused[0]) == refused_records(refused[1])
    assert one == other


@pytest.mark.parametrize("runner", ["threads", "dask"])
def test_a_source_that_fails_ends_the_run_as_it_would_in_one_process(
    farm: Workshop, runner: str
) -> None:
    # bytes that are no text, in the last slice
    farm.folder.joinpath("drop", "servers-7.csv").write_bytes(b"id;name\n\xff\xfe\x00\n")
    with pytest.raises(Unreadable) as alone:
        plan(farm)

    with pytest.raises(Unreadable) as cut:
        plan(farm, slices=4, runner=runner)

    assert str(cut.value) == str(alone.value)
    assert cut.value.__notes__ == alone.value.__notes__
    assert not list(farm.folder.glob("state/spool/**/parts*"))


def test_without_dask_the_message_says_how_to_have_it(
    farm: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(Misdeclared) as refused:
        plan(farm, slices=4, runner="dask")

    (fault,) = refused.value.faults
    assert fault.what == "`runner: dask` needs distributed, which is not installed"
    assert "refsync[dask]" in fault.mend
    assert "farm.yaml:" in fault.where


def test_a_scheduler_that_is_not_there_is_an_outage(
    farm: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.cluster._CONNECT", 1)
    settle(farm, "dask: tcp://127.0.0.1:9\n")

    with pytest.raises(Unreachable) as gone:
        plan(farm, slices=4, runner="dask")

    assert "where: tcp://127.0.0.1:9" in gone.value.__notes__
