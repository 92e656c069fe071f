"""How long a stage may take, and when it is tried again."""

from dataclasses import dataclass

import pytest

from flows.policies import TookTooLong, Watch, delays, limit_of
from flows.workplace import silent
from tests.flows.workshop import JOB, Workshop

TIMEOUTS = "  timeouts: {extract: 2h, load: 90}\n  retries: 2\n"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_stage_may_take_its_time_when_the_job_says_nothing(workshop: Workshop) -> None:
    watch = Watch(workshop.job(), Clock())
    watch.begin("extract")

    assert (watch.left("extract"), watch.over("extract"), watch.retries) == (None, False, 3)


def test_the_time_of_a_stage_runs_from_its_first_attempt(workshop: Workshop) -> None:
    workshop.write_job(JOB + TIMEOUTS)
    clock = Clock()
    watch = Watch(workshop.job(), clock)
    watch.begin("extract")
    clock.now = 7_000
    watch.begin("extract")

    assert (watch.left("extract"), watch.left("load"), watch.retries) == (200, 90, 2)


def test_who_tells_how_far_it_is_is_told_that_its_time_is_over(workshop: Workshop) -> None:
    workshop.write_job(JOB + TIMEOUTS)
    clock, told = Clock(), list[int]()
    watch = Watch(workshop.job(), clock)
    tell = watch.told(lambda _stage, done, _total: told.append(done))
    watch.begin("extract")
    tell("extract", 10, None)
    clock.now = 7_200

    with pytest.raises(TookTooLong) as late:
        tell("extract", 20, None)

    assert told == [10]
    assert str(late.value) == "the extraction took longer than 2h (sync.timeouts.extract)"
    notes = "\n".join(late.value.__notes__)
    assert "where: jobs/acme/servers.yaml:" in notes
    assert "mend: give sync.timeouts.extract more" in notes


def test_one_stage_does_not_take_the_time_of_another(workshop: Workshop) -> None:
    workshop.write_job(JOB + TIMEOUTS)
    clock = Clock()
    watch = Watch(workshop.job(), clock)
    watch.begin("extract")
    clock.now = 8_000
    watch.begin("load")

    watch.told(silent)("load", 1, 2)

    assert watch.left("load") == 90
    assert limit_of(workshop.job().sync, "verify") is None


def test_pauses_grow_up_to_five_minutes() -> None:
    assert delays(0) == []
    assert delays(10) == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]
