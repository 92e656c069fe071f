"""`refsync ledger`: what it holds, a copy of it, the way back; and what is forgotten."""

import threading
import time
from pathlib import Path

import pytest

from flows.workplace import open_ledger
from referential.change import UNCONFIRMED
from referential.feed import Feed
from referential.queue import in_turn
from tests.flows.command import Refsync
from tests.flows.workshop import JOB, NAME, Workshop, servers

FEED = Feed(NAME, "acme-canopsis")


def lose_the_ledger(workshop: Workshop) -> None:
    for path in (workshop.folder / "state").glob("ledger.db*"):
        path.unlink()


def datasets(workshop: Workshop) -> set[str]:
    with open_ledger(workshop.settings()) as ledger:
        return set(ledger.known(FEED)["dataset"])


# --- export, import, info


def test_a_ledger_comes_back_from_its_export_as_if_nothing_had_been(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    done = refsync("ledger", "export", "ledger.jsonl")
    assert (done.code, done.err) == (0, "export: 30 of 30\n")
    assert "written to ledger.jsonl: 1 feeds, 1 runs, 1 imports, 30 entities" in done.out
    lose_the_ledger(workshop)

    back = refsync("ledger", "import", "ledger.jsonl")

    assert back.code == 0
    assert "taken in from ledger.jsonl: 1 feeds, 1 runs, 1 imports, 30 entities" in back.out
    assert workshop.run().outcome == "nothing-to-do"
    again = refsync("ledger", "import", "ledger.jsonl")
    assert again.code == 1
    assert "knows 30 entities, 2 runs of this feed already" in again.err
    assert refsync("ledger", "import", "ledger.jsonl", "--replace", "--json").document == {
        "feeds": 1,
        "runs": 1,
        "imports": 1,
        "entities": 30,
    }


def test_a_file_that_is_not_there_and_a_job_that_never_ran_are_told(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()

    assert refsync("ledger", "import", "nothing.jsonl").code == 2
    unknown = refsync("ledger", "export", "one.jsonl", "--job", "acme/never")
    assert unknown.code == 1
    assert "the ledger has nothing of acme/never" in unknown.err
    assert not Path("one.jsonl").exists()


def test_info_counts_what_each_feed_owns(workshop: Workshop, refsync: Refsync) -> None:
    workshop.run()
    workshop.serve(servers(29))
    workshop.run()

    (feed,) = refsync("ledger", "info", "--json").document["feeds"]

    assert (feed["job"], feed["target"]) == (NAME, "acme-canopsis")
    assert (feed["enabled"], feed["disabled"], feed["unconfirmed"]) == (29, 1, 0)
    assert (feed["runs"], feed["held_by"]) == (2, "")
    assert "acme/servers" in refsync("ledger", "info").out


def test_info_of_a_new_ledger_says_so(workshop: Workshop, refsync: Refsync) -> None:
    assert workshop.folder.is_dir()
    assert "no job has run yet" in refsync("ledger", "info").out


# --- rebuild


def test_a_rebuilt_ledger_sends_all_again_and_disables_nothing_that_a_part_lacks(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    lose_the_ledger(workshop)

    done = refsync("ledger", "rebuild", NAME)

    assert done.code == 0, done.err
    assert "acme/servers owns what acme-cmdb loaded: 30 enabled, 0 disabled" in done.out
    with open_ledger(workshop.settings()) as ledger:
        known = ledger.known(FEED)
    assert set(known["fingerprint"]) == {UNCONFIRMED}
    assert set(known["dataset"]) == {""}
    assert set(known["infos"]) == {"site"}
    assert set(known["category"]) == {"Server"}

    workshop.serve(servers(28))
    workshop.api.turn({"total_error": 2})
    partial = workshop.run()
    assert partial.outcome == "partial"
    assert partial.planned is not None
    assert partial.planned.counts["update"] == 28
    assert partial.planned.counts["disable"] == 0
    assert datasets(workshop) == {"servers", ""}

    workshop.api.turn({"total_error": 0})
    whole = workshop.run()
    assert whole.outcome == "done"
    assert whole.planned is not None
    assert whole.planned.counts["disable"] == 2
    assert workshop.run().outcome == "nothing-to-do"


def test_a_rebuilt_ledger_keeps_what_others_wrote_on_our_entities(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    with workshop.canopsis.lock:
        infos = workshop.canopsis.store.entities["srv-001"]["infos"]
        infos["owner"] = {"name": "owner", "description": "by hand", "value": "Zoé"}
    lose_the_ledger(workshop)

    assert refsync("ledger", "rebuild", NAME).code == 0
    assert workshop.run().outcome == "done"

    infos = workshop.entities()["srv-001"]["infos"]
    assert sorted(infos) == ["owner", "site"]


def test_what_is_disabled_in_canopsis_is_rebuilt_as_disabled(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    workshop.serve(servers(29))
    workshop.run()
    before = workshop.known()
    lose_the_ledger(workshop)

    assert refsync("ledger", "rebuild", NAME, "--json").document == {"enabled": 29, "disabled": 1}

    assert workshop.known() == before


def test_a_ledger_that_knows_the_job_is_not_rebuilt_without_being_told_to(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()

    refused = refsync("ledger", "rebuild", NAME)

    assert refused.code == 1
    assert "the ledger knows 30 entities of this feed already" in refused.err
    assert datasets(workshop) == {"servers"}
    assert refsync("ledger", "rebuild", NAME, "--replace").code == 0
    assert datasets(workshop) == {""}
    assert [run.mode for run in workshop.runs()] == ["rebuild", "rebuild", "sync"]


def test_two_jobs_of_one_import_source_are_not_rebuilt(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(JOB, "acme/others")

    refused = refsync("ledger", "rebuild", NAME)

    assert refused.code == 2
    assert "acme/others loads into the same Canopsis under the same import source" in refused.err


# --- what past runs left


def test_the_spools_of_past_runs_are_removed_but_the_last_ones(workshop: Workshop) -> None:
    text = (workshop.folder / "refsync.yaml").read_text(encoding="utf-8")
    workshop.write_settings(f"{text}\nretention: {{spools: 2}}\n")
    folder = workshop.folder / "state" / "spool" / NAME
    (folder / "notes").mkdir(parents=True)

    runs = [workshop.run().run_id for _ in range(4)]

    assert sorted(path.name for path in folder.iterdir()) == [*sorted(runs)[2:], "notes"]
    assert len(workshop.runs()) == 4


def test_runs_that_are_too_many_are_forgotten_with_their_pages(
    workshop: Workshop, refsync: Refsync
) -> None:
    text = (workshop.folder / "refsync.yaml").read_text(encoding="utf-8")
    workshop.write_settings(f"{text}\nretention: {{runs: 10}}\n")
    reports = workshop.folder / "state" / "reports" / NAME
    refsync("sync", NAME)
    (first,) = (path.stem for path in reports.glob("*.html"))

    for _ in range(10):
        workshop.run()

    assert len(workshop.runs()) == 10
    assert first not in {run.id for run in workshop.runs()}
    assert not (reports / f"{first}.html").exists()


def test_what_cannot_be_cleared_away_is_a_warning_and_not_a_failure(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    text = (workshop.folder / "refsync.yaml").read_text(encoding="utf-8")
    workshop.write_settings(f"{text}\nretention: {{spools: 1}}\n")
    blocked = workshop.folder / "state" / "spool" / NAME / "20200101T000000Z-0000"
    blocked.parent.mkdir(parents=True)
    blocked.symlink_to(workshop.folder / "home")  # a link to a folder is none of our folders

    report = workshop.run()

    assert report.outcome == "done"
    assert "what past runs left could not be cleared away" in caplog.text


# --- the import queue


def test_a_run_waits_for_the_one_that_loads_and_says_for_which(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "refsync")
    outcomes: list[str] = []
    thread = threading.Thread(target=lambda: outcomes.append(workshop.run().outcome))
    with open_ledger(workshop.settings()) as ledger:
        other = Feed("acme/disks", "acme-canopsis")
        with in_turn(ledger, other, "run-of-another", lambda _ahead: None):
            thread.start()
            deadline = time.monotonic() + 60
            while "waiting to load into acme-canopsis" not in caplog.text:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert workshop.imports() == []
    thread.join(60)

    assert outcomes == ["done"]
    assert len(workshop.imports()) == 1
    assert "waiting to load into acme-canopsis: run run-of-another of acme/disks (" in caplog.text
    assert "no other run loads into acme-canopsis now: going on" in caplog.text
