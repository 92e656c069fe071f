"""A run that ended early is gone on with: from what it has read, or from the start."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.asked import asked_of
from flows.misdeclared import Misdeclared
from flows.resume import left_by
from flows.run import Report, directly, run_job
from flows.spool import Spool
from flows.workplace import Options, open_ledger
from referential.errors import Locked, Refused
from referential.history import Run
from referential.ledger import utc_now
from tests.flows.command import Refsync
from tests.flows.workshop import JOB, NAME, Workshop, servers

LIMITED = JOB.replace("  import_source:", "  limits: {changed: 100%}\n  import_source:")
STAGES = ("check", "extract", "plan", "guard", "load", "verify", "converge", "record")
# moments, and ids that Canopsis makes up: of its own, and of the one category that there is
PASSING = ("imported", "created", "updated", "_id", "category")
DYING = """\
import os, signal
from pathlib import Path
from flows.job import load_job
from flows.run import run_job
from flows.settings import load_settings
from flows.workplace import Options
def call(stage, *arguments):
    if stage.__name__ == "{stage}":
        os.kill(os.getpid(), signal.SIGKILL)
    return stage(*arguments)
run_job(load_settings(), load_job("acme/servers", Path("jobs")), Options(), call=call)
"""


class Killed(BaseException):
    """What ends a run between two stages, as a signal would."""


@dataclass(frozen=True)
class Until:
    """Calls stages until the one named, before or after which the run is over."""

    stage: str
    before: bool = True

    def __call__(self, stage: Any, *arguments: Any) -> Any:
        here = stage.__name__ == self.stage
        if here and self.before:
            raise Killed
        answer = directly(stage, *arguments)
        if here:
            raise Killed
        return answer


def broken(workshop: Workshop, stage: str, *, before: bool = True, **options: Any) -> Run:
    """A run that ended at *stage*."""
    until = Until(stage, before=before)
    with pytest.raises(Killed):
        run_job(workshop.settings(), workshop.job(), Options(**options), call=until)
    return workshop.last_run()


def resumed(workshop: Workshop, run: Run) -> Report:
    left = left_by(workshop.settings(), run.id)
    return run_job(workshop.settings(), left.job, left.options, left=left)


def refusal(workshop: Workshop, run: Run) -> str:
    with pytest.raises(Refused) as refused:
        left_by(workshop.settings(), run.id)
    return "\n".join([str(refused.value), *refused.value.__notes__])


def state(workshop: Workshop) -> dict[str, Any]:
    """What Canopsis and the ledger hold, but for what passes."""
    return {"canopsis": lasting(workshop.entities()), "ledger": workshop.known()}


def lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: lasting(each) for key, each in value.items() if key not in PASSING}
    return value


def second_day(workshop: Workshop) -> None:
    """Ten servers have moved, three are gone, two are new."""
    moved, all_of_them = servers(10, site="Arles"), servers(32)
    workshop.serve([*moved, *all_of_them[10:27], *all_of_them[30:]])


@pytest.fixture
def unbroken(workshop: Workshop) -> dict[str, Any]:
    """The state after two days without an accident; the workshop is before the second one."""
    workshop.write_job(LIMITED)
    workshop.run()
    second_day(workshop)
    workshop.run()
    seen = state(workshop)
    workshop.canopsis.reset()
    for path in (workshop.folder / "state").glob("ledger.db*"):
        path.unlink()
    workshop.serve(servers(30))
    workshop.run()
    second_day(workshop)
    return seen


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_ends_at_a_stage_and_is_resumed_leaves_what_an_unbroken_one_leaves(
    workshop: Workshop, unbroken: dict[str, Any], stage: str, *, before: bool
) -> None:
    run = broken(workshop, stage, before=before)
    assert run.outcome == "interrupted"
    was_read = STAGES.index(stage) > 1 or (stage == "extract" and not before)

    report = resumed(workshop, run)

    assert state(workshop) == unbroken
    assert report.outcome in ("done", "nothing-to-do")
    assert workshop.last_run().counts["resumes"] == run.id
    assert ("extract" in report.stages, "take_over" in report.stages) == (not was_read, was_read)


@pytest.mark.parametrize("stage", ["plan", "verify"])
def test_a_run_whose_process_was_killed_is_resumed(
    workshop: Workshop, unbroken: dict[str, Any], stage: str
) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DYING.format(stage=stage)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL
    run = workshop.last_run()
    assert run.outcome == "running"

    report = resumed(workshop, run)

    assert report.outcome in ("done", "nothing-to-do")
    assert state(workshop) == unbroken
    assert [each.outcome for each in workshop.runs()][1] == "interrupted"


def test_what_was_read_is_loaded_and_the_source_is_not_read_again(workshop: Workshop) -> None:
    run = broken(workshop, "plan")
    workshop.serve(servers(3))

    report = resumed(workshop, run)

    assert (report.outcome, len(workshop.entities())) == ("done", 30)


def test_a_run_that_resumed_another_can_be_resumed_itself(workshop: Workshop) -> None:
    first = broken(workshop, "plan", mode="full")
    left = left_by(workshop.settings(), first.id)
    with pytest.raises(Killed):
        run_job(workshop.settings(), left.job, left.options, left=left, call=Until("load"))
    second = workshop.last_run()
    workshop.serve([])

    again = left_by(workshop.settings(), second.id)
    report = resumed(workshop, second)

    assert again.read == left.read < second.started
    assert (report.outcome, report.mode, len(workshop.entities())) == ("done", "full", 30)


def test_the_options_of_the_run_are_those_of_the_one_that_goes_on(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve(servers(3))
    run = broken(workshop, "guard", allow_missing=True)

    report = resumed(workshop, run)

    assert report.planned is not None
    assert report.planned.counts["disable"] == 27
    assert report.outcome == "done"


def test_the_guard_and_the_expectations_of_the_job_hold_for_what_was_read_before(
    workshop: Workshop,
) -> None:
    expecting = JOB.replace("sync:\n", "  expect:\n    servers: {min: 40}\nsync:\n")
    workshop.write_job(expecting)
    run = broken(workshop, "plan")

    with pytest.raises(Exception, match="40"):
        resumed(workshop, run)

    assert workshop.entities() == {}
    assert workshop.last_run().outcome == "refused"


def test_a_mapping_that_changed_since_is_read_with_from_the_start(workshop: Workshop) -> None:
    run = broken(workshop, "plan")
    workshop.write_job(JOB.replace("description: Site", "description: Place"))

    left = left_by(workshop.settings(), run.id)

    assert "the mapping of the job has changed" in left.restarts
    assert "extract" in resumed(workshop, run).stages


def test_files_that_are_not_whole_are_not_taken_over(workshop: Workshop) -> None:
    run = broken(workshop, "plan")
    entities = Spool(workshop.settings().spool / NAME / run.id).entities
    entities.write_bytes(entities.read_bytes()[:-40])

    assert left_by(workshop.settings(), run.id).restarts == "its files are not whole"


def test_a_run_that_ended_well_or_is_unknown_is_refused(workshop: Workshop) -> None:
    workshop.run()
    done = workshop.last_run()

    assert "it ended well: done" in refusal(workshop, done)
    with pytest.raises(Misdeclared, match="no run 'nothing' in the ledger"):
        left_by(workshop.settings(), "nothing")


def test_a_mere_plan_is_made_anew(workshop: Workshop) -> None:
    run = broken(workshop, "guard", only_plan=True)

    assert "it is a plan, which begins anew" in refusal(workshop, run)


@pytest.mark.parametrize("later", ["done", "interrupted"])
def test_older_data_do_not_come_after_newer_ones(workshop: Workshop, later: str) -> None:
    run = broken(workshop, "plan")
    workshop.serve(servers(31))
    if later == "done":
        workshop.run()
    else:
        broken(workshop, "verify")
    newer = workshop.last_run()

    said = refusal(workshop, run)

    assert f"run {newer.id} of the same feed ({later}) has brought newer data since" in said


def test_a_later_run_that_loaded_nothing_is_no_hindrance(workshop: Workshop) -> None:
    run = broken(workshop, "plan")
    broken(workshop, "load")

    assert resumed(workshop, run).outcome == "done"


def test_newer_data_that_come_in_between_are_seen_under_the_lock(workshop: Workshop) -> None:
    run = broken(workshop, "plan")
    left = left_by(workshop.settings(), run.id)
    workshop.run()

    with pytest.raises(Refused, match="has brought newer data since"):
        run_job(workshop.settings(), left.job, left.options, left=left)


def test_what_was_cleared_away_cannot_be_gone_on_with(workshop: Workshop) -> None:
    run = broken(workshop, "plan")
    shutil.rmtree(workshop.settings().spool / NAME / run.id)

    assert "its files are gone from the spool" in refusal(workshop, run)


def test_so_many_later_spools_tell_that_the_own_one_was_cleared_away(workshop: Workshop) -> None:
    run = broken(workshop, "check")
    assert left_by(workshop.settings(), run.id).restarts == "it had not begun to read"

    for day in range(1, 6):
        (workshop.settings().spool / NAME / f"2999010{day}T000000Z-0000").mkdir(parents=True)

    assert "its files are gone from the spool" in refusal(workshop, run)


def test_data_of_more_than_a_day_need_to_be_forced(workshop: Workshop, refsync: Refsync) -> None:
    run = broken(workshop, "plan")
    spool = Spool(workshop.settings().spool / NAME / run.id)
    asked = asked_of(spool)
    assert asked is not None
    old = replace(asked, read=utc_now() - timedelta(hours=30))
    path = spool.folder / "asked.json"
    path.write_text(path.read_text().replace(asked.read.isoformat(), old.read.isoformat()))

    refused = refsync("resume", run.id)
    forced = refsync("resume", run.id, "--force")

    assert refused.code == 1
    assert "it was read 30 hours ago, and the limit is 24" in refused.err
    assert "--force loads it as it is" in refused.err
    assert (forced.code, len(workshop.entities())) == (0, 30)


def test_a_run_that_is_still_at_work_is_left_alone(workshop: Workshop) -> None:
    with open_ledger(workshop.settings()) as ledger:
        run = ledger.start_run(workshop.job().feed, "sync", utc_now())
        with ledger.lock(workshop.job().feed, run):
            left = left_by(workshop.settings(), run)
            with pytest.raises(Locked, match=f"run {run} .* has held this feed"):
                run_job(workshop.settings(), left.job, left.options, left=left)


def test_the_command_says_what_it_goes_on_with(workshop: Workshop, refsync: Refsync) -> None:
    unread = broken(workshop, "extract")
    anew = refsync("resume", unread.id)
    workshop.serve(servers(31))
    read = broken(workshop, "plan")
    going_on = refsync("resume", read.id, "--json")

    assert (anew.code, going_on.code) == (0, 0)
    assert f"{NAME} runs from its start: its extraction was not finished" in anew.err + anew.out
    assert going_on.document["counts"]["resumes"] == read.id
    assert going_on.document["outcome"] == "done"
