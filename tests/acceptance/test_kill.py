"""A run that dies at any moment, without a word: the next one makes it as if it had not.

A process `refsync sync` is killed (SIGKILL) at a moment of its run, between the first call that the
CMDB receives and the end. Then a run goes to its end.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.cmdb import records
from tests.acceptance.installation import Installation
from tests.acceptance.world import World

JOB = "acme/servers"
COUNT = 2_000
DAY_AFTER = {"changed": 0.3, "gone": 100, "new": 50}
KILLS = 10  # of each test
IMPORTS = {"max_bytes": 200_000, "pace": {"first": 0.01, "longest": 0.05}}
COMMAND = (str(Path(sys.executable).with_name("refsync")), "sync", JOB)


@dataclass
class Trial:
    """The same two systems and the same job, over and over, each time from the same start."""

    world: World
    folder: Path
    prepare: Callable[["Trial", Installation], None]
    count: int = 0

    def begin(self) -> Installation:
        """A new installation, at the point where the run to be killed begins."""
        self.count += 1
        self.world.canopsis.reset()
        self.world.canopsis.knobs.turn({"job_latency": 0.05})
        self.world.api.reset()
        self.world.api.turn({"total": "header"})
        installation = Installation(self.folder / f"trial-{self.count}")
        installation.settle(
            "acme",
            canopsis=self.world.canopsis_url,
            api=f"{self.world.api_url}/api",
            imports=IMPORTS,
        )
        self.prepare(self, installation)
        self.world.api.traffic.clear()
        self.world.forget_traffic()
        return installation

    @contextmanager
    def running(self, installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
        """The process of the run, from the moment when it is through with starting."""
        settings = {"REFSYNC_CONFIG": str(installation.settings_file)}
        with (
            (installation.folder / "output").open("wb") as output,
            subprocess.Popen(
                COMMAND, env=os.environ | settings, stdout=output, stderr=output
            ) as process,
        ):
            deadline = time.monotonic() + 60
            while not self.world.api.traffic.requests:
                assert process.poll() is None, (installation.folder / "output").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.002)
            yield process

    def undisturbed(self) -> tuple[float, bytes]:
        """How many seconds a whole run lasts, and the state it leaves."""
        installation = self.begin()
        with self.running(installation) as process:
            assert process.wait(60) == 0, (installation.folder / "output").read_text()
        run = installation.runs()[0]
        assert run.outcome == "done"
        assert len(self.world.traffic()["imports"]) > 1
        return (run.ended - run.started).total_seconds(), self.settled()

    def killed(self, moment: float) -> Installation:
        """An installation whose run was killed *moment* seconds after its start, or sooner.

        Today's run may be quicker than the one that was measured: one that had ended is no trial.
        """
        while True:
            installation = self.begin()
            with self.running(installation) as process:
                time.sleep(moment)
                process.send_signal(signal.SIGKILL)
                code = process.wait(60)
            if code == -signal.SIGKILL and installation.runs()[0].outcome == "running":
                return installation
            moment *= 0.8

    def settled(self) -> bytes:
        self.world.canopsis.tick()
        return self.world.state()


def moments(seed: int, duration: float) -> list[float]:
    """One at random in each of as many slices of *duration*, in seconds."""
    dice = random.Random(seed)
    return [duration * (slice_ + dice.random()) / KILLS for slice_ in range(KILLS)]


def first_load(trial: Trial, _: Installation) -> None:
    trial.world.api.put_collection("servers", records(COUNT))


def day_after(trial: Trial, installation: Installation) -> None:
    """Everything was loaded; today some have changed, some are gone and some are new."""
    first_load(trial, installation)
    assert installation.sync(JOB).outcome == "done"
    trial.world.api.put_collection("servers", records(COUNT, **DAY_AFTER))


@pytest.mark.parametrize("seed", [20_261_124])
@pytest.mark.parametrize("prepare", [first_load, day_after])
def test_a_run_killed_at_a_random_moment_leaves_nothing_that_the_next_one_does_not_mend(
    world: World, tmp_path: Path, prepare: Callable[[Trial, Installation], None], seed: int
) -> None:
    trial = Trial(world, tmp_path, prepare)
    duration, expected = trial.undisturbed()
    slower, same = trial.undisturbed()
    assert same == expected
    duration = max(duration, slower)  # a moment past the end is drawn back, one too early is lost
    for moment in moments(seed, duration):
        when = f"killed {moment:.3f} s after the start of a run of {duration:.3f} s, seed {seed}"
        killed = trial.killed(moment)

        again = killed.sync(JOB)

        assert again.outcome in ("done", "nothing-to-do"), when
        assert trial.settled() == expected, when
        assert killed.runs()[1].outcome == "interrupted", when
        _is_idle(trial, killed, when)


def _is_idle(trial: Trial, installation: Installation, when: str) -> None:
    trial.world.forget_traffic()
    assert installation.sync(JOB).outcome == "nothing-to-do", when
    assert trial.world.traffic()["imports"] == [], when
