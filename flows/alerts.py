"""The automations that refsync ships, as documents of Prefect's API; decided here, done elsewhere.

    refsync: dead runs            a run whose heartbeat stays out is set `Crashed`, its slot is free
    refsync: failures             a run that failed, crashed or was not whole: a message
    refsync: stale <job>          a feed without a run that was done in due time: a message

Prefect leaves a run `Running` for ever when its process and its worker are killed (specs/prefect.md
§3). Runs are ours by their tag, `refsync`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from flows.deployable import TAG
from flows.job import Job
from flows.sync_config import Schedule

PREFIX: Final = "refsync: "
SILENCE: Final = timedelta(seconds=90)  # three beats of the heart
STATES: Final = ("Failed", "Crashed", "TimedOut", "Partial", "Held", "Refused")
_BEAT: Final = "prefect.flow-run.heartbeat"
_DONE: Final = "prefect.flow-run.Completed"
_ENDS: Final = ("Completed", "Cancelled", "Cancelling", "Paused", "Suspended", "AwaitingRetry")
_LATE: Final = timedelta(hours=2)  # what a run may take, as `refsync health` reckons
_LEAST: Final = timedelta(seconds=10)  # that Prefect waits for what does not come
_MOMENTS: Final = 400  # of a cron line, which show its longest pause
_HORIZON: Final = timedelta(days=800)

# of the run that the message is about; what is not there is null
_ABOUT: Final = {
    "job": "flow_run.parameters.job",
    "state": "flow_run.state.name",
    "message": "flow_run.state.message",
    "run": "flow_run.name",
    "id": "flow_run.id|string",
    "link": "flow_run|ui_url",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Whom messages go to: ids of Prefect's blocks, "" for nobody."""

    webhook: str = ""
    email: str = ""

    @property
    def nobody(self) -> bool:
        return not self.webhook and not self.email


@dataclass(frozen=True, slots=True)
class Alert:
    """One automation as it should be, by the words of Prefect's API."""

    name: str
    description: str
    trigger: dict[str, Any]
    actions: tuple[dict[str, Any], ...]


def alerts(jobs: Iterable[Job], notice: Notice, silence: timedelta = SILENCE) -> list[Alert]:
    """Every automation that is wanted; those that only send messages need somebody to get them."""
    wanted = [_dead_runs(silence)]
    if not notice.nobody:
        wanted.append(_failures(notice))
        wanted += [_stale(job.name, job.sync.schedule, notice) for job in jobs if job.sync.schedule]
    return wanted


def patience(schedule: Schedule, now: datetime) -> timedelta:
    """How long a feed may be without a run that was done: its period, and what a run may take.

    The period of a cron line is the longest pause that it makes: of `0 2 * * 1-5` the week-end.
    """
    if schedule.interval is not None:
        period = timedelta(seconds=schedule.interval)
    else:
        moments = islice(_moments(schedule, now), _MOMENTS)
        pauses = (later - earlier for earlier, later in pairwise(moments))
        # a moment that comes less than once in two years says nothing
        period = max(pauses, default=_HORIZON)
    return max(_LEAST, period + min(_LATE, period))


def _moments(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    for moment in CronSim(schedule.cron, now.astimezone(ZoneInfo(schedule.timezone))):
        if moment.astimezone(UTC) - now > _HORIZON:
            return
        yield moment.astimezone(UTC)


def _dead_runs(silence: timedelta) -> Alert:
    ends = {f"prefect.flow-run.{state}" for state in (*_ENDS, *STATES)}
    seconds = int(silence.total_seconds())
    return Alert(
        f"{PREFIX}dead runs",
        "Sets a run `Crashed` whose process was killed, so that its slot is free.",
        _trigger(
            posture="Proactive",
            after=[_BEAT],
            # whoever beats again lives; whoever has ended needs not
            expect=sorted({_BEAT, *ends}),
            match={"prefect.resource.id": "prefect.flow-run.*"},
            related=[_tagged(TAG)],
            for_each=["prefect.resource.id"],
            within=silence,
        ),
        (
            {
                "type": "change-flow-run-state",
                "state": "CRASHED",
                "name": "Crashed",
                "message": f"no sign of life for {seconds} s: its process was killed, or its"
                " machine is gone; `refsync resume` goes on with what it has read",
            },
        ),
    )


def _failures(notice: Notice) -> Alert:
    about = {name: "{{ (" + what + ") | default(none) | tojson }}" for name, what in _ABOUT.items()}
    text = (
        "{{ (flow_run.parameters.job | default(flow_run.name) | string ~ ': ' ~"
        " flow_run.state.name ~ ', ' ~ (flow_run.state.message or 'no message')) | tojson }}"
    )
    fields = {"event": '"failure"', **about, "text": text}
    body = (
        "{{ flow_run.parameters.job or flow_run.name }}: {{ flow_run.state.name }}\n\n"
        "{{ flow_run.state.message or 'no message' }}\n\nrun: {{ flow_run.name }}\n"
        "{{ (flow_run | ui_url) or '' }}\n"
    )
    return Alert(
        f"{PREFIX}failures",
        "Sends a message of each run that failed, crashed or was not whole.",
        _trigger(
            posture="Reactive",
            after=[],
            expect=sorted(f"prefect.flow-run.{state}" for state in STATES),
            match={"prefect.resource.id": "prefect.flow-run.*"},
            related=[_tagged(TAG)],
            for_each=["prefect.resource.id"],
            within=timedelta(0),
        ),
        _messages(
            notice,
            _object(fields),
            "refsync: {{ flow_run.parameters.job or flow_run.name }} {{ flow_run.state.name }}",
            body,
        ),
    )


def _stale(job: str, schedule: Schedule, notice: Notice) -> Alert:
    customer, _, name = job.partition("/")
    within = patience(schedule, datetime.now(UTC).replace(microsecond=0))
    span = _span(within)
    text = f"{job}: no run was done for {span}; `refsync health {job}` says how it stands"
    fields = {"event": "stale", "job": job, "state": "stale", "message": text, "text": text}
    return Alert(
        f"{PREFIX}stale {job}",
        f"Sends a message when {job} had no run that was done for {span}, and again each {span}.",
        _trigger(
            posture="Proactive",
            after=[_DONE],
            expect=[_DONE],
            match={"prefect.resource.id": "prefect.flow-run.*"},
            related=[
                {"prefect.resource.role": "flow", "prefect.resource.name": customer},
                {"prefect.resource.role": "deployment", "prefect.resource.name": name},
            ],
            for_each=[],
            within=within,
        ),
        _messages(
            notice,
            _object({key: _raw(json.dumps(value)) for key, value in fields.items()}),
            f"refsync: {_raw(job)} is stale",
            _raw(f"{text}\n"),
        ),
    )


def _messages(notice: Notice, payload: str, subject: str, body: str) -> tuple[dict[str, Any], ...]:
    actions: list[dict[str, Any]] = []
    if notice.webhook:
        actions.append(
            {"type": "call-webhook", "block_document_id": notice.webhook, "payload": payload}
        )
    if notice.email:
        actions.append(
            {
                "type": "send-notification",
                "block_document_id": notice.email,
                "subject": subject,
                "body": body,
            }
        )
    return tuple(actions)


def _trigger(
    *,
    posture: str,
    after: list[str],
    expect: list[str],
    match: dict[str, str],
    related: list[dict[str, str]],
    for_each: list[str],
    within: timedelta,
) -> dict[str, Any]:
    return {
        "type": "event",
        "posture": posture,
        "after": after,
        "expect": expect,
        "match": match,
        "match_related": related,
        "for_each": for_each,
        "threshold": 1,
        "within": within.total_seconds(),
    }


def _tagged(tag: str) -> dict[str, str]:
    return {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}


def _object(fields: dict[str, str]) -> str:
    """A JSON object of *fields*, whose values are JSON already, or templates of it."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in fields.items()) + "}"


def _raw(text: str) -> str:
    """*text* as a template that says just that: a job may be called `a{{b`."""
    return "{% raw %}" + text + "{% endraw %}" if "{" in text else text


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds} s"
