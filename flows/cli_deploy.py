"""The commands `refsync deploy` and `refsync serve`: jobs with a schedule become deployments."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.arguments import AsJson, Count, JobName
from flows.check import every_job
from flows.console import Shown
from flows.console_deploy import Shape, show_rollout
from flows.deployable import Found, backfill, find
from flows.durations import span_of
from flows.job import jobs_folder
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import DONE, MISDECLARED
from flows.placement import Placement, here, in_containers, in_processes, run_environment
from flows.prefect_env import settle
from flows.rollout import Rollout
from flows.settings import Settings, load_settings

Prune = Annotated[
    bool,
    Parameter(negative="", help="Delete deployments whose job is gone, or has no schedule now."),
]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a command was asked for: the jobs by name, all of them when there is none."""

    settings: Settings
    names: Sequence[str]
    prune: bool

    @property
    def folder(self) -> Path:
        return jobs_folder(self.settings.jobs)


def deploy(
    *jobs: JobName,
    pool: Annotated[str, Parameter(help="Work pool whose workers run the jobs.")],
    image: Annotated[str, Parameter(help="Image of the runs, for a pool of type docker.")] = "",
    volume: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            help="HOST:CONTAINER to mount for a pool of type docker, where the runs find /refsync"
            " and /jobs; without one, the folders of the settings and of the jobs.",
        ),
    ] = (),
    prune: Prune = False,
    dry_run: Annotated[bool, Parameter(negative="", help="Say what would be done.")] = False,
    json: AsJson = False,
) -> int:
    """Make a Prefect deployment of every job that has a schedule, for the workers of a pool.

    Exit codes: 0 done, 1 Prefect does not answer or refuses, 2 mis-declared.

    For example

        refsync deploy --pool nightly
        refsync deploy --pool nightly --prune --dry-run
        refsync deploy --pool containers --image refsync:0.1.0 acme/servers
    """
    shown, settings = Shown(json), load_settings()
    wish = _Wish(settings, jobs, prune)
    settle(settings.state)
    from flows import deployments, prefect_client  # noqa: PLC0415 - after `settle`

    prefect_client.server()  # before anything else: without it there is nothing to do
    place = _in_pool(wish, pool, deployments.kind_of_pool(pool), image, volume)
    found, rollout = _roll_out(wish, place, dry_run=dry_run)
    shape = Shape(pool=pool, dry_run=dry_run, prune=prune)
    show_rollout(shown, shape, found, rollout)
    return MISDECLARED if found.faults else DONE


def serve(
    *jobs: JobName,
    limit: Annotated[Count, Parameter(help="Runs at once, of all jobs together.")] = 5,
    grace: Annotated[
        str, Parameter(help="Time that runs at work have to end when it is stopped: 30s, 5m.")
    ] = "30s",
    prune: Prune = False,
) -> int:
    """Deploy every job that has a schedule and run them here, until SIGTERM: no worker is needed.

    For example

        refsync serve
        refsync serve acme/servers acme/links --limit 2
    """
    shown, settings = Shown(), load_settings()
    wish, seconds = _Wish(settings, jobs, prune), _seconds(grace)
    settle(settings.state)
    from flows import prefect_client, serving  # noqa: PLC0415 - after `settle`

    server = prefect_client.server()
    found, rollout = _roll_out(wish, here(settings, wish.folder), dry_run=False)
    show_rollout(shown, Shape(prune=prune), found, rollout)
    if not found.deployables:
        what = "no job with a schedule, so nothing to serve"
        mend = "give a job a `schedule` in its `sync` block"
        raise Misdeclared([Fault(str(wish.folder), what, mend)])
    served = [step for step in rollout.steps if step.action in ("created", "updated", "unchanged")]
    shown.note(f"serving {len(served)} deployments of {server}; SIGTERM ends it")
    environment = run_environment(settings, wish.folder)
    serving.serve(served, environment, limit=limit, grace=seconds)
    return DONE


def _in_pool(wish: _Wish, pool: str, kind: str, image: str, volumes: Sequence[str]) -> Placement:
    """Raises Misdeclared when what was asked for does not suit the *kind* of pool."""
    if kind == "docker":
        if not image:
            what = f"the work pool {pool!r} runs images, and none is named"
            mend = "--image refsync:VERSION, one built from the Dockerfile"
            raise Misdeclared([Fault("--image", what, mend)])
        return in_containers(wish.settings, wish.folder, pool, image, volumes)
    if image or volumes:
        what = f"the work pool {pool!r} runs processes, which have no image and no volumes"
        mend = "leave --image and --volume out, or name a pool of type docker"
        raise Misdeclared([Fault("--image" if image else "--volume", what, mend)])
    return in_processes(wish.settings, wish.folder, pool)


def _roll_out(wish: _Wish, place: Placement, *, dry_run: bool) -> tuple[Found, Rollout]:
    """What was found of the jobs, and what was done, or would be."""
    from flows import deployments  # noqa: PLC0415 - after `settle`

    everything = every_job(wish.folder)
    found = find(wish.folder, wish.names or everything, only=wish.names)
    # the whole folder says what is gone, also where a few jobs of it are asked for
    whole = find(wish.folder, everything) if wish.names else found
    wanted, backfills = list(found.deployables), backfill(whole.jobs)
    if not wish.names:
        wanted.append(backfills)
    rollout = deployments.plan_rollout(
        wanted,
        place,
        kept={*everything, backfills.full_name} - {*whole.unscheduled},
        origin=str(wish.folder),
        prune=wish.prune and not whole.faults,
    )
    found.faults = whole.faults if wish.prune else found.faults
    if not dry_run:
        rollout = Rollout(deployments.carry_out(rollout.steps), rollout.others)
    return found, rollout


def _seconds(grace: str) -> float:
    span = span_of(grace)
    if span is None:
        what = f"{grace!r} is no span of time"
        raise Misdeclared([Fault("--grace", what, "write 30s, 5m or 1h")])
    return span.total_seconds()
