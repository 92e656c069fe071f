"""Deployments in Prefect: read, made and pruned. Import it after `flows.prefect_env.settle`."""

import contextlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from importlib import import_module, metadata
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowFilter,
    FlowFilterId,
    FlowFilterName,
)
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.exceptions import ObjectNotFound
from prefect.utilities.callables import parameter_schema
from pydantic import ValidationError

from flows.deployable import TAG, Deployable
from flows.misdeclared import Fault, Misdeclared
from flows.placement import KINDS, Placement
from flows.prefect_client import prefect_client
from flows.rollout import Document, Rollout, Standing, Step, decide
from flows.sync_config import Schedule

SLUG: Final = "refsync"  # of the schedule that the job file gives; others are the operators'
_PAGE = 200  # deployments and flows that Prefect gives at once


def kind_of_pool(name: str) -> str:
    """`process` or `docker`; raises Misdeclared for a work pool that is not there, or is another.

    Raises Refused and Unreachable.
    """
    where = f"--pool {name}"
    with prefect_client() as client:
        try:
            kind = client.read_work_pool(name).type
        except ObjectNotFound:
            known = ", ".join(sorted(each.name for each in client.read_work_pools()))
            mend = f"prefect work-pool create '{name}' --type process"
            mend += f"; or name one of {known}" if known else ""
            what = f"Prefect has no work pool {name!r}"
            raise Misdeclared([Fault(where, what, mend)]) from None
    if kind not in KINDS:
        what = f"the work pool {name!r} is of type {kind!r}, which refsync cannot deploy to"
        mend = f"name one of type {' or '.join(KINDS)}"
        raise Misdeclared([Fault(where, what, mend)])
    return kind


def plan_rollout(
    deployables: Iterable[Deployable],
    placement: Placement,
    *,
    kept: Collection[str],
    origin: str,
    prune: bool,
) -> Rollout:
    """What is to be done so that Prefect has *deployables* where *placement* says.

    Nothing is done yet. Raises Misdeclared, Refused and Unreachable.
    """
    wanted = {each.full_name: document(each, placement) for each in deployables}
    with prefect_client() as client:
        there = _standing(client, {name.partition("/")[0] for name in wanted})
    return decide(wanted, there, kept=kept, origin=origin, prune=prune)


def carry_out(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Do it; the steps come back with the ids of what was created. Raises Refused, Unreachable."""
    with prefect_client() as client:
        return tuple(_carried_out(client, step) for step in steps)


def document(deployable: Deployable, placement: Placement) -> Document:
    """A deployment by the words of Prefect's API; `schedule` is the one that the job file gives."""
    entrypoint, steps = placement.code(deployable.function)
    schedule = deployable.schedule
    options = None if schedule is None else {"collision_strategy": schedule.collision.upper()}
    return {
        "description": deployable.description,
        "tags": sorted(deployable.tags),
        "version": metadata.version("refsync"),
        "entrypoint": entrypoint,
        "path": None,
        "pull_steps": steps,
        "work_pool_name": placement.pool,
        "job_variables": placement.variables,
        "parameters": deployable.parameters,
        "parameter_openapi_schema": _form(deployable),
        "enforce_parameter_schema": True,
        "concurrency_limit": None if schedule is None else 1,
        "concurrency_options": options,
        "schedule": None if schedule is None else _schedule(deployable.full_name, schedule),
    }


# --- what is wanted


def _form(deployable: Deployable) -> dict[str, Any]:
    """The form of the parameters: what the flow's signature says, and what the job narrows.

    An unknown parameter is refused, where Prefect by itself lets it pass (specs/prefect.md §3).
    """
    module, _, name = deployable.function.partition(":")
    flow = getattr(import_module(f"flows.{module}"), name)
    schema = parameter_schema(flow).model_dump_for_openapi()
    for parameter, more in deployable.form.items():
        schema["properties"][parameter] |= more
    return schema | {"additionalProperties": False}


def _schedule(name: str, schedule: Schedule) -> dict[str, Any]:
    """As Prefect writes it; raises Misdeclared for a cron line that it cannot read."""
    if schedule.interval is not None:
        zone = ZoneInfo(schedule.timezone)
        return IntervalSchedule(
            interval=timedelta(seconds=schedule.interval),
            # any fixed moment: the default, now, would shift the runs with each deployment
            anchor_date=datetime(2020, 1, 1, tzinfo=zone),
            timezone=schedule.timezone,
        ).model_dump(mode="json")
    try:
        return CronSchedule(cron=schedule.cron, timezone=schedule.timezone).model_dump(mode="json")
    except ValidationError as error:
        what = f"Prefect cannot read the cron line {schedule.cron!r}"
        mend = "write five fields of numbers, names, `*`, `,`, `-` and `/`, such as `0 2 * * *`"
        raise Misdeclared([Fault(f"{name}: sync.schedule.cron", what, mend)]) from error


# --- what is there


def _standing(client: SyncPrefectClient, flows: Collection[str]) -> list[Standing]:
    """All deployments of ours, and whatever else belongs to *flows*."""
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    named = FlowFilter(name=FlowFilterName(any_=sorted(flows)))
    found = {each.id: each for each in _deployments(client, deployment_filter=ours)}
    found |= {each.id: each for each in _deployments(client, flow_filter=named)}
    names = _flow_names(client, {each.flow_id for each in found.values()})
    return [_as_standing(each, names[each.flow_id]) for each in found.values()]


def _deployments(client: SyncPrefectClient, **filters: Any) -> Iterator[DeploymentResponse]:
    offset = 0
    while page := client.read_deployments(limit=_PAGE, offset=offset, **filters):
        yield from page
        offset += len(page)


def _flow_names(client: SyncPrefectClient, ids: Collection[UUID]) -> dict[UUID, str]:
    names: dict[UUID, str] = {}
    wanted = sorted(ids)
    for first in range(0, len(wanted), _PAGE):
        some = FlowFilter(id=FlowFilterId(any_=wanted[first : first + _PAGE]))
        names |= {each.id: each.name for each in client.read_flows(flow_filter=some, limit=_PAGE)}
    return names


def _as_standing(found: DeploymentResponse, flow: str) -> Standing:
    schedule = next((each for each in found.schedules if each.slug == SLUG), None)
    limit, options = found.global_concurrency_limit, found.concurrency_options
    dumped = found.model_dump(
        mode="json",
        include={
            "description",
            "version",
            "entrypoint",
            "path",
            "work_pool_name",
            "job_variables",
            "parameters",
            "parameter_openapi_schema",
            "enforce_parameter_schema",
        },
    )
    return Standing(
        str(found.id),
        f"{flow}/{found.name}",
        dumped
        | {
            "tags": sorted(found.tags),
            "pull_steps": found.pull_steps or [],
            "concurrency_limit": None if limit is None else limit.limit,
            "concurrency_options": options
            and {"collision_strategy": options.collision_strategy.value},
            "schedule": None if schedule is None else schedule.schedule.model_dump(mode="json"),
        },
        paused=found.paused or (schedule is not None and not schedule.active),
    )


# --- what is done


def _carried_out(client: SyncPrefectClient, step: Step) -> Step:
    if step.action == "created":
        return step.done(str(_create(client, step)))
    if step.action == "updated":
        _update(client, step)
    elif step.action == "pruned":
        with contextlib.suppress(ObjectNotFound):  # somebody was faster
            client.delete_deployment(UUID(step.id))
    return step


def _create(client: SyncPrefectClient, step: Step) -> UUID:
    flow, _, name = step.name.partition("/")
    words = dict(step.document)
    schedule, options = words.pop("schedule"), words.pop("concurrency_options")
    return client.create_deployment(
        client.create_flow_from_name(flow),
        name,
        schedules=[_ours(schedule)] if schedule else [],
        concurrency_options=ConcurrencyOptions(**options) if options else None,
        **words,
    )


def _update(client: SyncPrefectClient, step: Step) -> None:
    """Neither a pause nor a schedule of somebody else is in what is sent: they stay."""
    words = dict(step.document)
    schedule, identity = words.pop("schedule"), UUID(step.id)
    client.update_deployment(identity, DeploymentUpdate(**words))
    if "schedule" not in step.changed:
        return
    there = next(
        (each for each in client.read_deployment_schedules(identity) if each.slug == SLUG), None
    )
    if there is not None and schedule is None:
        client.delete_deployment_schedule(identity, there.id)
    elif there is not None:
        client.update_deployment_schedule(identity, there.id, schedule=_ours(schedule).schedule)
    else:
        client.create_deployment_schedules(identity, [_ours(schedule)])


def _ours(schedule: dict[str, Any]) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate.model_validate({"schedule": schedule, "slug": SLUG})
